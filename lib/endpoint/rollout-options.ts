import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Duration } from 'aws-cdk-lib/core';
import type { DeploymentJudge } from './deployment-judge';

/** How an update is watched. */
export interface RolloutOptions {
  /**
   * How long the alarms watch the new fleet after each step before the next, 0 s to 1 h, in whole seconds. What is not shown to be bad by
   * then is promoted.
   *
   * @default Duration.minutes(15)
   */
  readonly bake?: Duration;

  /**
   * How long the whole update may take before SageMaker rolls it back: 10 minutes to 8 hours, and more than all its waits.
   *
   * @default - its waits, and half an hour for instances to start; more where they start in batches
   */
  readonly timeout?: Duration;

  /**
   * Alarms that roll back beside the endpoint's own, at most 10 together. Watch the new fleet only, by the dimension EndpointConfigName: an
   * alarm over both fleets lets the old one's errors stop the update that would fix them.
   *
   * @default - the endpoint's own: 5xx rate, model errors, p99 latency
   */
  readonly alarms?: IAlarm[];
}

/** How a blue/green update is watched: a whole second fleet beside the first. */
export interface BlueGreenOptions extends RolloutOptions {
  /**
   * How long the old fleet is kept after all traffic has moved, ready to take it back, 0 s to 1 h.
   *
   * @default Duration.minutes(5)
   */
  readonly terminationWait?: Duration;
}

export interface CanaryOptions extends BlueGreenOptions {
  /**
   * The first step, 1-50 percent of the fleet, and at least one instance of its largest. SageMaker moves whole instances: where the fleet is
   * scaled in, one of 2 is one half.
   *
   * @default - see instances
   */
  readonly percent?: number;

  /**
   * The first step in instances: at least 1, at most half of the smallest fleet. Not together with percent.
   *
   * @default 1
   */
  readonly instances?: number;

  /**
   * Compares the canary with the old fleet while it bakes: RolloutJudge. For real-time endpoints of one variant, a bake of at least 15
   * minutes, and a percent that is whole instances.
   *
   * @default - only the alarms roll back
   */
  readonly judge?: DeploymentJudge;
}

export interface LinearOptions extends BlueGreenOptions {
  /**
   * Each step, 10-50 percent of the fleet, and at least one instance of its largest. Not together with instances.
   *
   * @default 25, or one instance where that is more
   */
  readonly percent?: number;

  /**
   * Each step in instances: a tenth to a half of the fleet, at its smallest and at its largest.
   *
   * @default - see percent
   */
  readonly instances?: number;
}

export interface RollingOptions extends RolloutOptions {
  /**
   * Each batch, 5-50 percent of the fleet, and at least one instance of its largest. Not together with instances.
   *
   * @default 25, or one instance where that is more
   */
  readonly percent?: number;

  /**
   * Each batch in instances: a twentieth to a half of the fleet, at its smallest and at its largest.
   *
   * @default - see percent
   */
  readonly instances?: number;

  /**
   * Each batch of a rollback, 5-100 percent of the fleet.
   *
   * @default 100: the whole old fleet at once
   */
  readonly rollbackPercent?: number;
}
