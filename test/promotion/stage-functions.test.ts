import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import { ListEndpointConfigsCommand, ListModelsCommand } from '@aws-sdk/client-sagemaker';
import type { Ports } from '../../lib/promotion';
import { namesOf } from '../../lib/promotion/configurations';
import { answering, type CustomResourceEvent } from '../../lib/promotion/functions/custom-resource';
import { endpointTags, type FirstConfigurationProperties, firstConfiguration } from '../../lib/promotion/functions/first-configuration';
import { firstVersions } from '../../lib/promotion/functions/first-versions';
import type { Json } from '../endpoint/template';
import { IMAGE, ROLE, registeredVersion, type Started, start } from '../local/support';
import { type AnswerAddress, answerAddress, stackOf } from './harness/cloudformation';

let on: Started;
let ports: Pick<Ports, 'sagemaker' | 'cloudwatch' | 'now'>;
beforeEach(async () => {
  on = await start();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const cloudwatch = new CloudWatchClient({ endpoint: on.local.url, region: on.local.region, credentials });
  ports = { sagemaker: on.sagemaker, cloudwatch, now: Date.now };
});
afterEach(() => on.stop());

const registered = (version: number) => registeredVersion(on, version);

/** What CloudFormation sends, as the template of a stage has it. */
const event = (
  RequestType: 'Create' | 'Update' | 'Delete',
  modelPackageArn: string,
  PhysicalResourceId?: string,
): CustomResourceEvent<FirstConfigurationProperties> => ({
  RequestType,
  PhysicalResourceId,
  ResponseURL: 'http://127.0.0.1:9/',
  StackId: 'arn:aws:cloudformation:us-east-1:000000000000:stack/Shop/1',
  RequestId: `${Math.random()}`,
  LogicalResourceId: 'First',
  ResourceProperties: {
    EndpointName: 'delay',
    Model: JSON.stringify({ ExecutionRoleArn: ROLE, EnableNetworkIsolation: true, Containers: [{ ModelPackageName: modelPackageArn }] }),
    Configuration: JSON.stringify({
      KmsKeyId: 'key',
      ProductionVariants: [{ VariantName: 'live', InstanceType: 'ml.c6i.large', InitialInstanceCount: 2, InitialVariantWeight: 1 }],
    }),
  },
});

const configurations = async () =>
  (await on.sagemaker.send(new ListEndpointConfigsCommand({}))).EndpointConfigs!.map((one) => one.EndpointConfigName!).sort();
const models = async () => (await on.sagemaker.send(new ListModelsCommand({}))).Models!.map((one) => one.ModelName!).sort();

/** The endpoint on this configuration, in service. */
async function served(configName: string): Promise<void> {
  await on.sagemaker.createEndpoint({ EndpointName: 'delay', EndpointConfigName: configName });
  await on.local.clock.jump(60_000);
}

