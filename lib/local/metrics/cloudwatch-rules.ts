import { ServiceError } from '../server';
import type { MetricAlarm } from './alarms';
import type { MetricSource } from './metric-store';
import { type Dimension, type MetricDataQuery, runQueries } from './query';

/** One value of PutMetricData, as the API has it. */
export interface Datum {
  readonly MetricName: string;
  readonly Dimensions?: readonly Dimension[];
  readonly Timestamp?: Date;
  readonly Value?: number;
  readonly Values?: readonly number[];
  readonly Counts?: readonly number[];
  readonly StatisticValues?: { readonly SampleCount: number; readonly Sum: number; readonly Minimum: number; readonly Maximum: number };
  readonly StorageResolution?: number;
}

/** GetMetricStatistics' input, as the API has it. */
export interface Statistics {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly Dimension[];
  readonly StartTime: Date;
  readonly EndTime: Date;
  readonly Period: number;
  readonly Statistics?: readonly string[];
  readonly ExtendedStatistics?: readonly string[];
}

const MOST_QUERIES = 500;
const MOST_DATAPOINTS = 1440;
const HOUR = 3600;
const DAY = 24 * HOUR;
const MISSING_DATA = ['breaching', 'notBreaching', 'ignore', 'missing'];

const refused = (message: string, code = 'ValidationError'): ServiceError => new ServiceError(code, message);

/** @throws ServiceError for queries that GetMetricData would refuse whatever the metrics are */
export function checkQueries(queries: readonly MetricDataQuery[]): void {
  if (queries.length > MOST_QUERIES) throw refused(`The collection MetricDataQueries must not have a size greater than ${MOST_QUERIES}.`);
  const ids = new Set<string>();
  for (const { Id, MetricStat, Expression } of queries) {
    if (!/^[a-z][A-Za-z0-9_]*$/.test(Id))
      throw refused(`The Id ${Id} must begin with a lower case letter, and hold letters, digits and _ alone.`);
    if (ids.has(Id)) throw refused(`The values for parameter Id in MetricDataQueries are not unique: ${Id}.`);
    if ((MetricStat === undefined) === (Expression === undefined))
      throw refused(`Exactly one of MetricStat and Expression must be specified for ${Id}.`);
    ids.add(Id);
  }
}

/** @throws ServiceError for what GetMetricStatistics would refuse whatever the metric is */
export function checkStatistics({ StartTime, EndTime, Period }: Statistics, statistics: number): void {
  if (StartTime >= EndTime) throw refused('The parameter StartTime must be less than the parameter EndTime.', 'InvalidParameterValue');
  if (statistics === 0) throw refused('Must specify either Statistics or ExtendedStatistics.', 'InvalidParameterCombination');
  const most = Math.ceil((EndTime.getTime() - StartTime.getTime()) / 1000 / Period);
  if (most <= MOST_DATAPOINTS) return;
  throw refused(
    `You have requested up to ${most} datapoints, which exceeds the limit of ${MOST_DATAPOINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.`,
    'InvalidParameterCombination',
  );
}

/** @throws ServiceError for a value that is none */
export function checkDatum({ MetricName, Value, Values, Counts, StatisticValues }: Datum): void {
  if (Value === undefined && Values === undefined && StatisticValues === undefined)
    throw refused(`${MetricName} has no Value, Values or StatisticValues.`, 'InvalidParameterCombination');
  if (Counts && Counts.length !== Values?.length)
    throw refused(`${MetricName} has ${Values?.length ?? 0} Values and ${Counts.length} Counts`, 'InvalidParameterValue');
}

/** @throws ServiceError for an alarm that CloudWatch would refuse; its query is tried by running it over nothing */
export function checkAlarm(sources: readonly MetricSource[], alarm: MetricAlarm): void {
  const { EvaluationPeriods: periods, DatapointsToAlarm: datapoints, TreatMissingData: missing } = alarm;
  if (periods === undefined) throw refused('An alarm needs EvaluationPeriods');
  if (alarm.Threshold === undefined) throw refused('An alarm needs a Threshold');
  if (datapoints !== undefined && datapoints > periods)
    throw refused(`DatapointsToAlarm (${datapoints}) must not be greater than EvaluationPeriods (${periods})`);
  if (missing !== undefined && !MISSING_DATA.includes(missing))
    throw refused(`The value ${missing} for parameter TreatMissingData is not one of ${MISSING_DATA.join(', ')}`);
  if (alarm.Metrics?.length) {
    checkQueries(alarm.Metrics);
    runQueries(sources, alarm.Metrics, 0, 0);
    return;
  }
  const { MetricName, Namespace, Period, Statistic, ExtendedStatistic } = alarm;
  if (!MetricName || !Namespace || !Period) throw refused('An alarm needs Metrics, or Namespace, MetricName and Period');
  const Stat = Statistic ?? ExtendedStatistic;
  if (!Stat) throw refused('An alarm on a metric needs Statistic or ExtendedStatistic');
  if (Statistic !== undefined && ExtendedStatistic !== undefined)
    throw refused('Statistic and ExtendedStatistic cannot both be specified', 'InvalidParameterCombination');
  const longest = Period < HOUR ? DAY : 7 * DAY;
  if (periods * Period > longest)
    throw refused(`EvaluationPeriods times Period must not be more than ${longest} seconds, got ${periods * Period}`);
  runQueries(sources, [{ Id: 'm1', MetricStat: { Metric: { Namespace, MetricName }, Period, Stat } }], 0, 0);
}
