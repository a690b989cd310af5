import { BLOCK } from './plan';
import { Memory, type SharedMemory } from './web-assembly';

/** Room for one block and for what it is compressed to. */
export interface Slot {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

export interface BlockMemory {
  readonly memory: SharedMemory;
  slot(index: number): Slot;
}

const PAGE = 65_536;

/** Memory that all workers share, so that blocks go from disk to worker to disk without a copy. */
export function blockMemory(slots: number): BlockMemory {
  const pages = Math.ceil((slots * 2 * BLOCK) / PAGE);
  return openMemory(new Memory({ initial: pages, maximum: pages, shared: true }));
}

export function openMemory(memory: SharedMemory): BlockMemory {
  return {
    memory,
    slot: (index) => ({
      input: new Uint8Array(memory.buffer, 2 * index * BLOCK, BLOCK),
      output: new Uint8Array(memory.buffer, (2 * index + 1) * BLOCK, BLOCK),
    }),
  };
}
