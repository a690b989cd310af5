import { type MetricInput, rateInterval, trace } from '../../judge';
import type { Rehearsed } from '../rehearsal/rehearsal';
import { milliseconds, percent } from './figures';
import { judgedBins, metricName, type Stretch, stretchesOf, type Tally, tallies, thinned } from './stretches';

/** One line of a plot, a value for each moment; null interrupts it. */
export interface Line {
  readonly label: string;
  /** Chooses the colour. */
  readonly role: 'live' | 'candidate' | 'worse' | 'notWorse';
  readonly values: readonly (number | null)[];
  /** Ends of the interval around each value. */
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
  /** Keeps each value up to the next one. */
  readonly stepped?: boolean;
  readonly dots?: boolean;
  /** Written at its end. */
  readonly tag?: string;
}

/** A value that decides. */
export interface Threshold {
  readonly value: number;
  readonly label: string;
}

/** One plot over the time of a promotion. */
export interface Chart {
  readonly title: string;
  readonly note: string;
  /** Values are shares, or decimal logarithms of shares or of evidence. */
  readonly unit: 'share' | 'log share' | 'log evidence';
  readonly range: readonly [number, number];
  /** Seconds since the promotion began. */
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  readonly thresholds: readonly Threshold[];
}

/** A step of the way on the time axis. */
export interface Span {
  readonly from: number;
  readonly until: number;
  readonly label: string;
}

/** All plots of one promotion; they share the time axis. */
export interface Plots {
  /** Length of the promotion. */
  readonly seconds: number;
  readonly spans: readonly Span[];
  readonly charts: readonly Chart[];
}

/** Shares below this are drawn at it where the axis is logarithmic. */
const LEAST_SHARE = 1e-3;
/** Evidence outside of this is drawn at its edge. */
const EVIDENCE_RANGE = [-4, 6] as const;

/** The plots of a candidate that was judged; undefined where no request was compared. */
export function plotsOf(rehearsed: Pick<Rehearsed, 'verdict' | 'story' | 'outcome'>): Plots | undefined {
  const stretches = stretchesOf(rehearsed);
  const last = stretches.at(-1);
  if (!last) return undefined;
  const { startedAt, endedAt, verdict } = rehearsed.outcome;
  const begun = startedAt / 1000;
  const clock: Clock = { begun, seconds: Math.max(endedAt / 1000, last.until) - begun };
  return {
    seconds: clock.seconds,
    spans: stretches.flatMap((stretch) => spansOf(stretch, clock)),
    charts: [
      shareChart(stretches, clock, decidedAt(rehearsed) - begun, verdict === 'promoted' ? 1 : 0),
      ...distinct(last.input.metrics)
        .map((metrics) => metricChart(metrics, stretches, clock))
        .filter(({ x }) => x.length > 0),
      evidenceChart(stretches, clock),
    ],
  };
}

interface Clock {
  /** Seconds since 1970. */
  readonly begun: number;
  /** Until the end. */
  readonly seconds: number;
}

function spansOf({ routing, from, until }: Stretch, { begun }: Clock): Span[] {
  if (routing.length === 0) return [{ from: from - begun, until: until - begun, label: 'shadow' }];
  return routing.map((step, i) => ({
    from: step.from - begun,
    until: (routing[i + 1]?.from ?? Math.max(until, step.from)) - begun,
    label: percent(step.share),
  }));
}

/** Metrics whose counts are all the same are one plot: many a model's every 5xx is a model error. */
function distinct(metrics: readonly MetricInput[]): MetricInput[][] {
  const groups = new Map<string, MetricInput[]>();
  for (const metric of metrics) {
    const counts = JSON.stringify(metric.series.map((series) => series.counts));
    groups.set(counts, [...(groups.get(counts) ?? []), metric]);
  }
  return [...groups.values()];
}

/** When the last verdict was taken, in seconds since 1970. What is routed from then on until the end is on its way. */
function decidedAt({ story, outcome }: Pick<Rehearsed, 'story' | 'outcome'>): number {
  return (story.filter((entry) => entry.verdict).at(-1)?.at ?? outcome.endedAt) / 1000;
}

function shareChart(stretches: readonly Stretch[], { begun, seconds }: Clock, decided: number, end: 0 | 1): Chart {
  const steps = [
    { at: 0, share: 0 },
    ...stretches.flatMap(({ routing }) => routing.map(({ from, share }) => ({ at: from - begun, share }))),
  ];
  const routed: { readonly at: number; readonly share: number | null }[] = [
    ...steps,
    { at: decided, share: steps.at(-1)!.share },
    { at: decided + 1e-3, share: null },
    { at: Math.max(seconds, decided + 2e-3), share: end },
  ];
  const seen = stretches.flatMap((stretch) => {
    const { counts } = stretch.input.metrics[0].series[0];
    return thinned(judgedBins(counts, stretch)).map((i) => {
      const requests = counts.candidateRequests[i] + counts.baselineRequests[i];
      const share = stretch.routing.length === 0 ? 0 : counts.candidateRequests[i] / requests;
      return { at: counts.start[i] + counts.seconds[i] - begun, share: requests === 0 ? null : share };
    });
  });
  const x = [...new Set([...routed, ...seen].map(({ at }) => at))].sort((a, b) => a - b);
  const answered = new Map(seen.map(({ at, share }) => [at, share]));
  return {
    title: 'Traffic share of the candidate',
    note: 'routed up to the verdict and at the end, and the part of all requests that it answered; a shadow answers none',
    unit: 'share',
    range: [0, 1],
    x,
    lines: [
      {
        label: 'routed',
        role: 'candidate',
        stepped: true,
        values: x.map((at) => routed.filter((step) => step.at <= at).at(-1)!.share),
      },
      { label: 'answered', role: 'live', dots: true, values: x.map((at) => answered.get(at) ?? null) },
    ],
    thresholds: [],
  };
}

