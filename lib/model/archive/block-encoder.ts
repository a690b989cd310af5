import { constants, deflateRawSync } from 'node:zlib';
import { type ArchiveMode, chooseMethod } from './choose-method';
import { HuffmanEncoder, OVERRUN } from './huffman-encoder';
import type { BlockMemory, Slot } from './slots';

/** Compresses blocks, each as a piece (gzip.ts), by what pays for the bytes at hand. */
export class BlockEncoder {
  private readonly huffman: HuffmanEncoder;

  /** @param onGarbage called with the bytes that a block left to the garbage collector: zlib has no way to write where it is told */
  constructor(
    memory: BlockMemory,
    worker: number,
    private readonly mode: ArchiveMode,
    private readonly onGarbage: (bytes: number) => void = () => {},
  ) {
    this.huffman = new HuffmanEncoder(memory, worker);
  }

  /** Compresses the first `length` bytes of a slot's input into its output. How many bytes; 0 when the block is better stored as it is. */
  encode({ input, output }: Slot, length: number): number {
    if (this.mode === 'stored') return 0;
    const raw = input.subarray(0, length);
    const plan = this.huffman.plan(raw);
    const method = chooseMethod(raw, plan.bytes, this.mode);
    if (method === 'stored') return 0;
    if (method === 'huffman') return plan.bytes + OVERRUN <= output.length ? this.huffman.encode(raw, plan, output) : 0;

    const strategy = method === 'runs' ? constants.Z_RLE : constants.Z_DEFAULT_STRATEGY;
    const piece = deflateRawSync(raw, { level: this.mode === 'size' ? 6 : 1, strategy, finishFlush: constants.Z_SYNC_FLUSH });
    this.onGarbage(piece.length);
    if (piece.length >= length) return 0;
    output.set(piece);
    return piece.length;
  }
}
