import { ALARM, findIf, type Rule } from './rule';
import { ceilingOf, kindOf, servedBy, variantOf, watchedBy } from './serving';
import { number, text } from './template';

const METRICS = 'https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html';
const ASYNC_METRICS = 'https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html';
const PUT_ALARM = 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html';
const MISSING = 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html';

/** A 0 or a 1 for each request. */
const RATES = ['Invocation4XXErrors', 'Invocation5XXErrors', 'InvocationModelErrors'];
const LATENCIES = ['ModelLatency', 'OverheadLatency'];
/** Of the endpoint, not of a variant. */
const QUEUE = ['ApproximateBacklogSize', 'ApproximateBacklogSizePerInstance', 'ApproximateAgeOfOldestRequest', 'HasBacklogWithoutCapacity'];
const REQUESTS = ['Invocations', 'InvocationsPerInstance', ...RATES, ...LATENCIES];
const MACHINES = ['CPUUtilization', 'GPUUtilization', 'GPUMemoryUtilization', 'MemoryUtilization', 'DiskUtilization'];
/** What async endpoints leave out of the metrics of requests. */
const NOT_ASYNC = ['Invocations', 'InvocationsPerInstance', 'OverheadLatency', 'InvocationModelErrors'];
const NOT_SERVERLESS = [
  'InvocationsPerInstance',
  'InvocationModelErrors',
  'CPUUtilization',
  'GPUUtilization',
  'GPUMemoryUtilization',
  'DiskUtilization',
];

const NAMESPACES = ['AWS/SageMaker', '/aws/sagemaker/Endpoints'];