describe('the first configuration', () => {
  test('is one that an endpoint comes up with, of the version that the template names', async () => {
    const name = await firstConfiguration(ports, event('Create', await registered(1)));
    expect(name).toMatch(/^delay-[0-9a-f]{12}-first$/);
    expect(await on.sagemaker.describeEndpointConfig({ EndpointConfigName: name })).toMatchObject({
      KmsKeyId: 'key',
      ProductionVariants: [{ VariantName: 'live', InitialInstanceCount: 2 }],
    });
    await served(name);
    expect(await on.sagemaker.describeEndpoint({ EndpointName: 'delay' })).toMatchObject({ EndpointStatus: 'InService' });
  });

  test('is the same when CloudFormation asks twice', async () => {
    const asked = event('Create', await registered(1));
    const first = await firstConfiguration(ports, asked);
    expect(await firstConfiguration(ports, { ...asked, RequestId: 'again' })).toBe(first);
    expect(await configurations()).toEqual([first]);
  });

  test('stays the same when the template moves on to another version, which its promotion brings in', async () => {
    const name = await firstConfiguration(ports, event('Create', await registered(1)));
    expect(await firstConfiguration(ports, event('Update', await registered(2), name))).toBe(name);
    expect(await models()).toHaveLength(1);
  });

  test.each<[string, (properties: { model: Json; configuration: Json }) => void, string]>([
    [
      'the variant',
      ({ configuration }) => (configuration.ProductionVariants[0].VariantName = 'main'),
      "variantName is 'main', it serves 'live'",
    ],
    ['the role', ({ model }) => (model.ExecutionRoleArn = `${ROLE}-2`), `executionRole is ${ROLE}-2, it serves with ${ROLE}`],
    ['the key', ({ configuration }) => (configuration.KmsKeyId = 'another'), 'encryptionKey is another, it serves with key'],
    ['the key taken away', ({ configuration }) => (configuration.KmsKeyId = undefined), 'encryptionKey is none, it serves with key'],
    ['the isolation', ({ model }) => (model.EnableNetworkIsolation = false), 'networkIsolation is false, it serves with true'],
    [
      'the network',
      ({ model }) => (model.VpcConfig = { Subnets: ['subnet-2', 'subnet-1'], SecurityGroupIds: ['sg-1'] }),
      'vpc is subnets subnet-1,subnet-2 with security groups sg-1, it serves with none',
    ],
  ])('refuses to let the template move on with %s, which promotions carry on, and lets it go back', async (_, change, reason) => {
    const asked = event('Create', await registered(1));
    const name = await firstConfiguration(ports, asked);
    await served(name);
    const { Model, Configuration } = asked.ResourceProperties;
    const changed = { model: JSON.parse(Model), configuration: JSON.parse(Configuration) };
    change(changed);
    const properties = {
      EndpointName: 'delay',
      Model: JSON.stringify(changed.model),
      Configuration: JSON.stringify(changed.configuration),
    };
    const update = { ...event('Update', 'any', name), ResourceProperties: properties, OldResourceProperties: asked.ResourceProperties };
    await expect(firstConfiguration(ports, update)).rejects.toThrow(
      `delay has a stage, which carries these on from version to version as they were when it was created: ${reason}. Put them back, or give the endpoint another endpointName`,
    );
    const back = { ...event('Update', await registered(2), name), OldResourceProperties: properties };
    expect(await firstConfiguration(ports, back)).toBe(name);
  });

  test('takes with it what promotions made, once the endpoint is gone, and leaves what is not the stage’s', async () => {
    const name = await firstConfiguration(ports, event('Create', await registered(1)));
    const variant = { VariantName: 'live', ModelName: (await models())[0], InstanceType: 'ml.c6i.large' as const, InitialInstanceCount: 1 };
    for (const made of ['delay-0123456789ab-final', 'delay-of-somebody-else']) {
      await on.sagemaker.createEndpointConfig({ EndpointConfigName: made, ProductionVariants: [variant] });
    }
    expect(await firstConfiguration(ports, event('Delete', 'any', name))).toBe(name);
    expect(await configurations()).toEqual(['delay-of-somebody-else']);
    expect(await models()).toEqual([]);
  });

  test('takes nothing of another endpoint whose long name begins alike, and whose promotion has the same id', async () => {
    const [own, other] = ['arrivals', 'departures'].map((what) => `recommendations-of-the-shop-in-europe-${what}`);
    const variant = { VariantName: 'live', InstanceType: 'ml.c6i.large' as const, InitialInstanceCount: 1 };
    const made = [own, other].map((endpointName) => namesOf({ endpointName, promotionId: 'v2-20260101T000000Z' }));
    for (const { model, final } of made) {
      await on.sagemaker.createModel({ ModelName: model, ExecutionRoleArn: ROLE, PrimaryContainer: { Image: IMAGE } });
      await on.sagemaker.createEndpointConfig({ EndpointConfigName: final, ProductionVariants: [{ ...variant, ModelName: model }] });
    }
    const asked = event('Delete', 'any', 'first');
    await firstConfiguration(ports, { ...asked, ResourceProperties: { ...asked.ResourceProperties, EndpointName: own } });
    expect([await configurations(), await models()]).toEqual([[made[1].final], [made[1].model]]);
    expect(Object.values(made[0]).every((name) => name.length <= 63)).toBe(true);
  });

  test('takes the alarms with it that a promotion set, which died with its stack while the live variant moved', async () => {
    const name = await firstConfiguration(ports, event('Create', await registered(1)));
    const { live, errorsAlarm, latencyAlarm } = namesOf({ endpointName: 'delay', promotionId: 'died' });
    const variant = { VariantName: 'live', ModelName: (await models())[0], InstanceType: 'ml.c6i.large' as const, InitialInstanceCount: 1 };
    await on.sagemaker.createEndpointConfig({ EndpointConfigName: live, ProductionVariants: [variant] });
    for (const AlarmName of [errorsAlarm, latencyAlarm, 'delay-of-somebody-else']) {
      const metric = { Namespace: 'AWS/SageMaker', MetricName: 'Invocations', Statistic: 'Sum' as const, Period: 60 };
      const limit = { Threshold: 1, EvaluationPeriods: 1, ComparisonOperator: 'GreaterThanThreshold' as const };
      await ports.cloudwatch.send(new PutMetricAlarmCommand({ AlarmName, ...metric, ...limit }));
    }
    await firstConfiguration(ports, event('Delete', 'any', name));
    const { MetricAlarms } = await ports.cloudwatch.send(new DescribeAlarmsCommand({}));
    expect(MetricAlarms!.map(({ AlarmName }) => AlarmName)).toEqual(['delay-of-somebody-else']);
  });

  test('takes what the endpoint served while the endpoint is still going', async () => {
    const name = await firstConfiguration(ports, event('Create', await registered(1)));
    await served(name);
    await on.sagemaker.deleteEndpoint({ EndpointName: 'delay' });
    expect(await on.sagemaker.describeEndpoint({ EndpointName: 'delay' })).toMatchObject({ EndpointStatus: 'Deleting' });
    await firstConfiguration(ports, event('Delete', 'any', name));
    expect([await configurations(), await models()]).toEqual([[], []]);
  });

  test('never takes what the endpoint serves, should it be kept', async () => {
    const name = await firstConfiguration(ports, event('Create', await registered(1)));
    await served(name);
    await firstConfiguration(ports, event('Delete', 'any', name));
    expect(await configurations()).toEqual([name]);
    expect(await models()).toHaveLength(1);
  });
});

