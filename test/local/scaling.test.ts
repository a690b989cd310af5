import {
  ApplicationAutoScalingClient,
  DeleteScalingPolicyCommand,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient, DeleteAlarmsCommand, PutMetricAlarmCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DescribeEndpointCommand,
  SageMakerClient,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { type LocalSageMaker, startLocal } from '../../lib/local';

const target = {
  ServiceNamespace: 'sagemaker' as const,
  ResourceId: 'endpoint/flights/variant/live',
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount' as const,
};
let local: LocalSageMaker;
let scaling: ApplicationAutoScalingClient;
let sagemaker: SageMakerClient;
let cloudwatch: CloudWatchClient;

beforeAll(async () => {
  const engine = {
    invoke: async () => ({ status: 200, contentType: 'text/csv', body: Buffer.from('0') }),
    ping: async () => true,
    restarts: 0,
    close: async () => {},
  };
  local = await startLocal({ clock: { start: Date.UTC(2026, 0, 1), speed: 0 }, openModel: async () => engine, warn: () => {} });
  const options = { endpoint: local.url, region: local.region, credentials: { accessKeyId: 'x', secretAccessKey: 'x' }, maxAttempts: 1 };
  scaling = new ApplicationAutoScalingClient(options);
  sagemaker = new SageMakerClient(options);
  cloudwatch = new CloudWatchClient(options);
  await local.objects.write('models', 'm.tar.gz', Buffer.from(''));
  const Containers = [{ Image: 'local/onnx:1' }];
  await sagemaker.send(new CreateModelCommand({ ModelName: 'm', ExecutionRoleArn: 'arn:aws:iam::000000000000:role/local', Containers }));
  const variant = (VariantName: string, InstanceType: 'ml.c7g.large' | 'ml.t2.medium') => ({
    VariantName,
    ModelName: 'm',
    InstanceType,
    InitialInstanceCount: 2,
    InitialVariantWeight: 1,
  });
  await sagemaker.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: 'c',
      ProductionVariants: [variant('live', 'ml.c7g.large'), variant('small', 'ml.t2.medium')],
    }),
  );
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: 'flights', EndpointConfigName: 'c' }));
  await local.clock.jump(60_000);
});
afterAll(async () => {
  scaling.destroy();
  sagemaker.destroy();
  cloudwatch.destroy();
  await local.close();
});

const instances = async () =>
  (await sagemaker.send(new DescribeEndpointCommand({ EndpointName: 'flights' }))).ProductionVariants![0].CurrentInstanceCount;

describe('a scalable target', () => {
  test('is registered once, changed in part, and listed', async () => {
    await scaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 1, MaxCapacity: 8 }));
    await scaling.send(new RegisterScalableTargetCommand({ ...target, MaxCapacity: 6 }));
    const { ScalableTargets } = await scaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'sagemaker' }));
    expect(ScalableTargets).toEqual([expect.objectContaining({ ...target, MinCapacity: 1, MaxCapacity: 6 })]);
  });
  test('has an ARN of its own', async () => {
    const other = {
      ...target,
      ScalableDimension: 'sagemaker:variant:DesiredProvisionedConcurrency' as const,
      MinCapacity: 1,
      MaxCapacity: 2,
    };
    const arns = [target, other].map(async (one) => (await scaling.send(new RegisterScalableTargetCommand(one))).ScalableTargetARN);
    expect(new Set(await Promise.all(arns)).size).toBe(2);
    await scaling.send(new DeregisterScalableTargetCommand(other));
  });
  test.each([
    ['a minimum above the maximum', { ...target, MinCapacity: 9, MaxCapacity: 2 }, /Maximum capacity cannot be less/],
    [
      'a variant that is not there',
      { ...target, ResourceId: 'endpoint/flights/variant/nobody', MinCapacity: 1, MaxCapacity: 2 },
      /doesn't exist/,
    ],
    ['an ml.t2 instance', { ...target, ResourceId: 'endpoint/flights/variant/small', MinCapacity: 1, MaxCapacity: 2 }, /ml\.t2\.medium/],
  ])('is refused for %s', async (_, input, said) => {
    await expect(scaling.send(new RegisterScalableTargetCommand(input))).rejects.toThrow(said);
  });
});

