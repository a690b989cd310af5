import { Alarm, ComparisonOperator, type IMetric, MathExpression, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { PROMOTION_METRICS, type PublishedMetric } from '../metrics';

const PERIOD = Duration.minutes(5);

/** @internal */
export interface StageAlarmsProps {
  readonly endpointName: string;
  readonly workflow: IFunction;
  readonly lost: IQueue;
  /** The longest that a promotion may take, in seconds, its wait for its turn included. */
  readonly longestSeconds: number;
}

/**
 * What a person must look at: a promotion that died or hangs, one that is held, and an approval that started nothing. A rollback is news, not an alarm: the stage did
 * its work.
 *
 * @internal
 */
export class StageAlarms extends Construct {
  public readonly all: Alarm[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: StageAlarmsProps,
  ) {
    super(scope, id);
    const { endpointName, workflow, lost, longestSeconds } = props;
    const executions = (name: string) =>
      new Metric({
        namespace: 'AWS/Lambda',
        metricName: name,
        dimensionsMap: { FunctionName: workflow.functionName },
        statistic: Stats.SUM,
        period: PERIOD,
      });
    this.all = [
      this.addAlarm(
        'Died',
        'promotion-died-count',
        'A promotion ended without a verdict: its lock expires after 15 minutes, and the next promotion takes the endpoint back first.',
        new MathExpression({
          expression: 'FILL(failed, 0) + FILL(stopped, 0)',
          usingMetrics: { failed: executions('DurableExecutionFailed'), stopped: executions('DurableExecutionStopped') },
          label: 'promotions that died',
          period: PERIOD,
        }),
      ),
      this.addAlarm(
        'Hangs',
        'promotion-hangs-count',
        'A promotion has been under way for longer than its plan allows.',
        new MathExpression({
          expression: `FILL(ended, 0) + IF(FILL(age, 0) > ${longestSeconds}, 1, 0)`,
          usingMetrics: {
            ended: executions('DurableExecutionTimedOut'),
            age: promotionMetric(PROMOTION_METRICS.promotionSeconds, endpointName, PERIOD),
          },
          label: 'promotions that hang',
          period: PERIOD,
        }),
      ),
      this.addAlarm(
        'Held',
        'promotion-held-count',
        'A candidate was neither promoted nor shown worse: a person must look.',
        promotionMetric(PROMOTION_METRICS.promotionEnded, endpointName, PERIOD, { Verdict: 'held' }),
      ),
      this.addAlarm(
        'Lost',
        'lost-approvals-count',
        'A version was approved and no promotion began: its event is in the dead-letter queue.',
        lost.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: Stats.MAXIMUM }),
      ),
    ];
  }

  public tell(topicArn: string): void {
    for (const alarm of this.all) alarm.addAlarmAction({ bind: () => ({ alarmActionArn: topicArn }) });
  }

  private addAlarm(id: string, name: string, alarmDescription: string, metric: IMetric): Alarm {
    return new Alarm(this, id, {
      alarmName: `${this.props.endpointName}-${name}`,
      alarmDescription,
      metric,
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}

/**
 * A metric that promotions publish.
 *
 * @internal
 */
export function promotionMetric(
  metric: PublishedMetric,
  endpointName: string,
  period: Duration,
  more: Record<string, string> = {},
): Metric {
  return new Metric({
    namespace: metric.namespace,
    metricName: metric.name,
    dimensionsMap: { EndpointName: endpointName, ...more },
    statistic: metric.statistic === 'Sum' ? Stats.SUM : Stats.MAXIMUM,
    period,
  });
}
