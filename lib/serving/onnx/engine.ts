import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Answer, Engine, Invocation, Restarted } from '../engine';
import { InlineModel } from './inline';
import { Pace } from './pace';
import { WorkerPool } from './pool';
import { type OnnxRuntime, OnnxSession } from './runtime';

export interface OnnxEngineOptions {
  /** The package that runs the model. @default - onnxruntime-node, or onnxruntime-web where that does not load */
  readonly runtime?: OnnxRuntime;
  /** Worker threads at most, each with the model loaded. @default - the machine's cores */
  readonly workers?: number;
  /** Threads that one call may use. @default 1 */
  readonly threads?: number;
  /** Median milliseconds a call below which the model answers on the caller's thread, without a hop; 0: never. @default 1 */
  readonly inlineBelowMs?: number;
  /** Requests that may wait for a worker; one more is answered 503. @default 1000 */
  readonly queue?: number;
  /** Milliseconds after which a call's worker is ended and the call answered 500. @default 3600000, SageMaker's longest: asynchronous */
  readonly timeoutMs?: number;
  /** JavaScript heap of a worker in MiB. @default - Node's own limit */
  readonly heapMb?: number;
  /** Told of each crash, and how often the model was started again. @default - nobody is */
  readonly onRestart?: Restarted;
}

/** Bodies above this are decoded in a worker whatever the model's pace: parsing them takes longer than the hop. */
const INLINE_BYTES = 32 * 1024;

/** A larger file is never loaded on the thread that serves: loading would itself hold it up. */
export const INLINE_FILE_BYTES = 32 * 1024 * 1024;

/**
 * Serves an ONNX file. Calls run in worker threads, so that a slow model never holds up the thread that serves; a model that proves
 * fast (`inlineBelowMs`) moves onto that thread, since the hop to a worker would take several times as long as the call, and moves
 * back when it proves slow there.
 *
 * @throws Error where the model does not load
 */
export async function openOnnxEngine(file: string, options: OnnxEngineOptions = {}): Promise<Engine> {
  const { size, mtimeMs } = statSync(file);
  const session = { runtime: options.runtime, threads: options.threads, unchanged: { size, mtimeMs } };
  const pool = await WorkerPool.open(
    { file, session },
    {
      size: options.workers ?? availableParallelism(),
      queue: options.queue ?? 1000,
      timeoutMs: options.timeoutMs ?? 3_600_000,
      heapMb: options.heapMb,
      onRestart: options.onRestart,
    },
  );
  const pace = new Pace(session.unchanged.size <= INLINE_FILE_BYTES ? (options.inlineBelowMs ?? 1) : 0);
  return new OnnxEngine(pool, pace, async () => new InlineModel(await OnnxSession.open(file, session), pace));
}

class OnnxEngine implements Engine {
  private inline?: InlineModel;
  private opening?: Promise<void>;
  private underWay = 0;
  private closed = false;
  private drained?: () => void;

  constructor(
    private readonly pool: WorkerPool,
    private readonly pace: Pace,
    private readonly openInline: () => Promise<InlineModel>,
  ) {}

  get restarts(): number {
    return this.pool.restarts;
  }

  async ping(): Promise<boolean> {
    return this.pool.alive;
  }

  invoke(invocation: Invocation): Promise<Answer> {
    if (this.closed) return Promise.reject(new Error('the engine is closed'));
    const { inline } = this;
    return inline !== undefined && this.pace.fast && invocation.body.length <= INLINE_BYTES
      ? this.here(inline, invocation)
      : this.there(invocation);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.opening;
    if (this.underWay > 0) {
      await new Promise<void>((resolve) => {
        this.drained = resolve;
      });
    }
    await this.pool.close();
    await this.inline?.close();
  }

  private async here(model: InlineModel, invocation: Invocation): Promise<Answer> {
    this.underWay++;
    const given = await model.invoke(invocation);
    if (--this.underWay === 0) this.drained?.();
    return given;
  }

  private async there(invocation: Invocation): Promise<Answer> {
    const { answer: given, ms } = await this.pool.run(invocation);
    if (invocation.body.length <= INLINE_BYTES && ms > 0) this.pace.took(ms);
    if (this.pace.fast && this.opening === undefined && !this.closed) {
      this.opening = this.openInline().then(
        (session) => {
          this.inline = session;
        },
        () => {}, // the workers hold the model and go on
      );
    }
    return given;
  }
}
