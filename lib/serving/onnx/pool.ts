import { Worker } from 'node:worker_threads';
import { entryPoint } from '../../model/entry-point';
import type { Answer, Invocation } from '../engine';
import { failure } from '../failure';
import type { WorkerMessage, WorkerRequest, WorkerStart } from './worker';

export interface PoolOptions {
  /** Threads at most; one is started at once, the others when requests wait. */
  readonly size: number;
  /** Requests that may wait for a thread; one more is answered 503. */
  readonly queue: number;
  /** After this a call's thread is ended and the call answered 500. */
  readonly timeoutMs: number;
  /** JavaScript heap of a thread in MiB; a request that needs more crashes its thread only. */
  readonly heapMb?: number;
}

/** An answer and the milliseconds of one thread that it took. */
export interface Timed {
  readonly answer: Answer;
  readonly ms: number;
}

interface Job {
  readonly invocation: Invocation;
  readonly resolve: (timed: Timed) => void;
}

interface Thread {
  readonly worker: Worker;
  ready: boolean;
  job?: Job;
  timer?: NodeJS.Timeout;
  /** Why it ends, where that is known before its exit. */
  reason?: string;
  expected?: boolean;
}

/** A thread that ends this often in a row without having answered is not started again by itself: a request tries anew. */
const FAILED_STARTS = 3;

/** Threads that each hold the model and answer one request at a time; one that crashes is replaced, and only its own request fails. */
export class WorkerPool {
  restarts = 0;
  private readonly threads = new Set<Thread>();
  private readonly waiting: Job[] = [];
  private failedStarts = 0;
  private lastFailure = '';
  private closed = false;
  private drained?: () => void;

  private constructor(
    private readonly start: WorkerStart,
    private readonly options: PoolOptions,
  ) {}

  /** @throws Error with the runtime's message where the model does not load */
  static async open(start: WorkerStart, options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(start, options);
    await new Promise<void>((resolve, reject) => pool.spawn(resolve, reject));
    return pool;
  }

  get alive(): boolean {
    return !this.closed && this.failedStarts < FAILED_STARTS;
  }

  run(invocation: Invocation): Promise<Timed> {
    if (this.closed) return Promise.reject(new Error('the engine is closed'));
    if (this.waiting.length >= this.options.queue) {
      return Promise.resolve({
        answer: failure(503, `${this.waiting.length} requests wait for the model already: try again later`),
        ms: 0,
      });
    }
    return new Promise((resolve) => {
      this.waiting.push({ invocation, resolve });
      this.dispatch();
    });
  }

  /** Waits for the requests under way, then ends the threads. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.waiting.length > 0 || [...this.threads].some((thread) => thread.job !== undefined)) {
      await new Promise<void>((resolve) => {
        this.drained = resolve;
      });
    }
    await Promise.all([...this.threads].map((thread) => this.end(thread)));
  }

  private dispatch(): void {
    for (const thread of this.threads) {
      if (!thread.ready || thread.job !== undefined) continue;
      const job = this.waiting.shift();
      if (job === undefined) break;
      this.give(thread, job);
    }
    const starting = [...this.threads].some((thread) => !thread.ready);
    if (this.waiting.length > 0 && !starting && this.threads.size < this.options.size) this.spawn();
  }

  private give(thread: Thread, job: Job): void {
    thread.job = job;
    const { body, contentType, accept } = job.invocation;
    // A view into a larger buffer would be sent with all of it.
    const own = new Uint8Array(body);
    const request: WorkerRequest = { body: own, contentType, accept };
    thread.worker.postMessage(request, [own.buffer]);
    thread.timer = setTimeout(() => {
      thread.reason = `the model did not answer within ${this.options.timeoutMs / 1000} s`;
      void thread.worker.terminate();
      this.lost(thread);
    }, this.options.timeoutMs);
  }

  private spawn(loaded?: () => void, unloadable?: (error: Error) => void): void {
    const { path, execArgv } = entryPoint('lib/serving/onnx/worker');
    const worker = new Worker(path, {
      execArgv: [...execArgv],
      workerData: this.start,
      resourceLimits: this.options.heapMb === undefined ? undefined : { maxOldGenerationSizeMb: this.options.heapMb },
    });
    const thread: Thread = { worker, ready: false };
    this.threads.add(thread);
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'loaded') {
        thread.ready = true;
        this.failedStarts = 0;
        loaded?.();
      } else if (message.kind === 'unloadable') {
        thread.reason = message.message;
        return;
      } else {
        this.answered(thread, message);
      }
      this.dispatch();
    });
    worker.on('error', (error: Error) => {
      thread.reason ??= error.message;
    });
    worker.on('exit', (code) => {
      thread.reason ??= `the model's thread ended with code ${code}`;
      if (!thread.ready) unloadable?.(new Error(thread.reason));
      this.lost(thread, unloadable !== undefined);
    });
  }

  private answered(thread: Thread, { ms, status, contentType, body }: WorkerMessage & { kind: 'answer' }): void {
    const job = thread.job!;
    this.release(thread);
    job.resolve({ ms, answer: { status, contentType, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) } });
    this.settle();
  }

  private release(thread: Thread): void {
    clearTimeout(thread.timer);
    thread.job = undefined;
  }

  /** A thread is gone: its request fails, another takes its place. */
  private lost(thread: Thread, first = false): void {
    if (!this.threads.delete(thread) || thread.expected) return;
    const { job, ready, reason } = thread;
    this.release(thread);
    if (first && !ready) return;
    this.restarts++;
    this.lastFailure = reason ?? '';
    job?.resolve({ answer: failure(500, `the model crashed while it answered: ${reason}`), ms: 0 });
    if (!ready) this.failedStarts++;
    if (!this.alive) {
      for (const waiting of this.waiting.splice(0))
        waiting.resolve({ answer: failure(503, `the model does not load: ${this.lastFailure}`), ms: 0 });
    } else if (this.threads.size === 0) this.spawn();
    this.dispatch();
    this.settle();
  }

  private async end(thread: Thread): Promise<void> {
    thread.expected = true;
    await thread.worker.terminate();
  }

  private settle(): void {
    if (this.closed && this.waiting.length === 0 && ![...this.threads].some((thread) => thread.job !== undefined)) this.drained?.();
  }
}
