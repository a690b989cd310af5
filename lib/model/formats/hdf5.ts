import { type Bytes, readExactly, TruncatedError } from './bytes';

export interface Hdf5Dataset {
  /** Path from the root, without a leading slash. */
  readonly path: string;
  /** In numpy's words. */
  readonly type: string;
  readonly shape: number[];
}

export interface Hdf5File {
  /** Text attributes of the root group. */
  readonly attributes: Record<string, string>;
  readonly datasets: Hdf5Dataset[];
  /** Links to other files and data kept in other files: `path -> file`. */
  readonly external: string[];
  /** What could not be followed: dense groups and the like. */
  readonly unread: string[];
}

export function startsLikeHdf5(head: Buffer): boolean {
  return head.subarray(0, 8).equals(MAGIC);
}

const MAGIC = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');
const UNDEFINED = 0xffffffffffffffffn;
const MOST_OBJECTS = 100_000;
const DEEPEST = 64;

/** Reads the groups, attributes and dataset headers of an HDF5 file (its format specification, version 3), no data. @throws Error when it is damaged */
export function readHdf5(bytes: Bytes): Hdf5File {
  return new Hdf5Reader(bytes).read();
}

interface Message {
  readonly type: number;
  readonly body: Buffer;
}

class Hdf5Reader {
  private offsetSize = 8;
  private lengthSize = 8;
  private base = 0;
  private objects = 0;
  private readonly seen = new Set<number>();
  private readonly attributes: Record<string, string> = {};
  private readonly datasets: Hdf5Dataset[] = [];
  private readonly external: string[] = [];
  private readonly unread: string[] = [];

  constructor(private readonly bytes: Bytes) {}

  read(): Hdf5File {
    this.object(this.superblock(), '', 0);
    return { attributes: this.attributes, datasets: this.datasets, external: this.external, unread: this.unread };
  }

  /** The address of the root group's header. */
  private superblock(): number {
    const head = readExactly(this.bytes, 0, 24);
    const version = head[8]!;
    if (version <= 1) {
      this.offsetSize = head[13]!;
      this.lengthSize = head[14]!;
      const start = version === 0 ? 24 : 28;
      const rest = readExactly(this.bytes, start, this.offsetSize * 6);
      this.base = this.address(rest, 0) ?? 0;
      return this.required(this.address(rest, this.offsetSize * 5));
    }
    if (version > 3) throw new Error(`HDF5 superblock version ${version} is not read`);
    this.offsetSize = head[9]!;
    this.lengthSize = head[10]!;
    const rest = readExactly(this.bytes, 12, this.offsetSize * 4);
    this.base = this.address(rest, 0) ?? 0;
    return this.required(this.address(rest, this.offsetSize * 3));
  }

  private address(buffer: Buffer, at: number): number | undefined {
    if (this.offsetSize !== 8) return buffer.readUIntLE(at, Math.min(this.offsetSize, 6));
    const value = buffer.readBigUInt64LE(at);
    return value === UNDEFINED ? undefined : Number(value);
  }

  private required(address: number | undefined): number {
    if (address === undefined) throw new Error('an address that is needed is not given');
    return address;
  }

  private size(buffer: Buffer, at: number): number {
    return this.lengthSize === 8 ? Number(buffer.readBigUInt64LE(at)) : buffer.readUIntLE(at, Math.min(this.lengthSize, 6));
  }

  private at(address: number, length: number): Buffer {
    return readExactly(this.bytes, this.base + address, length);
  }

  private object(address: number, path: string, depth: number): void {
    if (depth > DEEPEST) throw new Error(`groups nest more than ${DEEPEST} deep`);
    if (++this.objects > MOST_OBJECTS) throw new Error(`more than ${MOST_OBJECTS} objects`);
    if (this.seen.has(address)) return;
    this.seen.add(address);
    let shape: number[] | undefined;
    let type: Datatype | undefined;
    let isDataset = false;
    for (const { type: kind, body } of this.messages(address)) {
      if (kind === 0x01) shape = this.dataspace(body);
      else if (kind === 0x03) type = datatype(body);
      else if (kind === 0x08) isDataset = true;
      else if (kind === 0x07) this.external.push(`${path} -> another file`);
      else if (kind === 0x0c && path === '') this.attribute(body);
      else if (kind === 0x11) this.symbolTable(body, path, depth);
      else if (kind === 0x06) this.link(body, path, depth);
      else if (kind === 0x02 && this.isDense(body)) this.unread.push(`${path === '' ? '/' : path} is a dense group`);
    }
    if (isDataset && type !== undefined) this.datasets.push({ path, type: type.name, shape: shape ?? [] });
  }

