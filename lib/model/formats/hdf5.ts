import { type Bytes, readExactly, TruncatedError } from './bytes';
import { type Attribute, attribute, datatype, sharedDatatype } from './hdf5-attribute';
import { denseMessages, type Message, objectMessages } from './hdf5-header';
import { Hdf5Space } from './hdf5-space';

export interface Hdf5Dataset {
  /** Path from the root, without a leading slash. */
  readonly path: string;
  /** In numpy's words. */
  readonly type: string;
  readonly shape: number[];
}

export interface Hdf5File {
  /** Text attributes of the root group; of two by one name the first. */
  readonly attributes: Record<string, string>;
  /** All attributes of the root group, as far as they were read. */
  readonly rootAttributes: readonly Attribute[];
  /** Why the root group's attributes were not all read. */
  readonly attributesUnread?: string;
  readonly datasets: Hdf5Dataset[];
  /** Links to other files and data kept in other files: `path -> file`. */
  readonly external: string[];
  /** What could not be followed, and why. */
  readonly unread: string[];
  /** The first damage that was met below the root group. */
  readonly fault?: Error;
}

export function startsLikeHdf5(head: Buffer): boolean {
  return head.subarray(0, 8).equals(MAGIC);
}

const MAGIC = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');
const MOST_OBJECTS = 100_000;
const MOST_MESSAGES = 1_000_000;
const MOST_UNREAD = 100;
const DEEPEST = 64;

/** Where the superblock stands: at 0, 512, 1024 and so on, doubled, as other bytes may come before it. Undefined where there is none. */
export function superblockAt(bytes: Bytes): number | undefined {
  const magic = Buffer.alloc(8);
  for (let at = 0; at + 8 <= bytes.size; at = at === 0 ? 512 : at * 2) if (bytes.fill(magic, at) === 8 && magic.equals(MAGIC)) return at;
  return undefined;
}

/**
 * Reads the groups, attributes and dataset headers of an HDF5 file (its format specification, version 3), no data.
 *
 * @throws Error when the superblock or the root group is damaged; what is damaged below is told
 */
export function readHdf5(bytes: Bytes): Hdf5File {
  // addresses count from the superblock, whatever base address it gives: the library corrects that one
  return new Hdf5Reader(rootOf(bytes.slice(superblockAt(bytes) ?? 0))).read();
}

/** The numbers' sizes, and the address of the root group's header. */
function rootOf(bytes: Bytes): { readonly space: Hdf5Space; readonly root: number } {
  const head = readExactly(bytes, 0, 24);
  const version = head[8]!;
  if (version > 3) throw new Error(`HDF5 superblock version ${version} is not read`);
  const space = version <= 1 ? new Hdf5Space(bytes, head[13]!, head[14]!) : new Hdf5Space(bytes, head[9]!, head[10]!);
  const at = version === 0 ? 24 + 5 * space.offsetSize : version === 1 ? 28 + 5 * space.offsetSize : 12 + 3 * space.offsetSize;
  return { space, root: space.needed(readExactly(bytes, at, space.offsetSize), 0) };
}

class Hdf5Reader {
  private readonly space: Hdf5Space;
  private readonly root: number;
  private objects = 0;
  private messages = 0;
  private readonly seen = new Set<number>();
  private readonly attributes: Attribute[] = [];
  private attributesUnread: string | undefined;
  private readonly datasets: Hdf5Dataset[] = [];
  private readonly external: string[] = [];
  private readonly unread: string[] = [];
  private fault: Error | undefined;

  constructor({ space, root }: { readonly space: Hdf5Space; readonly root: number }) {
    this.space = space;
    this.root = root;
  }

  read(): Hdf5File {
    const messages = objectMessages(this.space, this.root);
    this.rootAttributes(messages);
    this.seen.add(this.root);
    this.guarded('', () => this.follow(messages, '', 0));
    const texts = this.attributes.flatMap(({ name, text }) => (text === undefined ? [] : [[name, text] as const]));
    return {
      attributes: Object.fromEntries(texts.reverse()),
      rootAttributes: this.attributes,
      attributesUnread: this.attributesUnread,
      datasets: this.datasets,
      external: this.external,
      unread: this.unread,
      fault: this.fault,
    };
  }

  private rootAttributes(messages: readonly Message[]): void {
    const readOne = (message: Message) => {
      try {
        this.attributes.push(attribute(this.space, message));
      } catch (error) {
        this.attributesUnread ??= (error as Error).message;
      }
    };
    for (const message of messages) {
      if (message.type === 0x0c) readOne(message);
      if (message.type !== 0x15) continue;
      try {
        for (const dense of denseMessages(this.space, message)) readOne(dense);
      } catch (error) {
        this.attributesUnread ??= (error as Error).message;
      }
    }
  }