describe('the first versions of a group', () => {
  const versions = async () =>
    (await on.sagemaker.listModelPackages({ ModelPackageGroupName: 'delay' })).ModelPackageSummaryList!.map(
      ({ ModelPackageVersion }) => ModelPackageVersion!,
    );
  const asked = (RequestType: 'Create' | 'Update' | 'Delete', status: string, PhysicalResourceId?: string, old = 'delay') =>
    withStack(status, (cloudformation) =>
      firstVersions(
        { sagemaker: on.sagemaker, cloudformation },
        {
          ...event(RequestType, 'any', PhysicalResourceId),
          ResourceProperties: { GroupName: 'delay' },
          OldResourceProperties: { GroupName: old },
        },
      ),
    );
  beforeEach(() => on.sagemaker.createModelPackageGroup({ ModelPackageGroupName: 'delay' }));

  test.each(['ROLLBACK_IN_PROGRESS', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS'])(
    'go with the group that a deployment made and takes back, so that it can be tried again: %s',
    async (status) => {
      const id = await asked('Create', 'CREATE_IN_PROGRESS');
      await registered(1);
      await registered(2);
      await asked('Delete', status, id);
      await on.sagemaker.deleteModelPackageGroup({ ModelPackageGroupName: 'delay' });
      await on.sagemaker.createModelPackageGroup({ ModelPackageGroupName: 'delay' });
    },
  );

  test('are the record of what was served when the stack goes: they stay', async () => {
    const id = await asked('Create', 'CREATE_IN_PROGRESS');
    await registered(1);
    expect(await asked('Update', 'UPDATE_IN_PROGRESS', id)).toBe(id);
    for (const status of ['DELETE_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS']) await asked('Delete', status, id);
    expect(await versions()).toEqual([1]);
  });

  test('stay in a group that held versions before', async () => {
    await registered(1);
    const id = await asked('Create', 'UPDATE_IN_PROGRESS');
    await asked('Delete', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', id);
    expect(await versions()).toEqual([1]);
  });

  test('are looked for in a group of another name', async () => {
    expect(await asked('Update', 'UPDATE_IN_PROGRESS', 'before/known', 'before')).toBe('delay/new');
  });
});

async function withStack<T>(status: string, does: (cloudformation: CloudFormationClient) => Promise<T>): Promise<T> {
  const stack = await stackOf(status);
  try {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    return await does(new CloudFormationClient({ endpoint: stack.url, region: 'us-east-1', credentials }));
  } finally {
    stack.close();
  }
}

test("the endpoint's tags follow the template's", async () => {
  await served(await firstConfiguration(ports, event('Create', await registered(1))));
  const { EndpointArn } = await on.sagemaker.describeEndpoint({ EndpointName: 'delay' });
  const tagged = async (RequestType: 'Create' | 'Update', tags: object[], old?: object[]) => {
    const properties = (list: object[]) => ({ EndpointArn: EndpointArn!, Tags: JSON.stringify(list) });
    const asked = { ...event(RequestType, 'any'), ResourceProperties: properties(tags), OldResourceProperties: old && properties(old) };
    await endpointTags(ports, asked);
    return (await on.sagemaker.listTags({ ResourceArn: EndpointArn })).Tags;
  };
  const [team, cost] = [
    { Key: 'team', Value: 'a' },
    { Key: 'cost', Value: '7' },
  ];
  expect(await tagged('Create', [team, cost])).toEqual([cost, team]);
  expect(await tagged('Update', [{ ...team, Value: 'b' }], [team, cost])).toEqual([{ Key: 'team', Value: 'b' }]);
});

describe('CloudFormation is answered', () => {
  let address: AnswerAddress;
  beforeEach(async () => {
    address = await answerAddress();
  });
  afterEach(() => address.close());

  test('with what was made', async () => {
    await answering({ ...event('Create', 'any'), ResponseURL: address.url }, async () => 'made');
    expect(address.answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: 'made', LogicalResourceId: 'First', type: '' }]);
  });

  test('with why nothing was, and with the id that it knows, so that it deletes nothing else', async () => {
    await answering({ ...event('Update', 'any', 'before'), ResponseURL: address.url }, async () => {
      throw new Error('no quota for ml.c6i.large');
    });
    expect(address.answers).toMatchObject([{ Status: 'FAILED', Reason: 'no quota for ml.c6i.large', PhysicalResourceId: 'before' }]);
  });

  test('even where the first try to tell it fails', async () => {
    address.failures = 1;
    await answering({ ...event('Create', 'any'), ResponseURL: address.url }, async () => 'made');
    expect(address.answers).toMatchObject([{ Status: 'SUCCESS' }]);
  });
});
