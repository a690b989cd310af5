import { inflateRawSync } from 'node:zlib';
import { BrokenStream, LimitReached, Output } from './output';

/** What came out of a compressed stream: as far as the limit, the data or its faults let it go. */
export interface Expanded {
  readonly output: Buffer;
  /** Compressed bytes used. */
  readonly consumed: number;
  /** `end`: the stream's own end; `limit`: there is more; `broken`: cut short or damaged, the output up to there is kept. */
  readonly stopped: 'end' | 'limit' | 'broken';
}

/**
 * Expands raw deflate (RFC 1951) to at most `limit` bytes. Unlike zlib's one-call form it hands back what it has when the limit or a fault
 * is met: a scanner must look at what a forgiving reader would see.
 *
 * @param until time in `performance.now()`'s milliseconds, met like the limit
 */
export function inflateRaw(input: Buffer, limit: number, until?: number): Expanded {
  const native = inflateWhole(input, limit);
  return native ?? new Inflater(input, limit, until).run();
}

/** zlib at its own speed, for streams that are sound and fit; undefined otherwise. */
function inflateWhole(input: Buffer, limit: number): Expanded | undefined {
  try {
    const { buffer, engine } = inflateRawSync(input, { maxOutputLength: Math.max(1, limit), info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return { output: buffer, consumed: engine.bytesWritten, stopped: 'end' };
  } catch {
    return undefined;
  }
}

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385,
  24577,
];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A canonical Huffman code, as counts by length and symbols in code order. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

class Inflater {
  private readonly output: Output;
  private at = 0;
  private hold = 0;
  private held = 0;

  constructor(
    private readonly input: Buffer,
    limit: number,
    until: number | undefined,
  ) {
    this.output = new Output(limit, Math.max(1024, input.length * 4), until);
  }

  run(): Expanded {
    try {
      while (!this.block());
      return this.result('end');
    } catch (error) {
      if (error instanceof LimitReached) return this.result('limit');
      if (error instanceof BrokenStream) return this.result('broken');
      throw error;
    }
  }

  private result(stopped: Expanded['stopped']): Expanded {
    return { output: this.output.bytes(), consumed: this.at - (this.held >> 3), stopped };
  }

  private block(): boolean {
    const last = this.bits(1) === 1;
    const kind = this.bits(2);
    if (kind === 0) this.stored();
    else if (kind === 1) this.coded(FIXED_LITERALS, FIXED_DISTANCES);
    else if (kind === 2) this.coded(...this.codes());
    else throw new BrokenStream();
    return last;
  }

  private stored(): void {
    this.at -= this.held >> 3;
    this.hold = 0;
    this.held = 0;
    if (this.at + 4 > this.input.length) throw new BrokenStream();
    const length = this.input.readUInt16LE(this.at);
    if ((this.input.readUInt16LE(this.at + 2) ^ 0xffff) !== length) throw new BrokenStream();
    this.at += 4;
    const stored = this.input.subarray(this.at, this.at + length);
    this.at += stored.length;
    this.output.append(stored);
    if (stored.length < length) throw new BrokenStream();
  }

  private codes(): [Code, Code] {
    const literals = this.bits(5) + 257;
    const distances = this.bits(5) + 1;
    const given = this.bits(4) + 4;
    const lengths = new Uint8Array(320);
    for (let i = 0; i < given; i++) lengths[CODE_LENGTH_ORDER[i]!] = this.bits(3);
    const lengthCode = code(lengths.subarray(0, 19));
    lengths.fill(0);
    for (let i = 0; i < literals + distances; ) {
      const symbol = this.symbol(lengthCode);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) throw new BrokenStream();
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      const times = symbol === 16 ? 3 + this.bits(2) : symbol === 17 ? 3 + this.bits(3) : 11 + this.bits(7);
      if (i + times > literals + distances) throw new BrokenStream();
      lengths.fill(value, i, i + times);
      i += times;
    }
    return [code(lengths.subarray(0, literals)), code(lengths.subarray(literals, literals + distances))];
  }

  private coded(literals: Code, distances: Code): void {
    for (;;) {
      const symbol = this.symbol(literals);
      if (symbol === 256) return;
      if (symbol < 256) {
        this.output.byte(symbol);
        continue;
      }
      if (symbol > 285) throw new BrokenStream();
      const length = LENGTH_BASE[symbol - 257]! + this.bits(LENGTH_BITS[symbol - 257]!);
      const distanceSymbol = this.symbol(distances);
      if (distanceSymbol > 29) throw new BrokenStream();
      this.output.copy(DISTANCE_BASE[distanceSymbol]! + this.bits(DISTANCE_BITS[distanceSymbol]!), length);
    }
  }

  private bits(count: number): number {
    while (this.held < count) {
      if (this.at >= this.input.length) throw new BrokenStream();
      this.hold |= this.input[this.at++]! << this.held;
      this.held += 8;
    }
    const value = this.hold & ((1 << count) - 1);
    this.hold >>>= count;
    this.held -= count;
    return value;
  }

  private symbol({ counts, symbols }: Code): number {
    let value = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= 15; length++) {
      value |= this.bits(1);
      const count = counts[length]!;
      if (value - count < first) return symbols[index + (value - first)]!;
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    throw new BrokenStream();
  }
}

function code(lengths: Uint8Array): Code {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length]!++;
  counts[0] = 0;
  const offsets = new Uint16Array(16);
  for (let length = 1; length < 15; length++) offsets[length + 1] = offsets[length]! + counts[length]!;
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length !== 0) symbols[offsets[length]!++] = symbol;
  });
  return { counts, symbols };
}

const FIXED_LITERALS = code(Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)));
const FIXED_DISTANCES = code(new Uint8Array(30).fill(5));
