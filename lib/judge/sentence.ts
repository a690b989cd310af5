/** The decision, and the sentence that a person reads. */
import { isMisrouted, type SilentArm } from './guards';
import type { Crossing, Decision, DriftEvidence, JudgeInput, JudgeSettings, MetricEvidence, SeriesEvidence, ShareEvidence } from './types';

/** All that a decision rests on. */
export interface Findings {
  readonly metrics: readonly MetricEvidence[];
  readonly crossing: Crossing | null;
  readonly share: ShareEvidence | null;
  readonly silent: SilentArm | null;
  readonly drift: DriftEvidence | null;
  readonly settings: JudgeSettings;
  readonly input: JudgeInput;
  /** Second up to which bins were judged; infinite when all were. */
  readonly settled: number;
  /** End of the last judged bin with a request; null without one. */
  readonly lastRequest: number | null;
}

/** An answer in one word and in one sentence. */
export interface Answer {
  readonly decision: Decision;
  readonly sentence: string;
}

/** A broken comparison comes before all; being worse before moved predictions, these before being good enough. */
export function answer(findings: Findings): Answer {
  const broken = whatIsBroken(findings);
  if (broken !== undefined) return { decision: 'invalid', sentence: `invalid: ${broken}` };
  if (findings.crossing !== null) return { decision: 'rollBack', sentence: `rolled back: ${whyWorse(findings.crossing, findings)}` };
  const { drift } = findings;
  if (drift !== null && drift.logEvidence >= drift.logThreshold) {
    const evidence = `evidence ${number(drift.logEvidence)} where ${number(drift.logThreshold)} suffices`;
    return {
      decision: 'hold',
      sentence: `held: the candidate predicts otherwise than the baseline, ${evidence}; a person should look at it`,
    };
  }
  const required = findings.metrics.filter((metric) => metric.required);
  const wanting = required.filter((metric) => metric.logNotWorse < metric.logNotWorseThreshold);
  if (required.length > 0 && wanting.length === 0) return { decision: 'promote', sentence: `promoted: ${whyGood(required)}` };
  return { decision: 'hold', sentence: `held: ${whatIsMissing(required, wanting)}` };
}

function whatIsBroken(findings: Findings): string | undefined {
  const { input, settings, share, silent, settled, lastRequest } = findings;
  for (const fact of input.facts ?? []) {
    if (fact.found !== fact.expected) return `${fact.name} is '${fact.found}' where '${fact.expected}' was expected`;
  }
  if (settled !== Infinity) {
    const routed = (input.routing ?? []).map(({ from }) => from);
    const since = lastRequest ?? (routed.length === 0 ? null : Math.min(...routed));
    const age = since === null ? 0 : settled - since;
    if (age > settings.staleAfterSeconds) {
      return `no request was counted for ${duration(age)}, longer than the ${duration(settings.staleAfterSeconds)} after which data is stale`;
    }
  }
  if (silent !== null) {
    const { arm, since, otherRequests } = silent;
    const when = since === null ? 'has answered no request' : `has answered no request since ${new Date(since * 1000).toISOString()}`;
    return `the ${arm} ${when} while the other variant answered ${grouped(otherRequests)}`;
  }
  if (share !== null && isMisrouted(share, settings)) {
    const total = share.candidateRequests + share.baselineRequests;
    const [found, expected] = apart(share.candidateRequests / total, share.expectedCandidateRequests / total);
    return `${found} of ${grouped(total)} requests reached the candidate where ${expected} was routed there`;
  }
  return undefined;
}

function whyWorse(crossing: Crossing, { metrics, settings }: Findings): string {
  const metric = metrics.find(({ id }) => id === crossing.metric)!;
  const { candidateRequests, candidateBad, baselineRequests, baselineBad } = crossing.totals;
  const name = crossing.series === metric.name ? metric.name : `${metric.name} ${crossing.series}`;
  const rates = `${percent(candidateBad / candidateRequests)} against ${percent(baselineBad / baselineRequests)}`;
  const alone = crossing.logEvidence >= crossing.logThreshold;
  const evidence = alone
    ? `evidence ${number(crossing.logEvidence)} where ${number(crossing.logThreshold)} suffices`
    : `evidence of all metrics together above the ${number(-Math.log(settings.alpha))} that suffices`;
  return `${name} ${rates}, ${evidence}, after ${grouped(candidateBad)} bad request${candidateBad === 1 ? '' : 's'}`;
}

function whyGood(required: readonly MetricEvidence[]): string {
  const least = required.reduce((a, b) => (b.logNotWorse < a.logNotWorse ? b : a));
  const enough = `evidence at least ${number(least.logNotWorse)} where ${number(least.logNotWorseThreshold)} suffices`;
  return `${required.map((metric) => metric.series.map((series) => compared(metric, series)).join(', ')).join(', ')}; ${shown(required)}, ${enough}`;
}

function shown(required: readonly MetricEvidence[]): string {
  const margins = [...new Set(required.map(({ margin }) => margin))];
  const objectives = required.filter(({ objective }) => objective !== null);
  const below = margins.length === 1 ? `shown less than ${margins[0]} times as bad` : 'each shown below its margin';
  return objectives.length === 0 ? below : `${below} or within its objective, as asked`;
}

function whatIsMissing(required: readonly MetricEvidence[], wanting: readonly MetricEvidence[]): string {
  if (required.length === 0) return 'no metric is required for promotion, so nothing can be shown';
  if (required.every((metric) => metric.series.every(({ totals }) => totals.candidateRequests === 0))) {
    return 'the candidate has not yet answered a request';
  }
  const each = wanting.map((metric) => {
    const series = metric.series.reduce((a, b) => (b.logNotWorse < a.logNotWorse ? b : a));
    return `${compared(metric, series)}, evidence ${number(metric.logNotWorse)} of the ${number(metric.logNotWorseThreshold)} that promotion needs`;
  });
  return `not enough evidence yet: ${each.join('; ')}`;
}

function compared(metric: MetricEvidence, series: SeriesEvidence): string {
  const name = series.label === metric.name ? metric.name : `${metric.name} ${series.label}`;
  const rate = (value: number | null) => (value === null ? 'no requests' : percent(value));
  const { low, high } = series.relativeRisk;
  const times =
    low === 0 && high === null ? '' : ` (${high === null ? `at least ${brief(low)}` : `${brief(low)} to ${brief(high)}`} times as often)`;
  return `${name} ${rate(series.candidateRate)} against ${rate(series.baselineRate)}${times}`;
}

/** A share as a person writes it: two digits that mean something. */
function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value < 0.001) return `${value.toExponential(1)} %`;
  return `${value >= 9.95 ? Math.round(value) : Number(value.toPrecision(2))} %`;
}

/** Two different shares, with as many digits as it takes to tell them apart. */
function apart(a: number, b: number): readonly [string, string] {
  if (percent(a) !== percent(b)) return [percent(a), percent(b)];
  const finer = (share: number) => `${Number((100 * share).toPrecision(4))} %`;
  return [finer(a), finer(b)];
}

/** Evidence or a threshold, given its logarithm. */
function number(log: number): string {
  if (log > Math.log(1e6)) return 'over a million';
  const value = Math.exp(log);
  return value >= 9.95 ? grouped(Math.round(value)) : brief(value);
}

function brief(value: number): string {
  if (value >= 99.5) return grouped(Math.round(value));
  return value < 0.01 ? '0.00' : value.toPrecision(2);
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${brief(seconds / 3600)} h`;
}
