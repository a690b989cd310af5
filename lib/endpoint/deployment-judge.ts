import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { ServedVariant } from './served-variant';

/**
 * What a judge is told of the rollout that it is to judge.
 *
 * @internal
 */
export interface JudgedDeployment {
  readonly variant: ServedVariant;
  /** The canary: percent of the new fleet, or instances of it. */
  readonly canary: { readonly percent?: number; readonly instances?: number };
  /** How long the canary bakes, in seconds. */
  readonly bakeSeconds: number;
  /** Of the judge's logs. */
  readonly encryptionKey: IKey;
  /** Told when the judge fails. */
  readonly topic: ITopic;
}

/** Compares the new fleet of a deployment with the old one, and rolls it back by an alarm: see RolloutJudge. */
export abstract class DeploymentJudge {
  /**
   * Makes the judge of one endpoint.
   *
   * @returns the alarm that rolls the deployment back
   * @throws Error for a deployment that it cannot judge
   * @internal
   */
  public abstract _bind(scope: Construct, deployment: JudgedDeployment): IAlarm;
}
