import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationAutoScaling } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatch } from '@aws-sdk/client-cloudwatch';
import { startLocal } from '../../lib/local';
import { createConfig, createModel, IMAGE, START, type Started, serve, start, ToldEngine, variant } from './support';

let stateDirectory: string;
let started: Started;
beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), 'fledge-state-'));
});
afterEach(async () => {
  await started?.stop();
  rmSync(stateDirectory, { recursive: true });
});

async function startHere(failing?: string): Promise<void> {
  started = await start({
    stateDirectory,
    openModel: async (_, { name }) => {
      if (name === failing) throw new Error(`${name} is gone`);
      return new ToldEngine(() => ({ body: Buffer.from(name) }));
    },
  });
}

async function again(failing?: string): Promise<void> {
  await started.stop();
  await startHere(failing);
}

const answer = async () => Buffer.from((await started.runtime.invokeEndpoint({ EndpointName: 'e', Body: 'x' })).Body).toString();
const describeIt = () => started.sagemaker.describeEndpoint({ EndpointName: 'e' });

it('finds everything again after another start', async () => {
  await startHere();
  await serve(started, 'e', 'old', { InitialInstanceCount: 2 });
  await started.sagemaker.updateEndpointWeightsAndCapacities({
    EndpointName: 'e',
    DesiredWeightsAndCapacities: [{ VariantName: 'live', DesiredInstanceCount: 5 }],
  });
  await started.local.clock.jump(10_000);
  await started.sagemaker.addTags({ ResourceArn: 'arn:aws:sagemaker:us-east-1:000000000000:endpoint/e', Tags: [{ Key: 'a', Value: 'b' }] });
  await started.sagemaker.createModelPackageGroup({ ModelPackageGroupName: 'g' });
  await started.sagemaker.createModelPackage({ ModelPackageGroupName: 'g', InferenceSpecification: { Containers: [{ Image: IMAGE }] } });
  const before = await describeIt();
  await again();
  const strip = ({ $metadata, ...rest }: { $metadata: unknown }) => rest;
  expect(strip(await describeIt())).toEqual(strip(before));
  expect(await answer()).toBe('old');
  expect((await started.sagemaker.listTags({ ResourceArn: before.EndpointArn })).Tags).toEqual([{ Key: 'a', Value: 'b' }]);
  const { ModelPackageArn } = await started.sagemaker.createModelPackage({
    ModelPackageGroupName: 'g',
    InferenceSpecification: { Containers: [{ Image: IMAGE }] },
  });
  expect(ModelPackageArn).toMatch(/\/2$/);
  expect((await started.sagemaker.describeEndpointConfig({ EndpointConfigName: 'old' })).CreationTime).toEqual(new Date(START));
});

it('takes up an update where the server was ended in the middle of it', async () => {
  await startHere();
  await serve(started, 'e', 'old');
  await createModel(started, 'new');
  await createConfig(started, 'next', [variant('live', 'new')]);
  const DeploymentConfig = {
    BlueGreenUpdatePolicy: {
      TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE' as const, WaitIntervalInSeconds: 0 },
      TerminationWaitInSeconds: 300,
    },
  };
  await started.sagemaker.updateEndpoint({ EndpointName: 'e', EndpointConfigName: 'next', DeploymentConfig });
  await started.local.clock.jump(100_000);
  expect(await answer()).toBe('new');
  await again();
  expect(await describeIt()).toMatchObject({ EndpointStatus: 'Updating', EndpointConfigName: 'old' });
  expect(await answer()).toBe('old');
  await started.local.clock.jump(310_000);
  expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'next' });
  expect(await answer()).toBe('new');
});

it('goes on creating, and finishes deleting', async () => {
  await startHere();
  await createModel(started, 'old');
  await createConfig(started, 'config', [variant('live', 'old')]);
  await started.sagemaker.createEndpoint({ EndpointName: 'e', EndpointConfigName: 'config' });
  await again();
  expect(await describeIt()).toMatchObject({ EndpointStatus: 'Creating' });
  await started.local.clock.jump(10_000);
  expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService' });
  await started.sagemaker.deleteEndpoint({ EndpointName: 'e' });
  await again();
  await started.local.clock.jump(10_000);
  await expect(describeIt()).rejects.toThrow('Could not find endpoint');
});

it('serves on from a configuration and a model that were deleted since', async () => {
  await startHere();
  await serve(started, 'e', 'old');
  await started.sagemaker.deleteEndpointConfig({ EndpointConfigName: 'old' });
  await started.sagemaker.deleteModel({ ModelName: 'old' });
  await again();
  expect(await answer()).toBe('old');
});

it('says what does not load any more, and starts all the same', async () => {
  await startHere();
  await serve(started, 'e', 'old');
  await again('old');
  expect(await describeIt()).toMatchObject({ EndpointStatus: 'Failed', FailureReason: 'old is gone' });
});