describe('a variant that is a scalable target', () => {
  const variant = (VariantName: string, InstanceType: 'ml.c7g.large' | 'ml.c7g.xlarge' | 'ml.t2.medium', ModelName = 'm') => ({
    VariantName,
    ModelName,
    InstanceType,
    InitialInstanceCount: 2,
    InitialVariantWeight: 1,
  });
  const small = variant('small', 'ml.t2.medium');
  const update = async (EndpointConfigName: string, ...ProductionVariants: ReturnType<typeof variant>[]) => {
    await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName, ProductionVariants }));
    return sagemaker.send(new UpdateEndpointCommand({ EndpointName: 'flights', EndpointConfigName }));
  };
  const refusal = {
    name: 'ValidationException',
    message:
      'The variant(s) "live" must be deregistered as scalable targets with AWS Auto Scaling before they can be removed or have their instance type modified.',
  };

  test('keeps its instance type, and stays, as long as it is one', async () => {
    await scaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 1, MaxCapacity: 6 }));
    await expect(update('larger', variant('live', 'ml.c7g.xlarge'), small)).rejects.toMatchObject(refusal);
    await expect(update('without', small)).rejects.toMatchObject(refusal);
  });

  test('may change its model, and lose a variant that is none', async () => {
    const Containers = [{ Image: 'local/onnx:1' }];
    await sagemaker.send(new CreateModelCommand({ ModelName: 'n', ExecutionRoleArn: 'arn:aws:iam::000000000000:role/local', Containers }));
    await update('other-model', variant('live', 'ml.c7g.large', 'n'));
    await local.clock.jump(60_000);
    await update('as-before', variant('live', 'ml.c7g.large'), small);
    await local.clock.jump(60_000);
  });

  test('changes once it is deregistered', async () => {
    await scaling.send(new DeregisterScalableTargetCommand(target));
    await sagemaker.send(new UpdateEndpointCommand({ EndpointName: 'flights', EndpointConfigName: 'larger' }));
    await local.clock.jump(60_000);
    await sagemaker.send(new UpdateEndpointCommand({ EndpointName: 'flights', EndpointConfigName: 'c' }));
    await local.clock.jump(60_000);
    await scaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 1, MaxCapacity: 6 }));
  });
});

describe('target tracking', () => {
  const policy = (PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' | 'SageMakerVariantProvisionedConcurrencyUtilization') =>
    new PutScalingPolicyCommand({
      ...target,
      PolicyName: 'requests',
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 100,
        PredefinedMetricSpecification: { PredefinedMetricType },
        ScaleOutCooldown: 0,
      },
    });

  test('is refused for a metric of another dimension', async () => {
    await expect(scaling.send(policy('SageMakerVariantProvisionedConcurrencyUtilization'))).rejects.toThrow(
      /cannot be used with the scalable dimension/,
    );
  });

  test('adds instances when requests an instance are above the target, up to the maximum', async () => {
    await scaling.send(policy('SageMakerVariantInvocationsPerInstance'));
    expect((await scaling.send(new DescribeScalingPoliciesCommand({ ServiceNamespace: 'sagemaker' }))).ScalingPolicies).toHaveLength(1);
    expect(await instances()).toBe(2);
    const sample = {
      endpoint: 'flights',
      variant: 'live',
      config: 'c',
      shadow: false,
      kind: 'realtime' as const,
      status: 200,
      latency: 100,
      overhead: 10,
      instances: 2,
      concurrency: 1,
    };
    for (let i = 0; i < 800; i++) local.metrics.record({ ...sample, time: local.clock.now() });
    await local.clock.jump(130_000);
    expect(await instances()).toBe(6);
  });

  test('goes with its target', async () => {
    await scaling.send(new DeregisterScalableTargetCommand(target));
    expect((await scaling.send(new DescribeScalingPoliciesCommand({ ServiceNamespace: 'sagemaker' }))).ScalingPolicies).toEqual([]);
    await expect(scaling.send(new DeregisterScalableTargetCommand(target))).rejects.toMatchObject({ name: 'ObjectNotFoundException' });
  });
});

