import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Annotations, Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { DeploymentJudge } from './deployment-judge';
import { requireRange } from './range';
import { requireDivisible, requireJudgeable, requireShare, requireTimeout, type Share } from './rollout-limits';
import type { BlueGreenOptions, CanaryOptions, LinearOptions, RollingOptions, RolloutOptions } from './rollout-options';
import { type ServedVariant, smallestFleet } from './served-variant';

/**
 * What a judged rollout needs of the endpoint beside its variant.
 *
 * @internal
 */
export interface RolloutWatch {
  readonly encryptionKey: IKey;
  readonly topic: ITopic;
}

/**
 * How traffic moves from one version to the next within `cdk deploy`, by SageMaker's deployment guardrails. Alarms on the new fleet roll it
 * back, and the deployment fails with them.
 *
 * SageMaker has no pause, extension or approval: what raised no alarm by the end of its bake is promoted. It falls back to all at once,
 * without a bake and without a word, for containers of AWS Marketplace and on Inf1. Every variant must keep its name.
 */
export abstract class Rollout {
  /**
   * A first step for the canary, then all the rest.
   *
   * @throws Error for a size or time out of range; when bound, for a fleet that cannot be divided so
   */
  public static canary(options: CanaryOptions = {}): Rollout {
    return new BlueGreen('CANARY', options, requireShare('canary', options, { percent: [1, 50] }), options.judge);
  }

  /**
   * Equal steps, a bake after each.
   *
   * @throws Error as Rollout.canary does
   */
  public static linear(options: LinearOptions = {}): Rollout {
    return new BlueGreen('LINEAR', options, requireShare('linear', options, { percent: [10, 50], default: 25 }));
  }

  /**
   * Batch by batch: each starts new instances and stops old ones, so that a fleet too large to double can be updated. Not for endpoints of
   * several variants.
   *
   * @throws Error as Rollout.canary does
   */
  public static rolling(options: RollingOptions = {}): Rollout {
    return new Rolling(options);
  }

  /**
   * Everything at once, for one instance, serverless and whatever else cannot be divided. The old fleet is kept for the bake, and the same
   * alarms roll back.
   *
   * @throws Error for a time out of range
   */
  public static allAtOnce(options: RolloutOptions = {}): Rollout {
    return new AllAtOnce(options);
  }

  /**
   * One instance as the canary, where there is more than one.
   *
   * @internal
   */
  public static _default(variant: ServedVariant): Rollout {
    const { kind, instanceType } = variant;
    const divisible = kind !== 'serverless' && smallestFleet(variant) >= 2 && !instanceType?.startsWith('ml.inf1.');
    return divisible ? Rollout.canary() : Rollout.allAtOnce();
  }

  /**
   * Whether both fleets are compared: of one variant only.
   *
   * @internal
   */
  public get _isJudged(): boolean {
    return false;
  }

  /** @internal */
  protected readonly _bake: Duration;

  /** @internal */
  protected constructor(
    /** @internal */
    protected readonly _options: RolloutOptions,
  ) {
    this._bake = _options.bake ?? Duration.minutes(15);
    requireRange('bake in seconds', seconds(this._bake), 0, 3600);
    requireRange('timeout in seconds', seconds(_options.timeout), 600, 28_800);
  }

  /**
   * The endpoint's DeploymentConfig.
   *
   * @param alarms on the new fleet
   * @throws Error where the variant cannot be updated so, and for no alarm or more than 10
   * @internal
   */
  public _bind(scope: Construct, variant: ServedVariant, alarms: IAlarm[], watch?: RolloutWatch): CfnEndpoint.DeploymentConfigProperty {
    this._requireFit(scope, variant);
    const all = [...alarms, ...(this._options.alarms ?? []), ...this._judge(scope, variant, watch)];
    if (all.length === 0) throw new Error('a rollout without alarms never rolls back: give at least one');
    if (all.length > 10) throw new Error(`SageMaker takes at most 10 rollback alarms, got ${all.length}: join some in a composite alarm`);
    if (!this._bake.isUnresolved() && this._bake.toSeconds() < 300) {
      Annotations.of(scope).addWarningV2(
        'cdk-fledge:bakeShorterThanAlarms',
        `a bake of ${this._bake.toSeconds()} s ends before the rollback alarms, which look at 5 minutes, have seen the new fleet: make it at least 300 s`,
      );
    }
    return { ...this._policy(variant), autoRollbackConfiguration: { alarms: all.map(({ alarmName }) => ({ alarmName })) } };
  }

