import { type MetricDatum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { Verdict } from '../judge';
import { saying } from './aws-errors';
import { PROMOTION_METRICS, type PublishedMetric } from './metrics';
import type { Ports } from './ports';
import { NAMESPACE } from './request';

/** Publishes where a promotion stands. @returns why that failed, which changes nothing; empty when it did not */
export async function publishMetrics(ports: Ports, endpointName: string, percent: number, verdict: Verdict): Promise<string> {
  const Timestamp = new Date(ports.now());
  const datum = ({ name, unit, dimensions }: PublishedMetric, Value: number, metric = ''): MetricDatum => ({
    MetricName: name,
    Dimensions: dimensions.map((Name) => ({ Name, Value: Name === 'Metric' ? metric : endpointName })),
    Timestamp,
    Unit: unit,
    Value,
  });
  const { evidenceWorse, evidenceWorseInAll, evidenceNotWorse, candidatePercent, promotionTick } = PROMOTION_METRICS;
  const data = [
    datum(promotionTick, 1),
    datum(candidatePercent, percent),
    datum(evidenceWorseInAll, verdict.logWorse / verdict.logWorseThreshold),
    ...verdict.metrics.flatMap(({ id, logWorse, logWorseThreshold, logNotWorse, logNotWorseThreshold }) => [
      ...(logWorseThreshold === null ? [] : [datum(evidenceWorse, logWorse / logWorseThreshold, id)]),
      datum(evidenceNotWorse, logNotWorse / logNotWorseThreshold, id),
    ]),
  ];
  try {
    // CloudWatch takes no infinity: a metric without a count has none of either evidence.
    const MetricData = data.filter(({ Value }) => Number.isFinite(Value));
    await ports.cloudwatch.send(new PutMetricDataCommand({ Namespace: NAMESPACE, MetricData }));
    return '';
  } catch (error) {
    return saying(error);
  }
}
