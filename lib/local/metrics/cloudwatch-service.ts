import type { LocalContext } from '../context';
import { CborService, JsonService, type Service, ServiceError } from '../server';
import type { ServiceModel } from '../shapes';
import model from '../shapes/cloudwatch.json';
import type { AlarmState, Alarms, MetricAlarm } from './alarms';
import { checkAlarm, checkDatum, checkQueries, checkStatistics, type Datum, type Statistics } from './cloudwatch-rules';
import { type MetricId, type MetricSource, type MetricStore, metricKey } from './metric-store';
import { dimensionsOf, type MetricDataQuery, runQueries } from './query';

interface AlarmFilter {
  readonly AlarmNames?: readonly string[];
  readonly AlarmNamePrefix?: string;
  readonly StateValue?: string;
  readonly MaxRecords?: number;
  readonly NextToken?: string;
}

const PAGE = 100_800;
const ALARM_PAGE = 100;

/**
 * CloudWatch's metrics and metric alarms, in AWS JSON and in Smithy RPC v2 CBOR.
 *
 * @param own where PutMetricData's values go; `others` are read as well (SageMaker's own metrics)
 */
export function cloudWatch(context: LocalContext, own: MetricStore, others: readonly MetricSource[], alarms: Alarms): Service[] {
  const sources = [own, ...others];
  const json = new JsonService(model as unknown as ServiceModel, {
    PutMetricData: (input: { Namespace: string; MetricData?: readonly Datum[] }) => {
      if (input.Namespace.startsWith('AWS/'))
        throw new ServiceError(
          'InvalidParameterValue',
          `The value AWS/ for parameter Namespace is invalid: ${input.Namespace} is AWS's own`,
        );
      for (const datum of input.MetricData ?? []) checkDatum(datum);
      for (const datum of input.MetricData ?? []) keep(context, own, input.Namespace, datum);
      return {};
    },
    GetMetricData: (input: {
      MetricDataQueries: readonly MetricDataQuery[];
      StartTime: Date;
      EndTime: Date;
      ScanBy?: string;
      MaxDatapoints?: number;
      NextToken?: string;
    }) => getMetricData(context, sources, input),
    GetMetricStatistics: (input: Statistics) => getMetricStatistics(context, sources, input),
    ListMetrics: (input: { Namespace?: string; MetricName?: string; Dimensions?: readonly { Name: string; Value?: string }[] }) => ({
      Metrics: listed(sources, input).map(({ namespace, name, dimensions }) => ({
        Namespace: namespace,
        MetricName: name,
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      })),
    }),
    PutMetricAlarm: (input: MetricAlarm) => {
      checkAlarm(sources, input);
      alarms.put(input);
      return {};
    },
    DescribeAlarms: (input: AlarmFilter) => describeAlarms(alarms, input),
    DeleteAlarms: (input: { AlarmNames: readonly string[] }) => {
      alarms.delete(input.AlarmNames);
      return {};
    },
    SetAlarmState: (input: { AlarmName: string; StateValue: AlarmState; StateReason: string }) => {
      if (!alarms.set(input.AlarmName, input.StateValue, input.StateReason))
        throw new ServiceError('ResourceNotFound', `Could not find alarm ${input.AlarmName}`, 404);
      return {};
    },
  });
  return [json, new CborService(json, model.source.targetPrefix)];
}

function keep(context: LocalContext, own: MetricStore, namespace: string, datum: Datum): void {
  const time = datum.Timestamp?.getTime() ?? context.clock.now();
  const resolution = datum.StorageResolution ?? 60;
  const second = Math.floor(time / 1000 / resolution) * resolution;
  const values = own.at({ namespace, name: datum.MetricName, dimensions: dimensionsOf(datum.Dimensions) }, second);
  datum.Values?.forEach((value, i) => {
    values.add(value, datum.Counts?.[i] ?? 1);
  });
  if (datum.Value !== undefined) values.add(datum.Value);
  const set = datum.StatisticValues;
  if (set) values.addSet(set.SampleCount, set.Sum, set.Minimum, set.Maximum);
}

