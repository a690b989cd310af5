import {
  ApplicationAutoScalingClient,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DescribeEndpointCommand,
  SageMakerClient,
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
