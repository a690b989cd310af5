import { orAborted } from '../pause';
import { counted } from '../sizes';
import type { Replay } from './replay';

/** How an endpoint answered a number of requests, sent as fast as the clients go. */
export interface ReplayFigures {
  readonly requests: number;
  readonly failed: number;
  /** Answers whose outcome is known. */
  readonly known: number;
  /** Share of those that turned out right; null without one. */
  readonly accuracy: number | null;
  /** Milliseconds from a request's sending to its answer, as the client saw it. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Milliseconds a request that the client's one thread was at work: of a model that is fast, most of what there is to measure. */
  readonly clientMs: number;
}

/** Replays so many requests, so many of them under way at once, then rests. */
export async function measure(replay: Replay, requests: number, clients: number, signal: AbortSignal): Promise<ReplayFigures> {
  replay.keepLatencies();
  const { seconds, activeSeconds } = await orAborted(replay.burst(requests, clients), signal);
  const { failed, known, wrong } = replay;
  const sorted = replay.takeLatencies();
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  return {
    requests: replay.requests,
    failed,
    known,
    accuracy: known === 0 ? null : 1 - wrong / known,
    p50: quantile(0.5),
    p99: quantile(0.99),
    perSecond: requests / seconds,
    clientMs: (1000 * activeSeconds) / requests,
  };
}

/** What to say where not one answer is right: outcomes and answers are then of two forms, more likely than not. */
export function noneRight({ known, accuracy }: ReplayFigures, { wrongOne }: Pick<Replay, 'wrongOne'>): string | undefined {
  if (accuracy !== 0) return undefined;
  return `none of ${counted(known, 'answer')} is its outcome (the first: ${wrongOne}): if the two are not of one form, right and wrong answers say nothing, and the outcomes are better left out`;
}
