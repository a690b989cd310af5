import { pause } from '../pause';
import type { Replay } from './replay';

/** How an endpoint answered a number of requests, sent as fast as the clients go. */
export interface ReplayFigures {
  readonly requests: number;
  readonly failed: number;
  /** Share of the answers that turned out right, where outcomes are known; null otherwise. */
  readonly accuracy: number | null;
  /** Milliseconds from a request's sending to its answer, as the client saw it. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Milliseconds a request that the client's one thread was at work: of a model that is fast, most of what there is to measure. */
  readonly clientMs: number;
}

/** Replays until `requests` are answered, so many under way at once, then rests. */
export async function measure(replay: Replay, requests: number, clients: number, signal: AbortSignal): Promise<ReplayFigures> {
  replay.keepLatencies();
  replay.pace(Number.POSITIVE_INFINITY, clients);
  // The thread starts, and loads the SDK.
  while (replay.requests === 0) await pause(20, signal);
  const [began, before, rest] = [performance.now(), replay.requests, replay.utilization()];
  while (replay.requests < requests) await pause(20, signal);
  const seconds = (performance.now() - began) / 1000;
  const { active } = replay.utilization(rest);
  replay.rest();
  const { failed, known, wrong } = replay;
  const sorted = replay.takeLatencies();
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  return {
    requests: replay.requests,
    failed,
    accuracy: known === 0 ? null : 1 - wrong / known,
    p50: quantile(0.5),
    p99: quantile(0.99),
    perSecond: (replay.requests - before) / seconds,
    clientMs: active / (replay.requests - before),
  };
}
