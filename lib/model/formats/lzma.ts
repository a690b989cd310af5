import { BrokenStream, type Output } from './output';

/** Probabilities of 11 bits, adapted by a thirty-second. */
const HALF = 1024;
const STATES = 12;

/** Igor Pavlov's LZMA: a range coder over literals, matches and repeated distances. The dictionary is the output itself. */
export class LzmaDecoder {
  private range = 0;
  private code = 0;
  private at = 0;
  private state = 0;
  private readonly repeats = [0, 0, 0, 0];
  private literals = new Uint16Array(0);
  private readonly isMatch = new Uint16Array(STATES << 4);
  private readonly isRepeat = new Uint16Array(STATES);
  private readonly isRepeat0 = new Uint16Array(STATES);
  private readonly isRepeat1 = new Uint16Array(STATES);
  private readonly isRepeat2 = new Uint16Array(STATES);
  private readonly isLong0 = new Uint16Array(STATES << 4);
  private readonly slots = [0, 1, 2, 3].map(() => new Uint16Array(64));
  private readonly special = new Uint16Array(128);
  private readonly align = new Uint16Array(16);
  private readonly lengths = new LengthProbabilities();
  private readonly repeatLengths = new LengthProbabilities();
  /** Where in the output its dictionary begins. */
  private origin: number;
  private contextBits = 0;
  private positionBits = 0;
  private literalPositionBits = 0;

  constructor(
    private readonly input: Buffer,
    private readonly output: Output,
  ) {
    this.origin = output.length;
  }

  /** Begins a dictionary where the output stands: what is before it is not copied from, nor counted. */
  begin(): void {
    this.origin = this.output.length;
  }

  private get written(): number {
    return this.output.length - this.origin;
  }

  /** @throws BrokenStream for settings that do not exist */
  configure(property: number): void {
    if (property >= 9 * 5 * 5) throw new BrokenStream('settings that do not exist');
    this.contextBits = property % 9;
    this.literalPositionBits = Math.floor(property / 9) % 5;
    this.positionBits = Math.floor(property / 45);
    this.literals = new Uint16Array(0x300 << (this.contextBits + this.literalPositionBits));
    this.reset();
  }

  reset(): void {
    const all = [this.literals, this.isMatch, this.isRepeat, this.isRepeat0, this.isRepeat1, this.isRepeat2, this.isLong0, ...this.slots];
    for (const table of [...all, this.special, this.align]) table.fill(HALF);
    this.lengths.reset();
    this.repeatLengths.reset();
    this.state = 0;
    this.repeats.fill(0);
  }

  /** Starts the range coder at `at`. */
  start(at: number): void {
    if (at + 5 > this.input.length) throw new BrokenStream('cut short');
    this.range = 0xffffffff;
    this.code = this.input.readUInt32BE(at + 1);
    this.at = at + 5;
  }

  get position(): number {
    return this.at;
  }

  /** Writes until `end` bytes are in the output, or the stream's own end mark. @throws BrokenStream, LimitReached */
  run(end: number): void {
    const positionMask = (1 << this.positionBits) - 1;
    const { output } = this;
    while (output.length < end) {
      const position = this.written & positionMask;
      if (this.bit(this.isMatch, (this.state << 4) + position) === 0) {
        this.literal();
        continue;
      }
      let length: number;
      if (this.bit(this.isRepeat, this.state) === 0) {
        this.repeats.splice(3, 1);
        length = this.length(this.lengths, position);
        this.state = this.state < 7 ? 7 : 10;
        const distance = this.distance(length);
        if (distance === 0xffffffff) return;
        this.repeats.unshift(distance);
      } else {
        const short = this.repeated(position);
        if (short) continue;
        length = this.length(this.repeatLengths, position);
        this.state = this.state < 7 ? 8 : 11;
      }
      this.copy(length + 2);
    }
  }

  /** Chooses among the last four distances; true when it was a single byte, already written. */
  private repeated(position: number): boolean {
    if (this.written === 0) throw new BrokenStream('a repeat before anything');
    if (this.bit(this.isRepeat0, this.state) === 0) {
      if (this.bit(this.isLong0, (this.state << 4) + position) === 0) {
        this.state = this.state < 7 ? 9 : 11;
        this.copy(1);
        return true;
      }
      return false;
    }
    const which = this.bit(this.isRepeat1, this.state) === 0 ? 1 : this.bit(this.isRepeat2, this.state) === 0 ? 2 : 3;
    const [distance] = this.repeats.splice(which, 1);
    this.repeats.unshift(distance!);
    return false;
  }

