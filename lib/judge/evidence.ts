/** What the series of a metric have shown so far, as a verdict reports it. */
import type { Stakes } from './bets';
import type { BinTable } from './counts';
import { gatherBins, intervalOf } from './interval';
import { logMean } from './likelihood';
import type { SeriesProcess } from './processes';
import type { JudgeSettings, MetricEvidence, MetricInput, SeriesEvidence } from './types';

/** One series as it is being judged. */
export interface RunningSeries {
  readonly label: string;
  readonly table: BinTable;
  /** Its part of the rollback evidence; the parts of all series sum to 1. */
  readonly part: number;
  process: SeriesProcess;
  /** Bins judged so far: a prefix of the table. */
  judged: number;
}

/** One metric as it is being judged. */
export interface RunningMetric {
  readonly input: MetricInput;
  readonly name: string;
  readonly margin: number;
  readonly stakes: Stakes;
  /** Its part of alpha; the parts of all metrics sum to 1. */
  readonly part: number;
  readonly series: readonly RunningSeries[];
}

/** ln of the evidence that the metric is worse: the mean of its series'. */
export function logWorseOf({ series }: RunningMetric): number {
  return logMean(series.map(({ process }) => process.worse.logValue));
}

/** ln of the evidence that the metric is not worse: the least of its series'. */
export function logNotWorseOf(metric: RunningMetric): number {
  return Math.min(...metric.series.map(({ process }) => logNotBadOf(metric, process)));
}

/** Evidence against "bad", which an objective can narrow or widen: the mean disproves an `and`, the least an `or`. */
function logNotBadOf(metric: RunningMetric, { logBelowMargin, logBelowObjective }: SeriesProcess): number {
  if (logBelowObjective === null) return logBelowMargin!;
  if (logBelowMargin === null) return logBelowObjective;
  if (metric.input.objective?.badWhen === 'either') return Math.min(logBelowMargin, logBelowObjective);
  return logMean([logBelowMargin, logBelowObjective]);
}

/** All of a metric's evidence. */
export function evidenceOf(metric: RunningMetric, settings: JudgeSettings): MetricEvidence {
  const { alpha, beta } = settings;
  return {
    id: metric.input.id,
    name: metric.name,
    kind: metric.input.kind ?? 'other',
    required: metric.input.required ?? true,
    rollsBack: metric.part > 0,
    margin: metric.margin,
    objective: metric.input.objective ?? null,
    alpha: alpha * metric.part,
    logWorse: logWorseOf(metric),
    logWorseThreshold: metric.part > 0 ? -Math.log(alpha * metric.part) : null,
    logNotWorse: logNotWorseOf(metric),
    logNotWorseThreshold: -Math.log(beta),
    series: metric.series.map((one) => evidenceOfSeries(metric, one, settings)),
  };
}

function evidenceOfSeries(
  metric: RunningMetric,
  { label, table, judged, process }: RunningSeries,
  settings: JudgeSettings,
): SeriesEvidence {
  const { totals, logBelowMargin, logBelowObjective } = process;
  return {
    label,
    totals,
    candidateRate: totals.candidateRequests === 0 ? null : totals.candidateBad / totals.candidateRequests,
    baselineRate: totals.baselineRequests === 0 ? null : totals.baselineBad / totals.baselineRequests,
    relativeRisk: intervalOf(gatherBins(table, judged, settings), settings),
    logWorse: process.worse.logValue,
    logBelowMargin,
    logBelowObjective,
    logNotWorse: logNotBadOf(metric, process),
  };
}
