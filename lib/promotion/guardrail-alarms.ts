import {
  DeleteAlarmsCommand,
  type MetricDataQuery,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
} from '@aws-sdk/client-cloudwatch';
import { isMissing } from './aws-errors';
import type { WholePlan } from './checked-request';
import type { namesOf } from './configurations';
import type { Quantile } from './counts';
import type { alarmNames } from './names';
import type { Ports } from './ports';
import type { PromotionRequest } from './request';

/** What the new fleet is held against while the live variant moves. */
export interface GuardrailLimits {
  /** Share of requests that end in a 5xx, 0 to 1: above it the move is rolled back. */
  readonly errorRate: number;
  /** 99th percentile of the model latency, in microseconds; null where nothing is known to compare with. */
  readonly latency: number | null;
}

/** Requests a minute without which a minute says nothing. */
const LEAST_REQUESTS = 20;
const PERIOD = 60;

/**
 * The limits: more errors than the plan lets pass and than twice what was usual before, and a p99 beyond the plan's multiple of what was usual.
 *
 * @param usualErrorRate the live variant's before the candidate came
 */
export function limitsOf({ guardrail }: WholePlan, usualErrorRate: number, quantiles: readonly Quantile[]): GuardrailLimits {
  const { errorRate, latencyFactor } = guardrail;
  const usual = quantiles.find(({ percentile }) => percentile === 99)?.microseconds;
  return { errorRate: Math.max(errorRate, Math.min(1, 2 * usualErrorRate)), latency: usual === undefined ? null : usual * latencyFactor };
}

/**
 * Alarms on the fleet of the live configuration alone: those on the variant count the old fleet too, whose errors would stop the update that mends them. SageMaker
 * publishes by configuration as long as it exchanges fleets.
 *
 * @returns their names
 */
export async function putGuardrailAlarms(
  ports: Ports,
  { endpointName, promotionId }: PromotionRequest,
  names: ReturnType<typeof namesOf>,
  liveVariant: string,
  limits: GuardrailLimits,
): Promise<string[]> {
  const queries = queriesOn([
    { Name: 'EndpointName', Value: endpointName },
    { Name: 'VariantName', Value: liveVariant },
    { Name: 'EndpointConfigName', Value: names.live },
  ]);
  const common = (sentence: string) => ({
    AlarmDescription: `${sentence} on the new fleet of ${endpointName}, while promotion ${promotionId} moves it; deleted at its end`,
    ComparisonOperator: 'GreaterThanThreshold' as const,
    TreatMissingData: 'notBreaching',
  });
  const errors: PutMetricAlarmCommandInput = {
    ...common('share of 5xx'),
    AlarmName: names.errorsAlarm,
    Metrics: queries.errors,
    Threshold: limits.errorRate,
    EvaluationPeriods: 1,
  };
  // The first requests of a fleet are slow: one slow minute is none.
  const latency: PutMetricAlarmCommandInput[] =
    limits.latency === null
      ? []
      : [
          {
            ...common('p99 of the model latency in microseconds'),
            AlarmName: names.latencyAlarm,
            Metrics: queries.latency,
            Threshold: limits.latency,
            EvaluationPeriods: 2,
            DatapointsToAlarm: 2,
          },
        ];
  for (const alarm of [errors, ...latency]) await ports.cloudwatch.send(new PutMetricAlarmCommand(alarm));
  return [errors, ...latency].map(({ AlarmName }) => AlarmName!);
}

/** Deletes them, whether or not they are there. */
export async function deleteGuardrailAlarms(
  ports: Pick<Ports, 'cloudwatch'>,
  { errorsAlarm, latencyAlarm }: ReturnType<typeof alarmNames>,
): Promise<void> {
  for (const name of [errorsAlarm, latencyAlarm]) {
    try {
      await ports.cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: [name] }));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

function queriesOn(Dimensions: { Name: string; Value: string }[]): Record<'errors' | 'latency', MetricDataQuery[]> {
  const counted = (Id: string, MetricName: string, Stat: string): MetricDataQuery => ({
    Id,
    ReturnData: false,
    MetricStat: { Metric: { Namespace: 'AWS/SageMaker', MetricName, Dimensions }, Period: PERIOD, Stat },
  });
  const judged = (Expression: string, Label: string): MetricDataQuery => ({ Id: 'judged', Expression, Label, ReturnData: true });
  return {
    errors: [
      judged(`IF(requests >= ${LEAST_REQUESTS}, bad / requests, 0)`, '5xx per request'),
      counted('requests', 'Invocations', 'Sum'),
      counted('bad', 'Invocation5XXErrors', 'Sum'),
    ],
    latency: [
      judged(`IF(answers >= ${LEAST_REQUESTS}, slow, 0)`, 'p99 (microseconds)'),
      counted('answers', 'ModelLatency', 'SampleCount'),
      counted('slow', 'ModelLatency', 'p99'),
    ],
  };
}
