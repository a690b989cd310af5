import { BrokenStream, type Output } from './output';

/** Expands LZ4 frames into `output`, passing over those that are for others to read; checksums are not compared. @throws BrokenStream, LimitReached */
export function expandLz4(input: Buffer, output: Output): number {
  let at = 0;
  for (;;) {
    if (at + 7 <= input.length && input.readUInt32LE(at) === 0x184d2204) at = frame(input, at, output);
    else if (at + 8 <= input.length && (input.readUInt32LE(at) & 0xfffffff0) === 0x184d2a50) at += 8 + input.readUInt32LE(at + 4);
    else return at;
  }
}

function frame(input: Buffer, start: number, output: Output): number {
  const flags = input[start + 4]!;
  let at = start + 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
  for (;;) {
    if (at + 4 > input.length) throw new BrokenStream('cut short');
    const word = input.readUInt32LE(at);
    at += 4;
    if (word === 0) return at + (flags & 4 ? 4 : 0);
    const size = word & 0x7fffffff;
    if (at + size > input.length) throw new BrokenStream('cut short');
    const block = input.subarray(at, at + size);
    if (word >>> 31 === 1) output.append(block);
    else expandBlock(block, output);
    at += size + (flags & 16 ? 4 : 0);
  }
}

function expandBlock(block: Buffer, output: Output): void {
  let at = 0;
  const extended = (length: number): number => {
    let total = length;
    if (length === 15) {
      for (let byte = 255; byte === 255; total += byte) {
        if (at >= block.length) throw new BrokenStream('cut short');
        byte = block[at++]!;
      }
    }
    return total;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = extended(token >> 4);
    output.append(block.subarray(at, at + literals));
    at += literals;
    if (at >= block.length) return;
    if (at + 2 > block.length) throw new BrokenStream('cut short');
    const distance = block.readUInt16LE(at);
    at += 2;
    output.copy(distance, extended(token & 15) + 4);
  }
}
