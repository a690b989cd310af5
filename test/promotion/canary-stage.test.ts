import { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Alias, type IKey, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { App, Duration, NestedStack, Stack, Tags, Token } from 'aws-cdk-lib/core';
import { EXPLICIT_STACK_TAGS } from 'aws-cdk-lib/cx-api';
import {
  Approval,
  CanaryJudge,
  CanaryStage,
  type CanaryStageProps,
  CanaryStep,
  Capacity,
  DataCapture,
  GoLive,
  JudgedMetric,
  ModelArtifact,
  ModelEndpoint,
  type ModelEndpointProps,
  ModelStore,
  OnDeadline,
  Rollout,
  Scaling,
  ServingImage,
  WaitFor,
  WhenBusy,
} from '../../lib';
import type { StagePlan } from '../../lib/promotion';
import { namesOf } from '../../lib/promotion/configurations';
import {
  bySid,
  DIGEST,
  type Json,
  newStack,
  publishedArtifact,
  ReadableTemplate,
  type Statement,
  type TemplateResource,
} from '../endpoint/template';

const UNKNOWN = Duration.minutes(Token.asNumber({ Ref: 'Minutes' }));
const MODELS_OF_OURS = 'arn:<AWS::Partition>:s3:::models-of-ours';
const GROUP = 'arn:<AWS::Partition>:sagemaker:eu-west-1:111122223333';

interface Staged {
  readonly stack: Stack;
  readonly endpoint: ModelEndpoint;
  readonly stage: CanaryStage;
  readonly template: ReadableTemplate;
}

/** A stage of the endpoint `delay`, and its template. */
function staged(
  stage: Partial<CanaryStageProps> | ((stack: Stack) => Partial<CanaryStageProps>) = {},
  endpoint: Partial<ModelEndpointProps> = {},
  then?: (on: Omit<Staged, 'template'>) => void,
  artifact: (stack: Stack) => ModelArtifact = publishedArtifact,
): Staged {
  const stack = newStack();
  const props = typeof stage === 'function' ? stage(stack) : stage;
  const modelStore = new ModelStore(stack, 'Store');
  const made = new ModelEndpoint(stack, 'Delay', {
    endpointName: 'delay',
    artifact: artifact(stack),
    image: ServingImage.sklearn('1.2'),
    modelStore,
    ...endpoint,
  });
  const on = { stack, endpoint: made, stage: new CanaryStage(stack, 'Canary', { endpoint: made, ...props }) };
  then?.(on);
  return { ...on, template: new ReadableTemplate(stack) };
}

const refused =
  (stage: Partial<CanaryStageProps>, endpoint: Partial<ModelEndpointProps> = {}, then?: Parameters<typeof staged>[2]) =>
  () =>
    staged(stage, endpoint, then);

/** The function of this name. */
const functionNamed = ({ template }: Staged, name: string): TemplateResource =>
  template.all('AWS::Lambda::Function').find(({ Properties }) => Properties.FunctionName === name)!;

/** What the workflow is told. */
function planIn(on: Staged): StagePlan {
  const settings = functionNamed(on, 'delay-promotion').Properties.Environment.Variables.FLEDGE_STAGE as string;
  return JSON.parse(settings).plan as StagePlan;
}

/** Statements of the policy with this description, by Sid. */
function statements({ template }: Staged, description: string): Record<string, Statement> {
  const policy = template.all('AWS::IAM::ManagedPolicy').find(({ Properties }) => Properties.Description === description);
  return bySid(policy!.Properties.PolicyDocument.Statement);
}

describe('the least to write', () => {
  let on: Staged;
  beforeAll(() => {
    on = staged();
  });

  test('leaves the endpoint to be created with the first configuration and never updated: nothing in its entry can change', () => {
    const { Properties, DependsOn } = on.template.only('AWS::SageMaker::Endpoint');
    expect(Properties).toEqual({ EndpointName: 'delay', EndpointConfigName: '<CanaryFirstdelay>' });
    expect(DependsOn).toEqual(['DelayLogs']);
    expect(on.template.all('AWS::SageMaker::Model')).toEqual([]);
    expect(on.template.all('AWS::SageMaker::EndpointConfig')).toEqual([]);
  });

  test('tags the endpoint by a resource of its own, with what the command finds the stage by', () => {
    const { Properties } = on.template.only('Custom::EndpointTags');
    expect(Properties.EndpointArn).toBe('<Delay>');
    expect(JSON.parse(Properties.Tags as string)).toEqual([
      { Key: 'cdk-fledge:model-package-group', Value: 'delay' },
      { Key: 'cdk-fledge:stage-bucket', Value: '<CanaryRecordsBucket>' },
    ]);
  });

  test('makes the first configuration of the version that it publishes, encrypted and routed as the endpoint was', () => {
    const { Properties } = on.template.only('Custom::FirstConfiguration');
    expect(JSON.parse(Properties.Model as string)).toEqual({
      ExecutionRoleArn: '<DelayExecutionRole.Arn>',
      EnableNetworkIsolation: false,
      Containers: [{ ModelPackageName: expect.stringMatching(/^<CanaryRegistryVersion/) }],
    });
    expect(JSON.parse(Properties.Configuration as string)).toEqual({
      KmsKeyId: '<DelayKey.Arn>',
      ProductionVariants: [
        {
          VariantName: 'live',
          InstanceType: 'ml.c6i.large',
          InitialInstanceCount: 2,
          InitialVariantWeight: 1,
          RoutingConfig: { RoutingStrategy: 'LEAST_OUTSTANDING_REQUESTS' },
        },
      ],
    });
  });

  test('publishes the version, approved, with its digest and what it is served on, and keeps it', () => {
    const version = on.template.only('AWS::SageMaker::ModelPackage');
    expect(version).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(version.Properties).toMatchObject({
      ModelPackageGroupName: 'delay',
      ModelApprovalStatus: 'Approved',
      CustomerMetadataProperties: {
        'cdk-fledge:digest': DIGEST,
        'cdk-fledge:instance-type': 'ml.c6i.large',
        'cdk-fledge:instance-count': '2',
      },
    });
    expect(version.Properties.InferenceSpecification.Containers[0].ModelDataUrl).toBe(`s3://models-of-ours/models/${DIGEST}.tar.gz`);
  });

  test('keeps the group, but where the deployment that made it fails, and then takes its versions back before it', () => {
    expect(on.template.only('AWS::SageMaker::ModelPackageGroup')).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
    const between = on.template.only('Custom::FirstVersions');
    expect(between.Properties).toMatchObject({ GroupName: 'delay', ServiceToken: '<CanaryFirstdelayFunction.Arn>' });
    expect(between.DependsOn).toEqual(['CanaryRegistryGroup']);
    expect(on.template.only('AWS::SageMaker::ModelPackage').DependsOn).toContain('CanaryFirstdelayVersions');
  });

  test('starts a promotion when a version of the group is approved, but not for the one that the endpoint is created with', () => {
    const { Properties, DependsOn } = on.template.only('AWS::Events::Rule');
    expect(Properties.EventPattern).toEqual({
      source: ['aws.sagemaker'],
      'detail-type': ['SageMaker Model Package State Change'],
      detail: { ModelPackageGroupName: ['delay'], ModelApprovalStatus: ['Approved'] },
    });
    expect(Properties.Targets).toMatchObject([{ Arn: '<CanaryWorkflowLive>', DeadLetterConfig: { Arn: '<CanaryLostApprovals.Arn>' } }]);
    expect(DependsOn).toEqual(['Delay']);
  });

  test('runs the workflow as a durable function, by an alias of a published version that stays for those who began on it', () => {
    const { Properties } = functionNamed(on, 'delay-promotion');
    expect(Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Timeout: 900,
      DurableConfig: { RetentionPeriodInDays: 90 },
      DeadLetterConfig: { TargetArn: '<CanaryLostApprovals.Arn>' },
      KmsKeyArn: '<DelayKey.Arn>',
    });
    // Its turn, a day to decide, four updates, shadow and bake, and hours of a way back.
    expect(Properties.DurableConfig.ExecutionTimeout).toBe(86_400 + 300 + 86_400 + 300 + 4 * 3600 + 12 * 3600);
    const version = on.template.all('AWS::Lambda::Version');
    expect(version).toHaveLength(1);
    expect(version[0]).toMatchObject({ DeletionPolicy: 'Retain' });
    expect(on.template.only('AWS::Lambda::Alias').Properties).toMatchObject({ Name: 'live', FunctionName: '<CanaryWorkflow>' });
  });

  test('keeps the record encrypted and versioned, written once and never deleted, when the stack goes', () => {
    const bucket = Object.entries(on.template.resources).find(([id]) => id === 'CanaryRecordsBucket')![1];
    expect(bucket).toMatchObject({ DeletionPolicy: 'Retain', Properties: { VersioningConfiguration: { Status: 'Enabled' } } });
    const policy = on.template.all('AWS::S3::BucketPolicy').find(({ Properties }) => Properties.Bucket === '<CanaryRecordsBucket>')!
      .Properties.PolicyDocument.Statement as Statement[];
    const written = ['promotions/*/record/*', 'promotions/*/controls/*', 'promotions/*/outcome.json'].map(
      (key) => `<CanaryRecordsBucket.Arn>/${key}`,
    );
    expect(bySid(policy.filter(({ Sid }) => Sid !== undefined))).toEqual({
      WriteOnce: {
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:PutObject',
        Resource: written,
        Condition: { Null: { 's3:if-none-match': 'true' } },
      },
      NeverDelete: { Effect: 'Deny', Principal: '*', Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'], Resource: written },
    });
  });

  test('plans a shadow, then 5, 25 and 50 %, judged every minute, with a day to decide', () => {
    const plan = planIn(on);
    expect(plan).toMatchObject({
      steps: [
        { kind: 'shadow', percent: 100, bakeSeconds: 300 },
        { kind: 'percent', percent: 5, bakeSeconds: 300 },
        { kind: 'percent', percent: 25, bakeSeconds: 300 },
        { kind: 'percent', percent: 50, bakeSeconds: 300 },
      ],
      profile: 'standard',
      settings: {},
      binSeconds: 60,
      tickSeconds: 60,
      settleSeconds: 120,
      deadlineSeconds: 86_400,
      onDeadline: 'rollBack',
      approval: 'none',
      whenBusy: 'wait',
      guardrail: { waitSeconds: 300, alarms: [] },
    });
    expect(plan.metrics.map(({ id }) => id)).toEqual(['server-errors', 'model-errors', 'latency']);
  });

  test('wakes a person for a promotion that died, hangs or is held, and for an approval that was lost', () => {
    const names = on.template.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.AlarmName as string);
    expect(names).toEqual(
      expect.arrayContaining([
        'delay-promotion-died-count',
        'delay-promotion-hangs-count',
        'delay-promotion-held-count',
        'delay-lost-approvals-count',
      ]),
    );
    for (const { Properties } of on.template.all('AWS::CloudWatch::Alarm')) {
      expect(Properties.AlarmActions).toEqual(['<DelayWatchTopic>']);
    }
  });

  test('has no alarm of a rollout left, since none moves the traffic', () => {
    const names = on.template.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.AlarmName as string);
    expect(names.filter((name) => name.includes('new-fleet'))).toEqual([]);
  });

  test("shows live against candidate and the evidence on the endpoint's page", () => {
    const body = on.template.only('AWS::CloudWatch::Dashboard').Properties.DashboardBody as string;
    const titles = (JSON.parse(body).widgets as { properties: { title?: string } }[]).map(({ properties }) => properties.title);
    expect(titles).toEqual(
      expect.arrayContaining([
        'Promotions',
        "Candidate's share (% of requests)",
        '5xx, live against candidate (%)',
        'Worse: evidence (1 rolls back)',
        'Not worse: evidence (all at 1 promote)',
      ]),
    );
    expect(titles).not.toContain('Rolls back an update');
  });

  test("lets the endpoint's role read every version of the store, and use every package of the group", () => {
    const role = statements(on, 'what the SageMaker endpoint delay does');
    expect(role.UseModelPackages).toEqual({
      Effect: 'Allow',
      Action: ['sagemaker:AccessModelPackage', 'sagemaker:DescribeModelPackage'],
      Resource: `${GROUP}:model-package/delay/*`,
    });
    expect(role.ReadModel2).toEqual({ Effect: 'Allow', Action: 's3:GetObject', Resource: '<StoreModelsBucket.Arn>/models/*' });
    expect(role.ReadModel3).toEqual({ Effect: 'Allow', Action: 's3:GetObject', Resource: `${MODELS_OF_OURS}/models/*` });
    expect(role.ListModel2).toEqual({
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: MODELS_OF_OURS,
      Condition: { StringLike: { 's3:prefix': ['models/', 'models/*'] } },
    });
  });

  test('lets who makes the first configuration do that, on this endpoint alone', () => {
    expect(statements(on, 'what delay-first-configuration does')).toEqual({
      WriteLog: {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: 'arn:<AWS::Partition>:logs:eu-west-1:111122223333:log-group:/aws/lambda/delay-first-configuration:*',
      },
      DecryptSettings: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '<DelayKey.Arn>' },
      MakeFirst: {
        Effect: 'Allow',
        Action: ['sagemaker:AddTags', 'sagemaker:CreateEndpointConfig', 'sagemaker:CreateModel'],
        Resource: [`${GROUP}:endpoint-config/delay-*`, `${GROUP}:model/delay-*`],
      },
      ReadPackage: { Effect: 'Allow', Action: 'sagemaker:DescribeModelPackage', Resource: `${GROUP}:model-package/delay/*` },
      PassRole: {
        Effect: 'Allow',
        Action: 'iam:PassRole',
        Resource: '<DelayExecutionRole.Arn>',
        Condition: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
      },
      TagEndpoint: { Effect: 'Allow', Action: ['sagemaker:AddTags', 'sagemaker:DeleteTags'], Resource: `${GROUP}:endpoint/delay` },
      LookWhatServes: { Effect: 'Allow', Action: 'sagemaker:DescribeEndpoint', Resource: `${GROUP}:endpoint/delay` },
      ReadWhatServes: {
        Effect: 'Allow',
        Action: ['sagemaker:DescribeEndpointConfig', 'sagemaker:DescribeModel'],
        Resource: [`${GROUP}:endpoint-config/delay-*`, `${GROUP}:model/delay-*`],
      },
      ClearAway: {
        Effect: 'Allow',
        Action: ['sagemaker:DeleteEndpointConfig', 'sagemaker:DeleteModel'],
        Resource: [`${GROUP}:endpoint-config/delay-*`, `${GROUP}:model/delay-*`],
      },
      ClearAlarms: {
        Effect: 'Allow',
        Action: 'cloudwatch:DeleteAlarms',
        Resource: 'arn:<AWS::Partition>:cloudwatch:eu-west-1:111122223333:alarm:delay-*',
      },
      LookWhetherStackGoesBack: { Effect: 'Allow', Action: 'cloudformation:DescribeStacks', Resource: '<AWS::StackId>' },
      ListVersions: { Effect: 'Allow', Action: 'sagemaker:ListModelPackages', Resource: `${GROUP}:model-package-group/delay` },
      TakeVersionsBack: { Effect: 'Allow', Action: 'sagemaker:DeleteModelPackage', Resource: `${GROUP}:model-package/delay/*` },
      ListWhatWasMade: { Effect: 'Allow', Action: ['sagemaker:ListEndpointConfigs', 'sagemaker:ListModels'], Resource: '*' },
    });
  });

  test('takes the workflow and what it may do away before the endpoint, and clears away what it made last', () => {
    for (const id of ['CanaryWorkflow', 'CanaryWorkflowPolicy', 'CanaryWorkflowRole', 'CanaryWorkflowLive']) {
      const { DependsOn } = on.template.resources[id];
      expect(DependsOn).toEqual(expect.arrayContaining(['CanaryFirstdelay', 'CanaryFirstdelayFunctionPolicy', 'Delay']));
    }
  });

  test('lets the workflow make its calls, each on this endpoint alone', () => {
    expect(statements(on, 'what delay-promotion does')).toEqual({
      WriteLog: {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: 'arn:<AWS::Partition>:logs:eu-west-1:111122223333:log-group:/aws/lambda/delay-promotion:*',
      },
      KeepCheckpoints: {
        Effect: 'Allow',
        Action: ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'],
        Resource: 'arn:<AWS::Partition>:lambda:eu-west-1:111122223333:function:delay-promotion:*',
      },
      KeepLost: { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: '<CanaryLostApprovals.Arn>' },
      DecryptSettings: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '<DelayKey.Arn>' },
      Endpoint: {
        Effect: 'Allow',
        Action: [
          'sagemaker:DescribeEndpoint',
          'sagemaker:InvokeEndpoint',
          'sagemaker:UpdateEndpoint',
          'sagemaker:UpdateEndpointWeightsAndCapacities',
        ],
        Resource: `${GROUP}:endpoint/delay`,
      },
      OwnConfiguration: {
        Effect: 'Allow',
        Action: [
          'sagemaker:AddTags',
          'sagemaker:CreateEndpointConfig',
          'sagemaker:DeleteEndpointConfig',
          'sagemaker:DescribeEndpointConfig',
          'sagemaker:UpdateEndpoint',
        ],
        Resource: `${GROUP}:endpoint-config/delay-*`,
      },
      OwnModel: {
        Effect: 'Allow',
        Action: ['sagemaker:AddTags', 'sagemaker:CreateModel', 'sagemaker:DeleteModel', 'sagemaker:DescribeModel'],
        Resource: `${GROUP}:model/delay-*`,
      },
      Role: {
        Effect: 'Allow',
        Action: 'iam:PassRole',
        Resource: '<DelayExecutionRole.Arn>',
        Condition: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
      },
      ModelPackage: { Effect: 'Allow', Action: 'sagemaker:DescribeModelPackage', Resource: `${GROUP}:model-package/delay/*` },
      Look: {
        Effect: 'Allow',
        Action: [
          'application-autoscaling:DescribeScalableTargets',
          'application-autoscaling:DescribeScalingPolicies',
          'application-autoscaling:DescribeScheduledActions',
          'cloudwatch:GetMetricData',
        ],
        Resource: '*',
      },
      Look2: {
        Effect: 'Allow',
        Action: 'cloudwatch:PutMetricData',
        Resource: '*',
        Condition: { StringEquals: { 'cloudwatch:namespace': 'CdkFledge' } },
      },
      OwnAlarms: {
        Effect: 'Allow',
        Action: ['cloudwatch:DeleteAlarms', 'cloudwatch:PutMetricAlarm'],
        Resource: 'arn:<AWS::Partition>:cloudwatch:eu-west-1:111122223333:alarm:delay-*',
      },
      StageObjects: {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject'],
        Resource: ['promotions/delay/*', 'locks/delay.json'].map((key) => `arn:<AWS::Partition>:s3:::<CanaryRecordsBucket>/${key}`),
      },
      ReadSamples: { Effect: 'Allow', Action: 's3:GetObject', Resource: '<CanaryRecordsBucket.Arn>/samples/*' },
      Artifacts: {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: ['<StoreModelsBucket.Arn>/models/*', `${MODELS_OF_OURS}/models/*`],
      },
      Bucket: { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:<AWS::Partition>:s3:::<CanaryRecordsBucket>' },
      ArtifactBucket: { Effect: 'Allow', Action: 's3:ListBucket', Resource: ['<StoreModelsBucket.Arn>', MODELS_OF_OURS] },
      Topic: { Effect: 'Allow', Action: 'sns:Publish', Resource: '<CanaryNotices>' },
      EncryptRecord: { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '<DelayKey.Arn>' },
      ReadModels: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '<StoreKey.Arn>' },
      EncryptVolumes: {
        Effect: 'Allow',
        Action: 'kms:CreateGrant',
        Resource: '<DelayKey.Arn>',
        Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      },
      DescribeVolumeKey: { Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '<DelayKey.Arn>' },
    });
  });

  test('lets it take a variant that scales off scaling and put it back, where there is one', () => {
    const scaled = staged(
      {},
      {
        capacity: Capacity.instances({ instanceType: 'ml.c6i.large', min: 2, max: 4 }),
        scaling: [Scaling.cpuUtilization({ percent: 50 })],
      },
    );
    const { ScalableTargets, TrackingAlarms } = statements(scaled, 'what delay-promotion does');
    expect(ScalableTargets).toEqual({
      Effect: 'Allow',
      Action: [
        'application-autoscaling:DeregisterScalableTarget',
        'application-autoscaling:PutScalingPolicy',
        'application-autoscaling:PutScheduledAction',
        'application-autoscaling:RegisterScalableTarget',
      ],
      Resource: 'arn:<AWS::Partition>:application-autoscaling:eu-west-1:111122223333:scalable-target/*',
      Condition: {
        StringEquals: {
          'application-autoscaling:service-namespace': 'sagemaker',
          'application-autoscaling:scalable-dimension': 'sagemaker:variant:DesiredInstanceCount',
        },
      },
    });
    expect(TrackingAlarms).toEqual({
      Effect: 'Allow',
      Action: ['cloudwatch:DeleteAlarms', 'cloudwatch:DescribeAlarms', 'cloudwatch:PutMetricAlarm'],
      Resource: 'arn:<AWS::Partition>:cloudwatch:eu-west-1:111122223333:alarm:TargetTracking-endpoint/delay/*',
    });
  });
});

