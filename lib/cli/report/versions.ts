import { basename, dirname, join, resolve } from 'node:path';
import { type MetricEvidence, type RateInterval, rateInterval, type SeriesEvidence } from '../../judge';
import type { RehearsalResult, Rehearsed } from '../rehearsal/rehearsal';
import { badRequests } from '../rehearsal/result';
import { grouped, interval, milliseconds, percent } from './figures';
import { whenOf } from './verdict';

/** A rate with the interval that holds it. */
export interface Rate {
  readonly text: string;
  readonly interval: string;
}

/** A line of the table of versions. */
export interface VersionRow {
  readonly title: string;
  readonly verdict: 'live' | 'promoted' | 'rolled back' | 'held';
  /** The step at which it was decided; empty for the live version. */
  readonly when: string;
  readonly seconds: number | null;
  readonly requests: number | null;
  readonly badRequests: number | null;
  readonly errors: Rate | null;
  readonly wrongAnswers: Rate | null;
  /** Requests slower than the live version's quantile was, a rate each; for the live version, the quantiles themselves. */
  readonly latency: readonly { readonly label: string; readonly text: string; readonly interval: string }[];
}

/** The name and version of a model; where it says no version, the folder that it is in stands for it. */
export function titleOf({ inspection: { name, version }, directory }: RehearsalResult['live']['version']): string {
  if (version) return `${name} ${version}`;
  const path = resolve(directory);
  const folder = basename(path);
  // Named by its folder alone, it may have a namesake elsewhere.
  return folder === name ? join(basename(dirname(path)), folder) : `${name} ${folder}`;
}

/** The live version, then the candidates in their order. */
export function versionRows({ live, promotions }: Pick<RehearsalResult, 'live' | 'promotions'>): VersionRow[] {
  const { requests, failed, known, accuracy } = live.figures;
  const { p50, p99 } = live.model;
  return [
    {
      title: titleOf(live.version),
      verdict: 'live',
      when: '',
      seconds: null,
      requests,
      badRequests: failed,
      errors: rate(failed, requests),
      wrongAnswers: accuracy === null ? null : rate(Math.round((1 - accuracy) * known), known),
      latency: [
        { label: 'p50', text: milliseconds(p50), interval: '' },
        { label: 'p99', text: milliseconds(p99), interval: '' },
      ],
    },
    ...promotions.map(candidateRow),
  ];
}

function candidateRow(rehearsed: Rehearsed): VersionRow {
  const { version, outcome, verdict, seconds } = rehearsed;
  const of = (kind: MetricEvidence['kind']) => verdict?.metrics.find((metric) => metric.kind === kind);
  const errors = of('serverErrors')?.series[0];
  return {
    title: titleOf(version),
    verdict: outcome.verdict,
    when: outcome.verdict === 'promoted' ? '' : whenOf(outcome.during),
    seconds,
    requests: errors?.totals.candidateRequests ?? null,
    badRequests: badRequests(rehearsed),
    errors: candidateRate(errors),
    wrongAnswers: candidateRate(of('wrongAnswers')?.series[0]),
    latency:
      of('latency')
        ?.series.filter(({ label }) => label !== 'p90')
        .flatMap((series) => {
          const slow = candidateRate(series);
          return slow ? [{ label: series.label, ...slow }] : [];
        }) ?? [],
  };
}

const candidateRate = (series: SeriesEvidence | undefined): Rate | null =>
  series === undefined ? null : rate(series.totals.candidateBad, series.totals.candidateRequests);

function rate(bad: number, requests: number): Rate | null {
  if (requests === 0) return null;
  const held: RateInterval = rateInterval(bad, requests);
  return { text: percent(bad / requests), interval: interval(held) };
}

/** A count of seconds, short. */
export const seconds = (value: number): string => (value < 120 ? `${Math.round(value)} s` : `${grouped(value / 60)} min`);
