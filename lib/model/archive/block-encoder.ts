import { constants, deflateRawSync } from 'node:zlib';
import { type ArchiveMode, chooseMethod, type Method } from './choose-method';
import { storedPieces } from './gzip';
import { HuffmanEncoder, type HuffmanPlan, OVERRUN } from './huffman-encoder';
import type { BlockMemory, Slot } from './slots';

/** Bytes that get a method, and a Huffman code, of their own. */
const STRETCH = 256 * 1024;

/** A row of neighbouring bytes that one method takes. */
interface Run {
  readonly method: Method;
  readonly raw: Uint8Array;
  readonly plan?: HuffmanPlan;
}

/** Compresses blocks, each as a piece (gzip.ts), by what pays for the bytes at hand. */
export class BlockEncoder {
  private readonly huffman: HuffmanEncoder;

  constructor(
    memory: BlockMemory,
    worker: number,
    private readonly mode: ArchiveMode,
  ) {
    this.huffman = new HuffmanEncoder(memory, worker);
  }

  /** Compresses the first `length` bytes of a slot's input into its output. How many bytes; 0 when the block is better stored as it is. */
  encode({ input, output }: Slot, length: number): number {
    if (this.mode === 'stored') return 0;
    const runs = this.runs(input.subarray(0, length));
    if (runs.every(({ method }) => method === 'stored')) return 0;
    let written = 0;
    for (const run of runs) {
      const out = output.subarray(written);
      const bytes = this.write(run, out);
      if (bytes === undefined) return 0;
      written += bytes;
    }
    return written < length ? written : 0;
  }

  private runs(raw: Uint8Array): Run[] {
    const runs: Run[] = [];
    for (let start = 0; start < raw.length; start += STRETCH) {
      const stretch = raw.subarray(start, start + STRETCH);
      const plan = this.huffman.plan(stretch);
      const method = chooseMethod(stretch, plan.bytes, this.mode);
      const last = runs.at(-1);
      if (last?.method === method && method !== 'huffman') runs[runs.length - 1] = { method, raw: joined(last.raw, stretch) };
      else runs.push({ method, raw: stretch, plan });
    }
    return runs;
  }

  /** Bytes written, or undefined when there is no room: the block is not worth compressing. */
  private write({ method, raw, plan }: Run, out: Uint8Array): number | undefined {
    if (method === 'huffman') return plan!.bytes + OVERRUN <= out.length ? this.huffman.encode(raw, plan!, out) : undefined;
    const pieces = method === 'stored' ? storedPieces(raw) : [deflateRawSync(raw, this.deflateOptions(method))];
    if (pieces.reduce((sum, piece) => sum + piece.length, 0) > out.length) return undefined;
    let at = 0;
    for (const piece of pieces) {
      out.set(piece, at);
      at += piece.length;
    }
    return at;
  }

  private deflateOptions(method: 'runs' | 'deflate') {
    const strategy = method === 'runs' ? constants.Z_RLE : constants.Z_DEFAULT_STRATEGY;
    return { level: this.mode === 'size' ? 6 : 1, strategy, finishFlush: constants.Z_SYNC_FLUSH };
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  return new Uint8Array(first.buffer, first.byteOffset, first.length + second.length);
}