function metricChart(metrics: readonly MetricInput[], stretches: readonly Stretch[], clock: Clock): Chart {
  const [{ id, kind, objective }] = metrics;
  const isLatency = kind === 'latency';
  const lines: Line[] = [];
  let x: number[] = [];
  for (const i of metrics[0].series.keys()) {
    const moments = joined(stretches, clock, (stretch) => {
      const series = stretch.input.metrics.find((metric) => metric.id === id)?.series[i];
      return series ? thinned(tallies(series, stretch)) : [];
    });
    if (moments.length > x.length) x = moments.map(({ at }) => at);
    for (const arm of ['baseline', 'candidate'] as const) lines.push(rateLine(moments, arm, metrics[0].series[i].label, isLatency));
  }
  const names = metrics.map(metricName).join(', ');
  return {
    title: isLatency ? 'Share of slow requests' : `Rate of ${names}`,
    note: isLatency ? slowNote(metrics[0]) : 'of all requests so far, with the interval that holds at every moment (95 %)',
    unit: isLatency ? 'log share' : 'share',
    range: isLatency ? [Math.log10(LEAST_SHARE), 0] : [0, topOf(lines)],
    x,
    lines,
    thresholds: !isLatency && objective ? [{ value: objective.rate, label: `objective ${percent(objective.rate)}` }] : [],
  };
}

function slowNote({ series }: MetricInput): string {
  const lines = series.flatMap(({ threshold }) =>
    threshold ? `p${threshold.percentile} ${milliseconds(threshold.baselineMilliseconds)}` : [],
  );
  const allowed = series.flatMap(({ threshold }) => (threshold ? milliseconds(threshold.candidateMilliseconds) : []));
  return `slower than the live version was before: ${lines.join(', ')}; the candidate may be a little slower: ${allowed.join(', ')}`;
}

interface Moment {
  readonly at: number;
  readonly tally: Tally | null;
}

function rateLine(moments: readonly Moment[], arm: 'baseline' | 'candidate', label: string | undefined, log: boolean): Line {
  const drawn = (share: number) => (log ? Math.log10(Math.max(LEAST_SHARE, share)) : share);
  const points = moments.map(({ tally }) => {
    const requests = tally?.[`${arm}Requests`] ?? 0;
    if (tally === null || requests === 0) return null;
    const bad = tally[`${arm}Bad`];
    const { low, high } = rateInterval(bad, requests);
    return { rate: drawn(bad / requests), low: drawn(low), high: drawn(high) };
  });
  return {
    label: [arm === 'baseline' ? 'live' : 'candidate', label].filter(Boolean).join(' '),
    role: arm === 'baseline' ? 'live' : 'candidate',
    values: points.map((point) => point?.rate ?? null),
    low: points.map((point) => point?.low ?? null),
    high: points.map((point) => point?.high ?? null),
    tag: label,
  };
}

/** The first intervals are as wide as the axis: it is made for the last ones and for the rates. */
function topOf(lines: readonly Line[]): number {
  const most = lines.flatMap(({ values, high = [] }) => [
    ...values.slice(Math.floor(values.length / 4)).map((value) => value ?? 0),
    1.2 * (high.filter((value) => value !== null).at(-1) ?? 0),
  ]);
  return Math.min(1, Math.max(0.012, 1.1 * Math.max(...most)));
}

function evidenceChart(stretches: readonly Stretch[], clock: Clock): Chart {
  const { settings } = stretches.at(-1)!.verdict;
  const moments = joined(stretches, clock, ({ input }) => thinned(trace(input))).map(({ at, tally }) => ({ at, point: tally }));
  const drawn = (log: number | null | undefined) =>
    log === null || log === undefined ? null : Math.min(EVIDENCE_RANGE[1], Math.max(EVIDENCE_RANGE[0], log / Math.LN10));
  const { alpha, beta } = settings;
  const mirrored = stretches.find(({ routing }) => routing.length === 0)?.verdict.settings.alpha ?? alpha;
  const threshold = (error: number, what: string) => ({
    value: -Math.log10(error),
    label: `${Number((1 / error).toPrecision(3))} ${what}`,
  });
  return {
    title: 'Evidence',
    note: 'of all metrics that the candidate is worse, and of the metric that has the least that it is not',
    unit: 'log evidence',
    range: EVIDENCE_RANGE,
    x: moments.map(({ at }) => at),
    lines: [
      { label: 'worse', role: 'worse', values: moments.map(({ point }) => drawn(point?.logWorse)) },
      { label: 'not worse', role: 'notWorse', values: moments.map(({ point }) => drawn(point?.logNotWorse)) },
    ],
    thresholds: [
      ...(alpha === beta ? [threshold(alpha, 'suffices for either')] : [threshold(alpha, 'rolls back'), threshold(beta, 'promotes')]),
      ...(mirrored === alpha ? [] : [threshold(mirrored, 'as a shadow')]),
    ],
  };
}

/** The moments of all stretches one after the other, on the promotion's clock, with an interruption between two stretches. */
function joined<T extends { readonly at: number }>(
  stretches: readonly Stretch[],
  { begun }: Clock,
  momentsOf: (stretch: Stretch) => readonly T[],
): { readonly at: number; readonly tally: T | null }[] {
  const all: { at: number; tally: T | null }[] = [];
  for (const stretch of stretches) {
    const moments = momentsOf(stretch);
    if (moments.length === 0) continue;
    if (all.length > 0) all.push({ at: stretch.from - begun, tally: null });
    all.push(...moments.map((tally) => ({ at: tally.at - begun, tally })));
  }
  return all;
}