it('has written a change before it answers', async () => {
  await startHere();
  await createModel(started, 'mine');
  expect(readFileSync(join(stateDirectory, 'models.json'), 'utf8')).toContain('"mine"');
});

it('does not start on a file that it cannot read', async () => {
  await startHere();
  await createModel(started, 'mine');
  await started.stop();
  writeFileSync(join(stateDirectory, 'models.json'), '{"half":');
  await expect(startLocal({ stateDirectory })).rejects.toThrow(/models\.json is not readable as JSON: .*; remove it to start empty/);
});

describe('a state directory', () => {
  const kept = (name: string) => JSON.parse(readFileSync(join(stateDirectory, `${name}.json`), 'utf8')) as [string, object][];

  it('holds alarms, scalable targets and policies as soon as they are answered for, and another start has them', async () => {
    await startHere();
    await serve(started, 'e', 'old');
    const client = { endpoint: started.local.url, region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } };
    const cloudwatch = new CloudWatch(client);
    const scaling = new ApplicationAutoScaling(client);
    const alarm = { Namespace: 'N', MetricName: 'm', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1 } as const;
    await cloudwatch.putMetricAlarm({
      AlarmName: 'guard',
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'ignore',
      ...alarm,
    });
    await cloudwatch.setAlarmState({ AlarmName: 'guard', StateValue: 'ALARM', StateReason: 'by hand' });
    const target = {
      ServiceNamespace: 'sagemaker',
      ResourceId: 'endpoint/e/variant/live',
      ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
    } as const;
    await scaling.registerScalableTarget({ ...target, MinCapacity: 1, MaxCapacity: 3 });
    await scaling.putScalingPolicy({
      ...target,
      PolicyName: 'p',
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 10,
        PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
      },
    });
    expect([kept('alarms'), kept('scalable-targets'), kept('scaling-policies')].map((rows) => rows.length)).toEqual([1, 1, 1]);
    cloudwatch.destroy();
    scaling.destroy();
    await again();
    const after = new CloudWatch({ ...client, endpoint: started.local.url });
    expect((await after.describeAlarms({})).MetricAlarms).toMatchObject([{ AlarmName: 'guard', StateValue: 'ALARM' }]);
    after.destroy();
  });

  it('still guards an update that goes on after another start', async () => {
    await startHere();
    await serve(started, 'e', 'old');
    const client = { region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } };
    const before = new CloudWatch({ ...client, endpoint: started.local.url });
    const alarm = { Namespace: 'N', MetricName: 'm', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1 } as const;
    await before.putMetricAlarm({ AlarmName: 'guard', ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore', ...alarm });
    await createModel(started, 'new');
    await createConfig(started, 'next', [variant('live', 'new')]);
    await started.sagemaker.updateEndpoint({
      EndpointName: 'e',
      EndpointConfigName: 'next',
      DeploymentConfig: {
        BlueGreenUpdatePolicy: {
          TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 },
          TerminationWaitInSeconds: 300,
        },
        AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'guard' }] },
      },
    });
    await started.local.clock.jump(100_000);
    before.destroy();
    await again();
    await started.local.clock.jump(30_000);
    const after = new CloudWatch({ ...client, endpoint: started.local.url });
    await after.setAlarmState({ AlarmName: 'guard', StateValue: 'ALARM', StateReason: 'it is worse' });
    after.destroy();
    await started.local.clock.jump(20_000);
    expect(await describeIt()).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'old',
      FailureReason: expect.stringContaining('guard'),
    });
  });

  it('is one process’s at a time, and free once that is gone', async () => {
    await startHere();
    await started.stop();
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(other, 'spawn');
    const stat = existsSync('/proc/self/stat') ? readFileSync(`/proc/${other.pid}/stat`, 'utf8') : undefined;
    writeFileSync(
      join(stateDirectory, 'lock'),
      JSON.stringify({ pid: other.pid, started: stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] }),
    );
    await expect(startLocal({ stateDirectory })).rejects.toThrow(`${stateDirectory} is in use by process ${other.pid}`);
    other.kill('SIGKILL');
    await once(other, 'exit');
    await startHere();
  });

  it('that cannot be written to fails the call, and leaves no endpoint in the middle of an update', async () => {
    await startHere();
    await serve(started, 'e', 'old');
    rmSync(stateDirectory, { recursive: true });
    const DesiredWeightsAndCapacities = [{ VariantName: 'live', DesiredInstanceCount: 3 }];
    const asked = started.sagemaker.updateEndpointWeightsAndCapacities({ EndpointName: 'e', DesiredWeightsAndCapacities });
    await expect(asked).rejects.toMatchObject({ name: 'InternalFailure', message: expect.stringContaining('ENOENT') });
    await started.local.clock.jump(10_000);
    mkdirSync(stateDirectory);
    expect(await describeIt()).toMatchObject({ EndpointStatus: 'InService', ProductionVariants: [{ CurrentInstanceCount: 3 }] });
    expect(kept('endpoints')[0][1]).toMatchObject({ status: 'InService' });
  });
});
