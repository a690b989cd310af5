import { ComparisonOperator, type IMetric, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { EndpointAlarmOptions } from './alarms-options';
import { ALARM_PERIOD, Fleet, failureRate, p99Latency } from './alarms-rates';
import { type EndpointMetricName, endpointMetric } from './endpoint-metrics';
import { instanceShape } from './instance-type';
import { requireRange, requireWritten } from './range';
import type { ServedVariant } from './served-variant';

/**
 * One alarm, before it is made.
 *
 * @internal
 */
export interface AlarmDefinition {
  readonly id: string;
  /** The end of its name, with the unit. */
  readonly name: string;
  /** What happened, for the person it wakes. */
  readonly description: string;
  readonly metric: IMetric;
  readonly threshold: number;
  readonly comparisonOperator: ComparisonOperator;
  readonly evaluationPeriods: number;
  readonly treatMissingData: TreatMissingData;
}

/** Goes off above the threshold in any one period, and stays quiet where there is nothing to measure. */
const AT_ONCE = {
  comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
  evaluationPeriods: 1,
  treatMissingData: TreatMissingData.NOT_BREACHING,
};

/** Goes off at the threshold, three periods in a row. */
const FOR_LONG = { ...AT_ONCE, comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, evaluationPeriods: 3 };

/**
 * Errors and latency of a variant, or of its new fleet alone.
 *
 * @internal
 */
export function requestAlarms(scope: Construct, variant: ServedVariant, options: EndpointAlarmOptions, fleet: Fleet): AlarmDefinition[] {
  const { kind } = variant;
  const serverErrorPercent = requirePercent('serverErrorPercent', options.serverErrorPercent ?? 1, 0);
  const modelErrorPercent = requirePercent('modelErrorPercent', options.modelErrorPercent ?? 5, 0);
  const minimum = options.minimumRequests ?? 10;
  requireRange('minimumRequests', minimum, 1, 1_000_000);
  const latency = (options.p99Latency ?? (kind === 'async' ? Duration.minutes(10) : Duration.seconds(10))).toMilliseconds();
  requireRange('p99Latency in milliseconds', latency, 1, 3_600_000);
  const enough = `of at least ${minimum} in 5 minutes`;
  return [
    {
      ...AT_ONCE,
      id: 'ServerErrors',
      name: '5xx-percent',
      description: `More than ${serverErrorPercent} % of the requests, ${enough}, were answered 5xx.`,
      metric: failureRate(scope, variant, 'Invocation5XXErrors', 'Answered 5xx', minimum, fleet),
      threshold: serverErrorPercent,
    },
    ...(kind === 'instances'
      ? [
          {
            ...AT_ONCE,
            id: 'ModelErrors',
            name: 'model-errors-percent',
            description: `The model answered more than ${modelErrorPercent} % of the requests, ${enough}, by an error, too late or not at all.`,
            metric: failureRate(scope, variant, 'InvocationModelErrors', 'Failed by the model', minimum, fleet),
            threshold: modelErrorPercent,
          },
        ]
      : []),
    {
      ...AT_ONCE,
      id: 'Latency',
      name: 'p99-latency-ms',
      description: `The slowest 1 % of the requests, ${enough}, took the model more than ${latency} ms.`,
      metric: p99Latency(scope, variant, minimum, fleet),
      threshold: latency,
      // A moment of slowness wakes nobody; it does stop an update.
      evaluationPeriods: fleet === Fleet.NEW ? 1 : 3,
    },
  ];
}

/**
 * What is nearly used up.
 *
 * @internal
 */
export function saturationAlarms(scope: Construct, variant: ServedVariant, options: EndpointAlarmOptions): AlarmDefinition[] {
  const { instanceType = '', kind } = variant;
  const used = (id: string, name: string, what: string, metric: IMetric, percent: number): AlarmDefinition => {
    requirePercent(`${id.charAt(0).toLowerCase()}${id.slice(1)}Percent`, percent, 1);
    return { ...FOR_LONG, id, name, description: `${what} is ${percent} % used, for 15 minutes.`, metric, threshold: percent };
  };
  const percentOf = (metricName: EndpointMetricName, scale: string, label: string): IMetric =>
    new MathExpression({
      expression: `used ${scale}`,
      usingMetrics: { used: periodic(scope, variant, metricName) },
      label: `${label} (%)`,
      period: ALARM_PERIOD,
    });
  const memory = used('Memory', 'memory-percent', 'Memory', periodic(scope, variant, 'MemoryUtilization'), options.memoryPercent ?? 90);
  if (kind === 'serverless') {
    const concurrency = percentOf('ServerlessConcurrentExecutionsUtilization', '* 100', 'Concurrency in use');
    return [memory, used('Concurrency', 'concurrency-percent', 'The maximum concurrency', concurrency, options.concurrencyPercent ?? 90)];
  }

  const disk = used('Disk', 'disk-percent', 'Disk', periodic(scope, variant, 'DiskUtilization'), options.diskPercent ?? 85);
  const shape = instanceShape(instanceType);
  // How many cores there are to share the sum between is not known.
  if (shape === undefined) return [memory, disk];
  const { vcpus, gpus } = shape;
  // CloudWatch has sums over cores and GPUs.
  const cpu = used('Cpu', 'cpu-percent', 'CPU', percentOf('CPUUtilization', `/ ${vcpus}`, 'CPU'), options.cpuPercent ?? 90);
  if (gpus === 0) return [cpu, memory, disk];
  return [
    cpu,
    memory,
    disk,
    used('Gpu', 'gpu-percent', 'GPU', percentOf('GPUUtilization', `/ ${gpus}`, 'GPU'), options.gpuPercent ?? 95),
    used(
      'GpuMemory',
      'gpu-memory-percent',
      'GPU memory',
      percentOf('GPUMemoryUtilization', `/ ${gpus}`, 'GPU memory'),
      options.gpuMemoryPercent ?? 95,
    ),
  ];
}

/**
 * A queue that grows old, or requests in it that nobody answers.
 *
 * @internal
 */
export function queueAlarms(scope: Construct, variant: ServedVariant, options: EndpointAlarmOptions): AlarmDefinition[] {
  const oldest = (options.oldestRequest ?? Duration.minutes(30)).toSeconds();
  const failures = options.failures ?? 1;
  requireRange('oldestRequest in seconds', oldest, 60, 604_800);
  requireRange('failures', failures, 1, 1_000_000);
  const metric = (name: EndpointMetricName) => periodic(scope, variant, name);
  return [
    {
      ...FOR_LONG,
      id: 'OldestRequest',
      name: 'oldest-request-seconds',
      description: `A request has waited for ${oldest} s or more.`,
      metric: metric('ApproximateAgeOfOldestRequest'),
      threshold: oldest,
      evaluationPeriods: 1,
    },
    {
      ...FOR_LONG,
      id: 'NoCapacity',
      name: 'waiting-without-instance',
      description: 'Requests have waited for 30 minutes, and no instance has started: SageMaker may have none of this type to give.',
      metric: metric('HasBacklogWithoutCapacity'),
      threshold: 1,
      evaluationPeriods: 6,
    },
    {
      ...FOR_LONG,
      id: 'Failures',
      name: 'failures-count',
      description: `${failures} or more requests failed in 5 minutes: see the failure objects in the bucket, and the log stream data-log.`,
      metric: metric('InvocationFailures'),
      threshold: failures,
      evaluationPeriods: 1,
    },
  ];
}

/**
 * A silence of the callers.
 *
 * @internal
 */
export function silenceAlarm(scope: Construct, variant: ServedVariant, silence: Duration): AlarmDefinition {
  const minutes = silence.toMinutes({ integral: false });
  const period = minutes <= 1440 ? 5 : 60;
  if (minutes < 5 || minutes > 10_080 || minutes % period !== 0) {
    throw new Error(
      `noTraffic is 5 minutes to 7 days, in whole 5 minutes up to a day and in whole hours beyond, got ${silence.toHumanString()}`,
    );
  }
  const { endpointName, variantName, kind } = variant;
  return {
    id: 'NoTraffic',
    name: 'requests-none',
    description: `No request came for ${silence.toHumanString()}.`,
    metric: endpointMetric(scope, kind === 'async' ? 'InvocationsProcessed' : 'Invocations', endpointName, variantName, kind, {
      statistic: Stats.SUM,
      period: Duration.minutes(period),
      label: undefined,
    }),
    threshold: 1,
    comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: minutes / period,
    // Where nothing is asked nothing is published: here, silence is the news.
    treatMissingData: TreatMissingData.BREACHING,
  };
}

/** Without a label an alarm is on one metric, as every tool reads it; the alarm's name has the unit. */
function periodic(scope: Construct, { endpointName, variantName, kind }: ServedVariant, name: EndpointMetricName): IMetric {
  return endpointMetric(scope, name, endpointName, variantName, kind, { period: ALARM_PERIOD, label: undefined });
}

/** At 100 the rate can never be above, at more the use can never be at it. */
function requirePercent(what: string, percent: number, least: number): number {
  const most = least === 0 ? 99 : 100;
  requireWritten(what, percent);
  if (percent >= least && percent <= most) return percent;
  throw new Error(`${what} is ${least} to ${most}, got ${percent}: beyond, the alarm would never go off or never be quiet`);
}
