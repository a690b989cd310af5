import { BLOCK } from './plan';
import { Memory, type SharedMemory } from './web-assembly';

/** Room for one block and for what it is compressed to. */
export interface Slot {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

/** Memory that all workers share, so that blocks go from disk to worker to disk without a copy. */
export interface BlockMemory {
  readonly memory: SharedMemory;
  slot(index: number): Slot;
  /** A page of a worker's own. */
  scratch(worker: number): Uint8Array;
}

const PAGE = 65_536;

export function blockMemory(workers: number, slots: number): BlockMemory {
  const pages = workers + Math.ceil((slots * 2 * BLOCK) / PAGE);
  return openMemory(new Memory({ initial: pages, maximum: pages, shared: true }));
}

/** The same memory in another thread: slots from its start, scratch pages from its end. */
export function openMemory(memory: SharedMemory): BlockMemory {
  const { buffer } = memory;
  return {
    memory,
    slot: (index) => ({
      input: new Uint8Array(buffer, 2 * index * BLOCK, BLOCK),
      output: new Uint8Array(buffer, (2 * index + 1) * BLOCK, BLOCK),
    }),
    scratch: (worker) => new Uint8Array(buffer, buffer.byteLength - (worker + 1) * PAGE, PAGE),
  };
}
