import type { Counts, JudgeInput, MetricInput, Routing, Series, Verdict } from '../../judge';
import type { Rehearsed } from '../rehearsal/rehearsal';

/** A time during which the evidence was gathered without a break: the shadow is one, all routed shares together another. */
export interface Stretch {
  /** What was judged at its end. */
  readonly verdict: Verdict;
  readonly input: JudgeInput;
  /** Seconds since 1970. */
  readonly from: number;
  readonly until: number;
  /** Shares that were routed; none while requests were only mirrored. */
  readonly routing: readonly Routing[];
}

/** Counts up to a moment. */
export interface Tally {
  /** Seconds since 1970. */
  readonly at: number;
  readonly candidateRequests: number;
  readonly candidateBad: number;
  readonly baselineRequests: number;
  readonly baselineBad: number;
}

/** More moments than this are thinned out: a plot is no finer, and a page stays light. */
const MOST_POINTS = 300;

/** The stretches of a promotion in the order of time. The verdict of a later step repeats what came before it: the last one is kept. */
export function stretchesOf({ verdict, story }: Pick<Rehearsed, 'verdict' | 'story'>): Stretch[] {
  const verdicts = [...story.flatMap((entry) => entry.verdict ?? []), ...(verdict ? [verdict] : [])];
  return verdicts
    .filter(({ from }, i) => from !== null && !verdicts.slice(i + 1).some((later) => later.from === from))
    .map((last) => ({
      verdict: last,
      input: last.input,
      from: last.from!,
      until: last.until!,
      routing: [...(last.input.routing ?? [])].sort((a, b) => a.from - b.from),
    }));
}

/** Places of the judged bins of some counts, in the order of time. */
export function judgedBins(counts: Counts, { until }: Pick<Stretch, 'until'>): number[] {
  return counts.start
    .map((_, i) => i)
    .filter((i) => counts.start[i] + counts.seconds[i] <= until)
    .sort((a, b) => counts.start[a] - counts.start[b]);
}

/** Counts of a series from the stretch's begin up to the end of each judged bin. */
export function tallies({ counts }: Series, stretch: Stretch): Tally[] {
  let sum = { candidateRequests: 0, candidateBad: 0, baselineRequests: 0, baselineBad: 0 };
  return judgedBins(counts, stretch).map((i) => {
    sum = {
      candidateRequests: sum.candidateRequests + counts.candidateRequests[i],
      candidateBad: sum.candidateBad + counts.candidateBad[i],
      baselineRequests: sum.baselineRequests + counts.baselineRequests[i],
      baselineBad: sum.baselineBad + counts.baselineBad[i],
    };
    return { at: counts.start[i] + counts.seconds[i], ...sum };
  });
}

/** Some of many, evenly, the last one always. */
export function thinned<T>(all: readonly T[], most = MOST_POINTS): T[] {
  const stride = Math.ceil(all.length / most);
  return all.filter((_, i) => (all.length - 1 - i) % Math.max(1, stride) === 0);
}

/** How a metric and one of its series are called. */
export const metricName = ({ id, name }: Pick<MetricInput, 'id' | 'name'>): string => name ?? id;
