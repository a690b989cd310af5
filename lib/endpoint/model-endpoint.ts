import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { Connections, IConnectable } from 'aws-cdk-lib/aws-ec2';
import type { Grant, IGrantable, IPrincipal, IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { ArnFormat, Duration, Lazy, Names, RemovalPolicy, Stack, Tags, Token } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { EndpointAlarms } from './alarms';
import type { CapacityKind } from './capacity-kind';
import type { EndpointDashboard } from './dashboard';
import { allowLogGroup, endpointKey, requireKey } from './encryption';
import { EndpointConfiguration } from './endpoint-configuration';
import { EndpointEntry } from './endpoint-entry';
import { EndpointRecords } from './endpoint-records';
import { EndpointWatch } from './endpoint-watch';
import { ExecutionRole } from './execution-role';
import { ImportedEndpoint } from './imported-endpoint';
import { type IModelEndpoint, ModelEndpointBase } from './model-endpoint-base';
import type { ModelEndpointAttributes, ModelEndpointProps } from './model-endpoint-props';
import { EndpointNetwork } from './network';
import type { EndpointOwner, HandedOver } from './owner';
import { ProductionVariant, type VariantOptions } from './production-variant';
import { requireSageMakerName } from './sagemaker-name';
import { scheduledBounds } from './scaling';
import { bindScaling } from './scaling-target';
import type { ServedVariant } from './served-variant';

/**
 * A managed SageMaker endpoint as a careful platform team would deploy it.
 *
 * The least to write is `new ModelEndpoint(this, 'M', { artifact })`: two instances, one customer key for every store, a role that may do
 * exactly what this endpoint does, logs with a retention, alarms, a dashboard, and new versions that roll back on their own errors.
 */
export class ModelEndpoint extends ModelEndpointBase implements IConnectable, IGrantable {
  /** An endpoint of this account and region, by its name. */
  public static fromEndpointName(scope: Construct, id: string, endpointName: string): IModelEndpoint {
    return ModelEndpoint.fromEndpointAttributes(scope, id, { endpointName });
  }

  /** An endpoint of this account and region, by its name and variant. */
  public static fromEndpointAttributes(scope: Construct, id: string, attributes: ModelEndpointAttributes): IModelEndpoint {
    return new ImportedEndpoint(scope, id, attributes);
  }

  public readonly endpointName: string;
  public readonly endpointArn: string;
  public readonly variantName: string;
  /** The configuration of this deployment; every change makes another. */
  public readonly endpointConfigName: string;
  /** The role that SageMaker takes on. */
  public readonly executionRole: IRole;
  public readonly grantPrincipal: IPrincipal;
  /** The customer key of the endpoint's stores. */
  public readonly encryptionKey: IKey;
  /** What wakes a person, and what rolls back an update. */
  public readonly alarms: EndpointAlarms;
  /** The page that shows whether the endpoint is well; absent where it was not wanted. */
  public readonly dashboard?: EndpointDashboard;
  /** Where captured data, async requests and answers lie; absent where there are none. */
  public readonly recordsBucket?: IBucket;

  /** @internal */
  protected readonly _kind: CapacityKind;
  private readonly role: ExecutionRole;
  private readonly network?: EndpointNetwork;
  private readonly records?: EndpointRecords;
  private readonly variants: ProductionVariant[] = [];
  private readonly variantScope: Construct;
  private readonly watch: EndpointWatch;
  private readonly configuration: EndpointConfiguration;
  private readonly resource: EndpointEntry;
  private owned = false;

  /** @throws Error for each combination that SageMaker would refuse at deployment, or hang on */
  constructor(
    scope: Construct,
    id: string,
    private readonly props: ModelEndpointProps,
  ) {
    super(scope, id);
    this.endpointName = requireEndpointName(props.endpointName ?? nameFromPath(this));
    this.variantName = props.variantName ?? 'live';
    this.encryptionKey = requireKey(this, props.encryptionKey) ?? endpointKey(this, 'Key', this.endpointName);
    this.role = new ExecutionRole(this, 'ExecutionRole', this.endpointName, props.executionRole);
    this.executionRole = this.role.role;
    this.grantPrincipal = this.executionRole.grantPrincipal;
    const logGroup = this.addLogGroup();
    if (props.vpc !== undefined) {
      this.network = new EndpointNetwork(this, 'Network', props.vpc, props);
      this.network.allow(this.role);
    }

    this.variantScope = new Construct(this, 'Variants');
    const live = this.addProductionVariant(this.variantName, props, 1);
    this._kind = live.capacity._kind;
    this.records = this.addRecords();
    this.recordsBucket = this.records?.bucket;
    this.configuration = new EndpointConfiguration(this, 'Config', {
      live,
      role: this.role,
      encryptionKey: this.encryptionKey,
      keyGiven: props.encryptionKey !== undefined,
      records: this.records,
      dataCapture: props.dataCapture,
      enhancedMetricsPeriod: props.enhancedMetricsPeriod,
    });
    this.endpointConfigName = this.configuration.configName;
    this.watch = new EndpointWatch(this, 'Watch', {
      live: this.served(live),
      encryptionKey: this.encryptionKey,
      alarms: props.alarms,
      rollout: props.rollout,
      withDashboard: props.dashboard ?? true,
    });
    this.alarms = this.watch.alarms;
    this.dashboard = this.watch.dashboard;
    this.resource = new EndpointEntry(this, 'Resource', {
      endpointName: this.endpointName,
      endpointConfigName: this.endpointConfigName,
      deploymentConfig: Lazy.any({ produce: () => this.watch.deploymentConfig }),
    });
    // Before SageMaker would make one without key and retention.
    this.resource.node.addDependency(logGroup);
    this.endpointArn = this.resource.ref;
    this.scale(live);
    this.node.addValidation({ validate: () => this.tooManyTags() });
  }

  /**
   * Another model behind the same endpoint, with a weight of its own: 0 until you give it one.
   *
   * @param variantName of this endpoint only once
   * @throws Error for a name that is taken, or a serverless endpoint, which has one variant
   */
  public addVariant(variantName: string, options: VariantOptions): void {
    if (this.owned)
      throw new Error(
        `the endpoint ${this.endpointName} has a stage, which brings its own second variant in: '${variantName}' cannot join`,
      );
    if (this._kind === 'serverless') throw new Error(`a serverless endpoint has one variant: '${variantName}' needs Capacity.instances`);
    const variant = this.addProductionVariant(variantName, options, 0);
    if (variant.capacity._kind !== this._kind) {
      throw new Error(
        `the variants of an endpoint are of one kind: '${variantName}' is '${variant.capacity._kind}', the endpoint '${this._kind}'`,
      );
    }
    this.configuration.add(variant);
    this.scale(variant);
    this.watch.add(this.served(variant));
  }

  /** Does something else when an alarm of the endpoint goes off, beside telling its topic. */
  public addAlarmAction(...actions: IAlarmAction[]): void {
    this.watch.addAlarmAction(...actions);
  }

  public override grantInvoke(grantee: IGrantable): Grant {
    const invoke = super.grantInvoke(grantee);
    return this._kind === 'async' && this.records !== undefined ? invoke.combine(this.records.grantQueue(grantee)) : invoke;
  }

  /**
   * The network of the endpoint's containers.
   *
   * @throws Error where the endpoint is in no VPC
   */
  public get connections(): Connections {
    if (this.network === undefined)
      throw new Error(`the endpoint ${this.endpointName} is in no VPC: give it one to manage its connections`);
    return this.network.connections;
  }

  /**
   * Gives what the endpoint serves into other hands: the template keeps the endpoint, its scaling, alarms and dashboard, and no longer
   * says which configuration it has, but for the first.
   *
   * @throws Error where no other version could be served beside the live one
   * @internal
   */
  public _handOver(owner: EndpointOwner): HandedOver {
    const [live, ...others] = this.variants;
    if (this.owned) throw new Error(`the endpoint ${this.endpointName} has a stage already: one endpoint, one stage`);
    if (this._kind !== 'instances') {
      const why = {
        serverless: 'a serverless endpoint takes no second variant',
        async: 'an async endpoint publishes no Invocations to judge by',
      };
      throw new Error(`${owner.what} is for Capacity.instances, and ${why[this._kind]}: use a Rollout`);
    }
    if (others.length > 0 || live === undefined) {
      throw new Error(`${owner.what} is for endpoints of one variant, ${this.endpointName} has ${this.variants.length}: use a Rollout`);
    }
    if (this.props.rollout !== undefined) {
      throw new Error(`${owner.what} moves the traffic of ${this.endpointName} itself: leave its rollout out`);
    }
    if (live.model.inAssetBucket) {
      throw new Error(
        `${owner.what} keeps versions for as long as they may serve, longer than the CDK's asset bucket does: give ${this.endpointName} a modelStore`,
      );
    }
    this.owned = true;
    const configuration = this.configuration.handOver(owner.configName);
    this.watch.handOver();
    for (const [key, value] of Object.entries(owner.tags)) Tags.of(this.resource).add(key, value);
    this.resource.handOver();
    return {
      configuration,
      model: live.handOver(),
      served: this.served(live),
      role: this.role,
      store: this.props.modelStore,
      resource: this.resource,
      tags: Lazy.any({ produce: () => Object.entries(this.resource.tags.tagValues()).map(([Key, Value]) => ({ Key, Value })) }),
      scales: live.scaling.length > 0,
    };
  }

  private addProductionVariant(variantName: string, options: VariantOptions, defaultWeight: number): ProductionVariant {
    if (this.variants.some((variant) => variant.variantName === variantName)) {
      throw new Error(`the endpoint ${this.endpointName} has a variant '${variantName}' already: give each its own name`);
    }
    const variant = new ProductionVariant(this.variantScope, {
      variantName,
      options,
      role: this.role,
      store: this.props.modelStore,
      vpcConfig: this.network?.vpcConfig,
      networkIsolation: this.props.networkIsolation,
      defaultWeight,
    });
    this.variants.push(variant);
    return variant;
  }

  private scale(variant: ProductionVariant): void {
    if (bindScaling(this, this.served(variant), variant.scaling, this.resource) === undefined) return;
    // Without it an update puts instance counts back to where they started, in the middle of the day. Weights stay the template's.
    this.resource.retainAllVariantProperties = true;
    this.resource.excludeRetainedVariantProperties = [{ variantPropertyType: 'DesiredWeight' }];
  }

  private served(variant: ProductionVariant): ServedVariant {
    const { _kind, _instance, _minCapacity, _maxCapacity, _maxConcurrency } = variant.capacity;
    return {
      endpointName: this.endpointName,
      variantName: variant.variantName,
      endpointConfigName: this.endpointConfigName,
      kind: _kind,
      instanceType: _instance?.instanceType,
      minCapacity: _minCapacity,
      maxCapacity: _maxCapacity,
      maxConcurrency: _maxConcurrency,
      ...scheduledBounds(variant.scaling),
    };
  }

  private addLogGroup(): LogGroup {
    const logGroupName = `/aws/sagemaker/Endpoints/${this.endpointName}`;
    const arn = Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: logGroupName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    allowLogGroup(this.encryptionKey, this, arn);
    this.role.allowToReport(arn);
    return new LogGroup(this, 'Logs', {
      logGroupName,
      encryptionKey: this.encryptionKey,
      retention: this.props.logRetention ?? RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  private addRecords(): EndpointRecords | undefined {
    const { dataCapture, accessLogsBucket } = this.props;
    if (dataCapture !== undefined && this._kind === 'serverless') {
      throw new Error('a serverless endpoint cannot capture data: use Capacity.instances, or leave dataCapture out');
    }
    if (dataCapture === undefined && this._kind !== 'async') return undefined;
    const records = new EndpointRecords(this, 'Store', this.encryptionKey, this.role, accessLogsBucket);
    if (this._kind === 'async') {
      const retention = this.variants[0]?.capacity._async?.retention ?? Duration.days(30);
      for (const prefix of ['async-requests/', 'async-answers/', 'async-failures/']) records.retain(prefix, retention);
    }
    return records;
  }

  /** SageMaker takes at most 50 tags a resource. */
  private tooManyTags(): string[] {
    const count = this.resource.tags.tagValues();
    const tags = Object.keys(count).length;
    return tags <= 50 ? [] : [`SageMaker takes at most 50 tags a resource, ${this.node.path} has ${tags}: remove some`];
  }
}

/** Lower case, as SageMaker writes it in ARNs. */
function nameFromPath(scope: Construct): string {
  return Names.uniqueResourceName(scope, { maxLength: 63, separator: '-' }).toLowerCase();
}

function requireEndpointName(name: string): string {
  if (Token.isUnresolved(name)) {
    throw new Error('endpointName must be written out: its alarms name it before it exists, and a changed name replaces the endpoint');
  }
  return requireSageMakerName("an endpoint's", name);
}
