import { pause } from '../pause';
import type { Replay } from './replay';

/** How an endpoint answered a number of requests, sent as fast as the clients go. */
export interface ReplayFigures {
  readonly requests: number;
  readonly failed: number;
  /** Share of the answers that turned out right, where outcomes are known; null otherwise. */
  readonly accuracy: number | null;
  /** Milliseconds, as the client saw it. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

/** Replays until `requests` are answered, then rests. */
export async function measure(replay: Replay, requests: number, signal: AbortSignal): Promise<ReplayFigures> {
  const began = performance.now();
  replay.keepLatencies();
  replay.pace(Number.POSITIVE_INFINITY);
  while (replay.requests < requests) await pause(20, signal);
  const seconds = (performance.now() - began) / 1000;
  replay.pace(0);
  const { failed, known, wrong } = replay;
  const sorted = replay.takeLatencies();
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  return {
    requests: replay.requests,
    failed,
    accuracy: known === 0 ? null : 1 - wrong / known,
    p50: quantile(0.5),
    p99: quantile(0.99),
    perSecond: replay.requests / seconds,
  };
}
