import { Worker } from 'node:worker_threads';
import { entryPoint } from '../entry-point';
import { ModelError } from '../model-error';
import type { BlockDone, BlockFailed, BlockTask, WorkerStart } from './block-worker';
import type { ArchiveMode } from './choose-method';
import type { PlannedBlock } from './plan';
import { blockMemory, type Slot } from './slots';

/** Blocks under way for each worker: one that it works on, one that waits for it, one that is being written. */
const SLOTS_PER_WORKER = 3;

interface Pending {
  readonly resolve: (done: BlockDone) => void;
  readonly reject: (error: unknown) => void;
}

/** Worker threads that read and compress blocks in memory which they share with their caller. */
export class Crew {
  private readonly workers: Worker[];
  private readonly load: number[];
  private readonly memory: ReturnType<typeof blockMemory>;
  private readonly freeSlots: number[];
  private readonly pending = new Map<number, Pending>();
  private failure: { readonly error: unknown } | undefined;

  constructor(size: number, mode: ArchiveMode) {
    const { path, execArgv } = entryPoint('lib/model/archive/block-worker');
    this.memory = blockMemory(size, size * SLOTS_PER_WORKER);
    this.freeSlots = Array.from({ length: size * SLOTS_PER_WORKER }, (_, slot) => slot);
    this.load = new Array<number>(size).fill(0);
    this.workers = this.load.map((_, index) => {
      const workerData: WorkerStart = { memory: this.memory.memory, worker: index, mode };
      const worker = new Worker(path, { workerData, execArgv: [...execArgv] });
      worker.on('message', (answer: BlockDone | BlockFailed) => this.receive(index, answer));
      worker.on('error', (error) => this.fail(error));
      worker.on('exit', (code) => this.fail(new Error(`an archive worker ended early (exit code ${code})`)));
      return worker;
    });
  }

  hasRoom(): boolean {
    return this.freeSlots.length > 0;
  }

  slot(index: number): Slot {
    return this.memory.slot(index);
  }

  /** Gives a block to the least busy worker. Its slot must be given back by `free`. Needs room. */
  start(block: PlannedBlock): Promise<BlockDone> {
    const slot = this.freeSlots.pop()!;
    const worker = this.load.indexOf(Math.min(...this.load));
    this.load[worker]!++;
    const task: BlockTask = { block, slot };
    const result = new Promise<BlockDone>((resolve, reject) => {
      if (this.failure !== undefined) reject(this.failure.error);
      else this.pending.set(block.index, { resolve, reject });
    });
    // Whoever awaits a later block must not leave this one's failure unheard of.
    result.catch(() => {});
    this.workers[worker]!.postMessage(task);
    return result;
  }

  free(slot: number): void {
    this.freeSlots.push(slot);
  }

  /** Makes every block under way, and every later one, fail with `error`. */
  fail(error: unknown): void {
    this.failure ??= { error };
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private receive(worker: number, answer: BlockDone | BlockFailed): void {
    this.load[worker]!--;
    if ('failed' in answer) {
      const { code, path, message } = answer.failed;
      this.fail(new ModelError(code, path, message));
      return;
    }
    this.pending.get(answer.index)?.resolve(answer);
    this.pending.delete(answer.index);
  }
}
