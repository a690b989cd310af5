import { PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { NAMESPACE, type Ports } from '../../promotion';
import type { ReplayReport } from './replay-messages';
import type { Traffic } from './traffic';

/** Publishes what turned out wrong, per variant, as a user's own pipeline would once outcomes are known. */
export class OutcomeRecorder {
  constructor(
    private readonly ports: Ports,
    private readonly endpointName: string,
    private readonly traffic: Traffic,
  ) {}

  take(report: ReplayReport): void {
    if (!this.traffic.outcomes) return;
    const data = Object.entries(report.variants)
      .filter(([variant, tally]) => variant !== '' && tally.known > 0)
      .flatMap(([VariantName, { known, wrong }]) => {
        const Dimensions = [
          { Name: 'EndpointName', Value: this.endpointName },
          { Name: 'VariantName', Value: VariantName },
        ];
        return [
          { MetricName: 'KnownOutcomes', Dimensions, Value: known, StorageResolution: 1 },
          { MetricName: 'WrongAnswers', Dimensions, Value: wrong, StorageResolution: 1 },
        ];
      });
    if (data.length > 0)
      this.ports.cloudwatch.send(new PutMetricDataCommand({ Namespace: NAMESPACE, MetricData: data })).catch(() => undefined);
  }
}