describe('versions elsewhere than in the store', () => {
  const elsewhere = (key: string, encryptionKey?: (stack: Stack) => IKey) => {
    const stack = newStack();
    const bucket = Bucket.fromBucketAttributes(stack, 'Published', { bucketName: 'published', encryptionKey: encryptionKey?.(stack) });
    const endpoint = new ModelEndpoint(stack, 'Delay', {
      endpointName: 'delay',
      artifact: ModelArtifact.fromBucket(bucket, key, DIGEST),
      image: ServingImage.sklearn('1.2'),
    });
    const stage = new CanaryStage(stack, 'Canary', { endpoint, modelStore: new ModelStore(stack, 'Store') });
    return { stack, endpoint, stage, template: new ReadableTemplate(stack) };
  };
  const published = 'arn:<AWS::Partition>:s3:::published';

  test('are read by the workflow and by the role, below the prefix of the one that the template names, and decrypted', () => {
    const on = elsewhere(`team/delay/${DIGEST}.tar.gz`, (stack) => new Key(stack, 'Theirs'));
    const { Artifacts, ArtifactBucket, ReadModels } = statements(on, 'what delay-promotion does');
    expect(Artifacts.Resource).toEqual(['<StoreModelsBucket.Arn>/models/*', `${published}/team/delay/*`]);
    expect(ArtifactBucket.Resource).toEqual(['<StoreModelsBucket.Arn>', published]);
    expect(ReadModels.Resource).toEqual(['<StoreKey.Arn>', '<Theirs.Arn>']);
    const role = statements(on, 'what the SageMaker endpoint delay does');
    expect(Object.values(role).flatMap(({ Resource }) => Resource)).toContain(`${published}/team/delay/*`);
  });

  test('are those beside it where it is a prefix itself', () => {
    const { Artifacts } = statements(elsewhere('delay/2/'), 'what delay-promotion does');
    expect(Artifacts.Resource).toEqual(['<StoreModelsBucket.Arn>/models/*', `${published}/delay/*`]);
  });

  test.each(['model.tar.gz', 'delay-2/'])('are refused at the top of a bucket, which the stage would have to read whole: %s', (key) => {
    expect(() => elsewhere(key)).toThrow(`'${key}' does not say under which prefix they lie. Put it under one`);
  });

  test('in the store are read there alone', () => {
    const on = staged({}, {}, undefined, (stack) => {
      const store = stack.node.findChild('Store') as ModelStore;
      return ModelArtifact.fromBucket(store.bucket, store.archiveKey(DIGEST), DIGEST);
    });
    expect(statements(on, 'what delay-promotion does').Artifacts.Resource).toBe('<StoreModelsBucket.Arn>/models/*');
  });
});

