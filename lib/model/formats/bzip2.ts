import { BrokenStream, type Output } from './output';

const BLOCK = 0x314159265359;
const END = 0x177245385090;
const RUN_A = 0;
const RUN_B = 1;
const GROUP = 50;
const LONGEST_CODE = 20;

/** Expands bzip2 (all of its streams) into `output`. @throws BrokenStream, LimitReached */
export function expandBzip2(input: Buffer, output: Output): number {
  const reader = new BitReader(input);
  do {
    if (reader.bits(24) !== 0x425a68) throw new BrokenStream('no BZh');
    const level = reader.bits(8) - 0x30;
    if (level < 1 || level > 9) throw new BrokenStream('a block size that does not exist');
    const size = level * 100_000;
    for (;;) {
      const mark = reader.bits(24) * 2 ** 24 + reader.bits(24);
      if (mark === END) break;
      if (mark !== BLOCK) throw new BrokenStream('neither a block nor the end');
      block(reader, size, output);
    }
    reader.bits(16);
    reader.bits(16);
    reader.align();
  } while (input.toString('latin1', reader.at, reader.at + 3) === 'BZh');
  return reader.at;
}

class BitReader {
  at = 0;
  private hold = 0;
  private held = 0;

  constructor(private readonly input: Buffer) {}

  /** At most 24 bits. */
  bits(count: number): number {
    while (this.held < count) {
      if (this.at >= this.input.length) throw new BrokenStream('cut short');
      this.hold = (this.hold << 8) | this.input[this.at++]!;
      this.held += 8;
    }
    this.held -= count;
    return (this.hold >>> this.held) & ((1 << count) - 1);
  }

  /** Gives back whole bytes that were read ahead, and leaves the rest of a begun one. */
  align(): void {
    this.at -= this.held >> 3;
    this.held = 0;
  }
}

/** One block: Huffman codes, move-to-front, runs, then the Burrows-Wheeler transform undone. */
function block(reader: BitReader, size: number, output: Output): void {
  reader.bits(16);
  reader.bits(16);
  if (reader.bits(1) === 1) throw new BrokenStream('a randomised block, which no writer makes');
  const origin = reader.bits(24);
  const symbols = usedBytes(reader);
  const groups = reader.bits(3);
  const selectorCount = reader.bits(15);
  if (groups < 2 || groups > 6 || selectorCount < 1 || symbols.length === 0) throw new BrokenStream('no Huffman tables');
  const selectors = moveToFrontList(reader, groups, selectorCount);
  const codes = Array.from({ length: groups }, () => huffmanCode(reader, symbols.length + 2));
  const transformed = symbolsOf(reader, size, symbols, selectors, codes);
  undo(transformed, origin, output);
}

function usedBytes(reader: BitReader): number[] {
  const ranges = reader.bits(16);
  const used: number[] = [];
  for (let range = 0; range < 16; range++) {
    if ((ranges & (0x8000 >> range)) === 0) continue;
    const map = reader.bits(16);
    for (let i = 0; i < 16; i++) if (map & (0x8000 >> i)) used.push(range * 16 + i);
  }
  return used;
}

function moveToFrontList(reader: BitReader, groups: number, count: number): Uint8Array {
  const order = Array.from({ length: groups }, (_, i) => i);
  return Uint8Array.from({ length: count }, () => {
    let place = 0;
    while (reader.bits(1) === 1) if (++place >= groups) throw new BrokenStream('a table that does not exist');
    const [chosen] = order.splice(place, 1);
    order.unshift(chosen!);
    return chosen!;
  });
}

interface Code {
  /** Bits of the shortest code. */
  readonly shortest: number;
  readonly limits: Int32Array;
  readonly bases: Int32Array;
  readonly symbols: Uint16Array;
}

function huffmanCode(reader: BitReader, count: number): Code {
  let length = reader.bits(5);
  const lengths = Uint8Array.from({ length: count }, () => {
    for (;;) {
      if (length < 1 || length > LONGEST_CODE) throw new BrokenStream('a code too long');
      if (reader.bits(1) === 0) return length;
      length += reader.bits(1) === 0 ? 1 : -1;
    }
  });
  const symbols = new Uint16Array(count);
  const limits = new Int32Array(LONGEST_CODE + 2).fill(-1);
  const bases = new Int32Array(LONGEST_CODE + 2);
  let code = 0;
  let index = 0;
  for (let bits = 1; bits <= LONGEST_CODE; bits++) {
    bases[bits] = index - code;
    for (let symbol = 0; symbol < count; symbol++) {
      if (lengths[symbol] !== bits) continue;
      symbols[index++] = symbol;
      code++;
    }
    limits[bits] = code - 1;
    code <<= 1;
  }
  return { shortest: Math.min(...lengths), limits, bases, symbols };
}

function symbolsOf(reader: BitReader, size: number, used: readonly number[], selectors: Uint8Array, codes: readonly Code[]): Uint8Array {
  const result = new Uint8Array(size);
  const order = Uint8Array.from(used);
  const end = used.length + 1;
  let length = 0;
  let run = 0;
  let weight = 1;
  for (let position = 0; ; position++) {
    const selector = selectors[Math.floor(position / GROUP)];
    if (selector === undefined) throw new BrokenStream('more symbols than tables');
    const symbol = nextSymbol(reader, codes[selector]!);
    if (symbol === RUN_A || symbol === RUN_B) {
      run += weight << symbol;
      weight <<= 1;
      if (run > size) throw new BrokenStream('a run longer than its block');
      continue;
    }
    if (run > 0) {
      if (length + run > size) throw new BrokenStream('more bytes than the block holds');
      result.fill(order[0]!, length, length + run);
      length += run;
      run = 0;
      weight = 1;
    }
    if (symbol === end) return result.subarray(0, length);
    if (length >= size) throw new BrokenStream('more bytes than the block holds');
    const byte = order[symbol - 1];
    if (byte === undefined) throw new BrokenStream('a symbol that does not exist');
    order.copyWithin(1, 0, symbol - 1);
    order[0] = byte;
    result[length++] = byte;
  }
}

function nextSymbol(reader: BitReader, { shortest, limits, bases, symbols }: Code): number {
  let code = reader.bits(shortest - 1);
  for (let bits = shortest; bits <= LONGEST_CODE; bits++) {
    code = (code << 1) | reader.bits(1);
    if (code <= limits[bits]!) {
      const symbol = symbols[code + bases[bits]!];
      if (symbol !== undefined) return symbol;
    }
  }
  throw new BrokenStream('a code that stands for nothing');
}

function undo(transformed: Uint8Array, origin: number, output: Output): void {
  if (transformed.length === 0) return;
  if (origin >= transformed.length) throw new BrokenStream('an origin outside the block');
  const starts = new Int32Array(257);
  for (const byte of transformed) starts[byte + 1]!++;
  for (let i = 1; i < 257; i++) starts[i]! += starts[i - 1]!;
  const next = new Int32Array(transformed.length);
  for (let i = 0; i < transformed.length; i++) next[starts[transformed[i]!]!++] = i;
  let at = next[origin]!;
  let repeats = 0;
  let last = -1;
  for (let i = 0; i < transformed.length; i++) {
    const byte = transformed[at]!;
    at = next[at]!;
    if (repeats === 4) {
      for (let j = 0; j < byte; j++) output.byte(last);
      repeats = 0;
      last = -1;
      continue;
    }
    repeats = byte === last ? repeats + 1 : 1;
    last = byte;
    output.byte(byte);
  }
}
