/** A template with nothing to find in it, and something in it for every rule to look at. */
// biome-ignore lint/suspicious/noExplicitAny: a template is whatever JSON is
export function soundTemplate(): { Resources: Record<string, any> } {
  return structuredClone({ Resources: SOUND });
}

const name = (logicalId: string, attribute: string) => ({ 'Fn::GetAtt': [logicalId, attribute] });

function alarm(metric: string, dimensions: Record<string, unknown>, properties: Record<string, unknown> = {}) {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      Namespace: 'AWS/SageMaker',
      MetricName: metric,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      Statistic: 'Average',
      Period: 60,
      EvaluationPeriods: 2,
      Threshold: 0.05,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      ...properties,
    },
  };
}

function endpoint(endpointName: string, config: string, properties: Record<string, unknown> = {}) {
  return {
    Type: 'AWS::SageMaker::Endpoint',
    Properties: { EndpointName: endpointName, EndpointConfigName: name(config, 'EndpointConfigName'), ...properties },
  };
}

const instances = {
  VariantName: 'live',
  ModelName: name('Model', 'ModelName'),
  InitialVariantWeight: 1,
  InitialInstanceCount: 2,
  InstanceType: 'ml.m5.xlarge',
};

const rollbackOn = (...alarms: string[]) => ({ AutoRollbackConfiguration: { Alarms: alarms.map((Ref) => ({ AlarmName: { Ref } })) } });