test('an endpoint named in capitals: the workflow may set the alarms that it gives names in lower case', () => {
  const { OwnAlarms } = statements(staged({}, { endpointName: 'FlightDelay' }), 'what FlightDelay-promotion does');
  const { errorsAlarm } = namesOf({ endpointName: 'FlightDelay', promotionId: 'any' });
  expect(OwnAlarms.Resource).toBe('arn:<AWS::Partition>:cloudwatch:eu-west-1:111122223333:alarm:flightdelay-*');
  expect(errorsAlarm).toMatch(/^flightdelay-/);
});

describe('each option', () => {
  test('of the steps, the judge, the approval, the deadline and the move reaches the workflow', () => {
    const on = staged(
      {
        steps: [
          CanaryStep.shadow({ percent: 20, bake: Duration.minutes(10) }),
          CanaryStep.percent(10),
          CanaryStep.percent(50, { bake: Duration.hours(1) }),
        ],
        judge: CanaryJudge.standard({
          margin: 1.5,
          latencyTolerance: 0,
          leastSlowdown: Duration.millis(0.5),
          falseRollback: 0.01,
          falsePromotion: 0.1,
          metrics: [
            JudgedMetric.wrongAnswers(),
            JudgedMetric.counted('refused loans', { metricNamespace: 'Bank', bad: 'Refused', requests: 'Asked', required: false }),
          ],
          bin: Duration.seconds(10),
          block: Duration.seconds(30),
          settle: Duration.seconds(30),
        }),
        approval: Approval.manual({ timeout: Duration.minutes(40) }),
        deadline: Duration.hours(2),
        onDeadline: OnDeadline.ASK,
        whenBusy: WhenBusy.SUPERSEDE,
        goLive: GoLive.canary({ percent: 50, bake: Duration.minutes(20) }),
        candidateInstances: 3,
        updateTimeout: Duration.minutes(30),
        refuseUnknownClasses: true,
      },
      { enhancedMetricsPeriod: Duration.seconds(10) },
    );
    expect(planIn(on)).toMatchObject({
      steps: [
        { kind: 'shadow', percent: 20, bakeSeconds: 600 },
        { kind: 'percent', percent: 10, bakeSeconds: 300 },
        { kind: 'percent', percent: 50, bakeSeconds: 3600 },
      ],
      settings: { margin: 1.5, latencyTolerance: 0, leastSlowdownMilliseconds: 0.5, alpha: 0.01, beta: 0.1, blockSeconds: 30 },
      binSeconds: 10,
      tickSeconds: 10,
      settleSeconds: 30,
      approval: 'manual',
      approvalSeconds: 2400,
      deadlineSeconds: 7200,
      onDeadline: 'ask',
      whenBusy: 'supersede',
      guardrail: { canaryPercent: 50, waitSeconds: 1200 },
      candidateInstances: 3,
      updateSeconds: 1800,
      artifact: { policy: { dangerous: 'refuse', unknown: 'refuse' } },
    });
    expect(planIn(on).metrics.slice(3)).toMatchObject([
      { id: 'wrong-answers', margin: 1.25, source: { namespace: 'CdkFledge', bad: 'WrongAnswers', requests: 'KnownOutcomes' } },
      { id: 'refused-loans', name: 'refused loans', required: false, source: { namespace: 'Bank', bad: 'Refused', requests: 'Asked' } },
    ]);
  });

  test('alarms of the user roll back the move too', () => {
    const metric = new Metric({ namespace: 'Shop', metricName: 'Complaints' });
    const on = staged((stack) => {
      const alarm = new Alarm(stack, 'Complaints', { metric, threshold: 1, evaluationPeriods: 1, alarmName: 'complaints' });
      return { goLive: GoLive.allAtOnce({ alarms: [alarm] }) };
    });
    expect(planIn(on).guardrail?.alarms).toEqual(['<Complaints>']);
  });

  test('a key that must have signed is in the plan, and its public half may be read', () => {
    const on = staged((stack) => ({
      signingKeys: [new Key(stack, 'Signer', { keySpec: KeySpec.ECC_NIST_P256, keyUsage: KeyUsage.SIGN_VERIFY })],
    }));
    expect(planIn(on).artifact?.signedBy).toEqual(['<Signer.Arn>']);
    expect(statements(on, 'what delay-promotion does').ReadSigners).toEqual({
      Effect: 'Allow',
      Action: 'kms:GetPublicKey',
      Resource: '<Signer.Arn>',
    });
  });

  test('a version that is not approved by deploying it waits in the registry', () => {
    const { Properties } = staged({ approveOnDeploy: false }).template.only('AWS::SageMaker::ModelPackage');
    expect(Properties.ModelApprovalStatus).toBe('PendingManualApproval');
    expect(Properties.ApprovalDescription).toBeUndefined();
  });

  test('a model package as the artifact is promoted within its own group', () => {
    const artifact = ModelArtifact.fromModelPackage(`arn:aws:sagemaker:eu-west-1:111122223333:model-package/Arrivals/3`);
    const { template } = staged({}, { artifact, image: undefined });
    expect(template.all('AWS::SageMaker::ModelPackageGroup')).toEqual([]);
    expect(template.all('AWS::SageMaker::ModelPackage')).toEqual([]);
    expect(template.only('AWS::Events::Rule').Properties.EventPattern.detail.ModelPackageGroupName).toEqual(['Arrivals']);
  });

  test("waiting for the promotion makes a resource that waits, for the record's end of this version", () => {
    const on = staged({
      waitFor: WaitFor.PROMOTED,
      steps: [CanaryStep.percent(50)],
      deadline: Duration.minutes(10),
      updateTimeout: Duration.minutes(10),
      goLive: GoLive.allAtOnce({ bake: Duration.minutes(2) }),
    });
    const awaited = on.template.only('Custom::AwaitedPromotion');
    expect(awaited.Properties).toMatchObject({
      ServiceToken: '<CanaryAwaiteddelayFunctionLive>',
      ServiceTimeout: '3600',
      EndpointName: 'delay',
    });
    expect(awaited.DependsOn).toEqual(expect.arrayContaining(['Delay', 'CanaryApproved']));
    expect(functionNamed(on, 'delay-await-promotion').Properties.DurableConfig).toEqual({
      ExecutionTimeout: 3600,
      RetentionPeriodInDays: 90,
    });
  });

  test('people and pipelines are granted what they do, and no more', () => {
    const on = staged({}, {}, ({ stack, stage }) => {
      for (const [id, grant] of Object.entries({
        Publisher: (role: Role) => stage.grantPublish(role),
        Approver: (role: Role) => stage.grantApprove(role),
        Operator: (role: Role) => stage.grantControl(role),
      })) {
        grant(new Role(stack, id, { assumedBy: new AccountRootPrincipal() }));
      }
    });
    const actions = (id: string) =>
      on.template
        .all('AWS::IAM::Policy')
        .filter(({ Properties }) => Properties.Roles[0] === `<${id}>`)
        .flatMap(({ Properties }) => (Properties.PolicyDocument.Statement as Statement[]).flatMap(({ Action }) => Action))
        .sort();
    const watches = [
      'cloudwatch:GetMetricData',
      'kms:Decrypt',
      's3:GetObject',
      's3:ListBucket',
      'sagemaker:DescribeEndpoint',
      'sagemaker:DescribeEndpointConfig',
      'sagemaker:DescribeModel',
      'sagemaker:DescribeModelPackage',
      'sagemaker:ListModelPackages',
      'sagemaker:ListTags',
    ];
    expect(actions('Publisher')).toEqual(
      [
        'kms:Decrypt',
        'kms:GenerateDataKey',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
        's3:PutObject',
        'sagemaker:CreateModelPackage',
        'sagemaker:DescribeModelPackage',
      ].sort(),
    );
    expect(actions('Approver')).toEqual([...watches, 'sagemaker:UpdateModelPackage'].sort());
    expect(actions('Operator')).toEqual([...watches, 'kms:GenerateDataKey', 's3:PutObject'].sort());
  });
});

