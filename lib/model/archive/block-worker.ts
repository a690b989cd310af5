import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { BlockEncoder } from './block-encoder';
import type { ArchiveMode } from './choose-method';
import { promptCollection } from './garbage';
import type { PlannedBlock } from './plan';
import { BlockReader } from './read-block';
import { openMemory } from './slots';
import { attempt } from './thread';
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
  readonly slot: number;
  readonly crc: number;
  /** Bytes in the slot's output; 0 when the block is to be stored as it is. */
  readonly length: number;
}

const { memory, worker, mode } = workerData as WorkerStart;
const slots = openMemory(memory);
/** Storing needs none, and starts sooner without. */
const encoder = mode === 'stored' ? undefined : new BlockEncoder(slots, worker, mode, promptCollection());
const reader = new BlockReader();

parentPort!.on('message', ({ block, slot }: BlockTask) => {
  const answer = attempt<BlockDone>(() => {
    const room = slots.slot(slot);
    const raw = room.input.subarray(0, block.length);
    reader.fill(raw, block.segments);
    return { slot, crc: crc32(raw), length: encoder?.encode(room, block.length) ?? 0 };
  });
  parentPort!.postMessage(answer);
});
