import { Worker } from 'node:worker_threads';
import { entryPoint } from '../../model/entry-point';
import type { Answer, Invocation } from '../engine';
import { withoutTelemetry } from './telemetry';
import type { WorkerMessage, WorkerRequest, WorkerStart } from './worker';

/** An answer and the milliseconds of one thread that it took. */
export interface Timed {
  readonly answer: Answer;
  readonly ms: number;
}

/** What a thread tells its pool. */
export interface ThreadEvents {
  /** It is loaded. */
  ready(): void;
  /** It is gone, and why; its request under way has been rejected with the same reason. */
  ended(reason: string): void;
}

/** Milliseconds that the process, on its way out, waits for calls of the runtime. */
const EXIT_WAIT_MS = 10_000;

const alive = new Set<ModelThread>();

// A thread that is ended while its call is within the native runtime aborts the whole process when the call returns, so the exit waits.
process.on('exit', () => {
  const until = Date.now() + EXIT_WAIT_MS;
  for (const thread of alive) thread.waitForNative(until);
});

/** A worker thread that holds the model and answers one request at a time. */
export class ModelThread {
  /** Set once the model is loaded. */
  ready = false;
  private readonly worker: Worker;
  /** 1 while the thread is within the runtime, or may be. */
  private readonly native = new Int32Array(new SharedArrayBuffer(4));
  private job: { resolve: (timed: Timed) => void; reject: (error: Error) => void } | undefined;
  private reason: string | undefined;
  private ending = false;
  private exit!: () => void;
  private readonly exited = new Promise<void>((resolve) => {
    this.exit = resolve;
  });

  /** @param heapMb JavaScript heap in MiB */
  constructor(
    start: Pick<WorkerStart, 'file' | 'session'>,
    heapMb: number | undefined,
    private readonly events: ThreadEvents,
  ) {
    const { path, execArgv } = entryPoint('lib/serving/onnx/worker');
    this.native[0] = 1;
    withoutTelemetry();
    const workerData: WorkerStart = { ...start, native: this.native };
    this.worker = new Worker(path, {
      execArgv: [...execArgv],
      workerData,
      resourceLimits: heapMb === undefined ? undefined : { maxOldGenerationSizeMb: heapMb },
    });
    alive.add(this);
    this.worker.on('message', (message: WorkerMessage) => this.hear(message));
    this.worker.on('error', (error: Error) => {
      this.reason ??= error.message;
    });
    this.worker.on('exit', (code) => this.gone(this.reason ?? `its thread ended with code ${code}`));
  }

  get busy(): boolean {
    return this.job !== undefined;
  }

  /** @throws Error with the reason where the thread ends before it has answered */
  ask({ body, contentType, accept }: Invocation): Promise<Timed> {
    // A view into a larger buffer would be sent with all of it.
    const own = new Uint8Array(body);
    const request: WorkerRequest = { body: own, contentType, accept };
    this.native[0] = 1;
    return new Promise((resolve, reject) => {
      this.job = { resolve, reject };
      this.worker.postMessage(request, [own.buffer]);
    });
  }

  /** Ends the thread, after the call under way if there is one; resolves when it is gone. */
  end(): Promise<void> {
    this.ending = true;
    this.worker.unref();
    if (this.native[0] === 0) void this.worker.terminate();
    return this.exited;
  }

  waitForNative(until: number): void {
    Atomics.wait(this.native, 0, 1, Math.max(0, until - Date.now()));
  }

  private hear(message: WorkerMessage): void {
    if (message.kind === 'unloadable') {
      this.reason = message.message;
      return;
    }
    if (message.kind === 'answer') {
      const { ms, status, contentType, body } = message;
      const job = this.job!;
      this.job = undefined;
      job.resolve({ ms, answer: { status, contentType, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) } });
    } else {
      this.ready = true;
      this.events.ready();
    }
    if (this.ending) void this.worker.terminate();
  }

  private gone(reason: string): void {
    alive.delete(this);
    const { job } = this;
    this.job = undefined;
    job?.reject(new Error(reason));
    this.events.ended(reason);
    this.exit();
  }
}
