import { GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { EVIDENCE_METRIC } from './evidence-metric';
import type { Ports } from './ports';

const PERIOD = 60_000;

/** Publishes for this minute and the one before, so that a tick that came a little late leaves no gap. */
export async function publish(ports: Pick<Ports, 'cloudwatch' | 'now'>, endpointName: string, value: number): Promise<void> {
  const minute = Math.floor(ports.now() / PERIOD) * PERIOD;
  const MetricData = [minute - PERIOD, minute].map((time) => ({
    MetricName: EVIDENCE_METRIC.name,
    Dimensions: dimensionsOf(endpointName),
    Timestamp: new Date(time),
    Value: value,
  }));
  await ports.cloudwatch.send(new PutMetricDataCommand({ Namespace: EVIDENCE_METRIC.namespace, MetricData }));
}

/** Whether CloudWatch has a value of the last minutes to show. */
export async function isPublished(ports: Pick<Ports, 'cloudwatch' | 'now'>, endpointName: string): Promise<boolean> {
  const minute = Math.floor(ports.now() / PERIOD) * PERIOD;
  const Metric = { Namespace: EVIDENCE_METRIC.namespace, MetricName: EVIDENCE_METRIC.name, Dimensions: dimensionsOf(endpointName) };
  const { MetricDataResults } = await ports.cloudwatch.send(
    new GetMetricDataCommand({
      MetricDataQueries: [{ Id: 'evidence', MetricStat: { Metric, Period: 60, Stat: 'Maximum' } }],
      StartTime: new Date(minute - 2 * PERIOD),
      EndTime: new Date(minute + PERIOD),
    }),
  );
  return (MetricDataResults?.[0]?.Values?.length ?? 0) > 0;
}

const dimensionsOf = (endpointName: string) =>
  Object.entries(EVIDENCE_METRIC.dimensions(endpointName)).map(([Name, Value]) => ({ Name, Value }));