describe("an endpoint's life in the template", () => {
  /** The template of an app whose model, instances or tags are as given. */
  const template = (digest = DIGEST, instanceType = 'ml.c6i.large', tag = 'a'): Staged => {
    const stack = newStack();
    stack.node.setContext(EXPLICIT_STACK_TAGS, true);
    const endpoint = new ModelEndpoint(stack, 'Delay', {
      endpointName: 'delay',
      artifact: publishedArtifact(stack, digest),
      image: ServingImage.sklearn('1.2'),
      modelStore: new ModelStore(stack, 'Store'),
      capacity: Capacity.instances({ instanceType, min: 2, max: 4 }),
      scaling: [Scaling.invocationsPerInstance({ perSecond: 10 })],
    });
    Tags.of(stack).add('team', tag);
    return { stack, endpoint, stage: new CanaryStage(stack, 'Canary', { endpoint }), template: new ReadableTemplate(stack) };
  };
  const logicalIds = ({ template: { raw } }: Staged, type: string) =>
    Object.entries(raw.Resources as Record<string, Json>).flatMap(([id, { Type }]) => (Type === type ? id : []));
  const endpointOf = ({ template: { raw } }: Staged) =>
    Object.values(raw.Resources as Record<string, Json>).find(({ Type }) => Type === 'AWS::SageMaker::Endpoint');

  test('deploying the same again changes nothing', () => {
    expect(template().template.raw).toEqual(template().template.raw);
  });

  test('a new model is a new version beside the old one, and the entry of the endpoint stays as it was', () => {
    const [before, after] = [template(), template('0'.repeat(64))];
    expect(logicalIds(after, 'AWS::SageMaker::ModelPackage')).not.toEqual(logicalIds(before, 'AWS::SageMaker::ModelPackage'));
    expect(logicalIds(after, 'Custom::FirstConfiguration')).toEqual(logicalIds(before, 'Custom::FirstConfiguration'));
    expect(endpointOf(after)).toEqual(endpointOf(before));
  });

  test('another instance type is a new version too: it is judged like a new model', () => {
    const [before, after] = [template(), template(DIGEST, 'ml.c7i.large')];
    expect(logicalIds(after, 'AWS::SageMaker::ModelPackage')).not.toEqual(logicalIds(before, 'AWS::SageMaker::ModelPackage'));
    expect(endpointOf(after)).toEqual(endpointOf(before));
  });

  test('scaling that comes or goes leaves the entry of the endpoint as it was, whoever sets what else on it and when', () => {
    const capacity = Capacity.instances({ instanceType: 'ml.c6i.large', min: 2, max: 4 });
    const [without, scaled] = [[], [Scaling.cpuUtilization({ percent: 50 })]].map((scaling) =>
      endpointOf(
        staged({}, { capacity, scaling }, ({ endpoint }) => {
          const entry = endpoint.node.findChild('Resource') as CfnEndpoint;
          entry.deploymentConfig = { autoRollbackConfiguration: { alarms: [{ alarmName: 'late' }] } };
          entry.retainDeploymentConfig = true;
        }),
      ),
    );
    expect(Object.keys(scaled!.Properties)).toEqual(['EndpointName', 'EndpointConfigName']);
    expect(scaled).toEqual(without);
  });

  test('an endpoint of another name has custom resources and functions of its own, as CloudFormation lets none change its function', () => {
    const plan = {
      waitFor: WaitFor.PROMOTED,
      steps: [CanaryStep.percent(50)],
      deadline: Duration.minutes(10),
      updateTimeout: Duration.minutes(10),
      goLive: GoLive.allAtOnce({ bake: Duration.minutes(2) }),
    };
    const [before, after] = ['delay', 'delay-eu'].map((endpointName) => staged(plan, { endpointName }));
    const custom = ({ template: { raw } }: Staged) =>
      Object.entries(raw.Resources as Record<string, Json>)
        .filter(([, { Type }]) => Type.startsWith('Custom::'))
        .map(([id, { Properties }]) => [id, JSON.stringify(Properties.ServiceToken)] as const);
    expect(custom(before)).toHaveLength(4);
    for (const [id, token] of custom(before)) {
      expect(custom(after).map(([other]) => other)).not.toContain(id);
      expect(custom(after).map(([, other]) => other)).not.toContain(token);
    }
    expect(custom(staged(plan))).toEqual(custom(before));
  });

  test('other tags are none, and leave the entry of the endpoint as it was', () => {
    const [before, after] = [template(), template(DIGEST, 'ml.c6i.large', 'b')];
    expect(logicalIds(after, 'AWS::SageMaker::ModelPackage')).toEqual(logicalIds(before, 'AWS::SageMaker::ModelPackage'));
    expect(endpointOf(after)).toEqual(endpointOf(before));
    expect(after.template.only('Custom::EndpointTags').Properties.Tags).toContain('"Value":"b"');
    expect(after.template.only('AWS::SageMaker::ModelPackageGroup').Properties.Tags).toContainEqual({ Key: 'team', Value: 'b' });
    expect(after.template.only('AWS::SageMaker::ModelPackage').Properties).not.toHaveProperty('Tags');
  });
});

