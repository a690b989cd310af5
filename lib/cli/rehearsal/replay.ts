import { once } from 'node:events';
import type { EventLoopUtilization } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { entryPoint } from '../../model/entry-point';
import type { ReplayCommand, ReplayOrder, ReplayReport } from './replay-messages';

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
  private kept: Float64Array[] | undefined;

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
      onReport(report);
    });
  }

  /**
   * @param perSecond requests a second; Infinity goes as fast as its clients go
   * @param clients requests under way at once, at the most
   */
  pace(perSecond: number, clients: number): void {
    this.tell({ kind: 'pace', perSecond, clients });
  }

  /** Sends no more. */
  rest(): void {
    this.tell({ kind: 'pace', perSecond: 0, clients: 0 });
  }

  /** How busy the sending thread was since. @default - since its start */
  utilization(since?: EventLoopUtilization): EventLoopUtilization {
    return this.worker.performance.eventLoopUtilization(since);
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
