import { ServiceError } from '../server';
import { Distribution } from './distribution';
import { BadExpression, evaluateExpression, type TimeSeries } from './expression';
import { FINE_SECONDS, KEPT_SECONDS, type MetricId, type MetricSource } from './metric-store';
import { isStatistic, statistic } from './statistics';

/** One query of GetMetricData or of an alarm, as the API has it. */
export interface MetricDataQuery {
  readonly Id: string;
  readonly MetricStat?: {
    readonly Metric: { readonly Namespace: string; readonly MetricName: string; readonly Dimensions?: readonly Dimension[] };
    readonly Period: number;
    readonly Stat: string;
    readonly Unit?: string;
  };
  readonly Expression?: string;
  readonly Label?: string;
  readonly ReturnData?: boolean;
  readonly Period?: number;
}

export interface Dimension {
  readonly Name: string;
  readonly Value: string;
}

export const dimensionsOf = (list: readonly Dimension[] = []): Record<string, string> =>
  Object.fromEntries(list.map(({ Name, Value }) => [Name, Value]));

/**
 * Values of each query by the start of its periods, in `[from, until)` seconds. Periods begin on multiples of their length.
 *
 * @param now until when periods of less than a minute are kept for three hours, and others for 15 days
 * @throws ServiceError for a statistic, a period or an expression that CloudWatch would refuse
 */
export function runQueries(
  sources: readonly MetricSource[],
  queries: readonly MetricDataQuery[],
  from: number,
  until: number,
  now = until,
): Record<string, TimeSeries> {
  const found: Record<string, TimeSeries> = {};
  const periods = queries.flatMap((query) => query.MetricStat?.Period ?? query.Period ?? []);
  for (const query of queries) {
    if (query.MetricStat) found[query.Id] = readStat(sources, query.MetricStat, from, until, now);
  }
  const period = Math.max(1, ...periods);
  const times: number[] = [];
  for (let time = Math.floor(from / period) * period; time < until; time += period) times.push(time);
  for (let left = queries.filter((query) => query.Expression !== undefined); left.length > 0; ) {
    const ready = left.filter((query) => referenced(query.Expression!, queries).every((id) => id in found));
    if (ready.length === 0)
      throw new ServiceError('ValidationError', `the expressions ${left.map((query) => query.Id).join(', ')} refer to each other`);
    for (const query of ready) found[query.Id] = evaluated(query, found, times);
    left = left.filter((query) => !ready.includes(query));
  }
  return found;
}

function evaluated(query: MetricDataQuery, found: Record<string, TimeSeries>, times: readonly number[]): TimeSeries {
  try {
    return evaluateExpression(query.Expression!, found, times);
  } catch (error) {
    if (error instanceof BadExpression) throw new ServiceError('ValidationError', `Error in expression '${query.Id}': ${error.message}`);
    throw error;
  }
}

const referenced = (expression: string, queries: readonly MetricDataQuery[]): string[] => {
  const words = new Set(expression.match(/[a-z][A-Za-z0-9_]*/g) ?? []);
  return queries.filter((query) => words.has(query.Id)).map((query) => query.Id);
};

function readStat(
  sources: readonly MetricSource[],
  stat: NonNullable<MetricDataQuery['MetricStat']>,
  from: number,
  until: number,
  now: number,
): TimeSeries {
  const { Metric, Period, Stat } = stat;
  if (![1, 5, 10, 30].includes(Period) && (Period < 60 || Period % 60 !== 0)) {
    throw new ServiceError('ValidationError', `Period must be 1, 5, 10, 30 or a multiple of 60, got ${Period}`);
  }
  if (!isStatistic(Stat)) throw new ServiceError('ValidationError', `The value ${Stat} for parameter Stat is not supported`);
  const metric: MetricId = { namespace: Metric.Namespace, name: Metric.MetricName, dimensions: dimensionsOf(Metric.Dimensions) };
  const oldest = now - (Period < 60 ? FINE_SECONDS : KEPT_SECONDS);
  const first = Math.max(Math.floor(from / Period), Math.ceil(oldest / Period)) * Period;
  const bins = new Map<number, Distribution>();
  for (const source of sources) {
    for (const [second, values] of source.read(metric, first, until)) {
      const bin = Math.floor(second / Period) * Period;
      const into = bins.get(bin) ?? new Distribution();
      into.merge(values);
      bins.set(bin, into);
    }
  }
  const series = new Map<number, number>();
  for (const [bin, values] of [...bins].sort(([a], [b]) => a - b)) {
    const value = statistic(Stat, values);
    if (value !== undefined) series.set(bin, value);
  }
  return series;
}
