import type { Invocation, Restarted } from '../engine';
import { failure } from '../failure';
import { ModelThread, type Timed } from './thread';
import type { WorkerStart } from './worker';

export interface PoolOptions {
  /** Threads at most; one is started at once, the others when requests wait. */
  readonly size: number;
  /** Requests that may wait for a thread; one more is answered 503. */
  readonly queue: number;
  /** After this a call is answered 500 and its thread replaced. */
  readonly timeoutMs: number;
  /** JavaScript heap of a thread in MiB; a request that needs more crashes its thread only. */
  readonly heapMb?: number;
  readonly onRestart?: Restarted;
}

interface Job {
  readonly invocation: Invocation;
  readonly resolve: (timed: Timed) => void;
}

/** After so many starts in a row that failed, a thread is started only when a request asks for it. */
const FAILED_STARTS = 3;

/** How long closing waits for calls that were given up, in milliseconds. */
const CLOSE_WAIT_MS = 10_000;

/** Threads that each hold the model; one that crashes is replaced, and only its own request fails. */
export class WorkerPool {
  restarts = 0;
  private readonly threads = new Set<ModelThread>();
  /** Those whose call was given up, until it ends. */
  private readonly abandoned = new Set<ModelThread>();
  private readonly waiting: Job[] = [];
  private failedStarts = 0;
  private closed = false;
  private drained?: () => void;

  private constructor(
    private readonly start: Pick<WorkerStart, 'file' | 'session'>,
    private readonly options: PoolOptions,
  ) {}

  /** @throws Error with the runtime's message where the model does not load */
  static open(start: Pick<WorkerStart, 'file' | 'session'>, options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(start, options);
    return new Promise((resolve, reject) => {
      const first = new ModelThread(start, options.heapMb, {
        ready: () => resolve(pool),
        ended: (reason) => (first.ready ? pool.lost(first, reason) : reject(new Error(reason))),
      });
      pool.threads.add(first);
    });
  }

  get alive(): boolean {
    return !this.closed && this.failedStarts < FAILED_STARTS;
  }

  run(invocation: Invocation): Promise<Timed> {
    if (this.closed) return Promise.reject(new Error('the engine is closed'));
    const { length } = this.waiting;
    if (length >= this.options.queue)
      return Promise.resolve(unasked(503, `${length} requests wait for the model already: try again later`));
    return new Promise((resolve) => {
      this.waiting.push({ invocation, resolve });
      this.dispatch();
    });
  }

  /** Waits for the requests under way, then ends the threads. */
  async close(): Promise<void> {
    this.closed = true;
    if (!this.quiet) {
      await new Promise<void>((resolve) => {
        this.drained = resolve;
      });
    }
    const ended = Promise.all([...this.threads, ...this.abandoned].map((thread) => thread.end()));
    let late: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => {
      late = setTimeout(resolve, CLOSE_WAIT_MS);
    });
    await Promise.race([ended, waited]);
    clearTimeout(late);
  }

  private get quiet(): boolean {
    return this.waiting.length === 0 && ![...this.threads].some((thread) => thread.busy);
  }

  private dispatch(): void {
    for (const thread of this.threads) {
      if (this.waiting.length === 0) break;
      if (thread.ready && !thread.busy) void this.give(thread, this.waiting.shift()!);
    }
    const starting = [...this.threads].some((thread) => !thread.ready);
    if (this.waiting.length > 0 && !starting && this.threads.size < this.options.size) this.spawn();
    if (this.closed && this.quiet) this.drained?.();
  }

  private async give(thread: ModelThread, { invocation, resolve }: Job): Promise<void> {
    const late = setTimeout(() => {
      // The call cannot be broken off: its thread is left to it, and another takes its place.
      const reason = `did not answer within ${this.options.timeoutMs / 1000} s`;
      resolve(unasked(500, `the model ${reason}`));
      this.lost(thread, reason);
      this.abandoned.add(thread);
      void thread.end().then(() => this.abandoned.delete(thread));
    }, this.options.timeoutMs);
    try {
      resolve(await thread.ask(invocation));
    } catch (error) {
      resolve(unasked(500, `the model crashed while it answered: ${(error as Error).message}`));
    }
    clearTimeout(late);
    this.dispatch();
  }

  private spawn(): void {
    const thread = new ModelThread(this.start, this.options.heapMb, {
      ready: () => {
        this.failedStarts = 0;
        this.dispatch();
      },
      ended: (reason) => this.lost(thread, reason),
    });
    this.threads.add(thread);
  }

  private lost(thread: ModelThread, reason: string): void {
    if (!this.threads.delete(thread) || (this.closed && this.waiting.length === 0)) return;
    this.restarts++;
    this.options.onRestart?.(this.restarts, reason);
    if (!thread.ready) this.failedStarts++;
    if (!this.alive) for (const { resolve } of this.waiting.splice(0)) resolve(unasked(503, `the model does not load: ${reason}`));
    else if (this.threads.size === 0) this.spawn();
    this.dispatch();
  }
}

/** What is answered without the model having been asked, or without its answer. */
function unasked(status: number, message: string): Timed {
  return { answer: failure(status, message), ms: 0 };
}
