import type { IAlarm, IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import { Lazy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { alarmTopic } from './alarm-topic';
import { EndpointAlarms } from './alarms';
import type { EndpointAlarmOptions } from './alarms-options';
import { EndpointDashboard } from './dashboard';
import { Rollout } from './rollout';
import { requireSameRegion } from './same-region';
import type { ServedVariant } from './served-variant';

/** SageMaker's limit of an endpoint's automatic rollback. */
const MAX_ROLLBACK_ALARMS = 10;

/** @internal */
export interface EndpointWatchProps {
  readonly live: ServedVariant;
  readonly encryptionKey: IKey;
  readonly alarms?: EndpointAlarmOptions;
  readonly rollout?: Rollout;
  readonly withDashboard: boolean;
}

/**
 * The alarms of every variant, the dashboard that shows them, and the rollout that they roll back.
 *
 * @internal
 */
export class EndpointWatch extends Construct {
  /** Those of the first variant. */
  public readonly alarms: EndpointAlarms;
  public readonly dashboard?: EndpointDashboard;
  /** Absent once a stage moves the traffic. */
  public deploymentConfig?: CfnEndpoint.DeploymentConfigProperty;
  private readonly all: EndpointAlarms[] = [];
  private readonly actions: IAlarmAction[] = [];
  private readonly rollbackAlarms: { alarmName: string }[];
  private readonly rollout: Rollout;
  private readonly rolling: boolean;
  private readonly variants: Construct;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: EndpointWatchProps,
  ) {
    super(scope, id);
    const { live, rollout } = props;
    this.variants = new Construct(this, 'Alarms');
    // Beside the variants: it keeps its subscriptions when the first is called otherwise.
    const topic = props.alarms?.topic ?? alarmTopic(this, live.endpointName, props.encryptionKey);
    requireSameRegion(
      this,
      `the topic ${topic.node.path}`,
      topic.env.region,
      'CloudWatch tells topics of its own region only, make one there',
    );
    this.alarms = EndpointAlarms._create(this.variants, live.variantName, live, topic, props.alarms);
    this.all.push(this.alarms);
    if (props.withDashboard) this.dashboard = EndpointDashboard._create(this, 'Dashboard', live, this.alarms);
    this.rollout = rollout ?? Rollout._default(live);
    const { encryptionKey } = props;
    const bound = this.rollout._bind(this, live, this.alarms.rollbackAlarms, { encryptionKey, topic: this.alarms.topic });
    this.rolling = bound.rollingUpdatePolicy !== undefined;
    const { alarms } = bound.autoRollbackConfiguration as { alarms: { alarmName: string }[] };
    this.rollbackAlarms = [...alarms];
    this.deploymentConfig = { ...bound, autoRollbackConfiguration: { alarms: Lazy.any({ produce: () => this.rollbackAlarms }) } };
  }

  /**
   * Watches another variant too.
   *
   * @throws Error under a rolling rollout, which SageMaker has for one variant only, for a variant that the rollout's steps cannot divide, and
   * for more alarms than it takes
   */
  public add(variant: ServedVariant): void {
    if (this.rolling) {
      throw new Error(`a rolling rollout is for endpoints of one variant: use Rollout.canary or .linear to add '${variant.variantName}'`);
    }
    if (this.rollout._isJudged) {
      throw new Error(`a judge compares the two fleets of one variant: leave the rollout's judge out to add '${variant.variantName}'`);
    }
    this.rollout._requireFit(this, variant);
    const alarms = EndpointAlarms._create(this.variants, variant.variantName, variant, this.alarms.topic, this.props.alarms);
    alarms.addAlarmAction(...this.actions);
    this.all.push(alarms);
    this.dashboard?._add(variant, alarms);
    this.rollbackAlarms.push(...alarms.rollbackAlarms.map(({ alarmName }: IAlarm) => ({ alarmName })));
    if (this.rollbackAlarms.length > MAX_ROLLBACK_ALARMS) {
      throw new Error(
        `SageMaker takes at most ${MAX_ROLLBACK_ALARMS} rollback alarms, '${variant.variantName}' makes them ${this.rollbackAlarms.length}: give this endpoint fewer variants, or a rollout fewer alarms of its own`,
      );
    }
  }

  /** Somebody else moves the traffic: what would roll back the template's own updates goes. */
  public handOver(): void {
    this.deploymentConfig = undefined;
    this.alarms._leaveRollback();
  }

  public addAlarmAction(...actions: IAlarmAction[]): void {
    this.actions.push(...actions);
    for (const alarms of this.all) alarms.addAlarmAction(...actions);
  }
}
