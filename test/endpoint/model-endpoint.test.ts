import { join } from 'node:path';
import { Annotations, Match, type Matcher } from 'aws-cdk-lib/assertions';
import { Schedule } from 'aws-cdk-lib/aws-applicationautoscaling';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { AccountRootPrincipal, Role, ServicePrincipal, User } from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { App, Aws, Duration, SecretValue, Size, Stack, Tags, Token } from 'aws-cdk-lib/core';
import {
  Capacity,
  DataCapture,
  ModelArtifact,
  ModelEndpoint,
  type ModelEndpointProps,
  ModelStore,
  Rollout,
  Scaling,
  ServingImage,
} from '../../lib';
import { bySid, DIGEST, type Json, newStack, publishedArtifact, ReadableTemplate, type Statement } from './template';

const FLIGHT_DELAY = join(__dirname, '..', '..', 'model-artifacts', 'flight-delay');

function endpoint(stack: Stack, props: Partial<ModelEndpointProps> = {}): ModelEndpoint {
  return new ModelEndpoint(stack, 'Delay', { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2'), ...props });
}

function template(props: Partial<ModelEndpointProps> = {}, change?: (endpoint: ModelEndpoint, stack: Stack) => void): ReadableTemplate {
  const stack = newStack();
  const delay = endpoint(stack, props);
  change?.(delay, stack);
  return new ReadableTemplate(stack);
}

function refusal(props: Partial<ModelEndpointProps>): () => unknown {
  return () => endpoint(newStack(), props);
}

describe('the least a user can write', () => {
  const stack = newStack();
  const artifact = ModelArtifact.fromDirectory(join(FLIGHT_DELAY, '2'));
  const least = new ModelEndpoint(stack, 'M', { artifact });
  const { resources, only } = bind(new ReadableTemplate(stack));

  test('is an endpoint with a stable name and a configuration and model without one', () => {
    expect(least.endpointName).toMatch(/^shop-m-[0-9a-f]{8}$/);
    expect(only('AWS::SageMaker::Endpoint').Properties.EndpointName).toBe(least.endpointName);
    expect(only('AWS::SageMaker::EndpointConfig').Properties).not.toHaveProperty('EndpointConfigName');
    expect(only('AWS::SageMaker::Model').Properties).not.toHaveProperty('ModelName');
  });

  test('is two instances in one variant, each request sent to the least busy', () => {
    expect(only('AWS::SageMaker::EndpointConfig').Properties.ProductionVariants).toEqual([
      {
        VariantName: 'live',
        ModelName: '<MVariantsliveModel.ModelName>',
        InitialVariantWeight: 1,
        InitialInstanceCount: 2,
        InstanceType: 'ml.c6i.large',
        RoutingConfig: { RoutingStrategy: 'LEAST_OUTSTANDING_REQUESTS' },
      },
    ]);
  });

  test('serves ONNX in its own container without network, from an archive named by its content', () => {
    const { Properties } = only('AWS::SageMaker::Model');
    expect(Properties.EnableNetworkIsolation).toBe(true);
    expect(Properties.PrimaryContainer.Image).toMatch(/cdk-hnb659fds-container-assets-111122223333-eu-west-1:[0-9a-f]{64}$/);
    expect(Properties.PrimaryContainer.ModelDataUrl).toMatch(/^s3:\/\/cdk-hnb659fds-assets-111122223333-eu-west-1\/[0-9a-f]{64}\.tar\.gz$/);
  });

  test('encrypts volumes and logs with one customer key that rotates and outlives the stack', () => {
    const key = only('AWS::KMS::Key');
    expect(key.Properties.EnableKeyRotation).toBe(true);
    expect(key.DeletionPolicy).toBe('Retain');
    expect(only('AWS::SageMaker::EndpointConfig').Properties.KmsKeyId).toBe('<MKey.Arn>');
    expect(only('AWS::Logs::LogGroup').Properties).toEqual({
      LogGroupName: `/aws/sagemaker/Endpoints/${least.endpointName}`,
      KmsKeyId: '<MKey.Arn>',
      RetentionInDays: 365,
    });
  });

  test('creates role and policy before the model, and the model before what serves it, so that they go after it', () => {
    expect(only('AWS::SageMaker::Model').DependsOn).toContain('MExecutionRolePolicy');
    expect(only('AWS::SageMaker::Model').Properties.ExecutionRoleArn).toBe('<MExecutionRole.Arn>');
    expect(only('AWS::SageMaker::Endpoint').Properties.EndpointConfigName).toBe('<MConfig.EndpointConfigName>');
    expect(only('AWS::SageMaker::Endpoint').DependsOn).toContain('MLogs');
  });

  test('writes no partition out', () => {
    expect(JSON.stringify(resources)).not.toContain('arn:aws:');
  });
});

describe('the execution role', () => {
  const logs = 'arn:<AWS::Partition>:logs:eu-west-1:111122223333:log-group:/aws/sagemaker/Endpoints/delay';
  const always = {
    WriteContainerLogs: {
      Effect: 'Allow',
      Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
      Resource: [logs, `${logs}:log-stream:*`],
    },
    PublishMetrics: {
      Effect: 'Allow',
      Action: 'cloudwatch:PutMetricData',
      Resource: '*',
      Condition: { StringEquals: { 'cloudwatch:namespace': ['AWS/SageMaker', '/aws/sagemaker/Endpoints'] } },
    },
    WatchRollbackAlarms: {
      Effect: 'Allow',
      Action: 'cloudwatch:DescribeAlarms',
      Resource: 'arn:<AWS::Partition>:cloudwatch:eu-west-1:111122223333:alarm:*',
    },
    ReadModel: {
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: `arn:<AWS::Partition>:s3:::models-of-ours/models/${DIGEST}.tar.gz`,
    },
    PullServingImage: {
      Effect: 'Allow',
      Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      Resource: 'arn:<AWS::Partition>:ecr:eu-west-1:141502667606:repository/sagemaker-scikit-learn',
    },
    LogInToRegistry: { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
  };
  const volumes = {
    EncryptVolumes: {
      Effect: 'Allow',
      Action: 'kms:CreateGrant',
      Resource: '<DelayKey.Arn>',
      Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    },
    DescribeVolumeKey: { Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '<DelayKey.Arn>' },
  };
  const endpointName = 'delay';

  test('trusts SageMaker for this account, and no managed policy of AWS is on it', () => {
    const { Properties } = template({ endpointName }).only('AWS::IAM::Role');
    expect(Properties).toEqual({
      Description: 'runs the SageMaker endpoint delay',
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { Service: 'sagemaker.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
          },
        ],
      },
    });
  });

  test('of real-time instances is allowed exactly this', () => {
    expect(template({ endpointName }).executionStatements()).toEqual({ ...always, ...volumes });
  });

  test('of a serverless endpoint encrypts no volume', () => {
    expect(template({ endpointName, capacity: Capacity.serverless() }).executionStatements()).toEqual(always);
  });

  test('that captures data may write below capture/, with the key', () => {
    expect(template({ endpointName, dataCapture: DataCapture.sampled() }).executionStatements()).toEqual({
      ...always,
      ...volumes,
      EncryptRecords: { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '<DelayKey.Arn>' },
      WriteCapturedData: { Effect: 'Allow', Action: 's3:PutObject', Resource: '<DelayStoreRecordsBucket.Arn>/capture/*' },
    });
  });

  test('of an async endpoint reads requests, writes answers and failures, and tells its topics', () => {
    const stack = newStack();
    const [successTopic, errorTopic] = [new Topic(stack, 'Answered'), new Topic(stack, 'Failed')];
    endpoint(stack, { endpointName, capacity: Capacity.async({ instanceType: 'ml.m5.large', successTopic, errorTopic }) });
    expect(new ReadableTemplate(stack).executionStatements()).toEqual({
      ...always,
      ...volumes,
      EncryptRecords: { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '<DelayKey.Arn>' },
      ReadAsyncRequests: { Effect: 'Allow', Action: 's3:GetObject', Resource: '<DelayStoreRecordsBucket.Arn>/async-requests/*' },
      WriteAsyncAnswers: {
        Effect: 'Allow',
        Action: ['s3:AbortMultipartUpload', 's3:PutObject'],
        Resource: ['<DelayStoreRecordsBucket.Arn>/async-answers/*', '<DelayStoreRecordsBucket.Arn>/async-failures/*'],
      },
      NotifyOfAnswers: { Effect: 'Allow', Action: 'sns:Publish', Resource: ['<Answered>', '<Failed>'] },
    });
  });

  test('in a VPC has the nine actions on network interfaces, on its subnets and group', () => {
    const stack = newStack();
    endpoint(stack, { endpointName, vpc: new Vpc(stack, 'Vpc', { maxAzs: 2 }) });
    const ec2 = 'arn:<AWS::Partition>:ec2:eu-west-1:111122223333';
    expect(new ReadableTemplate(stack).executionStatements()).toEqual({
      ...always,
      ...volumes,
      CreateNetworkInterfaces: {
        Effect: 'Allow',
        Action: 'ec2:CreateNetworkInterface',
        Resource: [
          `${ec2}:network-interface/*`,
          `${ec2}:subnet/<VpcPrivateSubnet1Subnet>`,
          `${ec2}:subnet/<VpcPrivateSubnet2Subnet>`,
          `${ec2}:security-group/<DelayNetworkSecurityGroup.GroupId>`,
        ],
      },
      ManageNetworkInterfaces: {
        Effect: 'Allow',
        Action: ['ec2:CreateNetworkInterfacePermission', 'ec2:DeleteNetworkInterface', 'ec2:DeleteNetworkInterfacePermission'],
        Resource: `${ec2}:network-interface/*`,
      },
      DescribeNetwork: {
        Effect: 'Allow',
        Action: [
          'ec2:DescribeDhcpOptions',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSecurityGroups',
          'ec2:DescribeSubnets',
          'ec2:DescribeVpcs',
        ],
        Resource: '*',
      },
    });
  });

  test('of the user gets the same statements', () => {
    const stack = newStack();
    const executionRole = new Role(stack, 'Ours', { assumedBy: new ServicePrincipal('sagemaker.amazonaws.com') });
    endpoint(stack, { endpointName, executionRole });
    const { Properties } = new ReadableTemplate(stack).only('AWS::IAM::ManagedPolicy');
    expect(Properties.Roles).toEqual(['<Ours>']);
    expect(bySid(Properties.PolicyDocument.Statement)).toEqual({ ...always, ...volumes });
  });

  test('that trusts another service is refused', () => {
    const stack = newStack();
    const executionRole = new Role(stack, 'Ours', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    expect(() => endpoint(stack, { executionRole })).toThrow('the execution role Shop/Ours does not trust sagemaker.amazonaws.com');
  });

  test('imported gets them too, before the model', () => {
    const stack = newStack();
    const executionRole = Role.fromRoleArn(stack, 'Theirs', 'arn:aws:iam::111122223333:role/theirs');
    endpoint(stack, { endpointName, executionRole });
    const { only } = bind(new ReadableTemplate(stack));
    expect(bySid(only('AWS::IAM::Policy').Properties.PolicyDocument.Statement)).toEqual({ ...always, ...volumes });
    expect(only('AWS::SageMaker::Model').DependsOn).toEqual([expect.stringMatching(/^TheirsPolicy/)]);
  });

  test('imported, and shared by endpoints, has every statement of each under a Sid of its own', () => {
    const stack = newStack();
    const executionRole = Role.fromRoleArn(stack, 'Theirs', 'arn:aws:iam::111122223333:role/theirs');
    endpoint(stack, { endpointName, executionRole });
    new ModelEndpoint(stack, 'Other', {
      artifact: publishedArtifact(stack),
      image: ServingImage.sklearn('1.2'),
      endpointName: 'other',
      executionRole,
    });
    const statements: Statement[] = new ReadableTemplate(stack).only('AWS::IAM::Policy').Properties.PolicyDocument.Statement;
    const sids = statements.map(({ Sid }) => Sid);
    expect(sids).toEqual([...new Set(sids)]);
    expect(bySid(statements)).toMatchObject({ ...always, ...volumes });
    expect(bySid(statements).WriteContainerLogs2?.Resource).toEqual([
      expect.stringMatching(/\/other$/),
      expect.stringMatching(/\/other:log-stream:\*$/),
    ]);
  });

  test('imported as immutable is left as it is', () => {
    const stack = newStack();
    const executionRole = Role.fromRoleArn(stack, 'Ours', 'arn:aws:iam::111122223333:role/ours', { mutable: false });
    endpoint(stack, { executionRole });
    const { only, all } = bind(new ReadableTemplate(stack));
    expect(only('AWS::SageMaker::Model').Properties.ExecutionRoleArn).toBe('arn:aws:iam::111122223333:role/ours');
    expect([...all('AWS::IAM::ManagedPolicy'), ...all('AWS::IAM::Policy'), ...all('AWS::IAM::Role')]).toEqual([]);
  });
});

describe('the key', () => {
  test('lets in the account, CloudWatch Logs for one log group, CloudWatch for alarm notices, and the role for records', () => {
    const statements = template({ endpointName: 'delay', dataCapture: DataCapture.sampled() }).keyStatements();
    const cloudWatch = {
      StringEquals: { 'aws:SourceAccount': '111122223333' },
      ArnLike: { 'aws:SourceArn': 'arn:<AWS::Partition>:cloudwatch:eu-west-1:111122223333:alarm:delay-*' },
    };
    expect(statements).toEqual({
      EncryptAlarmNotices: {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Resource: '*',
        Condition: cloudWatch,
      },
      none: { Effect: 'Allow', Action: 'kms:*', Principal: { AWS: 'arn:<AWS::Partition>:iam::111122223333:root' }, Resource: '*' },
      EncryptContainerLogs: {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
        Principal: { Service: 'logs.eu-west-1.amazonaws.com' },
        Resource: '*',
        Condition: {
          ArnEquals: {
            'kms:EncryptionContext:aws:logs:arn':
              'arn:<AWS::Partition>:logs:eu-west-1:111122223333:log-group:/aws/sagemaker/Endpoints/delay',
          },
        },
      },
      EncryptRecords: {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Principal: { AWS: '<DelayExecutionRole.Arn>' },
        Resource: '*',
        Condition: {
          StringEquals: { 'kms:CallerAccount': '111122223333', 'kms:ViaService': 's3.eu-west-1.<AWS::URLSuffix>' },
        },
      },
    });
  });

  test('of several endpoints lets each in under a Sid of its own', () => {
    const stack = newStack();
    const encryptionKey = new Key(stack, 'Shared');
    for (const endpointName of ['first', 'second']) {
      new ModelEndpoint(stack, endpointName, {
        endpointName,
        encryptionKey,
        artifact: publishedArtifact(stack),
        image: ServingImage.sklearn('1.2'),
        dataCapture: DataCapture.sampled(),
      });
    }
    const { Statement } = new ReadableTemplate(stack).only('AWS::KMS::Key').Properties.KeyPolicy;
    expect(Statement.flatMap(({ Sid }: Statement) => Sid ?? []).sort()).toEqual([
      'EncryptAlarmNotices',
      'EncryptAlarmNotices2',
      'EncryptContainerLogs',
      'EncryptContainerLogs2',
      'EncryptRecords',
      'EncryptRecords2',
    ]);
  });

  test("may be the user's, of another stack too", () => {
    const app = new App();
    const keys = new Stack(app, 'Keys', { env: { account: '111122223333', region: 'eu-west-1' } });
    const stack = new Stack(app, 'Shop', { env: { account: '111122223333', region: 'eu-west-1' } });
    endpoint(stack, { encryptionKey: new Key(keys, 'Key'), dataCapture: DataCapture.sampled() });
    expect(new ReadableTemplate(stack).all('AWS::KMS::Key')).toEqual([]);
  });

  describe('where the instance family keeps the model on local disks', () => {
    const capacity = Capacity.instances({ instanceType: 'ml.g5.xlarge' });
    const image = ServingImage.pytorch('2.6');

    test('is left out, and the construct says so', () => {
      const stack = newStack();
      endpoint(stack, { capacity, image });
      expect(new ReadableTemplate(stack).only('AWS::SageMaker::EndpointConfig').Properties).not.toHaveProperty('KmsKeyId');
      Annotations.fromStack(stack).hasInfo('/Shop/Delay/Config', expectText('ml.g5.xlarge keeps the model on local NVMe disks'));
    });

    test('warns where the user chose the key', () => {
      const stack = newStack();
      endpoint(stack, { capacity, image, encryptionKey: new Key(stack, 'Ours') });
      Annotations.fromStack(stack).hasWarning('/Shop/Delay/Config', expectText('ml.g5.xlarge keeps the model on local NVMe disks'));
    });

    test('is named all the same where that is asked for', () => {
      const opted = Capacity.instances({ instanceType: 'ml.g5.xlarge', encryptionKeyOnLocalStorage: true });
      expect(template({ capacity: opted, image }).only('AWS::SageMaker::EndpointConfig').Properties.KmsKeyId).toBe('<DelayKey.Arn>');
    });

    test('is left out as soon as one variant does', () => {
      const { Properties } = template({}, (delay, stack) =>
        delay.addVariant('second', { artifact: publishedArtifact(stack), image, capacity }),
      ).only('AWS::SageMaker::EndpointConfig');
      expect(Properties).not.toHaveProperty('KmsKeyId');
    });
  });

  test('warns for a family whose disks are not known', () => {
    const stack = newStack();
    endpoint(stack, { capacity: Capacity.instances({ instanceType: 'ml.z9.large' }) });
    Annotations.fromStack(stack).hasWarning('/Shop/Delay/Config', expectText('nothing is known of the disks of ml.z9.large'));
  });
});

describe('capacity', () => {
  function variant(capacity: Capacity): Record<string, unknown> {
    return template({ capacity }).only('AWS::SageMaker::EndpointConfig').Properties.ProductionVariants[0];
  }

  test('of instances takes sizes, timeouts, machine image and reservation as asked', () => {
    const capacity = Capacity.instances({
      instanceType: 'ml.m5.large',
      min: 1,
      downloadTimeout: Duration.minutes(20),
      startupTimeout: Duration.minutes(10),
      inferenceAmiVersion: 'al2023-ami-sagemaker-inference-gpu-4-1',
      capacityReservationArn: 'arn:aws:sagemaker:eu-west-1:111122223333:training-plan/ours',
    });
    expect(variant(capacity)).toMatchObject({
      InitialInstanceCount: 1,
      ModelDataDownloadTimeoutInSeconds: 1200,
      ContainerStartupHealthCheckTimeoutInSeconds: 600,
      InferenceAmiVersion: 'al2023-ami-sagemaker-inference-gpu-4-1',
      CapacityReservationConfig: {
        CapacityReservationPreference: 'capacity-reservations-only',
        MlReservationArn: 'arn:aws:sagemaker:eu-west-1:111122223333:training-plan/ours',
      },
    });
  });

  test('that is serverless has no instance field, no isolation and no volume key', () => {
    const serverless = template({ capacity: Capacity.serverless({ maxConcurrency: 7 }) });
    expect(serverless.only('AWS::SageMaker::EndpointConfig').Properties).toEqual({
      ProductionVariants: [
        {
          VariantName: 'live',
          ModelName: '<DelayVariantsliveModel.ModelName>',
          InitialVariantWeight: 1,
          ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 7 },
        },
      ],
    });
    expect(serverless.only('AWS::SageMaker::Model').Properties).not.toHaveProperty('EnableNetworkIsolation');
  });

  test('that is async sleeps at 0 but starts with one, its answers encrypted', () => {
    const capacity = Capacity.async({ instanceType: 'ml.m5.large', max: 4, maxConcurrentInvocationsPerInstance: 3 });
    const async = template({ capacity, scaling: [Scaling.backlog()] });
    const config = async.only('AWS::SageMaker::EndpointConfig').Properties;
    expect(config.ProductionVariants[0].InitialInstanceCount).toBe(1);
    expect(async.only('AWS::ApplicationAutoScaling::ScalableTarget').Properties).toMatchObject({ MinCapacity: 0, MaxCapacity: 4 });
    expect(config.AsyncInferenceConfig).toEqual({
      ClientConfig: { MaxConcurrentInvocationsPerInstance: 3 },
      OutputConfig: {
        KmsKeyId: '<DelayKey.Arn>',
        S3OutputPath: 's3://<DelayStoreRecordsBucket>/async-answers',
        S3FailurePath: 's3://<DelayStoreRecordsBucket>/async-failures',
      },
    });
  });

  test.each<[string, () => Capacity, string]>([
    [
      'a minimum of 0 in real time',
      () => Capacity.instances({ instanceType: 'ml.m5.large', min: 0 }),
      'min of a real-time variant is a whole number from 1 to 10000, got 0: use Capacity.async',
    ],
    [
      'a maximum below the minimum',
      () => Capacity.instances({ instanceType: 'ml.m5.large', min: 3, max: 2 }),
      'max is a whole number from 3 to 10000, got 2',
    ],
    ['a t2 that should scale', () => Capacity.instances({ instanceType: 'ml.t2.medium', min: 1, max: 2 }), 'ml.t2.medium cannot scale'],
    [
      'an EC2 instance type',
      () => Capacity.instances({ instanceType: 'm5.large' }),
      "a SageMaker instance type looks like ml.c7g.large, got 'm5.large'",
    ],
    [
      'a start of 10 seconds',
      () => Capacity.instances({ instanceType: 'ml.m5.large', startupTimeout: Duration.seconds(10) }),
      'startupTimeout in seconds is a whole number from 60 to 3600, got 10',
    ],
    [
      'a download of 2 hours',
      () => Capacity.instances({ instanceType: 'ml.m5.large', downloadTimeout: Duration.hours(2) }),
      'downloadTimeout in seconds is a whole number from 60 to 3600, got 7200',
    ],
    [
      '201 requests at a time',
      () => Capacity.serverless({ maxConcurrency: 201 }),
      'maxConcurrency is a whole number from 1 to 200, got 201',
    ],
    [
      'more warm than there may be',
      () => Capacity.serverless({ maxConcurrency: 5, provisionedConcurrency: 6 }),
      'provisionedConcurrency is a whole number from 1 to 5, got 6',
    ],
    ['a warm maximum without a minimum', () => Capacity.serverless({ maxProvisionedConcurrency: 6 }), 'needs a provisionedConcurrency'],
    [
      '1001 requests an async instance',
      () => Capacity.async({ instanceType: 'ml.m5.large', maxConcurrentInvocationsPerInstance: 1001 }),
      'from 1 to 1000, got 1001',
    ],
  ])('refuses %s', (_, capacity, message) => {
    expect(capacity).toThrow(message);
  });

  test('refuses serverless memory that SageMaker does not have', () => {
    expect(() => Capacity.serverless({ memory: Size.mebibytes(1536) })).toThrow(
      'serverless memory is one of 1024, 2048, 3072, 4096, 5120, 6144 MiB, got 1536 MiB',
    );
  });
});

describe('a number that only the deployment knows', () => {
  const token = Token.asNumber({ Ref: 'Parameter' });
  const instanceType = 'ml.m5.large';
  const schedule = Schedule.cron({ hour: '7' });
  test.each<[string, () => unknown]>([
    ['min of a real-time variant', () => Capacity.instances({ instanceType, min: token, max: 10 })],
    ['max', () => Capacity.instances({ instanceType, max: token })],
    ['volumeSize in GiB', () => Capacity.instances({ instanceType, volumeSize: Size.gibibytes(token) })],
    ['min of an async variant', () => Capacity.async({ instanceType, min: token })],
    ['memory', () => Capacity.serverless({ memory: Size.mebibytes(token) })],
    ['maxConcurrency', () => Capacity.serverless({ maxConcurrency: token })],
    ['provisionedConcurrency', () => Capacity.serverless({ provisionedConcurrency: token })],
    ['weight', refusal({ weight: token })],
    ['perSecond', () => Scaling.invocationsPerInstance({ perSecond: token })],
    ['perInstance', () => Scaling.concurrency({ perInstance: token })],
    ['percent of a scaling', () => Scaling.cpuUtilization({ percent: token })],
    [
      'max of a schedule',
      refusal({ capacity: Capacity.instances({ instanceType }), scaling: [Scaling.schedule({ schedule, max: token })] }),
    ],
    ['percent of a canary step', () => Rollout.canary({ percent: token })],
    ['instances of a linear step', () => Rollout.linear({ instances: token })],
    ['percent of captured requests', () => DataCapture.sampled({ percent: token })],
    ['serverErrorPercent', refusal({ alarms: { serverErrorPercent: token } })],
  ])('is refused as %s', (what, build) => {
    expect(build).toThrow(`${what} must be known at synth, got a token, which only the deployment knows: write the number out`);
  });
});

describe('a serverless endpoint refuses what SageMaker has not for it:', () => {
  const capacity = Capacity.serverless();

  test('a VPC', () => {
    const stack = newStack();
    expect(() => endpoint(stack, { capacity, vpc: new Vpc(stack, 'Vpc') })).toThrow('a serverless endpoint cannot stand in a VPC');
  });
  test('network isolation', () => {
    expect(refusal({ capacity, networkIsolation: true })).toThrow('a serverless endpoint cannot be isolated from the network');
  });
  test('data capture', () => {
    expect(refusal({ capacity, dataCapture: DataCapture.sampled() })).toThrow('a serverless endpoint cannot capture data');
  });
  test('a second variant', () => {
    const stack = newStack();
    const delay = endpoint(stack, { capacity });
    expect(() => delay.addVariant('second', { artifact: publishedArtifact(stack) })).toThrow('a serverless endpoint has one variant');
  });
  test('a GPU image', () => {
    expect(refusal({ capacity, image: ServingImage.djl('0.36') })).toThrow('DJL 0.36.0 has no image for serverless');
  });
});

describe('scaling', () => {
  const capacity = Capacity.instances({ instanceType: 'ml.m5.large', min: 2, max: 6 });
  const scaling = [Scaling.invocationsPerInstance({ perSecond: 40 })];

  test('keeps the instance counts of the day through an update, but takes weights from the template', () => {
    expect(template({ capacity, scaling }).only('AWS::SageMaker::Endpoint').Properties).toMatchObject({
      RetainAllVariantProperties: true,
      ExcludeRetainedVariantProperties: [{ VariantPropertyType: 'DesiredWeight' }],
    });
    expect(template().only('AWS::SageMaker::Endpoint').Properties).not.toHaveProperty('RetainAllVariantProperties');
  });

  test('of a second variant stands beside that of the first', () => {
    const both = template({ capacity, scaling }, (delay, stack) =>
      delay.addVariant('second', { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2'), capacity, scaling }),
    );
    expect(both.all('AWS::ApplicationAutoScaling::ScalableTarget').map(({ Properties }) => Properties.ResourceId)).toEqual([
      expect.stringMatching(/^endpoint\/shop-delay-[0-9a-f]{8}\/variant\/live$/),
      expect.stringMatching(/^endpoint\/shop-delay-[0-9a-f]{8}\/variant\/second$/),
    ]);
  });

  test('is registered once the endpoint serves', () => {
    expect(template({ capacity, scaling }).only('AWS::ApplicationAutoScaling::ScalableTarget').DependsOn).toContain('Delay');
  });
});

describe('a schedule', () => {
  const schedule = Schedule.cron({ hour: '20' });
  const capacity = Capacity.instances({ instanceType: 'ml.m5.large', min: 4, max: 10 });

  test('that makes the fleet too small for the rollout’s steps is refused', () => {
    const scaling = [Scaling.schedule({ schedule, min: 1 })];
    expect(refusal({ capacity, scaling, rollout: Rollout.canary({ instances: 2 }) })).toThrow(
      'Rollout.canary moves whole instances, and variant live may have 1: set a min of 2',
    );
    const three = [Scaling.schedule({ schedule, min: 3 })];
    expect(refusal({ capacity, scaling: three, rollout: Rollout.canary({ instances: 2 }) })).toThrow('2 of 3 instances are more');
  });

  test('that makes the fleet one instance is updated all at once, where nothing else is asked', () => {
    const { DeploymentConfig } = template({ capacity, scaling: [Scaling.schedule({ schedule, min: 1 })] }).only(
      'AWS::SageMaker::Endpoint',
    ).Properties;
    expect(DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.Type).toBe('ALL_AT_ONCE');
  });

  test('that keeps more warm than may run at a time is refused', () => {
    const warm = Capacity.serverless({ maxConcurrency: 10, provisionedConcurrency: 2 });
    expect(refusal({ capacity: warm, scaling: [Scaling.schedule({ schedule, min: 50, max: 100 })] })).toThrow(
      'a schedule would keep up to 100 warm, and maxConcurrency is 10',
    );
  });
});

describe('a rollout', () => {
  const deployment = (readable: ReadableTemplate) => readable.only('AWS::SageMaker::Endpoint').Properties.DeploymentConfig;

  test('is by default a canary of one instance, rolled back by the alarms on the new fleet', () => {
    const readable = template({ endpointName: 'delay' });
    const { BlueGreenUpdatePolicy, AutoRollbackConfiguration } = deployment(readable);
    expect(BlueGreenUpdatePolicy.TrafficRoutingConfiguration).toMatchObject({
      Type: 'CANARY',
      CanarySize: { Type: 'INSTANCE_COUNT', Value: 1 },
    });
    const named = AutoRollbackConfiguration.Alarms.map(
      ({ AlarmName }: { AlarmName: string }) => readable.resources[AlarmName.slice(1, -1)]!,
    );
    expect(named).toHaveLength(3);
    for (const { Properties } of named) {
      const dimensions = (Properties.Metrics ?? [{ MetricStat: { Metric: Properties } }]).flatMap(
        ({ MetricStat }: Json) => MetricStat?.Metric.Dimensions ?? [],
      );
      expect(dimensions).toContainEqual({ Name: 'EndpointConfigName', Value: '<DelayConfig.EndpointConfigName>' });
      expect(dimensions).toContainEqual({ Name: 'EndpointName', Value: 'delay' });
    }
  });

  test('of one instance and of serverless is all at once', () => {
    for (const capacity of [Capacity.instances({ instanceType: 'ml.m5.large', min: 1 }), Capacity.serverless()]) {
      expect(deployment(template({ capacity })).BlueGreenUpdatePolicy.TrafficRoutingConfiguration.Type).toBe('ALL_AT_ONCE');
    }
  });

  test('by canary of one instance is refused', () => {
    expect(
      refusal({ capacity: Capacity.instances({ instanceType: 'ml.m5.large', min: 1 }), rollout: Rollout.canary({ percent: 10 }) }),
    ).toThrow();
  });

  test('watches added variants too, as far as SageMaker takes alarms', () => {
    const stack = newStack();
    const delay = endpoint(stack);
    const add = (name: string) => delay.addVariant(name, { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2') });
    add('second');
    add('third');
    expect(deployment(new ReadableTemplate(stack)).AutoRollbackConfiguration.Alarms).toHaveLength(9);
    expect(() => add('fourth')).toThrow("SageMaker takes at most 10 rollback alarms, 'fourth' makes them 12");
  });

  test('that rolls through batches is for one variant', () => {
    const stack = newStack();
    const delay = endpoint(stack, { rollout: Rollout.rolling({ percent: 50 }) });
    expect(() => delay.addVariant('second', { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2') })).toThrow(
      'a rolling rollout is for endpoints of one variant',
    );
  });
});

describe('alarms', () => {
  test('tell one encrypted topic, and whoever else is added', () => {
    const { all, only } = bind(template({}, (delay) => delay.addAlarmAction({ bind: () => ({ alarmActionArn: 'arn:pager' }) })));
    expect(only('AWS::SNS::Topic').Properties.KmsMasterKeyId).toBe('<DelayKey.Arn>');
    expect(all('AWS::CloudWatch::Alarm').length).toBeGreaterThan(5);
    for (const { Properties } of all('AWS::CloudWatch::Alarm')) {
      expect(Properties.AlarmActions).toEqual(['<DelayWatchTopic>', 'arn:pager']);
    }
  });

  test('keep their topic, with its subscriptions, when the variant is called otherwise', () => {
    const topicOf = (variantName: string) =>
      Object.entries(template({ variantName }).raw.Resources as Json).flatMap(([id, { Type }]: Json) =>
        Type === 'AWS::SNS::Topic' ? id : [],
      );
    expect(topicOf('live')).toHaveLength(1);
    expect(topicOf('other')).toEqual(topicOf('live'));
  });

  test('of added variants tell the same topic and the same others', () => {
    const { all } = bind(
      template({}, (delay, stack) => {
        delay.addAlarmAction({ bind: () => ({ alarmActionArn: 'arn:pager' }) });
        delay.addVariant('second', { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2') });
      }),
    );
    expect(new Set(all('AWS::CloudWatch::Alarm').map(({ Properties }) => JSON.stringify(Properties.AlarmActions)))).toEqual(
      new Set(['["<DelayWatchTopic>","arn:pager"]']),
    );
  });
});

describe('the dashboard', () => {
  test('has the name of the endpoint and its region, and every variant on it', () => {
    const { only } = bind(
      template({ endpointName: 'delay' }, (delay, stack) =>
        delay.addVariant('second', { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2') }),
      ),
    );
    const { DashboardName, DashboardBody } = only('AWS::CloudWatch::Dashboard').Properties;
    expect(DashboardName).toBe('delay-eu-west-1');
    expect(DashboardBody).toContain('delay · live');
    expect(DashboardBody).toContain('delay · second');
  });

  test('is left out where it is not wanted', () => {
    expect(template({ dashboard: false }).all('AWS::CloudWatch::Dashboard')).toEqual([]);
  });
});

describe('several variants', () => {
  test('a weight of 0 stays 0, and is what an added variant has', () => {
    const { Properties } = template({ weight: 0 }, (delay, stack) =>
      delay.addVariant('second', { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2') }),
    ).only('AWS::SageMaker::EndpointConfig');
    expect(Properties.ProductionVariants.map((variant: Json) => [variant.VariantName, variant.InitialVariantWeight])).toEqual([
      ['live', 0],
      ['second', 0],
    ]);
  });

  test('read a model each, and pull the image that they share once', () => {
    const statements = template({}, (delay, stack) =>
      delay.addVariant('second', { artifact: publishedArtifact(stack, 'b'.repeat(64)), image: ServingImage.sklearn('1.2') }),
    ).executionStatements();
    expect(statements.ReadModel?.Resource).toContain(DIGEST);
    expect(statements.ReadModel2?.Resource).toContain('b'.repeat(64));
    expect(statements).not.toHaveProperty('PullServingImage2');
  });

  test('of one name are refused', () => {
    const stack = newStack();
    const delay = endpoint(stack, { endpointName: 'delay' });
    expect(() => delay.addVariant('live', { artifact: publishedArtifact(stack) })).toThrow(
      "the endpoint delay has a variant 'live' already",
    );
  });

  test('of two kinds are refused', () => {
    const stack = newStack();
    const delay = endpoint(stack);
    const capacity = Capacity.async({ instanceType: 'ml.m5.large' });
    expect(() => delay.addVariant('second', { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2'), capacity })).toThrow(
      "the variants of an endpoint are of one kind: 'second' is 'async', the endpoint 'instances'",
    );
  });

  test('with a weight below 0, or beyond all numbers, are refused', () => {
    expect(refusal({ weight: -1 })).toThrow("a variant's weight is a finite number of 0 or more, got -1");
    expect(refusal({ weight: Number.POSITIVE_INFINITY })).toThrow("a variant's weight is a finite number of 0 or more, got Infinity");
  });
});

describe('data capture', () => {
  test('writes a tenth of requests and answers, encrypted, for 30 days, as they are where they are text', () => {
    const captured = template({ dataCapture: DataCapture.sampled() });
    expect(captured.only('AWS::SageMaker::EndpointConfig').Properties.DataCaptureConfig).toEqual({
      EnableCapture: true,
      InitialSamplingPercentage: 10,
      DestinationS3Uri: 's3://<DelayStoreRecordsBucket>/capture',
      KmsKeyId: '<DelayKey.Arn>',
      CaptureOptions: [{ CaptureMode: 'Input' }, { CaptureMode: 'Output' }],
      CaptureContentTypeHeader: { CsvContentTypes: ['text/csv'], JsonContentTypes: ['application/json'] },
    });
    expect(captured.resources.DelayStoreRecordsBucket?.Properties.LifecycleConfiguration.Rules).toContainEqual({
      Id: 'capture',
      Prefix: 'capture/',
      Status: 'Enabled',
      ExpirationInDays: 30,
      NoncurrentVersionExpiration: { NoncurrentDays: 30 },
    });
  });

  test('of 0 percent stays 0', () => {
    const dataCapture = DataCapture.sampled({ percent: 0, answers: false });
    expect(template({ dataCapture }).only('AWS::SageMaker::EndpointConfig').Properties.DataCaptureConfig).toMatchObject({
      InitialSamplingPercentage: 0,
      CaptureOptions: [{ CaptureMode: 'Input' }],
    });
  });

  test('of 101 percent, or of nothing, is refused', () => {
    expect(() => DataCapture.sampled({ percent: 101 })).toThrow('percent of captured requests is a whole number from 0 to 100, got 101');
    expect(() => DataCapture.sampled({ requests: false, answers: false })).toThrow('data capture needs requests, answers or both');
  });
});

test('records that would be kept for no time are refused', () => {
  expect(refusal({ dataCapture: DataCapture.sampled({ retention: Duration.days(0) }) })).toThrow(
    'retention of capture/ in days is a whole number from 1 to 36500, got 0',
  );
});

describe('every bucket', () => {
  test('is encrypted, versioned, TLS only, not public, logged and kept', () => {
    const { resources, all } = bind(template({ dataCapture: DataCapture.sampled() }));
    expect(all('AWS::S3::Bucket')).toHaveLength(2);
    for (const bucket of all('AWS::S3::Bucket')) {
      expect(bucket.DeletionPolicy).toBe('Retain');
      expect(bucket.Properties.VersioningConfiguration).toEqual({ Status: 'Enabled' });
      expect(Object.values(bucket.Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    }
    expect(resources.DelayStoreRecordsBucket?.Properties.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
      { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { KMSMasterKeyID: '<DelayKey.Arn>', SSEAlgorithm: 'aws:kms' } },
    ]);
    expect(resources.DelayStoreRecordsBucket?.Properties.LoggingConfiguration).toEqual({
      DestinationBucketName: '<DelayStoreRecordsAccessLogs>',
      LogFilePrefix: 'records/',
    });
    for (const { Properties } of all('AWS::S3::BucketPolicy')) {
      const denied = Properties.PolicyDocument.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Deny');
      expect(denied.map(({ Condition }: { Condition: unknown }) => Condition)).toEqual([
        { Bool: { 'aws:SecureTransport': 'false' } },
        { NumericLessThan: { 's3:TlsVersion': 1.2 } },
      ]);
    }
  });
});

describe('the network', () => {
  test('is two private subnets and a group with HTTPS out and nothing in', () => {
    const stack = newStack();
    endpoint(stack, { vpc: new Vpc(stack, 'Vpc', { maxAzs: 2 }) });
    const { only } = bind(new ReadableTemplate(stack));
    expect(only('AWS::SageMaker::Model').Properties.VpcConfig).toEqual({
      Subnets: ['<VpcPrivateSubnet1Subnet>', '<VpcPrivateSubnet2Subnet>'],
      SecurityGroupIds: ['<DelayNetworkSecurityGroup.GroupId>'],
    });
    const group = only('AWS::EC2::SecurityGroup').Properties;
    expect(group).not.toHaveProperty('SecurityGroupIngress');
    expect(group.SecurityGroupEgress).toEqual([expect.objectContaining({ FromPort: 443, ToPort: 443, IpProtocol: 'tcp' })]);
  });

  test('of one subnet is refused', () => {
    const stack = newStack();
    expect(() => endpoint(stack, { vpc: new Vpc(stack, 'Vpc', { maxAzs: 1 }) })).toThrow(
      'the endpoint needs two subnets in different availability zones, got 1 in',
    );
  });

  test('has no connections outside a VPC', () => {
    expect(() => endpoint(newStack(), { endpointName: 'delay' }).connections).toThrow('the endpoint delay is in no VPC');
  });

  test('is cut off where that is asked for', () => {
    expect(template({ networkIsolation: true }).only('AWS::SageMaker::Model').Properties.EnableNetworkIsolation).toBe(true);
  });
});

describe('environment', () => {
  test('stands beside what the image needs, and wins over it', () => {
    const { Properties } = template({ environment: { SAGEMAKER_PROGRAM: 'mine.py', MODE: 'fast' } }).only('AWS::SageMaker::Model');
    expect(Properties.PrimaryContainer.Environment).toEqual({
      SAGEMAKER_PROGRAM: 'mine.py',
      SAGEMAKER_SUBMIT_DIRECTORY: '/opt/ml/model/code',
      MODE: 'fast',
    });
  });

  test.each<[string, Record<string, string>, string]>([
    [
      '101 entries',
      Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`K${index}`, '1'])),
      'at most 100 environment entries, got 101',
    ],
    ['a value of 1025 characters', { LONG: 'x'.repeat(1025) }, 'environment LONG has 1025 characters'],
    ['33 KB', Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`K${index}`, 'x'.repeat(1000)])), 'is at most 32 KB, got'],
    ['a name with a hyphen', { 'NOT-A-NAME': '1' }, "got 'NOT-A-NAME'"],
    ['an access key', { TOKEN: 'AKIAIOSFODNN7EXAMPLE' }, 'environment TOKEN looks like a secret'],
    ['a secret behind a token', { TOKEN: SecretValue.secretsManager('ours').unsafeUnwrap() }, 'environment TOKEN looks like a secret'],
  ])('refuses %s', (_, environment, message) => {
    expect(refusal({ environment })).toThrow(message);
  });
});

describe('what SageMaker takes from the same region only', () => {
  test('is refused from another: a model package, the repository of an image', () => {
    const artifact = ModelArtifact.fromModelPackage('arn:aws:sagemaker:us-east-1:111122223333:model-package/delay/3');
    expect(refusal({ artifact, image: undefined })).toThrow('is in us-east-1, and the endpoint in eu-west-1');
    const stack = newStack();
    const repository = Repository.fromRepositoryArn(stack, 'Images', 'arn:aws:ecr:us-east-1:111122223333:repository/serving');
    expect(() => endpoint(stack, { image: ServingImage.fromEcrRepository(repository, '1.4') })).toThrow(
      'the repository Shop/Images is in us-east-1, and the endpoint in eu-west-1: SageMaker takes it from the same region only',
    );
  });
});

describe('a key by its alias', () => {
  test('is refused, as IAM and log groups know no key by it', () => {
    const stack = newStack();
    const encryptionKey = Alias.fromAliasName(stack, 'Ours', 'alias/ours');
    const message = 'the key Shop/Ours is the alias alias/ours, by which IAM and log groups know no key: pass the key itself';
    expect(() => endpoint(stack, { encryptionKey })).toThrow(message);
    expect(() => new ModelStore(stack, 'Store', { encryptionKey })).toThrow(message);
  });
});

describe('names', () => {
  test.each(['-delay', 'delay-', 'de_lay', 'd'.repeat(64), `d${'-d'.repeat(32)}`, ''])('refuses an endpoint called %j', (endpointName) => {
    expect(refusal({ endpointName })).toThrow("an endpoint's name has 1 to 63 letters, digits and inner hyphens");
  });

  test('refuses a name that is known only at deployment', () => {
    expect(refusal({ endpointName: `delay-${Aws.REGION}` })).toThrow('endpointName must be written out');
  });

  test.each(['live_2', `v${'-v'.repeat(32)}`])('refuses a variant called %s', (variantName) => {
    expect(refusal({ variantName })).toThrow(`a variant's name has 1 to 63 letters, digits and inner hyphens, got '${variantName}'`);
  });
});

describe('tags', () => {
  test('reach model, configuration and endpoint', () => {
    const tagged = template({}, (delay) => Tags.of(delay).add('team', 'flights'));
    for (const type of ['Model', 'EndpointConfig', 'Endpoint']) {
      expect(tagged.only(`AWS::SageMaker::${type}`).Properties.Tags).toContainEqual({ Key: 'team', Value: 'flights' });
    }
  });

  test('beyond 50 are refused', () => {
    expect(() =>
      template({}, (delay) => {
        for (let index = 0; index < 51; index++) Tags.of(delay).add(`k${index}`, 'v');
      }),
    ).toThrow('SageMaker takes at most 50 tags a resource, Shop/Delay has 51');
  });
});

describe('grantInvoke', () => {
  function granted(props: Partial<ModelEndpointProps>): unknown[] {
    const invoking = template(props, (delay, stack) => delay.grantInvoke(new User(stack, 'Caller')));
    return invoking.only('AWS::IAM::Policy').Properties.PolicyDocument.Statement;
  }

  test('is to invoke this endpoint, streaming included, and nothing else', () => {
    expect(granted({})).toEqual([
      { Effect: 'Allow', Action: ['sagemaker:InvokeEndpoint', 'sagemaker:InvokeEndpointWithResponseStream'], Resource: '<Delay>' },
    ]);
  });

  test('of an async endpoint is also to put requests and take answers', () => {
    expect(granted({ capacity: Capacity.async({ instanceType: 'ml.m5.large' }) })).toEqual([
      { Effect: 'Allow', Action: 'sagemaker:InvokeEndpointAsync', Resource: '<Delay>' },
      { Effect: 'Allow', Action: 's3:PutObject', Resource: '<DelayStoreRecordsBucket.Arn>/async-requests/*' },
      {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: ['<DelayStoreRecordsBucket.Arn>/async-answers/*', '<DelayStoreRecordsBucket.Arn>/async-failures/*'],
      },
      { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '<DelayKey.Arn>' },
    ]);
  });
});

describe('metrics', () => {
  const delay = endpoint(newStack(), { endpointName: 'delay' });

  test('are of the endpoint and its variant, with the unit in their label', () => {
    const metric = delay.metricModelLatency({ statistic: 'p99' });
    expect(metric).toMatchObject({
      namespace: 'AWS/SageMaker',
      metricName: 'ModelLatency',
      dimensions: { EndpointName: 'delay', VariantName: 'live' },
      statistic: 'p99',
      label: 'Model latency (microseconds)',
    });
    expect(delay.metricCpuUtilization()).toMatchObject({ namespace: '/aws/sagemaker/Endpoints', metricName: 'CPUUtilization' });
    expect(delay.metric('Anything')).toMatchObject({ metricName: 'Anything', dimensions: { EndpointName: 'delay', VariantName: 'live' } });
  });

  test('that this kind of endpoint never publishes are refused', () => {
    expect(() => delay.metricBacklogSize()).toThrow(
      "delay is of the kind 'instances', which publishes no ApproximateBacklogSize: only async do",
    );
    const async = endpoint(newStack(), { endpointName: 'queue', capacity: Capacity.async({ instanceType: 'ml.m5.large' }) });
    expect(() => async.metricInvocations()).toThrow("queue is of the kind 'async', which publishes no Invocations");
    expect(async.metricAgeOfOldestRequest().dimensions).toEqual({ EndpointName: 'queue' });
  });
});

describe('an imported endpoint', () => {
  const stack = newStack();
  const imported = ModelEndpoint.fromEndpointAttributes(stack, 'Theirs', { endpointName: 'Their-Model', variantName: 'AllTraffic' });

  test('has metrics of the variant named', () => {
    expect(imported.metricInvocations().dimensions).toEqual({ EndpointName: 'Their-Model', VariantName: 'AllTraffic' });
  });

  test('can be invoked by the ARN as IAM sees it, in lower case', () => {
    imported.grantInvoke(new Role(stack, 'Caller', { assumedBy: new AccountRootPrincipal() }));
    expect(new ReadableTemplate(stack).only('AWS::IAM::Policy').Properties.PolicyDocument.Statement[0]).toMatchObject({
      Action: expect.arrayContaining(['sagemaker:InvokeEndpoint', 'sagemaker:InvokeEndpointAsync']),
      Resource: 'arn:<AWS::Partition>:sagemaker:eu-west-1:111122223333:endpoint/their-model',
    });
  });

  test('by name alone is that of the variant live', () => {
    expect(ModelEndpoint.fromEndpointName(stack, 'Ours', 'ours').variantName).toBe('live');
  });
});

describe('enhanced metrics', () => {
  test('come as often as asked', () => {
    expect(
      template({ enhancedMetricsPeriod: Duration.seconds(10) }).only('AWS::SageMaker::EndpointConfig').Properties.MetricsConfig,
    ).toEqual({
      EnableEnhancedMetrics: true,
      MetricPublishFrequencyInSeconds: 10,
    });
  });

  test('every 45 seconds are refused', () => {
    expect(refusal({ enhancedMetricsPeriod: Duration.seconds(45) })).toThrow(
      'enhancedMetricsPeriod is one of 10, 30, 60, 120, 180, 240, 300 seconds, got 45',
    );
  });
});

function expectText(text: string): Matcher {
  return Match.stringLikeRegexp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}

function bind(readable: ReadableTemplate) {
  return { resources: readable.resources, only: readable.only.bind(readable), all: readable.all.bind(readable) };
}
