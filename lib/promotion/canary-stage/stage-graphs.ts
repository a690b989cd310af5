import {
  Color,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  Stats,
  TextWidget,
  TextWidgetBackground,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import { PROMOTION_METRICS, type PublishedMetric } from '../metrics';
import { CANDIDATE } from '../names';
import type { StagePlan } from '../request';
import { promotionMetric } from './stage-alarms';

const PERIOD = Duration.minutes(1);

/**
 * Live against candidate: the share, the errors, the latency, and the evidence on its way to either end.
 *
 * @internal
 */
export function stageGraphs(endpointName: string, liveVariant: string, plan: StagePlan, bucketName: string): IWidget[][] {
  const graph = (title: string, left: IMetric[], at?: number): IWidget =>
    new GraphWidget({
      title,
      width: 6,
      height: 6,
      left,
      leftYAxis: { min: 0, showUnits: false },
      leftAnnotations: at === undefined ? [] : [{ value: at, label: 'decides', color: Color.RED }],
      period: PERIOD,
    });
  const variants = [
    { name: liveVariant, label: 'live' },
    { name: CANDIDATE, label: 'candidate' },
  ];
  const ofVariant = (metricName: string, statistic: string, scale: string, unit: string): IMetric[] =>
    variants.map(({ name, label }) => {
      const raw = `raw${metricName}${label}`;
      return new MathExpression({
        expression: `${raw} ${scale}`,
        usingMetrics: {
          [raw]: new Metric({
            namespace: 'AWS/SageMaker',
            metricName,
            dimensionsMap: { EndpointName: endpointName, VariantName: name },
            statistic,
            period: PERIOD,
          }),
        },
        label: `${label} (${unit})`,
        period: PERIOD,
      });
    });
  const evidence = (metric: PublishedMetric): IMetric[] =>
    plan.metrics.map(({ id, name }) => promotionMetric(metric, endpointName, PERIOD, { Metric: id }).with({ label: name ?? id }));
  return [
    [
      new TextWidget({
        markdown: `## ${endpointName} · promotion\n\`fledge watch ${endpointName}\`, record in \`${bucketName}\``,
        width: 24,
        height: 2,
        background: TextWidgetBackground.TRANSPARENT,
      }),
    ],
    [
      graph("Candidate's share (% of requests)", [
        promotionMetric(PROMOTION_METRICS.candidatePercent, endpointName, PERIOD).with({ label: 'candidate (%)' }),
      ]),
      graph('5xx, live against candidate (%)', ofVariant('Invocation5XXErrors', Stats.AVERAGE, '* 100', '%')),
      graph('p99 model latency, live against candidate (ms)', ofVariant('ModelLatency', Stats.p(99), '/ 1000', 'ms')),
      graph(
        'Worse: evidence (1 rolls back)',
        [
          promotionMetric(PROMOTION_METRICS.evidenceWorseInAll, endpointName, PERIOD).with({ label: 'all together' }),
          ...evidence(PROMOTION_METRICS.evidenceWorse),
        ],
        1,
      ),
    ],
    [graph('Not worse: evidence (all at 1 promote)', evidence(PROMOTION_METRICS.evidenceNotWorse), 1)],
  ];
}