  /** The header messages of an object, continuation blocks included. */
  private messages(address: number): Message[] {
    const head = this.at(address, 16);
    return head.toString('latin1', 0, 4) === 'OHDR' ? this.newMessages(address) : this.oldMessages(address, head);
  }

  private oldMessages(address: number, head: Buffer): Message[] {
    if (head[0] !== 1) throw new Error(`an object header of version ${head[0]} at byte ${address}`);
    const messages: Message[] = [];
    const blocks: [start: number, length: number][] = [[address + 16, head.readUInt32LE(8)]];
    for (let block = blocks.shift(); block !== undefined && messages.length < 10_000; block = blocks.shift()) {
      const data = this.at(...block);
      for (let at = 0; at + 8 <= data.length; ) {
        const type = data.readUInt16LE(at);
        const length = data.readUInt16LE(at + 2);
        const body = data.subarray(at + 8, at + 8 + length);
        if (type === 0x10) blocks.push([this.required(this.address(body, 0)), this.size(body, this.offsetSize)]);
        else messages.push({ type, body });
        at += 8 + length;
      }
    }
    return messages;
  }

  private newMessages(address: number): Message[] {
    const flags = this.at(address, 6)[5]!;
    let at = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    const width = 2 ** (flags & 3);
    const length = this.at(address + at, width).readUIntLE(0, Math.min(width, 6));
    at += width;
    const messages: Message[] = [];
    const blocks: [start: number, length: number][] = [[address + at, length]];
    for (let block = blocks.shift(); block !== undefined && messages.length < 10_000; block = blocks.shift()) {
      const data = this.at(...block);
      const headerLength = flags & 4 ? 6 : 4;
      for (let place = 0; place + headerLength <= data.length; ) {
        const type = data[place]!;
        const bodyLength = data.readUInt16LE(place + 1);
        const body = data.subarray(place + headerLength, place + headerLength + bodyLength);
        place += headerLength + bodyLength;
        if (type !== 0x10) messages.push({ type, body });
        else blocks.push([this.required(this.address(body, 0)) + 4, this.size(body, this.offsetSize) - 8]);
      }
    }
    return messages;
  }

  private dataspace(body: Buffer): number[] {
    const rank = body[1]!;
    const start = body[0] === 1 ? 8 : 4;
    return Array.from({ length: rank }, (_, i) => this.size(body, start + i * this.lengthSize));
  }

  private attribute(body: Buffer): void {
    const version = body[0]!;
    const nameLength = body.readUInt16LE(2);
    const typeLength = body.readUInt16LE(4);
    const spaceLength = body.readUInt16LE(6);
    const pad = (length: number) => (version === 1 ? Math.ceil(length / 8) * 8 : length);
    const nameAt = version === 3 ? 9 : 8;
    const typeAt = nameAt + pad(nameLength);
    const dataAt = typeAt + pad(typeLength) + pad(spaceLength);
    const name = body.toString('utf8', nameAt, nameAt + nameLength).replace(/\0.*$/s, '');
    const type = datatype(body.subarray(typeAt));
    if (type.name !== 'string') return;
    const raw = type.variable ? this.heapObject(body.subarray(dataAt)) : body.subarray(dataAt, dataAt + type.size);
    if (raw !== undefined) this.attributes[name] = raw.toString('utf8').replace(/\0+$/, '');
  }

  /** A variable-length value: its length, then where in which global heap it stands. */
  private heapObject(reference: Buffer): Buffer | undefined {
    if (reference.length < 8 + this.offsetSize) return undefined;
    const length = reference.readUInt32LE();
    const collection = this.required(this.address(reference, 4));
    const wanted = reference.readUInt32LE(4 + this.offsetSize);
    const header = this.at(collection, 8 + this.lengthSize);
    if (header.toString('latin1', 0, 4) !== 'GCOL') throw new Error(`no global heap at byte ${collection}`);
    const end = this.size(header, 8);
    for (let at = 8 + this.lengthSize; at + 8 + this.lengthSize <= end; ) {
      const object = this.at(collection + at, 8 + this.lengthSize);
      const size = this.size(object, 8);
      if (object.readUInt16LE() === wanted) return this.at(collection + at + 8 + this.lengthSize, Math.min(length, size));
      if (object.readUInt16LE() === 0) return undefined;
      at += 8 + this.lengthSize + Math.ceil(size / 8) * 8;
    }
    return undefined;
  }

