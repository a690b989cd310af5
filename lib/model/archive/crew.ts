import type { BlockDone, BlockTask, WorkerStart } from './block-worker';
import type { ArchiveMode } from './choose-method';
import type { FileSpan, HashedFile } from './file-hasher';
import { storedPieces } from './gzip';
import type { HashTask } from './hash-worker';
import type { PlannedBlock } from './plan';
import { blockMemory, type Slot } from './slots';
import { Thread } from './thread';

/** Blocks under way for each worker: one that it works on, one that waits for it, one that is being written. */
const SLOTS_PER_WORKER = 3;
/** With fewer a lone worker waits for what is being hashed. */
const FEWEST_SLOTS = 6;

export interface CrewSlot extends Slot {
  /** The whole input as stored blocks: views that are made once, as there are dozens. */
  readonly stored: readonly Uint8Array[];
}

/** Worker threads that read, compress and hash blocks in memory which they share with their caller. */
export class Crew {
  private readonly slots: readonly CrewSlot[];
  private readonly freeSlots: number[];
  private readonly workers: Thread<BlockTask, BlockDone>[];
  private readonly hasher: Thread<HashTask, HashedFile[]> | undefined;

  /** @param hashing whether the files are to be hashed; by one thread, as a file's hash needs its bytes in order */
  constructor(size: number, mode: ArchiveMode, hashing: boolean) {
    this.freeSlots = Array.from({ length: Math.max(size * SLOTS_PER_WORKER, FEWEST_SLOTS) }, (_, slot) => slot);
    const memory = blockMemory(size, this.freeSlots.length);
    this.slots = this.freeSlots.map((index) => {
      const slot = memory.slot(index);
      return { ...slot, stored: storedPieces(slot.input) };
    });
    this.workers = Array.from({ length: size }, (_, worker) => {
      const start: WorkerStart = { memory: memory.memory, worker, mode };
      return new Thread('lib/model/archive/block-worker', start);
    });
    if (hashing) this.hasher = new Thread('lib/model/archive/hash-worker', memory.memory);
  }

  hasRoom(): boolean {
    return this.freeSlots.length > 0;
  }

  slot(index: number): CrewSlot {
    return this.slots[index]!;
  }

  /** Has a block read and compressed by the least busy worker. Its slot must be given back by `free`. Needs room. */
  pack(block: PlannedBlock): Promise<BlockDone> {
    const least = this.workers.reduce((one, other) => (other.load < one.load ? other : one));
    return least.ask({ block, slot: this.freeSlots.pop()! });
  }

  /** Has the files in a slot hashed, if there is need; the files that end in it. Blocks must come in order. */
  async hash(slot: number, spans: readonly FileSpan[]): Promise<readonly HashedFile[]> {
    return this.hasher?.ask({ slot, spans }) ?? [];
  }

  free(slot: number): void {
    this.freeSlots.push(slot);
  }

  /** Makes all that is under way, and all that is asked later, fail with `error`. */
  fail(error: unknown): void {
    for (const thread of this.threads()) thread.fail(error);
  }

  async end(): Promise<void> {
    await Promise.all(this.threads().map((thread) => thread.end()));
  }

  private threads(): { fail(error: unknown): void; end(): Promise<void> }[] {
    return this.hasher === undefined ? this.workers : [...this.workers, this.hasher];
  }
}