describe('step scaling', () => {
  const steps = {
    AdjustmentType: 'ChangeInCapacity' as const,
    Cooldown: 300,
    StepAdjustments: [
      { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 10, ScalingAdjustment: 1 },
      { MetricIntervalLowerBound: 10, ScalingAdjustment: 3 },
    ],
  };
  const policy = (StepScalingPolicyConfiguration: object, PolicyName = 'queue') =>
    scaling.send(
      new PutScalingPolicyCommand({ ...target, PolicyName, PolicyType: 'StepScaling', StepScalingPolicyConfiguration } as never),
    );
  const alarm = (AlarmName: string, ComparisonOperator: 'GreaterThanThreshold' | 'LessThanThreshold', Threshold: number, action: string) =>
    cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        Namespace: 'Test',
        MetricName: 'Queue',
        Statistic: 'Maximum',
        Period: 60,
        EvaluationPeriods: 1,
        ComparisonOperator,
        Threshold,
        AlarmActions: [action],
      }),
    );
  /** One minute in which the queue was this long. */
  const minute = async (Value: number) => {
    const Timestamp = new Date(local.clock.now());
    await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'Test', MetricData: [{ MetricName: 'Queue', Value, Timestamp }] }));
    await local.clock.jump(60_000);
  };

  test('resizes the fleet by how far the alarm is breached; during the cooldown it adds only what is more', async () => {
    await scaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 2, MaxCapacity: 2 }));
    await local.clock.jump(130_000);
    expect(await instances()).toBe(2);
    await scaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 1, MaxCapacity: 9 }));
    const { PolicyARN } = await policy(steps);
    await alarm('long queue', 'GreaterThanThreshold', 100, PolicyARN!);
    await minute(50);
    await minute(50);
    expect(await instances()).toBe(2);
    await minute(105);
    await minute(105);
    await minute(105);
    expect(await instances()).toBe(3);
    await minute(140);
    await minute(140);
    expect(await instances()).toBe(5);
  });

  test('takes instances away by another alarm, once its cooldown is over', async () => {
    await scaling.send(new DeleteScalingPolicyCommand({ ...target, PolicyName: 'queue' }));
    const { PolicyARN } = await policy(
      {
        AdjustmentType: 'PercentChangeInCapacity',
        Cooldown: 240,
        StepAdjustments: [{ MetricIntervalUpperBound: 0, ScalingAdjustment: -40 }],
      },
      'no queue',
    );
    await alarm('no queue', 'LessThanThreshold', 10, PolicyARN!);
    await minute(1);
    await minute(1);
    expect(await instances()).toBe(5);
    for (let i = 0; i < 4; i++) await minute(1);
    expect(await instances()).toBe(3);
    await scaling.send(new DeleteScalingPolicyCommand({ ...target, PolicyName: 'no queue' }));
  });

  test.each([
    ['without steps', { AdjustmentType: 'ChangeInCapacity', StepAdjustments: [] }, /At least one step adjustment/],
    ['without a type', { StepAdjustments: [{ ScalingAdjustment: 1 }] }, /AdjustmentType is needed/],
    [
      'with a gap',
      {
        AdjustmentType: 'ChangeInCapacity',
        StepAdjustments: [
          { MetricIntervalUpperBound: 1, ScalingAdjustment: 1 },
          { MetricIntervalLowerBound: 2, ScalingAdjustment: 2 },
        ],
      },
      /cannot have a gap/,
    ],
  ])('is refused %s', async (_, configuration, said) => {
    await expect(policy(configuration)).rejects.toThrow(said);
  });
});

describe('a scheduled action', () => {
  beforeAll(() => cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: ['long queue', 'no queue'] })));

  const schedule = (ScheduledActionName: string, Schedule: string, capacity: number, more: object = {}) =>
    scaling.send(
      new PutScheduledActionCommand({
        ...target,
        ScheduledActionName,
        Schedule,
        ScalableTargetAction: { MinCapacity: capacity, MaxCapacity: capacity },
        ...more,
      }),
    );
  const clockAt = (text: string) => local.clock.jump(Date.parse(text) - local.clock.now());

  test('happens once at its time, on the wall clock of its time zone', async () => {
    await schedule('once', 'at(2026-01-02T09:30:00)', 6, { Timezone: 'Europe/Vienna' });
    await clockAt('2026-01-02T08:29:30Z');
    expect(await instances()).toBe(3);
    await clockAt('2026-01-02T08:31:00Z');
    expect(await instances()).toBe(6);
  });

  test('happens whenever its cron expression says', async () => {
    await schedule('morning', 'cron(0 9 ? * MON-FRI *)', 4);
    await schedule('night', 'cron(30 22 * * ? *)', 1);
    await clockAt('2026-01-02T09:01:00Z');
    expect(await instances()).toBe(4);
    await clockAt('2026-01-02T22:29:00Z');
    expect(await instances()).toBe(4);
    await clockAt('2026-01-02T22:31:00Z');
    expect(await instances()).toBe(1);
    // The 3rd is a Saturday.
    await clockAt('2026-01-03T09:01:00Z');
    expect(await instances()).toBe(1);
  });

  test('happens at its rate, from its start to its end', async () => {
    const [StartTime, EndTime] = [new Date('2026-01-03T10:00:00Z'), new Date('2026-01-03T11:30:00Z')];
    await schedule('often', 'rate(1 hour)', 2, { StartTime, EndTime });
    await clockAt('2026-01-03T10:01:00Z');
    expect(await instances()).toBe(2);
    await scaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 5, MaxCapacity: 5 }));
    await clockAt('2026-01-03T10:58:00Z');
    expect(await instances()).toBe(5);
    await clockAt('2026-01-03T11:01:00Z');
    expect(await instances()).toBe(2);
    await scaling.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 5, MaxCapacity: 5 }));
    await clockAt('2026-01-03T12:30:00Z');
    expect(await instances()).toBe(5);
  });

  test.each([
    ['sometimes', /none of at\(/],
    ['at(tomorrow)', /yyyy-mm-ddThh:mm:ss/],
    ['rate(0 minutes)', /number of minutes, hours or days/],
    ['cron(0 7 * * *)', /six fields, got 5/],
    ['cron(0 7 * * * *)', /exactly one of day of month and day of week/],
    ['cron(61 7 * * ? *)', /'61' is not from 0 to 59/],
  ])('is refused with the schedule %s', async (text, said) => {
    await expect(schedule('wrong', text, 1)).rejects.toThrow(said);
  });
});
