import { type MetricDatum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { Verdict } from '../judge';
import { saying } from './aws-errors';
import { PROMOTION_METRICS, type PublishedMetric } from './metrics';
import type { Ports } from './ports';
import { NAMESPACE, type Outcome } from './request';
import type { UnderWay } from './under-way';

/** Publishes where a promotion stands. @returns why that failed, which changes nothing; empty when it did not */
export async function publishMetrics({ ports, request, startedAt }: Told, percent: number, verdict: Verdict): Promise<string> {
  const datum = datumOf(ports, request.endpointName);
  const { evidenceWorse, evidenceWorseInAll, evidenceNotWorse, candidatePercent, promotionTick, promotionSeconds } = PROMOTION_METRICS;
  return publish(ports, [
    datum(promotionTick, 1),
    datum(promotionSeconds, (ports.now() - startedAt) / 1000),
    datum(candidatePercent, percent),
    datum(evidenceWorseInAll, verdict.logWorse / verdict.logWorseThreshold),
    ...verdict.metrics.flatMap(({ id, logWorse, logWorseThreshold, logNotWorse, logNotWorseThreshold }) => [
      ...(logWorseThreshold === null ? [] : [datum(evidenceWorse, logWorse / logWorseThreshold, id)]),
      datum(evidenceNotWorse, logNotWorse / logNotWorseThreshold, id),
    ]),
  ]);
}

/** Publishes how a promotion ended. @returns why that failed, which changes nothing; empty when it did not */
export async function publishEnd({ ports, request }: Told, verdict: Outcome['verdict']): Promise<string> {
  return publish(ports, [datumOf(ports, request.endpointName)(PROMOTION_METRICS.promotionEnded, 1, verdict)]);
}

type Told = Pick<UnderWay, 'ports' | 'request' | 'startedAt'>;

/** @returns makes a value of a metric, now; `other` is the value of the dimension beside the endpoint */
function datumOf(ports: Ports, endpointName: string) {
  const Timestamp = new Date(ports.now());
  return ({ name, unit, dimensions }: PublishedMetric, Value: number, other = ''): MetricDatum => ({
    MetricName: name,
    Dimensions: dimensions.map((Name) => ({ Name, Value: Name === 'EndpointName' ? endpointName : other })),
    Timestamp,
    Unit: unit,
    Value,
  });
}

async function publish(ports: Ports, data: readonly MetricDatum[]): Promise<string> {
  try {
    // CloudWatch takes no infinity: a metric without a count has none of either evidence.
    const MetricData = data.filter(({ Value }) => Number.isFinite(Value));
    await ports.cloudwatch.send(new PutMetricDataCommand({ Namespace: NAMESPACE, MetricData }));
    return '';
  } catch (error) {
    return saying(error);
  }
}
