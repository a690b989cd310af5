import { type IMetric, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type EndpointMetricName, endpointMetric } from './endpoint-metrics';
import type { ServedVariant } from './served-variant';

/** What the alarms look at: long enough for counts to mean something, evaluated anew each minute. */
export const ALARM_PERIOD = Duration.minutes(5);

/**
 * Which requests are meant.
 *
 * @internal
 */
export enum Fleet {
  /** Those of all instances that serve the variant. */
  BOTH = 'both',
  /**
   * Those of the fleet with this deployment's configuration. CloudWatch has the third dimension for both fleets while an update runs. Without
   * it the old fleet's errors would roll back the update that fixes them.
   */
  NEW = 'new',
}

/**
 * The share of requests that failed, in percent; 0 with fewer requests than can say.
 *
 * @internal
 */
export function failureRate(
  scope: Construct,
  variant: ServedVariant,
  metricName: 'Invocation5XXErrors' | 'InvocationModelErrors',
  label: string,
  minimumRequests: number,
  fleet: Fleet,
): IMetric {
  return new MathExpression({
    // CloudWatch gets a 0 or a 1 for each request: their average is the rate, their number the requests. Async endpoints publish no other count.
    expression: `IF(requests >= ${minimumRequests}, 100 * failed, 0)`,
    usingMetrics: {
      failed: measure(scope, variant, metricName, Stats.AVERAGE, fleet),
      requests: measure(scope, variant, metricName, Stats.SAMPLE_COUNT, fleet),
    },
    label: `${label} (%)`,
    period: ALARM_PERIOD,
  });
}

/**
 * The 99th percentile of what the model takes, in milliseconds; 0 with fewer requests than can say.
 *
 * @internal
 */
export function p99Latency(scope: Construct, variant: ServedVariant, minimumRequests: number, fleet: Fleet): IMetric {
  return new MathExpression({
    // CloudWatch has microseconds.
    expression: `IF(requests >= ${minimumRequests}, slow / 1000, 0)`,
    usingMetrics: {
      slow: measure(scope, variant, 'ModelLatency', Stats.p(99), fleet),
      requests: measure(scope, variant, 'ModelLatency', Stats.SAMPLE_COUNT, fleet),
    },
    label: 'p99 model latency (ms)',
    period: ALARM_PERIOD,
  });
}

function measure(scope: Construct, variant: ServedVariant, name: EndpointMetricName, statistic: string, fleet: Fleet): IMetric {
  const { endpointName, variantName, endpointConfigName, kind } = variant;
  return endpointMetric(scope, name, endpointName, variantName, kind, {
    statistic,
    period: ALARM_PERIOD,
    ...(fleet === Fleet.NEW && {
      dimensionsMap: { EndpointName: endpointName, VariantName: variantName, EndpointConfigName: endpointConfigName },
    }),
  });
}