test('names, keys and regions at their longest: no policy is longer than IAM takes, and the function waits for each', () => {
  const name = 'n'.repeat(63);
  const stack = newStack({ env: { account: '111122223333', region: 'us-gov-west-1' } });
  const endpoint = new ModelEndpoint(stack, 'Delay', {
    endpointName: name,
    artifact: publishedArtifact(stack),
    image: ServingImage.sklearn('1.2'),
    modelStore: new ModelStore(stack, 'Store'),
    capacity: Capacity.instances({ instanceType: 'ml.m5.large', min: 2, max: 4 }),
    scaling: [Scaling.cpuUtilization({ percent: 50 })],
  });
  const spec = { keySpec: KeySpec.ECC_NIST_P256, keyUsage: KeyUsage.SIGN_VERIFY };
  const signingKeys = Array.from({ length: 9 }, (_, i) => new Key(stack, `Signer${i}`, spec));
  new CanaryStage(stack, 'Canary', { endpoint, signingKeys });
  const template = new ReadableTemplate(stack);
  const policies = template
    .all('AWS::IAM::ManagedPolicy')
    .filter(({ Properties }) => /^what n.*-promotion does$/.test(Properties.Description));
  expect(policies).toHaveLength(2);
  const deployed = (text: string) => text.replace(/<AWS::Partition>/g, 'aws-us-gov').replace(/<[^>]*>/g, 'arn:'.padEnd(84, 'x'));
  for (const { Properties } of template.all('AWS::IAM::ManagedPolicy')) {
    expect(deployed(JSON.stringify(Properties.PolicyDocument)).length).toBeLessThanOrEqual(6144);
  }
  const workflow = template.all('AWS::Lambda::Function').find(({ Properties }) => Properties.Description?.startsWith('promotes versions'))!;
  expect(workflow.DependsOn).toEqual(expect.arrayContaining(['CanaryWorkflowPolicy', expect.stringMatching(/^CanaryWorkflowPolicy2/)]));
});

