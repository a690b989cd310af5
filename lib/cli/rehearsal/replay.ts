import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entryPoint } from '../../model/entry-point';
import type { Burst, ReplayCommand, ReplayOrder, ReplayReport } from './replay-messages';

/** Replays requests from a thread of its own, so that sending them does not slow what answers them. */
export class Replay {
  private readonly worker: Worker;
  /** Requests answered, failures included. */
  requests = 0;
  failed = 0;
  known = 0;
  wrong = 0;
  /** The first message of each kind of failure. */
  readonly failures: string[] = [];
  /** The first answer that was wrong, and what was right: `0.97 where the outcome is 1`. */
  wrongOne: string | undefined;
  private kept: Float64Array[] | undefined;
  private ended: (burst: Burst) => void = () => {};

  /** @param onReport called a few times a second */
  constructor(order: ReplayOrder, onReport: (report: ReplayReport) => void) {
    const { path, execArgv } = entryPoint('lib/cli/rehearsal/replay-worker');
    this.worker = new Worker(path, { workerData: order, execArgv: [...execArgv] });
    this.worker.on('message', (report: ReplayReport) => {
      for (const tally of Object.values(report.variants)) {
        this.requests += tally.requests;
        this.failed += tally.failed;
        this.known += tally.known;
        this.wrong += tally.wrong;
      }
      this.failures.push(...report.failures);
      this.kept?.push(report.latencies);
      this.wrongOne ??= report.wrongOne;
      onReport(report);
      if (report.burst) this.ended(report.burst);
    });
  }

  /**
   * @param perSecond requests a second
   * @param clients requests under way at once, at the most
   */
  pace(perSecond: number, clients: number): void {
    this.tell({ kind: 'pace', perSecond, clients });
  }

  /** Sends so many requests as fast as its clients go, and then no more; resolves when all are answered and counted. */
  burst(requests: number, clients: number): Promise<Burst> {
    this.tell({ kind: 'burst', requests, clients });
    return new Promise((resolve) => {
      this.ended = resolve;
    });
  }

  /** Keeps every request's latency from now on, until they are taken: they are many. */
  keepLatencies(): void {
    this.kept = [];
  }

  /** Milliseconds of each request since `keepLatencies`, in ascending order. */
  takeLatencies(): Float64Array {
    const kept = this.kept ?? [];
    this.kept = undefined;
    return Float64Array.from(kept.flatMap((part) => [...part])).sort();
  }

  /** Waits for the requests under way. */
  async stop(): Promise<void> {
    const ended = once(this.worker, 'exit');
    this.tell({ kind: 'stop' });
    await ended;
  }

  private tell(command: ReplayCommand): void {
    this.worker.postMessage(command);
  }
}
