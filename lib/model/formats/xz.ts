import { LzmaDecoder } from './lzma';
import { BrokenStream, type Output } from './output';

const LZMA2 = 0x21;
/** Bytes of each check, by its number. */
const CHECKS = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

export function startsLikeXz(input: Buffer, at: number): boolean {
  return input.toString('latin1', at, at + 6) === '\xfd7zXZ\0';
}

/** Expands one stream of .xz into `output`; checksums are not compared. @throws BrokenStream, LimitReached */
export function expandXz(input: Buffer, output: Output): number {
  const check = CHECKS[(input[7] ?? 0) & 0x0f]!;
  let at = 12;
  while (at < input.length && input[at] !== 0) at = block(input, at, check, output);
  return index(input, at);
}

function block(input: Buffer, start: number, check: number, output: Output): number {
  const headerEnd = start + (input[start]! + 1) * 4;
  const flags = input[start + 1] ?? 0;
  let at = start + 2;
  if (flags & 0x40) at = afterNumber(input, at);
  if (flags & 0x80) at = afterNumber(input, at);
  if ((flags & 3) !== 0 || input[at] !== LZMA2) throw new BrokenStream('a filter other than LZMA2');
  const end = lzma2(input, headerEnd, output);
  return start + Math.ceil((end - start) / 4) * 4 + check;
}

/** Chunks: stored, or LZMA with or without new settings; 0 ends. */
function lzma2(input: Buffer, start: number, output: Output): number {
  const decoder = new LzmaDecoder(input, output);
  for (let at = start; ; ) {
    const control = input[at];
    if (control === undefined) throw new BrokenStream('cut short');
    if (control === 0) return at + 1;
    if (at + 5 >= input.length) throw new BrokenStream('cut short');
    if (control === 1 || control >= 0xe0) decoder.begin();
    if (control < 0x80) {
      if (control > 2) throw new BrokenStream('a chunk that does not exist');
      const size = input.readUInt16BE(at + 1) + 1;
      const chunk = input.subarray(at + 3, at + 3 + size);
      output.append(chunk);
      if (chunk.length < size) throw new BrokenStream('cut short');
      at += 3 + size;
      continue;
    }
    const expanded = ((control & 0x1f) << 16) + input.readUInt16BE(at + 1) + 1;
    const packed = input.readUInt16BE(at + 3) + 1;
    const hasSettings = control >= 0xc0;
    if (hasSettings) decoder.configure(input[at + 5]!);
    else if (control >= 0xa0) decoder.reset();
    const body = at + (hasSettings ? 6 : 5);
    decoder.start(body);
    decoder.run(output.length + expanded);
    at = body + packed;
  }
}

/** The index at the end: its records, padding, checksum, then the footer. */
function index(input: Buffer, start: number): number {
  let at = start + 1;
  const [count, first] = number(input, at);
  at = first;
  for (let i = 0; i < count && at < input.length; i++) at = afterNumber(input, afterNumber(input, at));
  at = start + Math.ceil((at - start) / 4) * 4 + 4 + 12;
  return Math.min(at, input.length);
}

function number(input: Buffer, at: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = input[at + i];
    if (byte === undefined) throw new BrokenStream('cut short');
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, at + i + 1];
  }
  throw new BrokenStream('a number that does not end');
}

function afterNumber(input: Buffer, at: number): number {
  return number(input, at)[1];
}
