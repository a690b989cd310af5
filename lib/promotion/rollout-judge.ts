import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { DeploymentJudge } from '../endpoint';
import type { JudgedDeployment } from '../endpoint/deployment-judge';
import type { JudgeSettings } from '../judge';
import { judgeSettings } from './canary-stage/judge-settings';
import { JudgeWatch } from './rollout-judge-watch';

/** How the new fleet of a deployment is compared with the old one. */
export interface RolloutJudgeOptions {
  /**
   * How many times as often as the old fleet the new one may err, or be slow, before it counts as bad: to be promoted it must be shown to be
   * below. Above 1.
   *
   * @default 2
   */
  readonly margin?: number;

  /**
   * How much slower a request may be before it counts as slow, as a share of the old fleet's quantile (p50, p90, p99). At least 0.
   *
   * @default 0.1
   */
  readonly latencyTolerance?: number;

  /**
   * What no request counts as slow for, whatever share of the quantile it is: a cold start or a smaller share of the traffic makes as much.
   *
   * @default Duration.millis(1)
   */
  readonly leastSlowdown?: Duration;

  /**
   * The most that a new fleet which is not worse is rolled back for being worse: a probability, over the whole bake, above 0 and below 1.
   *
   * @default 0.05
   */
  readonly falseRollback?: number;

  /**
   * The most that a new fleet which is bad is shown to be not worse: a probability, above 0 and below 1.
   *
   * @default 0.05
   */
  readonly falsePromotion?: number;

  /**
   * Whether a new fleet that was not shown to be not worse by the end of the bake is rolled back. Where it is not, too few requests promote
   * whatever comes.
   *
   * @default true
   */
  readonly failClosed?: boolean;
}

/**
 * Judges a canary by its requests while SageMaker's deployment guardrails bake it: a function compares the new fleet with the old one each
 * minute, publishes the evidence, and an alarm on it rolls the deployment back. A judge that is silent rolls it back too.
 *
 * `Rollout.canary({ percent: 50, bake: Duration.hours(1), judge: RolloutJudge.standard() })`
 */
export class RolloutJudge extends DeploymentJudge {
  /**
   * Judges 5xx, model errors and latency, allowing for errors that come in bursts.
   *
   * @throws Error for a number out of its range, or not known at synth
   */
  public static standard(options: RolloutJudgeOptions = {}): RolloutJudge {
    return new RolloutJudge(judgeSettings(options), options.failClosed ?? true);
  }

  private constructor(
    private readonly settings: Partial<JudgeSettings>,
    private readonly failClosed: boolean,
  ) {
    super();
  }

  /** @internal */
  public _bind(scope: Construct, deployment: JudgedDeployment): IAlarm {
    return new JudgeWatch(scope, 'Judge', { ...deployment, settings: this.settings, failClosed: this.failClosed }).alarm;
  }
}
