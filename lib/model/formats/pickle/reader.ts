import { type Bytes, TruncatedError } from '../bytes';

/** Bytes that are read ahead: few at first, since what is no pickle mostly ends at once. */
const FIRST_WINDOW = 4 * 1024;
const WINDOW = 256 * 1024;
/** Longest text that is kept; what is longer is no name and no path. */
const LONGEST_TEXT = 64 * 1024;

/** The numbers and texts that follow a pickle's opcodes, read through a window. */
export class PickleReader {
  private window: Buffer = Buffer.alloc(0);
  private windowAt = 0;
  private ahead = FIRST_WINDOW;

  constructor(
    readonly bytes: Bytes,
    public at: number,
  ) {}

  u8(): number {
    if (this.at < this.windowAt || this.at >= this.windowAt + this.window.length) this.fill(1);
    return this.window[this.at++ - this.windowAt]!;
  }

  u16(): number {
    return this.place(2).readUInt16LE(this.moved(2));
  }

  u32(): number {
    return this.place(4).readUInt32LE(this.moved(4));
  }

  i32(): number {
    return this.place(4).readInt32LE(this.moved(4));
  }

  u64(): number {
    return Number(this.place(8).readBigUInt64LE(this.moved(8)));
  }

  /** Big-endian, as BINFLOAT has it. */
  f64(): number {
    return this.place(8).readDoubleBE(this.moved(8));
  }

  /** Moves over `length` bytes and says where they began. */
  skip(length: number): number {
    const start = this.at;
    if (length > this.bytes.size - start) throw new TruncatedError(start, length, this.bytes.size);
    this.at += length;
    return start;
  }

  text(length: number, encoding: 'utf8' | 'latin1'): string {
    const start = this.skip(length);
    const kept = Math.min(length, LONGEST_TEXT);
    this.at = start;
    const place = this.place(kept);
    const text = place.toString(encoding, start - this.windowAt, start - this.windowAt + kept);
    this.at = start + length;
    return text;
  }

  /** A two's complement number of `length` bytes, little-endian; undefined for one of more than 8. */
  long(length: number): number | bigint | undefined {
    const start = this.skip(length);
    if (length === 0) return 0;
    if (length > 8) return undefined;
    const raw = Buffer.alloc(8, 0);
    const read = this.bytes.read(start, length);
    raw.fill(read[length - 1]! & 0x80 ? 0xff : 0);
    read.copy(raw);
    const value = raw.readBigInt64LE();
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** Up to the next newline, which is taken and left out. */
  line(): string {
    const start = this.at;
    for (let length = 256; ; length = Math.min(length * 4, LONGEST_TEXT)) {
      const ahead = this.bytes.read(start, length);
      const end = ahead.indexOf(0x0a);
      if (end >= 0) {
        this.at = start + end + 1;
        return ahead.toString('utf8', 0, end);
      }
      if (ahead.length < length) throw new TruncatedError(start, length, this.bytes.size);
      if (length === LONGEST_TEXT) return this.longLine(start, ahead);
    }
  }

  private longLine(start: number, head: Buffer): string {
    for (let at = start + head.length; at < this.bytes.size; at += WINDOW) {
      const end = this.bytes.read(at, WINDOW).indexOf(0x0a);
      if (end < 0) continue;
      this.at = at + end + 1;
      return head.toString('utf8');
    }
    throw new TruncatedError(start, this.bytes.size - start + 1, this.bytes.size);
  }

  /** The window with the next `length` bytes in it; they begin at `at - windowAt`. */
  private place(length: number): Buffer {
    if (this.at < this.windowAt || this.at + length > this.windowAt + this.window.length) this.fill(length);
    return this.window;
  }

  /** Moves on, and says where in the window the place was. */
  private moved(length: number): number {
    const offset = this.at - this.windowAt;
    this.at += length;
    return offset;
  }

  private fill(length: number): void {
    const read = this.bytes.read(this.at, Math.max(length, this.ahead));
    this.ahead = Math.min(4 * this.ahead, WINDOW);
    if (read.length < length) throw new TruncatedError(this.at, length, this.bytes.size);
    this.window = read;
    this.windowAt = this.at;
  }
}

/** Python's escapes in a quoted string of protocol 0: `\x6f`, `\157`, `\n`. */
export function unquoted(line: string): string {
  const trimmed = line.trim();
  const quote = trimmed[0];
  const body = (quote === "'" || quote === '"') && trimmed.endsWith(quote) && trimmed.length >= 2 ? trimmed.slice(1, -1) : trimmed;
  return body.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)/gs, (_, code: string) => {
    if (code[0] === 'x' && code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    return SINGLE[code] ?? (code === '\n' ? '' : code);
  });
}

const SINGLE: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', a: '\x07' };

/** The raw-unicode-escape of protocol 0's UNICODE: `\u006f`, `\U0000006f`. */
export function unescapedUnicode(line: string): string {
  return line.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (whole, short?: string, long?: string) => {
    const point = Number.parseInt(short ?? long ?? '', 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
