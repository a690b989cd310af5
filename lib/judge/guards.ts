/** What must hold for the comparison to mean anything: traffic split as routed, both arms alive, data fresh; and predictions that did not move. */
import type { BinTable } from './counts';
import { drift, STRAY, sampleRatio } from './drift';
import type { DriftEvidence, JudgeSettings, PredictionSegment, Routing, ShareEvidence } from './types';

/** A table and how many of its bins count. */
export interface JudgedTable {
  readonly table: BinTable;
  readonly judged: number;
  /** Requests of both arms in those bins. */
  readonly requests: number;
}

/** An arm that stopped answering. */
export interface SilentArm {
  readonly arm: 'candidate' | 'baseline';
  /** End of its last bin with a request; null when it never answered. */
  readonly since: number | null;
  /** Requests that the other arm answered since. */
  readonly otherRequests: number;
}

/** Compares the split of requests with the routing; null when the routing is not known. Bins across a change of share are left out. */
export function shareEvidence(routing: readonly Routing[], tables: readonly JudgedTable[], settings: JudgeSettings): ShareEvidence | null {
  const fullest = withMostRequests(tables);
  if (routing.length === 0 || fullest === undefined) return null;
  const steps = inOrder(routing);
  const segments = steps.map(({ share }) => ({ share, candidateRequests: 0, baselineRequests: 0 }));
  forEachRouted(fullest, steps, (i, step) => {
    segments[step]!.candidateRequests += fullest.table.candidateRequests[i]!;
    segments[step]!.baselineRequests += fullest.table.baselineRequests[i]!;
  });
  let candidateRequests = 0;
  let baselineRequests = 0;
  let expected = 0;
  for (const segment of segments) {
    candidateRequests += segment.candidateRequests;
    baselineRequests += segment.baselineRequests;
    expected += segment.share * (segment.candidateRequests + segment.baselineRequests);
  }
  return {
    candidateRequests,
    baselineRequests,
    expectedCandidateRequests: expected,
    logEvidence: sampleRatio(segments),
    logThreshold: -Math.log(settings.guardAlpha),
  };
}

/** Whether the guard fires: enough evidence, and a difference large enough to matter. */
export function isMisrouted(share: ShareEvidence, settings: JudgeSettings): boolean {
  const total = share.candidateRequests + share.baselineRequests;
  const smaller = Math.min(share.expectedCandidateRequests, total - share.expectedCandidateRequests);
  const off = Math.abs(share.candidateRequests - share.expectedCandidateRequests);
  return share.logEvidence >= share.logThreshold && off > settings.shareTolerance * smaller;
}

/**
 * An arm that was routed traffic and has not answered for longer than chance allows. Were it alive, n requests in a row would all go to the other
 * arm with probability (1 - share)^n; a run may begin at any of N requests, and sum 1 / (N (N + 1)) = 1 pays for all of them.
 */
export function silentArm(routing: readonly Routing[], tables: readonly JudgedTable[], settings: JudgeSettings): SilentArm | null {
  const fullest = withMostRequests(tables);
  if (routing.length === 0 || fullest === undefined) return null;
  const { table, judged, requests } = fullest;
  const steps = inOrder(routing);
  const needed = 2 * Math.log(requests + 1) - Math.log(settings.guardAlpha);
  for (const arm of ['candidate', 'baseline'] as const) {
    const own = arm === 'candidate' ? table.candidateRequests : table.baselineRequests;
    const other = arm === 'candidate' ? table.baselineRequests : table.candidateRequests;
    let last = judged - 1;
    while (last >= 0 && own[last] === 0) last--;
    let surprise = 0;
    let otherRequests = 0;
    forEachRouted(fullest, steps, (i, step) => {
      const share = arm === 'candidate' ? steps[step]!.share : 1 - steps[step]!.share;
      if (i <= last || share === 0) return;
      otherRequests += other[i]!;
      surprise += other[i]! === 0 ? 0 : -other[i]! * Math.log1p(-Math.min(share, 1 - STRAY));
    });
    if (surprise > needed) return { arm, since: last < 0 ? null : table.end(last), otherRequests };
  }
  return null;
}

/** Compares the predictions of both arms; null when there are none. */
export function driftEvidence(segments: readonly PredictionSegment[], settings: JudgeSettings): DriftEvidence | null {
  if (segments.length === 0) return null;
  return { logEvidence: drift(segments), logThreshold: -Math.log(settings.guardAlpha) };
}

function inOrder(routing: readonly Routing[]): Routing[] {
  return [...routing].sort((a, b) => a.from - b.from);
}

/** Calls `use` for each judged bin that lies within one step. */
function forEachRouted({ table, judged }: JudgedTable, steps: readonly Routing[], use: (bin: number, step: number) => void): void {
  let step = -1;
  let until = steps[0]?.from ?? Infinity;
  for (let i = 0; i < judged; i++) {
    while (until <= table.start[i]!) until = steps[++step + 1]?.from ?? Infinity;
    if (step >= 0 && table.end(i) <= until) use(i, step);
  }
}

/** The table that saw most of the traffic; some metrics count only the requests whose outcome is known. */
function withMostRequests(tables: readonly JudgedTable[]): JudgedTable | undefined {
  return tables.reduce<JudgedTable | undefined>(
    (best, table) => (best === undefined || table.requests > best.requests ? table : best),
    undefined,
  );
}