describe('what lies in another stack', () => {
  /** What the template names and has not. */
  function dangling({ raw }: ReadableTemplate): string[] {
    const names = [...JSON.stringify(raw.Resources).matchAll(/"(?:Ref\\*":\\*"|Fn::GetAtt\\*":\[\\*")(?!AWS::)(\w+)/g)].map(
      ([, name]) => name!,
    );
    return [...new Set(names)].filter((name) => raw.Resources[name] === undefined);
  }

  test('is imported by the stage: store, key, topic, and the key in the first configuration', () => {
    const env = { account: '111122223333', region: 'eu-west-1' };
    const app = new App();
    const shared = new Stack(app, 'Shared', { env });
    const encryptionKey = new Key(shared, 'Key');
    const modelStore = new ModelStore(shared, 'Store', { encryptionKey });
    const stack = new Stack(app, 'Shop', { env });
    const artifact = publishedArtifact(stack);
    const dataCapture = DataCapture.sampled();
    const image = ServingImage.sklearn('1.2');
    const endpoint = new ModelEndpoint(stack, 'Delay', { endpointName: 'delay', artifact, image, modelStore, encryptionKey, dataCapture });
    new CanaryStage(stack, 'Canary', { endpoint, topic: new Topic(shared, 'Topic', { masterKey: new Key(shared, 'OfTopic') }) });
    const template = new ReadableTemplate(stack);
    expect(dangling(template)).toEqual([]);
    expect(JSON.stringify(template.only('Custom::FirstConfiguration').Properties.Configuration)).toMatch(/KmsKeyId.*Shared:ExportsOutput/);
    const policy = template
      .all('AWS::IAM::ManagedPolicy')
      .find(({ Properties }) => /^promotes|delay-promotion/.test(Properties.Description));
    expect(bySid(policy!.Properties.PolicyDocument.Statement).EncryptNotices).toMatchObject({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: { 'Fn::ImportValue': expect.stringContaining('OfTopic') },
    });
  });
});

describe('is refused', () => {
  test.each<[string, Partial<CanaryStageProps>, Partial<ModelEndpointProps>, string]>([
    [
      'a serverless endpoint',
      {},
      { capacity: Capacity.serverless() },
      'a CanaryStage is for Capacity.instances, and a serverless endpoint takes no second variant: use a Rollout',
    ],
    [
      'an async endpoint',
      {},
      { capacity: Capacity.async({ instanceType: 'ml.m5.large', min: 1, max: 2 }) },
      'an async endpoint publishes no Invocations to judge by',
    ],
    [
      'an endpoint with a rollout of its own',
      {},
      { rollout: Rollout.canary() },
      'a CanaryStage moves the traffic of delay itself: leave its rollout out',
    ],
    [
      "a variant of the candidate's name",
      {},
      { variantName: 'candidate' },
      "the variant of delay has the name that its stage gives to what it brings in: give it another variantName than 'candidate'",
    ],
    ['an endpoint without a store', {}, { modelStore: undefined }, 'give the endpoint or the stage a modelStore'],
    ['no routed share', { steps: [CanaryStep.shadow()] }, {}, 'plan.steps routes no requests to the candidate'],
    [
      'bins of seconds and a day to decide',
      { judge: CanaryJudge.standard({ bin: Duration.seconds(10) }) },
      {},
      'plan.deadlineSeconds is 86400: CloudWatch keeps bins of 10 s for 3 h',
    ],
    [
      'bins shorter than the counts that CloudWatch has',
      { judge: CanaryJudge.standard({ bin: Duration.seconds(10) }), deadline: Duration.hours(2) },
      { enhancedMetricsPeriod: Duration.seconds(30) },
      'a bin of 10 s needs counts as short: give delay an enhancedMetricsPeriod of at most 10 s, it has 30 s',
    ],
    ['shares that fall', { steps: [CanaryStep.percent(25), CanaryStep.percent(5)] }, {}, 'shares only rise'],
    ['half an instance', { candidateInstances: 0.5 }, {}, 'candidateInstances is a whole number of at least 1, got 0.5'],
    ['an update of a minute', { updateTimeout: Duration.minutes(1) }, {}, 'updateTimeout is 600 to 28800 s, got 60'],
    ['no signing key', { signingKeys: [] }, {}, 'signingKeys is empty'],
    [
      'a wait for a version that nobody approves',
      { waitFor: WaitFor.PROMOTED, approveOnDeploy: false },
      {},
      'waitFor PROMOTED waits for the version that is deployed, which approveOnDeploy false leaves unapproved',
    ],
    [
      'a wait that CloudFormation would not bear',
      { waitFor: WaitFor.PROMOTED },
      {},
      'waitFor PROMOTED waits for as long as CloudFormation does, 58 min; this promotion may take 1690 min: 4 updates of 60 min, a deadline of 1440 min',
    ],
  ])('%s, with the way out', (_, stage, endpoint, message) => {
    expect(refused(stage, endpoint)).toThrow(message);
  });

  test('a directory that would lie in the asset bucket', () => {
    const artifact = ModelArtifact.fromDirectory('model-artifacts/flight-delay/1');
    expect(refused({}, { artifact, image: undefined, modelStore: undefined })).toThrow(
      "a CanaryStage keeps versions for as long as they may serve, longer than the CDK's asset bucket does: give delay a modelStore",
    );
  });

  test('another stack than its endpoint’s', () => {
    const { stack, endpoint } = staged();
    expect(() => new CanaryStage(new Stack(stack.node.root, 'Other'), 'Stage', { endpoint })).toThrow(
      'the stage Other/Stage and its endpoint Shop/Delay belong in one stack',
    );
  });

  test('a group that SageMaker would not name so, and a key by its alias', () => {
    const group = "a model package group's name has 1 to 63 letters, digits and inner hyphens, got";
    expect(() => staged({ modelPackageGroupName: 'bad name_!' })).toThrow(group);
    expect(() => staged({ modelPackageGroupName: 'g'.repeat(80) })).toThrow(group);
    expect(() => staged((stack) => ({ encryptionKey: Alias.fromAliasName(stack, 'Ours', 'alias/ours') }))).toThrow(
      'is the alias alias/ours',
    );
  });

  test('a second stage, and a second variant', () => {
    const { stack, endpoint } = staged();
    expect(() => new CanaryStage(stack, 'Another', { endpoint })).toThrow('the endpoint delay has a stage already');
    expect(() => endpoint.addVariant('challenger', { artifact: publishedArtifact(stack) })).toThrow(
      'which brings its own second variant in',
    );
  });

  test('a stack with tags of its own, which CloudFormation would put on a version and on the endpoint', () => {
    const message = /the stack of delay's stage has tags of its own \(team\).*"@aws-cdk\/core:explicitStackTags": true/;
    expect(refused({}, {}, ({ stack }) => Tags.of(stack).add('team', 'a'))).toThrow(message);
    expect(refused({}, {}, ({ stack }) => stack.tags.setTag('team', 'a'))).toThrow(message);
    const parent = newStack();
    parent.node.setContext(EXPLICIT_STACK_TAGS, true);
    const nested = new NestedStack(parent, 'Nested');
    const endpoint = new ModelEndpoint(nested, 'Delay', {
      endpointName: 'delay',
      artifact: publishedArtifact(nested),
      image: ServingImage.sklearn('1.2'),
      modelStore: new ModelStore(nested, 'Store'),
    });
    new CanaryStage(nested, 'Canary', { endpoint });
    const excludeResourceTypes = ['AWS::CloudFormation::Stack'];
    Tags.of(parent).add('cost', '7', { excludeResourceTypes });
    expect(() => new ReadableTemplate(parent)).not.toThrow();
    Tags.of(parent).add('team', 'a');
    expect(() => new ReadableTemplate(parent)).toThrow(message);
  });

  test.each([
    [() => CanaryStep.percent(51), 'a routed share is above 0 and at most 50 percent, got 51'],
    [() => CanaryStep.shadow({ percent: 0 }), 'a shadow share is above 0 and at most 100 percent, got 0'],
    [() => CanaryJudge.standard({ margin: 1 }), "setting 'margin' must be above 1, not 1"],
    [() => CanaryJudge.standard({ falseRollback: 1 }), "setting 'falseRollback' must be above 0 and below 1, not 1"],
    [() => CanaryJudge.standard({ block: Duration.seconds(0) }), "setting 'block' must be above 0, not 0"],
    [() => CanaryJudge.standard({ margin: Token.asNumber({ Ref: 'Margin' }) }), 'margin of a judge must be written out'],
    [
      () => CanaryJudge.standard({ metrics: [JudgedMetric.counted('Latency', { metricNamespace: 'a', bad: 'b', requests: 'c' })] }),
      "the judge has the metric 'Latency' twice",
    ],
    [() => CanaryStep.percent(Token.asNumber({ Ref: 'Percent' })), 'percent of a step must be known at synth, got a token'],
    [() => GoLive.canary({ percent: Token.asNumber({ Ref: 'Percent' }) }), 'percent of GoLive.canary must be known at synth, got a token'],
    [() => staged({ candidateInstances: Token.asNumber({ Ref: 'Count' }) }), 'candidateInstances must be known at synth, got a token'],
    [
      () => JudgedMetric.counted('refused loans', { metricNamespace: 'a', bad: 'b', requests: 'c', margin: Token.asNumber({ Ref: 'M' }) }),
      'margin of refused loans must be known at synth, got a token',
    ],
    [
      () =>
        staged({
          judge: CanaryJudge.standard({
            metrics: [JudgedMetric.counted('refused loans', { metricNamespace: 'a', bad: 'b', requests: 'c', margin: 0.5 })],
          }),
        }),
      "metric 'refused-loans': margin must be above 1, not 0.5",
    ],
    [() => CanaryStep.percent(5, { bake: UNKNOWN }), 'bake of a step must be known at synth, got a token'],
    [() => CanaryJudge.standard({ settle: UNKNOWN }), 'settle must be known at synth, got a token'],
    [() => GoLive.allAtOnce({ bake: UNKNOWN }), 'bake of going live must be known at synth, got a token'],
    [() => Approval.manual({ timeout: UNKNOWN }), 'timeout of an approval must be known at synth, got a token'],
    [() => staged({ deadline: UNKNOWN }), 'deadline must be known at synth, got a token'],
    [() => staged({ updateTimeout: UNKNOWN }), 'updateTimeout must be known at synth, got a token'],
    [() => GoLive.canary({ percent: 60 }), 'the part of the fleet that moves first is 1 to 50 percent, got 60'],
    [() => GoLive.allAtOnce({ bake: Duration.hours(2) }), 'SageMaker watches a new fleet for at most an hour, got a bake of 7200 s'],
    [() => Approval.manual({ timeout: Duration.seconds(5) }), 'a person needs at least a minute to approve, got 5 s'],
  ])('%#: a value out of its range', (make, message) => {
    expect(make).toThrow(message);
  });
});