  /**
   * Holds for every variant of the endpoint: each is moved in the same steps.
   *
   * @throws Error where the variant cannot be updated so
   * @internal
   */
  public abstract _requireFit(scope: Construct, variant: ServedVariant): void;

  /** @internal */
  protected _judge(_scope: Construct, _variant: ServedVariant, _watch?: RolloutWatch): IAlarm[] {
    return [];
  }

  /** @internal */
  protected abstract _policy(variant: ServedVariant): CfnEndpoint.DeploymentConfigProperty;
}

class BlueGreen extends Rollout {
  /** @internal */
  public override get _isJudged(): boolean {
    return this.judge !== undefined;
  }

  private readonly terminationWait: Duration;

  constructor(
    private readonly type: 'CANARY' | 'LINEAR',
    options: BlueGreenOptions,
    private readonly share: Share,
    private readonly judge?: DeploymentJudge,
  ) {
    super(options);
    this.terminationWait = options.terminationWait ?? Duration.minutes(5);
    requireRange('terminationWait in seconds', seconds(this.terminationWait), 0, 3600);
  }

  /** @internal */
  public _requireFit(scope: Construct, variant: ServedVariant): void {
    requireDivisible(scope, this.share, variant);
  }

  /** @internal */
  protected override _judge(scope: Construct, variant: ServedVariant, watch?: RolloutWatch): IAlarm[] {
    if (this.judge === undefined || watch === undefined) return [];
    requireJudgeable(this.share, this._bake, variant);
    const { type, value } = this.share.size(variant);
    const canary = type === 'INSTANCE_COUNT' ? { instances: value } : { percent: value };
    return [this.judge._bind(scope, { variant, canary, bakeSeconds: this._bake.toSeconds(), ...watch })];
  }

  /** @internal */
  protected _policy(variant: ServedVariant): CfnEndpoint.DeploymentConfigProperty {
    const steps = this.type === 'CANARY' ? 1 : this.share.steps(variant);
    return {
      blueGreenUpdatePolicy: {
        trafficRoutingConfiguration: {
          type: this.type,
          [this.type === 'CANARY' ? 'canarySize' : 'linearStepSize']: this.share.size(variant),
          waitIntervalInSeconds: this._bake.toSeconds(),
        },
        terminationWaitInSeconds: this.terminationWait.toSeconds(),
        maximumExecutionTimeoutInSeconds: requireTimeout(this._options.timeout, 1, [
          ...Array(steps).fill(this._bake),
          this.terminationWait,
        ]),
      },
    };
  }
}

class Rolling extends Rollout {
  private readonly share: Share;

  constructor(private readonly options: RollingOptions) {
    super(options);
    this.share = requireShare('rolling', options, { percent: [5, 50], default: 25 });
    requireRange('rollbackPercent', options.rollbackPercent, 5, 100);
  }

  /** @internal */
  public _requireFit(scope: Construct, variant: ServedVariant): void {
    requireDivisible(scope, this.share, variant);
  }

  /** @internal */
  protected _policy(variant: ServedVariant): CfnEndpoint.DeploymentConfigProperty {
    const batches = this.share.steps(variant);
    const { rollbackPercent, timeout } = this.options;
    return {
      rollingUpdatePolicy: {
        maximumBatchSize: this.share.size(variant),
        waitIntervalInSeconds: this._bake.toSeconds(),
        maximumExecutionTimeoutInSeconds: requireTimeout(timeout, batches, Array(batches).fill(this._bake)),
        rollbackMaximumBatchSize: rollbackPercent === undefined ? undefined : { type: 'CAPACITY_PERCENT', value: rollbackPercent },
      },
    };
  }
}

class AllAtOnce extends Rollout {
  /** @internal */
  public _requireFit(): void {}

  /** @internal */
  protected _policy(): CfnEndpoint.DeploymentConfigProperty {
    return {
      blueGreenUpdatePolicy: {
        // There is no step to wait between, yet the API asks for the interval; the bake is the time that the old fleet stays.
        trafficRoutingConfiguration: { type: 'ALL_AT_ONCE', waitIntervalInSeconds: 0 },
        terminationWaitInSeconds: this._bake.toSeconds(),
        maximumExecutionTimeoutInSeconds: requireTimeout(this._options.timeout, 1, [this._bake]),
      },
    };
  }
}

function seconds(duration?: Duration): number | undefined {
  return duration?.isUnresolved() ? undefined : duration?.toSeconds();
}