function getMetricData(
  { clock }: LocalContext,
  sources: readonly MetricSource[],
  input: {
    MetricDataQueries: readonly MetricDataQuery[];
    StartTime: Date;
    EndTime: Date;
    ScanBy?: string;
    MaxDatapoints?: number;
    NextToken?: string;
  },
) {
  if (input.StartTime >= input.EndTime)
    throw new ServiceError('ValidationError', 'The parameter StartTime must be less than the parameter EndTime.');
  checkQueries(input.MetricDataQueries);
  const found = runQueries(
    sources,
    input.MetricDataQueries,
    input.StartTime.getTime() / 1000,
    input.EndTime.getTime() / 1000,
    clock.now() / 1000,
  );
  const direction = input.ScanBy === 'TimestampAscending' ? 1 : -1;
  const skip = readToken(input.NextToken);
  let seen = 0;
  let left = input.MaxDatapoints ?? PAGE;
  const results = [];
  for (const query of input.MetricDataQueries.filter((one) => one.ReturnData !== false)) {
    const points = [...found[query.Id]].sort(([a], [b]) => (a - b) * direction);
    const taken = points.slice(Math.max(0, skip - seen), Math.max(0, skip - seen) + left);
    const whole = Math.max(0, skip - seen) + taken.length >= points.length;
    seen += points.length;
    left -= taken.length;
    results.push({
      Id: query.Id,
      Label: query.Label ?? query.MetricStat?.Metric.MetricName ?? query.Id,
      Timestamps: taken.map(([time]) => new Date(time * 1000)),
      Values: taken.map(([, value]) => value),
      StatusCode: whole ? 'Complete' : 'PartialData',
    });
  }
  const given = skip + (input.MaxDatapoints ?? PAGE);
  return { MetricDataResults: results, NextToken: given < seen ? tokenOf(given) : undefined };
}

function getMetricStatistics({ clock }: LocalContext, sources: readonly MetricSource[], input: Statistics) {
  const Metric = { Namespace: input.Namespace, MetricName: input.MetricName, Dimensions: input.Dimensions };
  const names = [...(input.Statistics ?? []), ...(input.ExtendedStatistics ?? [])];
  checkStatistics(input, names.length);
  const queries = names.map((Stat, i) => ({ Id: `s${i}`, MetricStat: { Metric, Period: input.Period, Stat } }));
  const found = runQueries(sources, queries, input.StartTime.getTime() / 1000, input.EndTime.getTime() / 1000, clock.now() / 1000);
  const times = [...new Set(Object.values(found).flatMap((series) => [...series.keys()]))].sort((a, b) => a - b);
  const simple = input.Statistics?.length ?? 0;
  const Datapoints = times.map((time) => ({
    Timestamp: new Date(time * 1000),
    ...Object.fromEntries(names.slice(0, simple).map((name, i) => [name, found[`s${i}`].get(time)])),
    ExtendedStatistics:
      names.length > simple
        ? Object.fromEntries(names.slice(simple).map((name, i) => [name, found[`s${simple + i}`].get(time)]))
        : undefined,
  }));
  return { Label: input.MetricName, Datapoints };
}

function listed(
  sources: readonly MetricSource[],
  input: { Namespace?: string; MetricName?: string; Dimensions?: readonly { Name: string; Value?: string }[] },
): MetricId[] {
  const metrics = new Map(sources.flatMap((source) => [...source.list()]).map((metric) => [metricKey(metric), metric]));
  return [...metrics.values()].filter(
    ({ namespace, name, dimensions }) =>
      (input.Namespace === undefined || input.Namespace === namespace) &&
      (input.MetricName === undefined || input.MetricName === name) &&
      (input.Dimensions ?? []).every(
        (dimension) => dimension.Name in dimensions && (dimension.Value === undefined || dimensions[dimension.Name] === dimension.Value),
      ),
  );
}

function describeAlarms(alarms: Alarms, input: AlarmFilter) {
  const found = alarms.list().filter(({ alarm: { AlarmName }, state }) => {
    const named = (input.AlarmNames?.includes(AlarmName) ?? true) && AlarmName.startsWith(input.AlarmNamePrefix ?? '');
    return named && (input.StateValue ?? state) === state;
  });
  const from = readToken(input.NextToken);
  const until = from + (input.MaxRecords ?? ALARM_PAGE);
  return {
    MetricAlarms: found.slice(from, until).map(({ alarm, configured, state, reason, since }) => ({
      OKActions: [],
      AlarmActions: [],
      InsufficientDataActions: [],
      ...alarm,
      AlarmArn: alarms.arnOf(alarm.AlarmName),
      ActionsEnabled: alarm.ActionsEnabled ?? true,
      AlarmConfigurationUpdatedTimestamp: new Date(configured),
      StateValue: state,
      StateReason: reason,
      StateUpdatedTimestamp: new Date(since),
    })),
    CompositeAlarms: [],
    NextToken: until < found.length ? tokenOf(until) : undefined,
  };
}

const tokenOf = (place: number): string => Buffer.from(String(place)).toString('base64url');

/** @throws ServiceError InvalidNextToken for a token that is none */
function readToken(token: string | undefined): number {
  const place = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!(place >= 0)) throw new ServiceError('InvalidNextToken', 'The next token specified is invalid.');
  return place;
}