  /** What a header leads to; what is damaged there is told, and the rest read. */
  private object(address: number, path: string, depth: number): void {
    if (this.seen.has(address)) return;
    this.seen.add(address);
    if (depth > DEEPEST) this.skipped(`groups nest more than ${DEEPEST} deep`);
    else if (++this.objects > MOST_OBJECTS) this.skipped(`it holds more than ${MOST_OBJECTS} objects`);
    else if (this.messages > MOST_MESSAGES) this.skipped(`its objects hold more than ${MOST_MESSAGES} messages`);
    else this.guarded(path, () => this.follow(objectMessages(this.space, address), path, depth));
  }

  private guarded(path: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      this.fault ??= error as Error;
      this.skipped(`${path === '' ? '/' : path} is damaged: ${(error as Error).message}`);
    }
  }

  private skipped(what: string): void {
    if (this.unread.length < MOST_UNREAD && this.unread.at(-1) !== what) this.unread.push(what);
  }

  private follow(messages: readonly Message[], path: string, depth: number): void {
    this.messages += messages.length;
    let shape: number[] | undefined;
    let type: string | undefined;
    let isDataset = false;
    for (const message of messages) {
      const { type: kind, body, isShared } = message;
      if (kind === 0x03) type = (isShared ? sharedDatatype(this.space, body) : datatype(body)).name;
      else if (isShared && (kind === 0x07 || kind === 0x11 || kind === 0x06)) throw new Error('a link that is kept elsewhere');
      else if (kind === 0x01 && !isShared) shape = this.dataspace(body);
      else if (kind === 0x08) isDataset = true;
      else if (kind === 0x07) this.external.push(`${path} -> another file`);
      else if (kind === 0x11) this.guarded(path, () => this.symbolTable(body, path, depth));
      else if (kind === 0x06) this.guarded(path, () => this.link(body, path, depth));
      else if (kind === 0x02)
        this.guarded(path, () => {
          for (const dense of denseMessages(this.space, message)) this.link(dense.body, path, depth);
        });
      if (kind === 0x08 && body[0]! >= 4 && body[1] === 3) this.external.push(`${path} -> other files, of which it is a view`);
    }
    if (isDataset && type !== undefined) this.datasets.push({ path, type, shape: shape ?? [] });
  }

  private dataspace(body: Buffer): number[] {
    const rank = body[1]!;
    const start = body[0] === 1 ? 8 : 4;
    return Array.from({ length: rank }, (_, i) => this.space.size(body, start + i * this.space.lengthSize));
  }

  /** A group of the old kind: a B-tree of symbol nodes, and a heap with their names. */
  private symbolTable(body: Buffer, path: string, depth: number): void {
    const heap = this.space.at(this.space.needed(body, this.space.offsetSize), 8 + 2 * this.space.lengthSize + this.space.offsetSize);
    const names = this.space.needed(heap, 8 + 2 * this.space.lengthSize);
    this.tree(this.space.needed(body, 0), names, path, depth, 0);
  }

  private tree(address: number, names: number, path: string, depth: number, level: number): void {
    if (level > DEEPEST) throw new Error('a B-tree nests too deep');
    if (this.seen.has(address)) return;
    this.seen.add(address);
    const head = this.space.at(address, 8 + 2 * this.space.offsetSize);
    if (head.toString('latin1', 0, 4) === 'SNOD') {
      this.symbols(address, head.readUInt16LE(6), names, path, depth);
      return;
    }
    if (head.toString('latin1', 0, 4) !== 'TREE') throw new Error(`no group node at byte ${address}`);
    const count = head.readUInt16LE(6);
    const step = this.space.lengthSize + this.space.offsetSize;
    const body = this.space.at(address + 8 + 2 * this.space.offsetSize, count * step + this.space.lengthSize);
    for (let i = 0; i < count; i++) this.tree(this.space.needed(body, i * step + this.space.lengthSize), names, path, depth, level + 1);
  }

  private symbols(address: number, count: number, names: number, path: string, depth: number): void {
    const step = 2 * this.space.offsetSize + 24;
    const body = this.space.at(address + 8, count * step);
    for (let i = 0; i < count; i++) {
      const name = this.name(names + this.space.uint(body, i * step, this.space.offsetSize));
      const cache = body.readUInt32LE(i * step + 2 * this.space.offsetSize);
      const header = this.space.address(body, i * step + this.space.offsetSize);
      if (cache === 2 || header === undefined) continue;
      this.object(header, path === '' ? name : `${path}/${name}`, depth + 1);
    }
  }

  private name(address: number): string {
    const raw = this.space.bytes.read(address, 1024);
    const end = raw.indexOf(0);
    if (end < 0) throw new TruncatedError(address, 1024, this.space.bytes.size);
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
    const length = this.space.uint(body, at, width);
    at += width;
    const name = body.toString('utf8', at, at + length);
    at += length;
    const full = path === '' ? name : `${path}/${name}`;
    if (kind === 0) this.object(this.space.needed(body, at), full, depth + 1);
    else if (kind === 64) this.external.push(`${full} -> ${body.toString('utf8', at + 3).split('\0')[0]}`);
    else if (kind !== 1) this.skipped(`${full} is a link of kind ${kind}`);
  }
}