  private copy(length: number): void {
    const distance = this.repeats[0]! + 1;
    if (distance > this.written) throw new BrokenStream('a copy from before the beginning');
    this.output.copy(distance, length);
  }

  private literal(): void {
    const { output } = this;
    const previous = this.written > 0 ? output.at(1) : 0;
    const place = this.written & ((1 << this.literalPositionBits) - 1);
    const base = 0x300 * ((place << this.contextBits) + (previous >> (8 - this.contextBits)));
    let symbol = 1;
    if (this.state >= 7) {
      if (this.repeats[0]! + 1 > this.written) throw new BrokenStream('a copy from before the beginning');
      let match = output.at(this.repeats[0]! + 1);
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = this.bit(this.literals, base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.bit(this.literals, base + symbol);
    output.byte(symbol & 0xff);
    this.state = this.state < 4 ? 0 : this.state < 10 ? this.state - 3 : this.state - 6;
  }

  private length(table: LengthProbabilities, position: number): number {
    if (this.bit(table.choices, 0) === 0) return this.tree(table.low[position]!, 3);
    if (this.bit(table.choices, 1) === 0) return 8 + this.tree(table.middle[position]!, 3);
    return 16 + this.tree(table.high, 8);
  }

  private distance(length: number): number {
    const slot = this.tree(this.slots[Math.min(length, 3)]!, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return base + this.reverseTree(this.special, base - slot, bits);
    return base + this.direct(bits - 4) * 16 + this.reverseTree(this.align, 0, 4);
  }

  private tree(table: Uint16Array, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.bit(table, symbol);
    return symbol - (1 << bits);
  }

  private reverseTree(table: Uint16Array, offset: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(table, offset + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  private direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.range >>>= 1;
      this.code = (this.code - this.range) >>> 0;
      const mask = 0 - (this.code >>> 31);
      this.code = (this.code + (this.range & mask)) >>> 0;
      value = value * 2 + mask + 1;
      this.normalize();
    }
    return value;
  }

  private bit(table: Uint16Array, index: number): number {
    const probability = table[index]!;
    const bound = (this.range >>> 11) * probability;
    let bit = 0;
    if (this.code < bound) {
      this.range = bound;
      table[index] = probability + ((2048 - probability) >> 5);
    } else {
      this.range -= bound;
      this.code -= bound;
      table[index] = probability - (probability >> 5);
      bit = 1;
    }
    this.normalize();
    return bit;
  }

  private normalize(): void {
    if (this.range >>> 0 >= 0x1000000) return;
    if (this.at >= this.input.length) throw new BrokenStream('cut short');
    this.range = (this.range << 8) >>> 0;
    this.code = ((this.code << 8) | this.input[this.at++]!) >>> 0;
  }
}

class LengthProbabilities {
  readonly choices = new Uint16Array(2);
  readonly low = Array.from({ length: 16 }, () => new Uint16Array(8));
  readonly middle = Array.from({ length: 16 }, () => new Uint16Array(8));
  readonly high = new Uint16Array(256);

  reset(): void {
    for (const table of [this.choices, ...this.low, ...this.middle, this.high]) table.fill(HALF);
  }
}

/** Whether these may be .lzma's settings, as liblzma tells them: a dictionary of 2^n or 1.5 times that, and a length that is unknown or below 256 GiB. */
export function startsLikeLzma(input: Buffer, at: number): boolean {
  if (at + 13 > input.length || input[at]! >= 9 * 5 * 5) return false;
  const dictionary = input.readUInt32LE(at + 1);
  const length = input.readBigUInt64LE(at + 5);
  const isPower = (value: number) => value === 2 ** Math.round(Math.log2(value));
  const usual = dictionary === 0 || dictionary === 0xffffffff || isPower(dictionary) || isPower(dictionary / 1.5);
  return usual && (length === 0xffffffffffffffffn || length < 2n ** 38n);
}

/** The .lzma container: settings, dictionary size, length (or none), one stream. @throws BrokenStream, LimitReached */
export function expandLzma(input: Buffer, output: Output): number {
  if (input.length < 18) throw new BrokenStream('cut short');
  const length = input.readBigUInt64LE(5);
  const decoder = new LzmaDecoder(input, output);
  decoder.configure(input[0]!);
  decoder.start(13);
  decoder.run(length === 0xffffffffffffffffn ? Number.POSITIVE_INFINITY : Number(length));
  return decoder.position;
}
