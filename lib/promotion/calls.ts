import { NAMESPACE } from './request';

/**
 * Every call that a promotion makes, and what it must be allowed for it: plain data, from which a policy is written. `test/promotion/calls.test.ts` runs promotions and
 * compares.
 *
 * A resource is an ARN with places to fill in: `{partition}`, `{region}`, `{account}`, `{endpoint}` (the endpoint's name), `{stem}` (the first 36 characters of it),
 * `{group}` (the model package group's name), `{bucket}` (the stage's), `{artifacts}` (bucket, or bucket and prefix, of the model archives), `{topic}` (the topic's ARN),
 * `{artifactBucket}` (its bucket alone), `{role}` (the ARN of the execution role that models run in), `{key}` (the ARN of a
 * KMS key that signs). SageMaker writes names in its ARNs in lower case: so must whoever fills them in.
 */
export const RESOURCES = {
  endpoint: 'arn:{partition}:sagemaker:{region}:{account}:endpoint/{endpoint}',
  /** The first configuration is not the workflow's, and named by whoever made it. */
  anyConfiguration: 'arn:{partition}:sagemaker:{region}:{account}:endpoint-config/*',
  ownConfiguration: 'arn:{partition}:sagemaker:{region}:{account}:endpoint-config/{stem}-*',
  anyModel: 'arn:{partition}:sagemaker:{region}:{account}:model/*',
  ownModel: 'arn:{partition}:sagemaker:{region}:{account}:model/{stem}-*',
  modelPackage: 'arn:{partition}:sagemaker:{region}:{account}:model-package/{group}/*',
  role: '{role}',
  bucket: 'arn:{partition}:s3:::{bucket}',
  /** The bucket of `{artifacts}`. */
  artifactBucket: 'arn:{partition}:s3:::{artifactBucket}',
  stageObjects: 'arn:{partition}:s3:::{bucket}/*',
  artifacts: 'arn:{partition}:s3:::{artifacts}/*',
  topic: '{topic}',
  ownAlarms: 'arn:{partition}:cloudwatch:{region}:{account}:alarm:{stem}-*',
  /** The service gives targets ids of its own. */
  scalableTargets: 'arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/*',
  trackingAlarms: 'arn:{partition}:cloudwatch:{region}:{account}:alarm:TargetTracking-endpoint/*',
  /** Keys of the plan's `artifact.signedBy`. */
  signingKey: '{key}',
  /** The service knows no resource to name for these actions. */
  all: '*',
} as const;

/** One action, where it is allowed, and under which condition (`StringEquals`). */
export interface Grant {
  readonly action: string;
  readonly on: readonly (keyof typeof RESOURCES)[];
  readonly condition?: Readonly<Record<string, string>>;
}

/** One operation of one of the SDK's clients, and the grants that it takes. */
export interface AwsCall {
  /** As the SDK names it, without `Client`: `SageMaker`, `SageMakerRuntime`, `CloudWatch`, `ApplicationAutoScaling`, `KMS`, `S3`, `SNS`. */
  readonly client: string;
  readonly operation: string;
  readonly grants: readonly Grant[];
}

const sagemaker = (operation: string, on: Grant['on'], more: readonly Grant[] = []): AwsCall => ({
  client: 'SageMaker',
  operation,
  grants: [{ action: `sagemaker:${operation}`, on }, ...more],
});

const scaling = (operation: string, on: Grant['on'], more: readonly Grant[] = []): AwsCall => ({
  client: 'ApplicationAutoScaling',
  operation,
  grants: [{ action: `application-autoscaling:${operation}`, on }, ...more],
});

/** Models and configurations carry the promotion's id as a tag. */
const tagging = (on: Grant['on']): Grant => ({ action: 'sagemaker:AddTags', on });

export const AWS_CALLS: readonly AwsCall[] = [
  sagemaker('DescribeEndpoint', ['endpoint']),
  sagemaker('UpdateEndpoint', ['endpoint', 'anyConfiguration']),
  sagemaker('UpdateEndpointWeightsAndCapacities', ['endpoint']),
  sagemaker('DescribeEndpointConfig', ['anyConfiguration']),
  sagemaker('CreateEndpointConfig', ['ownConfiguration'], [tagging(['ownConfiguration'])]),
  sagemaker('DeleteEndpointConfig', ['ownConfiguration']),
  sagemaker('DescribeModel', ['anyModel']),
  sagemaker(
    'CreateModel',
    ['ownModel'],
    [tagging(['ownModel']), { action: 'iam:PassRole', on: ['role'], condition: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } }],
  ),
  sagemaker('DeleteModel', ['ownModel']),
  sagemaker('DescribeModelPackage', ['modelPackage']),
  { client: 'SageMakerRuntime', operation: 'InvokeEndpoint', grants: [{ action: 'sagemaker:InvokeEndpoint', on: ['endpoint'] }] },
  { client: 'CloudWatch', operation: 'GetMetricData', grants: [{ action: 'cloudwatch:GetMetricData', on: ['all'] }] },
  {
    client: 'CloudWatch',
    operation: 'PutMetricData',
    grants: [{ action: 'cloudwatch:PutMetricData', on: ['all'], condition: { 'cloudwatch:namespace': NAMESPACE } }],
  },
  { client: 'CloudWatch', operation: 'PutMetricAlarm', grants: [{ action: 'cloudwatch:PutMetricAlarm', on: ['ownAlarms'] }] },
  { client: 'CloudWatch', operation: 'DeleteAlarms', grants: [{ action: 'cloudwatch:DeleteAlarms', on: ['ownAlarms'] }] },
  ...['DescribeScalableTargets', 'DescribeScalingPolicies', 'DescribeScheduledActions'].map((operation) => scaling(operation, ['all'])),
  ...['RegisterScalableTarget', 'DeregisterScalableTarget', 'PutScheduledAction'].map((operation) =>
    scaling(operation, ['scalableTargets']),
  ),
  // A policy that tracks a target has alarms of its own, made in the caller's name.
  scaling(
    'PutScalingPolicy',
    ['scalableTargets'],
    ['PutMetricAlarm', 'DeleteAlarms', 'DescribeAlarms'].map((action) => ({ action: `cloudwatch:${action}`, on: ['trackingAlarms'] })),
  ),
  { client: 'KMS', operation: 'GetPublicKey', grants: [{ action: 'kms:GetPublicKey', on: ['signingKey'] }] },
  { client: 'S3', operation: 'GetObject', grants: [{ action: 's3:GetObject', on: ['stageObjects', 'artifacts'] }] },
  { client: 'S3', operation: 'PutObject', grants: [{ action: 's3:PutObject', on: ['stageObjects'] }] },
  // Without it S3 answers 403 for what is not there.
  { client: 'S3', operation: 'ListObjectsV2', grants: [{ action: 's3:ListBucket', on: ['bucket', 'artifactBucket'] }] },
  { client: 'SNS', operation: 'Publish', grants: [{ action: 'sns:Publish', on: ['topic'] }] },
];
