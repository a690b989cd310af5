// biome-ignore lint/suspicious/noExplicitAny: a template is whatever JSON is
type Json = Record<string, any>;
type Change = (properties: Json, resources: Json) => void;

/** What breaks a rule: the resource, the change to it, and what the finding shows. */
export const BREACHES: [rule: string, resource: string, change: Change, got: string][] = [
  ['model-has-literal-name', 'Model', (model) => (model.ModelName = 'flight-delay'), 'flight-delay'],
  ['endpoint-config-has-literal-name', 'SmallConfig', (config) => (config.EndpointConfigName = 'small-config'), 'small-config'],
  ['endpoint-has-no-literal-name', 'SmallEndpoint', (endpoint) => delete endpoint.EndpointName, 'none'],
  ['endpoint-name-is-invalid', 'SmallEndpoint', (endpoint) => (endpoint.EndpointName = 'small_one'), 'small_one'],
  ['endpoint-name-is-invalid', 'SmallEndpoint', (endpoint) => (endpoint.EndpointName = `a${'-a'.repeat(32)}`), `a${'-a'.repeat(32)}`],
  [
    'image-tag-can-move',
    'Small',
    ({ PrimaryContainer }) => (PrimaryContainer.Image = '1.dkr.ecr.x.amazonaws.com/a:latest'),
    '1.dkr.ecr.x.amazonaws.com/a:latest',
  ],
  [
    'image-tag-can-move',
    'Small',
    ({ PrimaryContainer }) => (PrimaryContainer.Image = '1.dkr.ecr.x.amazonaws.com/a'),
    '1.dkr.ecr.x.amazonaws.com/a',
  ],
  [
    'archive-is-no-tar-gz',
    'Small',
    ({ PrimaryContainer }) => (PrimaryContainer.ModelDataUrl = 's3://models/model.zip'),
    's3://models/model.zip',
  ],
  [
    'prefix-has-no-slash',
    'Large',
    ({ PrimaryContainer }) => (PrimaryContainer.ModelDataSource.S3DataSource.S3Uri = 's3://models/large'),
    's3://models/large',
  ],
  ['environment-holds-secret', 'Model', ({ PrimaryContainer }) => (PrimaryContainer.Environment.DB_PASSWORD = 'hunter2'), 'a literal'],
  [
    'environment-too-large',
    'Model',
    ({ PrimaryContainer }) => (PrimaryContainer.Environment = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`V${i}`, 'x']))),
    '101 entries, 395 bytes',
  ],
  ['vpc-has-one-subnet', 'Model', ({ VpcConfig }) => VpcConfig.Subnets.pop(), '["subnet-1"]'],

  ['variant-names-repeat', 'ShadowConfig', (config) => (config.ShadowProductionVariants[0].VariantName = 'live'), 'live'],
  [
    'serverless-has-instance-fields',
    'SmallConfig',
    ({ ProductionVariants: [variant] }) => Object.assign(variant, { InstanceType: 'ml.m5.large', RoutingConfig: {} }),
    'InstanceType, RoutingConfig',
  ],
  [
    'serverless-size-is-invalid',
    'SmallConfig',
    ({ ProductionVariants: [variant] }) => (variant.ServerlessConfig.MemorySizeInMB = 3000),
    '3000',
  ],
  [
    'serverless-size-is-invalid',
    'SmallConfig',
    ({ ProductionVariants: [variant] }) => (variant.ServerlessConfig.MaxConcurrency = 201),
    '201',
  ],
  [
    'serverless-size-is-invalid',
    'SmallConfig',
    ({ ProductionVariants: [variant] }) => (variant.ServerlessConfig.ProvisionedConcurrency = 21),
    '21',
  ],
  [
    'serverless-with-excluded-feature',
    'SmallConfig',
    (config) => (config.DataCaptureConfig = { EnableCapture: true, KmsKeyId: 'key' }),
    'data capture',
  ],
  [
    'serverless-with-excluded-feature',
    'SmallConfig',
    (config) => (config.AsyncInferenceConfig = { OutputConfig: { KmsKeyId: 'key' } }),
    'a queue',
  ],
  ['serverless-with-excluded-feature', 'SmallConfig', (config) => (config.VpcConfig = {}), 'a VPC'],
  [
    'serverless-with-excluded-feature',
    'SmallConfig',
    (_, { Small }) => (Small.Properties.EnableNetworkIsolation = true),
    'a model isolated from the network',
  ],
  [
    'serverless-with-excluded-feature',
    'SmallConfig',
    (_, { Small }) => (Small.Properties.VpcConfig = { Subnets: ['a', 'b'] }),
    'a model in a VPC',
  ],
  ['key-on-local-storage', 'QueueConfig', (config) => (config.KmsKeyId = 'key'), 'ml.g5.xlarge'],
  ['records-not-encrypted', 'Config', ({ DataCaptureConfig }) => delete DataCaptureConfig.KmsKeyId, 'no KmsKeyId'],
  ['records-not-encrypted', 'QueueConfig', ({ AsyncInferenceConfig }) => delete AsyncInferenceConfig.OutputConfig.KmsKeyId, 'no KmsKeyId'],
  [
    'network-isolation-contradicted',
    'ShadowConfig',
    (config) => {
      config.EnableNetworkIsolation = true;
      config.ProductionVariants[0].ModelName = { 'Fn::GetAtt': 'Small.ModelName' };
    },
    'a model with network',
  ],
  [
    'shadow-needs-one-of-each',
    'ShadowConfig',
    (config) => config.ProductionVariants.push({ ...config.ProductionVariants[0], VariantName: 'second' }),
    '2 production, 1 shadow',
  ],
  ['no-variant-has-weight', 'Config', ({ ProductionVariants }) => (ProductionVariants[0].InitialVariantWeight = 0), '0, 0'],
  [
    'start-timeout-is-invalid',
    'Config',
    ({ ProductionVariants }) => (ProductionVariants[0].ContainerStartupHealthCheckTimeoutInSeconds = 3601),
    '3601',
  ],

  [
    'canary-above-half',
    'Endpoint',
    ({ DeploymentConfig: { BlueGreenUpdatePolicy: policy } }) => (policy.TrafficRoutingConfiguration.CanarySize.Value = 80),
    '80 %',
  ],
  [
    'linear-step-out-of-range',
    'Endpoint',
    ({ DeploymentConfig: { BlueGreenUpdatePolicy: policy } }) =>
      (policy.TrafficRoutingConfiguration = {
        Type: 'LINEAR',
        LinearStepSize: { Type: 'CAPACITY_PERCENT', Value: 55 },
        WaitIntervalInSeconds: 600,
      }),
    '55 %',
  ],
  [
    'rolling-batch-out-of-range',
    'Queue',
    ({ DeploymentConfig: { RollingUpdatePolicy: policy } }) => (policy.MaximumBatchSize.Value = 60),
    '60 %',
  ],
  ['step-exceeds-fleet', 'Endpoint', (_, { Config }) => (Config.Properties.ProductionVariants[0].InitialInstanceCount = 1), '1 of 1'],
  [
    'step-exceeds-fleet',
    'Endpoint',
    ({ DeploymentConfig: { BlueGreenUpdatePolicy: policy } }) =>
      (policy.TrafficRoutingConfiguration.CanarySize = { Type: 'INSTANCE_COUNT', Value: 2 }),
    '2 of 2',
  ],
  ['step-exceeds-fleet', 'Endpoint', (_, { Target }) => (Target.Properties.MinCapacity = 1), '1 of 1'],
  [
    'step-exceeds-fleet',
    'Endpoint',
    (_, { Target }) => (Target.Properties.ScheduledActions = [{ ScalableTargetAction: { MinCapacity: 1 } }]),
    '1 of 1',
  ],
  [
    'step-below-one-instance',
    'Endpoint',
    ({ DeploymentConfig: { BlueGreenUpdatePolicy: policy } }) => (policy.TrafficRoutingConfiguration.CanarySize.Value = 10),
    '10 % of 2, which is 50 %',
  ],
  [
    'two-update-policies',
    'Queue',
    ({ DeploymentConfig }) =>
      (DeploymentConfig.BlueGreenUpdatePolicy = { TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE' }, TerminationWaitInSeconds: 600 }),
    'both',
  ],
  [
    'rollout-waits-are-invalid',
    'Endpoint',
    ({ DeploymentConfig: { BlueGreenUpdatePolicy: policy } }) => {
      policy.TrafficRoutingConfiguration.WaitIntervalInSeconds = 3601;
      policy.MaximumExecutionTimeoutInSeconds = 28_800;
    },
    '3601 s',
  ],
  [
    'rollout-waits-are-invalid',
    'Endpoint',
    ({ DeploymentConfig: { BlueGreenUpdatePolicy: policy } }) => (policy.MaximumExecutionTimeoutInSeconds = 28_801),
    '28801 s',
  ],
  [
    'rollout-waits-are-invalid',
    'Endpoint',
    ({ DeploymentConfig: { BlueGreenUpdatePolicy: policy } }) => (policy.MaximumExecutionTimeoutInSeconds = 900),
    '900 s for 900 s of waits',
  ],
  [
    'rollout-waits-are-invalid',
    'Queue',
    ({ DeploymentConfig: { RollingUpdatePolicy: policy } }, { QueueConfig }) => {
      QueueConfig.Properties.ProductionVariants[0].InitialInstanceCount = 20;
      policy.MaximumBatchSize.Value = 5;
      policy.WaitIntervalInSeconds = 300;
    },
    '3600 s for 6000 s of waits',
  ],
  ['rollout-has-no-alarms', 'Queue', ({ DeploymentConfig }) => delete DeploymentConfig.AutoRollbackConfiguration, '0 alarms'],
  [
    'rollout-has-no-alarms',
    'Endpoint',
    ({ DeploymentConfig: { AutoRollbackConfiguration: rollback } }) =>
      (rollback.Alarms = Array(11).fill({ AlarmName: { Ref: 'NewFleetErrors' } })),
    '11 alarms',
  ],
  [
    'rollback-alarm-does-not-exist',
    'Queue',
    ({ DeploymentConfig: { AutoRollbackConfiguration: rollback } }) => (rollback.Alarms = [{ AlarmName: 'no-such-alarm' }]),
    'no-such-alarm',
  ],
  [
    'rollback-alarm-does-not-exist',
    'Queue',
    ({ DeploymentConfig: { AutoRollbackConfiguration: rollback } }) => (rollback.Alarms = [{ AlarmName: { Ref: 'Model' } }]),
    '{"Ref":"Model"}',
  ],
  [
    'rollback-alarm-mixes-fleets',
    'Endpoint',
    ({ DeploymentConfig: { AutoRollbackConfiguration: rollback } }) => (rollback.Alarms = [{ AlarmName: { Ref: 'Errors' } }]),
    'Invocation5XXErrors',
  ],
  [
    'rollback-alarm-watches-another-fleet',
    'Endpoint',
    ({ DeploymentConfig: { AutoRollbackConfiguration: rollback } }) => (rollback.Alarms = [{ AlarmName: { Ref: 'QueueErrors' } }]),
    'queue',
  ],
  [
    'rollback-alarm-watches-another-fleet',
    'Endpoint',
    (_, { NewFleetErrors }) => (NewFleetErrors.Properties.Dimensions[2].Value = 'a-configuration-of-last-year'),
    'a-configuration-of-last-year',
  ],
  [
    'rollback-alarm-slower-than-bake',
    'Endpoint',
    (_, { NewFleetLatency }) => (NewFleetLatency.Properties.EvaluationPeriods = 3),
    '900 s for a wait of 600 s',
  ],
  [
    'rolling-is-excluded',
    'Queue',
    (_, { QueueConfig }) =>
      QueueConfig.Properties.ProductionVariants.push({ ...QueueConfig.Properties.ProductionVariants[0], VariantName: 'second' }),
    '2 variants',
  ],
  [
    'rolling-is-excluded',
    'SmallEndpoint',
    (endpoint, { Queue }) => {
      const { RollingUpdatePolicy } = Queue.Properties.DeploymentConfig;
      const Alarms = [{ AlarmName: { Ref: 'Together' } }];
      endpoint.DeploymentConfig = { RollingUpdatePolicy, AutoRollbackConfiguration: { Alarms } };
    },
    'serverless',
  ],
  [
    'rollout-is-ignored',
    'Endpoint',
    (_, { Config }) => {
      for (const variant of Config.Properties.ProductionVariants) variant.InstanceType = 'ml.inf1.xlarge';
    },
    'ml.inf1.xlarge',
  ],

  ['scaling-bounds-are-invalid', 'Target', (target) => (target.MinCapacity = 11), '11 to 10'],
  ['scaling-bounds-are-invalid', 'Target', (target) => (target.MinCapacity = '0'), '0'],
  [
    'instance-type-cannot-scale',
    'Target',
    (_, { Config }) => {
      Config.Properties.ProductionVariants[0].InstanceType = 'ml.t2.xlarge';
    },
    'ml.t2.xlarge',
  ],
  ['scaled-variant-does-not-exist', 'QueueTarget', (target) => (target.ResourceId = 'endpoint/queue/variant/AllTraffic'), 'AllTraffic'],
  [
    'scaling-metric-of-other-dimension',
    'Requests',
    (policy) =>
      (policy.TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType =
        'SageMakerInferenceComponentInvocationsPerCopy'),
    'SageMakerInferenceComponentInvocationsPerCopy for sagemaker:variant:DesiredInstanceCount',
  ],
  [
    'scaling-metric-never-published',
    'Backlog',
    (policy) =>
      (policy.TargetTrackingScalingPolicyConfiguration = {
        TargetValue: 5,
        PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
      }),
    'SageMakerVariantInvocationsPerInstance of an endpoint of the kind async',
  ],
  [
    'scaling-metric-never-published',
    'Busy',
    (policy) =>
      (policy.TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification.MetricName = 'ApproximateBacklogSizePerInstance'),
    'ApproximateBacklogSizePerInstance of an endpoint of the kind instances',
  ],
  [
    'scaling-target-never-reached',
    'Busy',
    (policy) => (policy.TargetTrackingScalingPolicyConfiguration.TargetValue = 400),
    '400 of at most 400',
  ],
  [
    'scaling-target-never-reached',
    'Busy',
    (policy) => (policy.TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification.MetricName = 'GPUUtilization'),
    '240 of at most 0',
  ],
  ['update-resets-scaling', 'Queue', (endpoint) => (endpoint.RetainAllVariantProperties = false), 'false'],
  ['async-never-wakes', 'QueueTarget', (_, resources) => delete resources.Wake, '0'],

  ['alarm-above-every-rate', 'Errors', (alarm) => (alarm.Threshold = 1), '1 for the average of Invocation5XXErrors'],
  [
    'alarm-on-absent-gpu',
    'Gpu',
    (_, { QueueConfig }) => (QueueConfig.Properties.ProductionVariants[0].InstanceType = 'ml.m5.large'),
    'GPUUtilization of ml.m5.large',
  ],
  ['alarm-above-all-use', 'Cpu', (alarm) => (alarm.Threshold = 400), '400 of at most 400'],
  ['alarm-latency-in-milliseconds', 'Latency', (alarm) => (alarm.Threshold = 80), '80 microseconds'],
  [
    'alarm-dimensions-never-published',
    'Old',
    (alarm) => alarm.Dimensions.push({ Name: 'VariantName', Value: 'live' }),
    'ApproximateAgeOfOldestRequest in AWS/SageMaker by EndpointName, VariantName',
  ],
  [
    'alarm-dimensions-never-published',
    'Cpu',
    (alarm) => (alarm.Namespace = 'AWS/SageMaker'),
    'CPUUtilization in AWS/SageMaker by EndpointName, VariantName',
  ],
  ['alarm-dimensions-never-published', 'Errors', (alarm) => alarm.Dimensions.pop(), 'Invocation5XXErrors in AWS/SageMaker by EndpointName'],
  [
    'alarm-metric-never-published',
    'Old',
    (alarm) => (alarm.Dimensions[0].Value = 'flight-delay'),
    'ApproximateAgeOfOldestRequest of an endpoint of the kind instances',
  ],
  [
    'alarm-metric-never-published',
    'Silence',
    (alarm) => (alarm.Dimensions[0].Value = 'queue'),
    'Invocations of an endpoint of the kind async',
  ],
  [
    'alarm-metric-never-published',
    'Cpu',
    (alarm) => (alarm.Dimensions[0].Value = 'small'),
    'CPUUtilization of an endpoint of the kind serverless',
  ],
  ['alarm-periods-are-impossible', 'Errors', (alarm) => (alarm.Period = 90), '90 s'],
  [
    'alarm-periods-are-impossible',
    'Errors',
    (alarm) => Object.assign(alarm, { Period: 300, EvaluationPeriods: 289 }),
    '289 periods of 300 s',
  ],
  ['alarm-periods-are-impossible', 'Errors', (alarm) => (alarm.DatapointsToAlarm = 3), '3 of 2'],
  ['alarm-breaches-in-silence', 'Errors', (alarm) => (alarm.TreatMissingData = 'breaching'), 'breaching for Invocation5XXErrors'],

  [
    'role-does-not-trust-sagemaker',
    'Model',
    (_, { Role, Small }) => {
      Role.Properties.AssumeRolePolicyDocument.Statement[0].Principal.Service = 'ec2.amazonaws.com';
      Small.Properties.ExecutionRoleArn = 'arn:aws:iam::1:role/r';
    },
    'ec2.amazonaws.com',
  ],
  [
    'role-trusts-any-account',
    'Model',
    (_, { Role, Small }) => {
      delete Role.Properties.AssumeRolePolicyDocument.Statement[0].Condition;
      Small.Properties.ExecutionRoleArn = 'arn:aws:iam::1:role/r';
    },
    'Role',
  ],
  [
    'role-has-full-access',
    'Model',
    (_, { Role, Small }) => {
      Role.Properties.ManagedPolicyArns.push({
        'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::aws:policy/AmazonSageMakerFullAccess']],
      });
      Small.Properties.ExecutionRoleArn = 'arn:aws:iam::1:role/r';
    },
    'AmazonSageMakerFullAccess',
  ],
  [
    'role-cannot-read-rollback-alarms',
    'Endpoint',
    (_, { Watch }) => (Watch.Properties.PolicyDocument.Statement.Action = 'cloudwatch:PutMetricData'),
    'Role',
  ],
  [
    'iam-action-does-not-exist',
    'Watch',
    ({ PolicyDocument }) => (PolicyDocument.Statement.Action = ['cloudwatch:DescribeAlarms', 'sagemaker:InvokeEndpoints']),
    'sagemaker:InvokeEndpoints: no action of sagemaker',
  ],
  [
    'iam-action-does-not-exist',
    'Role',
    ({ Policies }) => Policies[0].PolicyDocument.Statement[0].Action.push('s3:HeadObject'),
    's3:HeadObject: an operation, allowed by s3:GetObject',
  ],
];
