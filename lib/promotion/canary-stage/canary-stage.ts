import type { IAlarm, IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { CfnModelPackageGroup } from 'aws-cdk-lib/aws-sagemaker';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Duration, Lazy, Size, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { ModelStore } from '../../endpoint';
import { readStatements } from '../../endpoint/artifact-access';
import { requireKey } from '../../endpoint/encryption';
import type { HandedOver } from '../../endpoint/owner';
import type { WholePlan } from '../checked-request';
import { STAGE_VARIABLE } from '../functions/stage';
import { CANDIDATE } from '../names';
import { STAGE_TAGS } from '../stage-tags';
import { AwaitedPromotion } from './awaited-promotion';
import { FirstConfiguration } from './first-configuration';
import { functionName } from './function-name';
import { StageGrants } from './grants';
import { lostApprovals, noticeTopic } from './notices';
import { allowPromotions } from './permissions';
import { longest, longestExecution, planOf, requireCounts } from './plan';
import { WaitFor } from './policy';
import type { CanaryStageProps } from './props';
import { recordBucket } from './records';
import { refuseStackTags } from './stack-tags';
import { StageAlarms } from './stage-alarms';
import { StageFunction } from './stage-function';
import { stageGraphs } from './stage-graphs';
import { PublishedVersion } from './version';
import { type VersionPlace, versionPlaces } from './version-places';

/**
 * What hand-overs between accounts need of a stage beside its public members.
 *
 * @internal
 */
export interface OpenedStage {
  readonly endpointName: string;
  /** Absent where the group is not this template's. */
  readonly group?: CfnModelPackageGroup;
  /** Absent where the endpoint's artifact is a model package, which names its own. */
  readonly image?: string;
  /** Of record and notices. */
  readonly key: IKey;
  readonly store: ModelStore;
}

/** A function's environment holds 4 KB; the rest is for what AWS adds. */
const MOST_SETTINGS = 3600;

/** What the workflow holds of a model while it checks it. */
const WORKFLOW_MEBIBYTES = 1769;

/**
 * Takes every later version of an endpoint through a canary that is judged with a stated error rate.
 *
 * The stage owns what the endpoint serves: the template creates the endpoint with its first version and never moves it again. A version approved in the model package
 * group, by deploying it or by a person, starts a promotion, which ends promoted, rolled back or held, with a record that says why. docs/canary-stage.md draws an
 * endpoint's life.
 */
export class CanaryStage extends Construct {
  /** The group whose approved versions are promoted. */
  public readonly modelPackageGroupName: string;
  /** The version that this template deploys. */
  public readonly modelPackageArn: string;
  /** Lock, controls and record; kept when the stack goes. */
  public readonly recordBucket: IBucket;
  /** Told that a promotion started, was promoted, rolled back or held, or wants approval. */
  public readonly topic: ITopic;
  /** The durable function, by the name that stays. */
  public readonly workflow: IFunction;
  /** A promotion that died or hangs, one that is held, an approval that was lost. They tell the endpoint's alarm topic. */
  public readonly alarms: IAlarm[];
  private readonly handed: HandedOver;
  private readonly key: IKey;
  private readonly store: ModelStore;
  private readonly places: VersionPlace[];
  private readonly stageAlarms: StageAlarms;
  private readonly grants: StageGrants;
  private readonly version: PublishedVersion;

  /** @throws Error for an endpoint that no other version could join, and for a plan that could not run */
  constructor(scope: Construct, id: string, props: CanaryStageProps) {
    super(scope, id);
    const { endpoint } = props;
    const { endpointName } = endpoint;
    if (Stack.of(this) !== Stack.of(endpoint)) {
      throw new Error(`the stage ${this.node.path} and its endpoint ${endpoint.node.path} belong in one stack: each names the other`);
    }
    const plan = planOf(props);
    if (endpoint.variantName === CANDIDATE) {
      throw new Error(
        `the variant of ${endpointName} has the name that its stage gives to what it brings in: give it another variantName than '${CANDIDATE}'`,
      );
    }
    refuseStackTags(this, endpointName);
    this.key = requireKey(this, props.encryptionKey) ?? endpoint.encryptionKey;
    const records = recordBucket(this, this.key);
    this.recordBucket = records;
    this.handed = endpoint._handOver({
      what: 'a CanaryStage',
      configName: Lazy.string({ produce: () => first.configName }),
      tags: {
        [STAGE_TAGS.bucket]: records.bucketName,
        [STAGE_TAGS.group]: Lazy.string({ produce: () => this.modelPackageGroupName }),
      },
    });
    requireCounts(plan, this.handed);
    this.store = requireStore(props, this.handed);
    this.places = versionPlaces(this, this.store, this.handed);
    const version = new PublishedVersion(this, 'Registry', {
      handed: this.handed,
      groupName: props.modelPackageGroupName,
      approved: props.approveOnDeploy ?? true,
      bucketName: records.bucketName,
    });
    this.version = version;
    this.modelPackageGroupName = version.groupName;
    this.modelPackageArn = version.modelPackageArn;
    this.grants = new StageGrants(this, endpointName, version.groupName, records, this.key, this.store);
    this.letServeLaterVersions();
    // The functions of custom resources bear the endpoint's name, and CloudFormation lets no custom resource change its function: an endpoint of another name has others.
    const first = new FirstConfiguration(this, `First-${endpointName}`, {
      handed: this.handed,
      version,
      encryptionKey: this.key,
      functionName: functionName(endpointName, 'first-configuration'),
    });

    const lost = lostApprovals(this, this.key);
    this.topic = props.topic ?? noticeTopic(this, this.key);
    const workflow = this.addWorkflow(
      plan,
      lost,
      (props.signingKeys ?? []).map((key) => requireKey(this, key, 'SIGN_VERIFY').keyArn),
    );
    this.workflow = workflow.publish();
    // When the stack goes, so does a promotion under way, before the endpoint goes and what it made is cleared away.
    workflow.node.addDependency(first, this.handed.resource);
    const rule = this.startOnApproval(lost);
    this.stageAlarms = new StageAlarms(this, 'Alarms', {
      endpointName,
      workflow: workflow.resource,
      lost,
      longestSeconds: longest(plan) + plan.deadlineSeconds,
    });
    this.stageAlarms.tell(endpoint.alarms.topic.topicArn);
    this.alarms = this.stageAlarms.all;
    endpoint.dashboard?._takeOver('Promotions', this.alarms, stageGraphs(endpointName, endpoint.variantName, plan, records.bucketName));
    if (props.waitFor === WaitFor.PROMOTED) {
      new AwaitedPromotion(this, `Awaited-${endpointName}`, {
        handed: this.handed,
        modelPackageArn: version.modelPackageArn,
        bucket: records,
        encryptionKey: this.key,
        functionName: functionName(endpointName, 'await-promotion'),
        after: [rule],
      });
    }
  }

  /** Does something else when an alarm of the stage goes off, beside telling the endpoint's topic. */
  public addAlarmAction(...actions: IAlarmAction[]): void {
    for (const alarm of this.stageAlarms.all) alarm.addAlarmAction(...actions);
  }

  /**
   * What another account's stage is let into, or sends its versions to.
   *
   * @internal
   */
  public get _opened(): OpenedStage {
    const { handed, key, store, version } = this;
    return { endpointName: handed.served.endpointName, group: version.group, image: handed.model.container.image, key, store };
  }

  /** Lets a pipeline or a person publish versions into store and registry; not approve them. */
  public grantPublish(grantee: IGrantable): Grant {
    return this.grants.publish(grantee);
  }

  /** Lets a person or a pipeline approve versions, and so start promotions: `fledge promote`, `rollback`. */
  public grantApprove(grantee: IGrantable): Grant {
    return this.grants.approve(grantee);
  }

  /** Lets a person follow promotions, with the endpoint's metrics, and read the record: `fledge status`, `watch`, `history`, `explain`. */
  public grantWatch(grantee: IGrantable): Grant {
    return this.grants.watch(grantee);
  }

  /** Lets a person speak to a promotion: `fledge pause`, `resume`, `extend`, `approve`, `abort`. */
  public grantControl(grantee: IGrantable): Grant {
    return this.grants.control(grantee);
  }

  /** Whatever version goes live, the endpoint's role reads it whenever an instance starts. */
  private letServeLaterVersions(): void {
    const { role } = this.handed;
    for (const { bucket, prefix } of this.places) {
      for (const statement of readStatements(this, bucket, prefix)) {
        role.allow(statement, 'any version there may become live, and is read again whenever an instance starts');
      }
    }
    role.allowVersions(this.grants.versionsArn, 'the versions of one model package group');
  }

  private addWorkflow(plan: WholePlan, lost: IQueue, signingKeyArns: string[]): StageFunction {
    const { endpointName } = this.handed.served;
    const settings = Stack.of(this).toJsonString({
      endpointName,
      bucket: this.recordBucket.bucketName,
      group: this.modelPackageGroupName,
      topicArn: this.topic.topicArn,
      plan,
    });
    const length = JSON.stringify(plan).length;
    if (length > MOST_SETTINGS) {
      throw new Error(
        `the plan of ${endpointName}'s stage takes ${length} characters, ${MOST_SETTINGS} fit a function's environment: give it fewer metrics or steps`,
      );
    }
    const workflow = new StageFunction(this, 'Workflow', {
      bundle: 'promotion',
      functionName: functionName(endpointName, 'promotion'),
      description: `promotes versions of the SageMaker endpoint ${endpointName}`,
      encryptionKey: this.key,
      timeout: Duration.minutes(15),
      memoryMebibytes: WORKFLOW_MEBIBYTES,
      ephemeralStorage: Size.gibibytes(10),
      environment: { [STAGE_VARIABLE]: settings },
      executionTimeout: Duration.seconds(longestExecution(plan)),
      deadLetters: lost,
    });
    allowPromotions(workflow, {
      handed: this.handed,
      groupName: this.modelPackageGroupName,
      bucketName: this.recordBucket.bucketName,
      topicArn: this.topic.topicArn,
      places: this.places,
    });
    const samples = this.recordBucket.arnForObjects('samples/*');
    workflow.allow('ReadSamples', ['s3:GetObject'], [samples], undefined, 'the recorded samples, named by the content of their models');
    this.letUseKeys(workflow);
    if (signingKeyArns.length > 0) workflow.allow('ReadSigners', ['kms:GetPublicKey'], signingKeyArns);
    return workflow;
  }

  private letUseKeys(workflow: StageFunction): void {
    const { configuration } = this.handed;
    workflow.allow('EncryptRecord', ['kms:Decrypt', 'kms:GenerateDataKey'], [this.key.keyArn]);
    const keys = this.places.flatMap(({ encryptionKey }) => encryptionKey?.keyArn ?? []);
    workflow.allow('ReadModels', ['kms:Decrypt'], [...new Set(keys)]);
    const { masterKey } = this.topic;
    if (masterKey !== undefined && masterKey !== this.key) {
      workflow.allow('EncryptNotices', ['kms:Decrypt', 'kms:GenerateDataKey'], [masterKey.keyArn]);
    }
    const volumes = configuration.KmsKeyId;
    if (volumes === undefined) return;
    const volumeKey = volumes as string;
    workflow.allow('EncryptVolumes', ['kms:CreateGrant'], [volumeKey], { Bool: { 'kms:GrantIsForAWSResource': 'true' } });
    workflow.allow('DescribeVolumeKey', ['kms:DescribeKey'], [volumeKey]);
  }

  private startOnApproval(lost: IQueue): Rule {
    const rule = new Rule(this, 'Approved', {
      description: `starts a promotion when a version of ${this.modelPackageGroupName} is approved`,
      eventPattern: {
        source: ['aws.sagemaker'],
        detailType: ['SageMaker Model Package State Change'],
        detail: { ModelPackageGroupName: [this.modelPackageGroupName], ModelApprovalStatus: ['Approved'] },
      },
    });
    rule.addTarget(new LambdaTarget(this.workflow, { deadLetterQueue: lost, event: RuleTargetInput.fromEventPath('$') }));
    // The version that the endpoint is created with needs no promotion.
    rule.node.addDependency(this.handed.resource);
    return rule;
  }
}

function requireStore({ modelStore, endpoint }: CanaryStageProps, { store }: HandedOver): ModelStore {
  const found = modelStore ?? store;
  if (found !== undefined) return found;
  throw new Error(
    `a CanaryStage must know where the versions of ${endpoint.endpointName} lie, which its role is to read: give the endpoint or the stage a modelStore`,
  );
}
