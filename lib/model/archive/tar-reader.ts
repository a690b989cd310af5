import { RECORD } from './tar';

/** A member's header, extended headers (pax, GNU) applied. */
export interface TarHeader {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly size: number;
  readonly mode: number;
}

export interface TarVisitor {
  member(header: TarHeader): void;
  /** Some bytes of the last member. */
  data(bytes: Buffer): void;
  /** The last member is whole. */
  memberEnd(): void;
}

/** A tar stream that no reader should be given. The message continues "<file> ...". */
export class TarError extends Error {}

const LONGEST_EXTENSION = 1 << 20;
const TYPES: Readonly<Record<string, TarHeader['type']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '5': 'directory',
  '1': 'link',
  '2': 'link',
};

/** Reads a tar stream piece by piece, strictly: what readers could understand in two ways is an error. */
export class TarReader {
  private rest: Buffer = Buffer.alloc(0);
  private left = 0;
  private pad = 0;
  private extension: { readonly type: string; readonly parts: Buffer[] } | undefined;
  private pax = new Map<string, string>();
  private inMember = false;
  private ended = false;

  constructor(private readonly visitor: TarVisitor) {}

  /** @throws TarError */
  write(chunk: Buffer): void {
    let input = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    while (input.length > 0) {
      if (this.left > 0) input = this.takeData(input);
      else if (this.pad > 0) {
        const skipped = Math.min(this.pad, input.length);
        this.pad -= skipped;
        input = input.subarray(skipped);
      } else if (input.length < RECORD) break;
      else {
        this.takeHeader(input.subarray(0, RECORD));
        input = input.subarray(RECORD);
      }
    }
    this.rest = Buffer.from(input);
  }

  /** @throws TarError when the stream ends before the archive does */
  end(): void {
    if (this.left > 0 || this.pad > 0 || this.rest.length > 0) throw new TarError('ends in the middle of a file');
    if (!this.ended) throw new TarError('ends without the two empty records that end a tar archive: it was cut short');
  }

  private takeData(input: Buffer): Buffer {
    const bytes = input.subarray(0, this.left);
    this.left -= bytes.length;
    if (this.extension !== undefined) this.extension.parts.push(Buffer.from(bytes));
    else this.visitor.data(bytes);
    if (this.left === 0) this.endBody();
    return input.subarray(bytes.length);
  }

  private takeHeader(record: Buffer): void {
    if (record.every((byte) => byte === 0)) {
      this.ended = true;
      return;
    }
    if (this.ended) throw new TarError('goes on after its end: only the first part would be unpacked');
    if (number(record, 148, 8) !== checksum(record)) throw new TarError('is not a tar archive, or damaged: a header has a wrong checksum');
    const type = String.fromCharCode(record[156]!);
    if ('xgLK'.includes(type)) {
      this.startBody(number(record, 124, 12));
      if (this.left > LONGEST_EXTENSION) throw new TarError(`has an extended header of ${this.left} bytes`);
      this.extension = { type, parts: [] };
    } else {
      const header = this.header(record, type);
      this.startBody(header.type === 'file' ? header.size : 0);
      this.inMember = true;
      this.pax = new Map();
      this.visitor.member(header);
    }
    if (this.left === 0) this.endBody();
  }

  private header(record: Buffer, type: string): TarHeader {
    if ([...this.pax.keys()].some((key) => key.startsWith('GNU.sparse.')))
      throw new TarError('holds a sparse file: make it with tar, without -S');
    const prefix = record.toString('latin1', 257, 263) === 'ustar\0' ? text(record, 345, 155) : '';
    const name = text(record, 0, 100);
    return {
      path: this.pax.get('path') ?? (prefix === '' ? name : `${prefix}/${name}`),
      type: TYPES[type] ?? 'other',
      size: Number(this.pax.get('size') ?? number(record, 124, 12)),
      mode: number(record, 100, 8),
    };
  }

  private startBody(size: number): void {
    if (!Number.isSafeInteger(size) || size < 0) throw new TarError(`is damaged: a file has ${size} bytes`);
    this.left = size;
    this.pad = (RECORD - (size % RECORD)) % RECORD;
  }

  private endBody(): void {
    if (this.extension !== undefined) this.extend(this.extension.type, Buffer.concat(this.extension.parts));
    else if (this.inMember) this.visitor.memberEnd();
    this.extension = undefined;
    this.inMember = false;
  }

  private extend(type: string, body: Buffer): void {
    if (type === 'L') this.pax.set('path', text(body, 0, body.length));
    if (type !== 'x' && type !== 'g') return;
    for (const [key, value] of paxRecords(body)) {
      if (type === 'x') this.pax.set(key, value);
      else if (['path', 'linkpath', 'size'].includes(key)) throw new TarError(`gives every file the same ${key}`);
    }
  }
}

/** `<length> <key>=<value>\n`, the length counting itself. */
function* paxRecords(body: Buffer): Generator<[string, string]> {
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString('latin1', at, Math.max(at, space)));
    const equals = body.indexOf(0x3d, space);
    const end = at + length;
    if (!(length > 0) || end > body.length || body[end - 1] !== 0x0a || equals < 0 || equals >= end)
      throw new TarError('has a damaged extended header');
    yield [body.toString('utf8', space + 1, equals), body.toString('utf8', equals + 1, end - 1)];
    at = end;
  }
}

function checksum(record: Buffer): number {
  let sum = 0;
  for (let index = 0; index < RECORD; index++) sum += index >= 148 && index < 156 ? 0x20 : record[index]!;
  return sum;
}

/** Octal digits, or GNU's binary numbers, which have the first bit set. */
function number(record: Buffer, at: number, length: number): number {
  if (record[at]! & 0x80) {
    let value = record[at]! & 0x7f;
    for (let index = at + 1; index < at + length; index++) value = value * 256 + record[index]!;
    return value;
  }
  const digits = text(record, at, length).trim();
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function text(bytes: Buffer, at: number, length: number): string {
  const end = bytes.subarray(at, at + length).indexOf(0);
  return bytes.toString('utf8', at, end < 0 ? at + length : at + end);
}