  /** A group of the old kind: a B-tree of symbol nodes, and a heap with their names. */
  private symbolTable(body: Buffer, path: string, depth: number): void {
    const heap = this.at(this.required(this.address(body, this.offsetSize)), 8 + 2 * this.lengthSize + this.offsetSize);
    const names = this.required(this.address(heap, 8 + 2 * this.lengthSize));
    this.tree(this.required(this.address(body, 0)), names, path, depth, 0);
  }

  private tree(address: number, names: number, path: string, depth: number, level: number): void {
    if (level > DEEPEST) throw new Error('a B-tree nests too deep');
    const head = this.at(address, 8 + 2 * this.offsetSize);
    if (head.toString('latin1', 0, 4) === 'SNOD') {
      this.symbols(address, head.readUInt16LE(6), names, path, depth);
      return;
    }
    if (head.toString('latin1', 0, 4) !== 'TREE') throw new Error(`no group node at byte ${address}`);
    const count = head.readUInt16LE(6);
    const step = this.lengthSize + this.offsetSize;
    const body = this.at(address + 8 + 2 * this.offsetSize, count * step + this.lengthSize);
    for (let i = 0; i < count; i++) this.tree(this.required(this.address(body, i * step + this.lengthSize)), names, path, depth, level + 1);
  }

  private symbols(address: number, count: number, names: number, path: string, depth: number): void {
    const step = 2 * this.offsetSize + 24;
    const body = this.at(address + 8, count * step);
    for (let i = 0; i < count; i++) {
      const name = this.name(names + Number(this.size(body, i * step)));
      const cache = body.readUInt32LE(i * step + 2 * this.offsetSize);
      const header = this.address(body, i * step + this.offsetSize);
      if (cache === 2 || header === undefined) continue;
      this.object(header, path === '' ? name : `${path}/${name}`, depth + 1);
    }
  }

  private name(address: number): string {
    const raw = this.bytes.read(this.base + address, 1024);
    const end = raw.indexOf(0);
    if (end < 0) throw new TruncatedError(address, 1024, this.bytes.size);
    return raw.toString('utf8', 0, end);
  }

  /** A group of the new kind holds its links as messages. */
  private link(body: Buffer, path: string, depth: number): void {
    const flags = body[1]!;
    let at = 2;
    const kind = flags & 8 ? body[at++]! : 0;
    if (flags & 4) at += 8;
    if (flags & 16) at++;
    const width = 2 ** (flags & 3);
    const length = body.readUIntLE(at, Math.min(width, 6));
    at += width;
    const name = body.toString('utf8', at, at + length);
    at += length;
    const full = path === '' ? name : `${path}/${name}`;
    if (kind === 0) this.object(this.required(this.address(body, at)), full, depth + 1);
    else if (kind === 64) this.external.push(`${full} -> ${body.toString('utf8', at + 3).split('\0')[0]}`);
  }

  /** Link info: a fractal heap address that is given means that the links stand there. */
  private isDense(body: Buffer): boolean {
    return this.address(body, body[1]! & 1 ? 10 : 2) !== undefined;
  }
}

interface Datatype {
  readonly name: string;
  readonly size: number;
  readonly variable: boolean;
}

/** A datatype message: class, sign, size. */
function datatype(body: Buffer): Datatype {
  const kind = body[0]! & 0x0f;
  const size = body.readUInt32LE(4);
  const bits = size * 8;
  if (kind === 0) return { name: `${body[1]! & 8 ? '' : 'u'}int${bits}`, size, variable: false };
  if (kind === 1) return { name: `float${bits}`, size, variable: false };
  if (kind === 3) return { name: 'string', size, variable: false };
  if (kind === 9) return { name: (body[1]! & 0x0f) === 1 ? 'string' : 'sequence', size, variable: true };
  if (kind === 8) return { name: 'bool', size, variable: false };
  return { name: 'structured', size, variable: false };
}