const SOUND = {
  Role: {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { Service: 'sagemaker.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      },
      Policies: [
        {
          PolicyName: 'Serve',
          PolicyDocument: {
            Statement: [
              {
                Effect: 'Allow',
                Action: ['s3:GetObject', 'ecr:BatchGetImage', 'logs:Put*', 'kms:Decrypt', 'states:Whatever'],
                Resource: '*',
              },
            ],
          },
        },
      ],
      ManagedPolicyArns: [{ Ref: 'Watch' }],
    },
  },
  Watch: {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: { PolicyDocument: { Statement: { Effect: 'Allow', Action: 'cloudwatch:DescribeAlarms', Resource: '*' } } },
  },
  Model: {
    Type: 'AWS::SageMaker::Model',
    Properties: {
      ExecutionRoleArn: name('Role', 'Arn'),
      EnableNetworkIsolation: true,
      VpcConfig: { Subnets: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] },
      PrimaryContainer: {
        Image: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/serving:1.4.2',
        ModelDataUrl: 's3://models/5f70bf18.tar.gz',
        Environment: { LOG_LEVEL: 'info', MAX_TOKENS: '256', API_KEY: { Ref: 'ParameterOfTheStack' } },
      },
    },
  },
  Large: {
    Type: 'AWS::SageMaker::Model',
    Properties: {
      ExecutionRoleArn: 'arn:aws:iam::111122223333:role/made-elsewhere',
      PrimaryContainer: {
        Image: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/serving@sha256:0123',
        ModelDataSource: { S3DataSource: { S3Uri: 's3://models/large/', S3DataType: 'S3Prefix', CompressionType: 'None' } },
      },
    },
  },
  Small: {
    Type: 'AWS::SageMaker::Model',
    Properties: {
      ExecutionRoleArn: name('Role', 'Arn'),
      PrimaryContainer: {
        Image: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/serving:1.4.2',
        ModelDataUrl: 's3://models/5f70bf18.tar.gz',
      },
    },
  },

  Config: {
    Type: 'AWS::SageMaker::EndpointConfig',
    Properties: {
      KmsKeyId: { Ref: 'Key' },
      EnableNetworkIsolation: true,
      ProductionVariants: [
        { ...instances, ContainerStartupHealthCheckTimeoutInSeconds: 600, ModelDataDownloadTimeoutInSeconds: '600' },
        { ...instances, VariantName: 'candidate', InitialVariantWeight: 0, InstanceType: 'ml.m5.xlarge' },
      ],
      DataCaptureConfig: {
        EnableCapture: true,
        DestinationS3Uri: 's3://captured',
        InitialSamplingPercentage: 10,
        KmsKeyId: { Ref: 'Key' },
      },
    },
  },
  Endpoint: endpoint('flight-delay', 'Config', {
    RetainAllVariantProperties: true,
    DeploymentConfig: {
      BlueGreenUpdatePolicy: {
        TrafficRoutingConfiguration: { Type: 'CANARY', CanarySize: { Type: 'CAPACITY_PERCENT', Value: 50 }, WaitIntervalInSeconds: 600 },
        TerminationWaitInSeconds: 300,
        MaximumExecutionTimeoutInSeconds: 3600,
      },
      ...rollbackOn('NewFleetErrors', 'NewFleetLatency', 'Together'),
    },
  }),
  NewFleetErrors: alarm('Invocation5XXErrors', {
    EndpointName: 'flight-delay',
    VariantName: 'live',
    EndpointConfigName: name('Config', 'EndpointConfigName'),
  }),
  NewFleetLatency: {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      Metrics: [
        { Id: 'slow', Expression: 'p99 / 1000', Label: 'p99 (ms)' },
        {
          Id: 'p99',
          ReturnData: false,
          MetricStat: {
            Metric: {
              Namespace: 'AWS/SageMaker',
              MetricName: 'ModelLatency',
              Dimensions: [
                { Name: 'EndpointName', Value: 'flight-delay' },
                { Name: 'VariantName', Value: 'live' },
                { Name: 'EndpointConfigName', Value: name('Config', 'EndpointConfigName') },
              ],
            },
            Stat: 'p99',
            Period: 300,
          },
        },
      ],
      EvaluationPeriods: 2,
      Threshold: 80,
      ComparisonOperator: 'GreaterThanThreshold',
    },
  },
  Together: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: { AlarmRule: 'ALARM(another)' } },
  Errors: alarm('Invocation5XXErrors', { EndpointName: name('Endpoint', 'EndpointName'), VariantName: 'live' }),
  Latency: alarm(
    'ModelLatency',
    { EndpointName: 'flight-delay', VariantName: 'live' },
    { Statistic: undefined, ExtendedStatistic: 'p99', Threshold: 80_000 },
  ),
  Cpu: alarm(
    'CPUUtilization',
    { EndpointName: 'flight-delay', VariantName: 'live' },
    { Namespace: '/aws/sagemaker/Endpoints', Threshold: 360 },
  ),
  Silence: alarm(
    'Invocations',
    { EndpointName: 'flight-delay', VariantName: 'live' },
    {
      Statistic: 'Sum',
      Period: 3600,
      EvaluationPeriods: 168,
      DatapointsToAlarm: 168,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    },
  ),
  Target: {
    Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
    Properties: {
      ServiceNamespace: 'sagemaker',
      ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
      ResourceId: { 'Fn::Join': ['', ['endpoint/', name('Endpoint', 'EndpointName'), '/variant/live']] },
      MinCapacity: 2,
      MaxCapacity: 10,
    },
  },
  Requests: {
    Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
    Properties: {
      PolicyName: 'Requests',
      PolicyType: 'TargetTrackingScaling',
      ScalingTargetId: { Ref: 'Target' },
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 1200,
        PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
      },
    },
  },
  Busy: {
    Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
    Properties: {
      PolicyName: 'Busy',
      PolicyType: 'TargetTrackingScaling',
      ScalingTargetId: { Ref: 'Target' },
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 240,
        CustomizedMetricSpecification: { Namespace: '/aws/sagemaker/Endpoints', MetricName: 'CPUUtilization', Statistic: 'Average' },
      },
    },
  },

  QueueConfig: {
    Type: 'AWS::SageMaker::EndpointConfig',
    Properties: {
      ProductionVariants: [{ ...instances, ModelName: name('Large', 'ModelName'), InstanceType: 'ml.g5.xlarge' }],
      AsyncInferenceConfig: { OutputConfig: { S3OutputPath: 's3://answers', KmsKeyId: { Ref: 'Key' } } },
    },
  },
  Queue: endpoint('queue', 'QueueConfig', {
    RetainAllVariantProperties: true,
    DeploymentConfig: {
      RollingUpdatePolicy: {
        MaximumBatchSize: { Type: 'CAPACITY_PERCENT', Value: 50 },
        WaitIntervalInSeconds: 300,
        MaximumExecutionTimeoutInSeconds: 3600,
      },
      ...rollbackOn('QueueErrors'),
    },
  }),
  QueueErrors: alarm('Invocation5XXErrors', {
    EndpointName: 'queue',
    VariantName: 'live',
    EndpointConfigName: name('QueueConfig', 'EndpointConfigName'),
  }),
  Old: alarm('ApproximateAgeOfOldestRequest', { EndpointName: 'queue' }, { Statistic: 'Maximum', Threshold: 1800 }),
  Gpu: alarm('GPUUtilization', { EndpointName: 'queue', VariantName: 'live' }, { Namespace: '/aws/sagemaker/Endpoints', Threshold: 95 }),
  QueueTarget: {
    Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
    Properties: {
      ServiceNamespace: 'sagemaker',
      ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
      ResourceId: 'endpoint/queue/variant/live',
      MinCapacity: 0,
      MaxCapacity: 4,
    },
  },
  Backlog: {
    Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
    Properties: {
      PolicyName: 'Backlog',
      PolicyType: 'TargetTrackingScaling',
      ScalingTargetId: { Ref: 'QueueTarget' },
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 5,
        CustomizedMetricSpecification: {
          Namespace: 'AWS/SageMaker',
          MetricName: 'ApproximateBacklogSizePerInstance',
          Statistic: 'Average',
        },
      },
    },
  },
  Wake: alarm(
    'HasBacklogWithoutCapacity',
    { EndpointName: 'queue' },
    { Threshold: 1, ComparisonOperator: 'GreaterThanOrEqualToThreshold', TreatMissingData: 'missing' },
  ),

  SmallConfig: {
    Type: 'AWS::SageMaker::EndpointConfig',
    Properties: {
      ProductionVariants: [
        {
          VariantName: 'live',
          ModelName: name('Small', 'ModelName'),
          InitialVariantWeight: 1,
          ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 20, ProvisionedConcurrency: 2 },
        },
      ],
    },
  },
  SmallEndpoint: endpoint('small', 'SmallConfig'),
  ShadowConfig: {
    Type: 'AWS::SageMaker::EndpointConfig',
    Properties: { ProductionVariants: [instances], ShadowProductionVariants: [{ ...instances, VariantName: 'shadow' }] },
  },
  Elsewhere: {
    Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
    Properties: {
      ServiceNamespace: 'ecs',
      ScalableDimension: 'ecs:service:DesiredCount',
      ResourceId: 'service/a/b',
      MinCapacity: 0,
      MaxCapacity: 0,
    },
  },
};
