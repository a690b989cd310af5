import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { ModelError } from '../model-error';
import { BlockEncoder } from './block-encoder';
import type { ArchiveMode } from './choose-method';
import type { PlannedBlock } from './plan';
import { BlockReader } from './read-block';
import { openMemory } from './slots';
import type { SharedMemory } from './web-assembly';

/** A worker thread's program: reads a block into its slot, compresses it there, and answers with its CRC-32 and length. */

export interface WorkerStart {
  readonly memory: SharedMemory;
  /** Which of the workers this is, from 0. */
  readonly worker: number;
  readonly mode: ArchiveMode;
}

export interface BlockTask {
  readonly block: PlannedBlock;
  readonly slot: number;
}

export interface BlockDone {
  readonly index: number;
  readonly slot: number;
  readonly crc: number;
  /** Bytes in the slot's output; 0 when the block is to be stored as it is. */
  readonly length: number;
}

export interface BlockFailed {
  readonly failed: { readonly code: string; readonly path: string; readonly message: string };
}

const { memory, worker, mode } = workerData as WorkerStart;
const slots = openMemory(memory);
const encoder = new BlockEncoder(slots, worker, mode);
const reader = new BlockReader();

parentPort!.on('message', ({ block, slot }: BlockTask) => {
  try {
    const room = slots.slot(slot);
    const raw = room.input.subarray(0, block.length);
    reader.fill(raw, block.segments);
    const done: BlockDone = { index: block.index, slot, crc: crc32(raw), length: encoder.encode(room, block.length) };
    parentPort!.postMessage(done);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const { code, path, message } = error;
    const failed: BlockFailed = { failed: { code, path, message } };
    parentPort!.postMessage(failed);
  }
});