/** Alarms that never go off, never rest, or that CloudWatch refuses. */
export const alarmRules: Rule[] = [
  {
    id: 'alarm-above-every-rate',
    says: 'The alarm waits for an average of 0s and 1s above 1: it never goes off.',
    remedy: 'Use a threshold below 1, e.g. 0.01 for one percent of the requests.',
    source: METRICS,
    severity: 'error',
    types: [ALARM],
    check: (alarm) => {
      const threshold = number(alarm.properties.Threshold);
      const above = alarm.properties.ComparisonOperator === 'GreaterThanThreshold';
      return watchedBy(alarm).flatMap(({ direct, name, statistic }) =>
        findIf(
          direct &&
            RATES.includes(name ?? '') &&
            statistic === 'Average' &&
            threshold !== undefined &&
            (above ? threshold >= 1 : threshold > 1),
          'Threshold',
          `${threshold} for the average of ${name}`,
        ),
      );
    },
  },
  {
    id: 'alarm-on-absent-gpu',
    says: 'The alarm watches the GPU of instances that have none that CloudWatch sees: it never goes off.',
    remedy: 'Watch the CPU, or take instances with NVIDIA GPUs.',
    source: METRICS,
    severity: 'error',
    types: [ALARM],
    check: (alarm, app) =>
      watchedBy(alarm).flatMap((watched) => {
        const config = servedBy(watched, alarm, app);
        const variant = config && variantOf(watched, config);
        return findIf(
          watched.name?.startsWith('GPU') === true && ceilingOf(watched.name, variant) === 0,
          'MetricName',
          `${watched.name} of ${variant?.instanceType}`,
        );
      }),
  },
  {
    id: 'alarm-above-all-use',
    says: 'The alarm’s threshold is more than the metric can be: it never goes off.',
    remedy: 'Use at most 100, and for CPU and GPU at most 100 for each core or GPU.',
    source: METRICS,
    severity: 'error',
    types: [ALARM],
    check: (alarm, app) => {
      const threshold = number(alarm.properties.Threshold);
      const above = alarm.properties.ComparisonOperator === 'GreaterThanThreshold';
      return watchedBy(alarm).flatMap((watched) => {
        const config = servedBy(watched, alarm, app);
        const most =
          watched.namespace === '/aws/sagemaker/Endpoints' ? ceilingOf(watched.name, config && variantOf(watched, config)) : undefined;
        const never = most !== undefined && most > 0 && threshold !== undefined && (above ? threshold >= most : threshold > most);
        return findIf(watched.direct && never, 'Threshold', `${threshold} of at most ${most}`);
      });
    },
  },
  {
    id: 'alarm-latency-in-milliseconds',
    says: 'The alarm’s threshold for a latency is less than a millisecond: the metric is in microseconds.',
    remedy: 'Multiply milliseconds by 1000.',
    source: METRICS,
    severity: 'warning',
    types: [ALARM],
    check: (alarm) => {
      const threshold = number(alarm.properties.Threshold);
      return watchedBy(alarm).flatMap(({ direct, namespace, name, statistic }) =>
        findIf(
          direct &&
            NAMESPACES.includes(namespace ?? '') &&
            LATENCIES.includes(name ?? '') &&
            statistic !== 'SampleCount' &&
            threshold !== undefined &&
            threshold < 1000,
          'Threshold',
          `${threshold} microseconds`,
        ),
      );
    },
  },
  {
    id: 'alarm-dimensions-never-published',
    says: 'The alarm’s metric is not published under this namespace or with these dimensions: the alarm sees no data.',
    remedy:
      'Watch requests in AWS/SageMaker and machines in /aws/sagemaker/Endpoints by EndpointName and VariantName, a queue by EndpointName alone.',
    source: METRICS,
    severity: 'error',
    types: [ALARM],
    check: (alarm) =>
      watchedBy(alarm).flatMap(({ namespace, name = '', dimensions }) => {
        if (!NAMESPACES.includes(namespace ?? '') || dimensions.EndpointName === undefined) return [];
        const given = Object.keys(dimensions).sort().join(', ');
        const ofVariant = REQUESTS.includes(name) || MACHINES.includes(name);
        const wrongSpace =
          (MACHINES.includes(name) && namespace === 'AWS/SageMaker') ||
          ([...REQUESTS, ...QUEUE].includes(name) && namespace !== 'AWS/SageMaker');
        const wrongDimensions = (ofVariant && dimensions.VariantName === undefined) || (QUEUE.includes(name) && given !== 'EndpointName');
        return findIf(wrongSpace || wrongDimensions, 'Dimensions', `${name} in ${namespace} by ${given}`);
      }),
  },
  {
    id: 'alarm-metric-never-published',
    says: 'The alarm watches a metric that this kind of endpoint does not publish: a queue of a real-time one, requests of an async one, instances of a serverless one.',
    remedy: 'Watch InvocationFailures and the backlog of async endpoints, Invocations and its errors of others.',
    source: ASYNC_METRICS,
    severity: 'error',
    types: [ALARM],
    check: (alarm, app) =>
      watchedBy(alarm).flatMap((watched) => {
        const config = servedBy(watched, alarm, app);
        if (config === undefined) return [];
        const kind = kindOf(config);
        const absent = { async: NOT_ASYNC, serverless: [...NOT_SERVERLESS, ...QUEUE], instances: QUEUE }[kind];
        return findIf(absent.includes(watched.name ?? ''), 'MetricName', `${watched.name} of an endpoint of the kind ${kind}`);
      }),
  },
  {
    id: 'alarm-periods-are-impossible',
    says: 'CloudWatch has no such period, or refuses so long a look back, or more datapoints than periods.',
    remedy: 'Use a period of 10, 20, 30 or a multiple of 60 s; a day of periods in all, seven days where they are an hour or more.',
    source: PUT_ALARM,
    severity: 'error',
    types: [ALARM],
    check: (alarm) => {
      const periods = number(alarm.properties.EvaluationPeriods);
      const datapoints = number(alarm.properties.DatapointsToAlarm);
      return [
        ...watchedBy(alarm).flatMap(({ period }) => {
          if (period === undefined) return [];
          const span = period * (periods ?? 1);
          return [
            ...findIf(![10, 20, 30].includes(period) && (period < 60 || period % 60 !== 0), 'Period', `${period} s`),
            ...findIf(span > (period >= 3600 ? 604_800 : 86_400), 'EvaluationPeriods', `${periods} periods of ${period} s`),
          ];
        }),
        ...findIf(
          datapoints !== undefined && periods !== undefined && datapoints > periods,
          'DatapointsToAlarm',
          `${datapoints} of ${periods}`,
        ),
      ];
    },
  },
  {
    id: 'alarm-breaches-in-silence',
    says: 'An alarm on errors or latency takes missing data for breaching: it goes off whenever nobody asks.',
    remedy: 'Set TreatMissingData to notBreaching; watch Invocations for silence.',
    source: MISSING,
    severity: 'warning',
    types: [ALARM],
    check: (alarm) =>
      watchedBy(alarm)
        .flatMap(({ namespace, name = '' }) =>
          findIf(
            namespace === 'AWS/SageMaker' &&
              [...RATES, ...LATENCIES].includes(name) &&
              text(alarm.properties.TreatMissingData) === 'breaching',
            'TreatMissingData',
            `breaching for ${name}`,
          ),
        )
        .slice(0, 1),
  },
];
