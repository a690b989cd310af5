import { codeTable, END_OF_BLOCK, type HuffmanCode, headerBits, huffmanCode, SYMBOLS, writeHeader } from './huffman-code';
import { HUFFMAN_WASM } from './huffman-wasm';
import type { BlockMemory } from './slots';
import { Instance, Module } from './web-assembly';

/** What huffman.wat exports. Addresses in the shared memory. */
interface HuffmanLoops {
  histogram(at: number, end: number, counts: number): void;
  encode(at: number, end: number, codes: number, out: number, bits: bigint, count: bigint): number;
}

/** A code made for some bytes, and how long they become with it. */
export interface HuffmanPlan {
  readonly code: HuffmanCode;
  /** Bytes of the piece, header and end included. */
  readonly bytes: number;
}

/** Bytes beyond its result that `encode` may overwrite. */
export const OVERRUN = 8;

/** Where in a worker's scratch page the histogram stands, and behind it the codes. */
const HISTOGRAM_BYTES = 4096;

/** Encodes bytes by Huffman alone, without looking for matches: for weights, which have none, as small as deflate's best, many times faster. */
export class HuffmanEncoder {
  private readonly loops: HuffmanLoops;
  private readonly bytes: Uint8Array;
  private readonly histogram: Uint32Array;
  private readonly codes: Uint32Array;

  constructor(memory: BlockMemory, worker: number) {
    this.loops = new Instance(new Module(HUFFMAN_WASM), { blocks: { memory: memory.memory } }).exports as HuffmanLoops;
    const scratch = memory.scratch(worker);
    this.bytes = new Uint8Array(memory.memory.buffer);
    this.histogram = new Uint32Array(scratch.buffer, scratch.byteOffset, END_OF_BLOCK);
    this.codes = new Uint32Array(scratch.buffer, scratch.byteOffset + HISTOGRAM_BYTES, SYMBOLS);
  }

  /** The best code for bytes in the shared memory. */
  plan(raw: Uint8Array): HuffmanPlan {
    this.loops.histogram(raw.byteOffset, raw.byteOffset + raw.length, this.histogram.byteOffset);
    const counts = new Uint32Array(SYMBOLS);
    counts.set(this.histogram);
    counts[END_OF_BLOCK] = 1;
    const code = huffmanCode(counts);
    // Ended by an empty stored block: three bits, up to the byte boundary, four bytes.
    return { code, bytes: Math.ceil((headerBits(code.lengths) + code.bits + 3) / 8) + 4 };
  }

  /** Writes `raw` as one piece into `out`, which needs `OVERRUN` bytes more than the plan says; returns the piece's length. */
  encode(raw: Uint8Array, { code }: HuffmanPlan, out: Uint8Array): number {
    codeTable(code.lengths, this.codes);
    let bits = 0;
    let count = 0;
    let at = out.byteOffset;
    writeHeader(code.lengths, {
      put: (value, length) => {
        bits |= value << count;
        for (count += length; count >= 8; count -= 8) {
          this.bytes[at++] = bits;
          bits >>>= 8;
        }
      },
    });
    const end = this.loops.encode(raw.byteOffset, raw.byteOffset + raw.length, this.codes.byteOffset, at, BigInt(bits), BigInt(count));
    return end - out.byteOffset;
  }
}
