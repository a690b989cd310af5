import type { LocalEvent } from '../../lib/local/events/sink';
import { readShape, type ServiceModel } from '../../lib/local/shapes';
import sagemakerModel from '../../lib/local/shapes/sagemaker.json';
import { createConfig, createModel, IMAGE, ROLE, START, type Started, serve, start, ToldEngine, variant } from './support';

const events: LocalEvent[] = [];
let started: Started;
beforeEach(async () => {
  events.length = 0;
  started = await start({ openModel: async () => new ToldEngine(), sinks: { events: { put: (event) => events.push(event) } } });
});
afterEach(() => started.stop());

const arn = (resource: string) => `arn:aws:sagemaker:us-east-1:000000000000:${resource}`;

/** The answer as it goes over the wire, which the service model must admit. */
async function wire(operation: string, input: object): Promise<unknown> {
  const headers = { 'x-amz-target': `SageMaker.${operation}`, 'content-type': 'application/x-amz-json-1.1' };
  const answer = await fetch(started.local.url, { method: 'POST', headers, body: JSON.stringify(input) });
  expect(answer.headers.get('content-type')).toBe('application/x-amz-json-1.1');
  return answer.json();
}

describe('models', () => {
  it('are described as they were created, and gone when deleted', async () => {
    const given = {
      ModelName: 'Mine',
      ExecutionRoleArn: ROLE,
      PrimaryContainer: { Image: IMAGE, Environment: { A: 'b' } },
      VpcConfig: { Subnets: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
      Tags: [{ Key: 'team', Value: 'x' }],
    };
    expect((await started.sagemaker.createModel(given)).ModelArn).toBe(arn('model/mine'));
    const { Tags, ...described } = given;
    expect(await started.sagemaker.describeModel({ ModelName: 'Mine' })).toMatchObject({
      ...described,
      ModelArn: arn('model/mine'),
      CreationTime: new Date(START),
      EnableNetworkIsolation: false,
    });
    expect((await started.sagemaker.listTags({ ResourceArn: arn('model/mine') })).Tags).toEqual(Tags);
    await started.sagemaker.deleteModel({ ModelName: 'Mine' });
    await expect(started.sagemaker.describeModel({ ModelName: 'Mine' })).rejects.toMatchObject({
      name: 'ValidationException',
      message: `Could not find model "${arn('model/mine')}".`,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it.each([
    ['no container', {}, 'Either PrimaryContainer or Containers must be provided.'],
    [
      'two ways of saying it',
      { PrimaryContainer: { Image: IMAGE }, Containers: [{ Image: IMAGE }] },
      'Both PrimaryContainer and Containers cannot',
    ],
    ['several containers', { Containers: [{ Image: IMAGE }, { Image: IMAGE }] }, 'a model of 2 containers cannot be served here'],
    ['no image', { PrimaryContainer: {} }, 'Image or ModelPackageName must be provided'],
    [
      'no such data',
      { PrimaryContainer: { Image: IMAGE, ModelDataUrl: 's3://b/m.tar.gz' } },
      'Could not find model data at s3://b/m.tar.gz.',
    ],
    ['a role that is none', { ExecutionRoleArn: 'admin' }, "Value 'admin' at 'executionRoleArn' failed to satisfy constraint"],
    [
      'an image with a space',
      { PrimaryContainer: { Image: 'a b' } },
      "at 'primaryContainer.image' failed to satisfy constraint: Member must satisfy regular",
    ],
  ])('are refused with %s', async (_, given, message) => {
    const refused = started.sagemaker.createModel({ ModelName: 'mine', ExecutionRoleArn: ROLE, ...given });
    await expect(refused).rejects.toMatchObject({ name: 'ValidationException', message: expect.stringContaining(message) });
  });

  it('cannot be created twice', async () => {
    await createModel(started, 'mine');
    await expect(createModel(started, 'mine')).rejects.toThrow(`Cannot create already existing model "${arn('model/mine')}".`);
  });
});

describe('endpoint configurations', () => {
  beforeEach(() => createModel(started, 'model'));

  it('are described as they were created', async () => {
    const variants = [variant('a', 'model', { InitialVariantWeight: 0 }), variant('b', 'model', { InitialInstanceCount: 2 })];
    await createConfig(started, 'config', variants, { KmsKeyId: 'alias/mine' });
    expect(await started.sagemaker.describeEndpointConfig({ EndpointConfigName: 'config' })).toMatchObject({
      EndpointConfigArn: arn('endpoint-config/config'),
      ProductionVariants: variants,
      KmsKeyId: 'alias/mine',
      CreationTime: new Date(START),
    });
    await started.sagemaker.deleteEndpointConfig({ EndpointConfigName: 'config' });
    await expect(started.sagemaker.describeEndpointConfig({ EndpointConfigName: 'config' })).rejects.toThrow(
      `Could not find endpoint configuration "${arn('endpoint-config/config')}".`,
    );
  });

  const serverless = {
    InstanceType: undefined,
    InitialInstanceCount: undefined,
    ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 2 },
  };
  it.each([
    [
      'the same name twice',
      [variant('a', 'model'), variant('a', 'model')],
      {},
      'Variant names must be unique within an endpoint configuration: a',
    ],
    ['a model that does not exist', [variant('a', 'other')], {}, `Could not find model "${arn('model/other')}".`],
    [
      'no instance type',
      [variant('a', 'model', { InstanceType: undefined })],
      {},
      'Variant a needs an InstanceType, or a ServerlessConfig.',
    ],
    ['no instance count', [variant('a', 'model', { InitialInstanceCount: undefined })], {}, 'Variant a needs an InitialInstanceCount.'],
    [
      'an instance type that is none',
      [variant('a', 'model', { InstanceType: 'ml.huge' as 'ml.m5.large' })],
      {},
      "Value 'ml.huge' at 'productionVariants.1.member.instanceType'",
    ],
    [
      'serverless with instances',
      [variant('a', 'model', { ServerlessConfig: serverless.ServerlessConfig })],
      {},
      'and so can have no InstanceType',
    ],
    [
      'an odd memory size',
      [variant('a', 'model', { ...serverless, ServerlessConfig: { MemorySizeInMB: 1500, MaxConcurrency: 2 } })],
      {},
      'MemorySizeInMB of variant a must be one of 1024, 2048',
    ],
    [
      'more provisioned than allowed',
      [variant('a', 'model', { ...serverless, ServerlessConfig: { MemorySizeInMB: 1024, MaxConcurrency: 2, ProvisionedConcurrency: 3 } })],
      {},
      'ProvisionedConcurrency of variant a (3) must not be above its MaxConcurrency (2)',
    ],
    [
      'two serverless variants',
      [variant('a', 'model', serverless), variant('b', 'model', serverless)],
      {},
      'A serverless variant cannot be used with several production variants.',
    ],
    [
      'two shadows',
      [variant('a', 'model')],
      { ShadowProductionVariants: [variant('b', 'model'), variant('c', 'model')] },
      'exactly one production variant and one shadow variant, got 1 and 2',
    ],
    [
      'a shadow of two',
      [variant('a', 'model'), variant('b', 'model')],
      { ShadowProductionVariants: [variant('c', 'model')] },
      'exactly one production variant and one shadow variant, got 2 and 1',
    ],
  ])('are refused with %s', async (_, variants, more, message) => {
    await expect(createConfig(started, 'config', variants, more)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(message),
    });
  });
});

describe('an endpoint', () => {
  it('goes from Creating to InService, says what it is doing, and serves from then on', async () => {
    await createModel(started, 'model');
    await createConfig(started, 'config', [variant('live', 'model', { InitialInstanceCount: 2 })]);
    const tags = [{ Key: 'a', Value: 'b' }];
    expect((await started.sagemaker.createEndpoint({ EndpointName: 'Mine', EndpointConfigName: 'config', Tags: tags })).EndpointArn).toBe(
      arn('endpoint/mine'),
    );
    const creating = await started.sagemaker.describeEndpoint({ EndpointName: 'Mine' });
    expect(creating).toMatchObject({
      EndpointStatus: 'Creating',
      PendingDeploymentSummary: {
        EndpointConfigName: 'config',
        StartTime: new Date(START),
        ProductionVariants: [
          {
            VariantName: 'live',
            CurrentInstanceCount: 0,
            DesiredInstanceCount: 2,
            VariantStatus: [{ Status: 'Creating', StatusMessage: 'Launching 2 instance(s).', StartTime: new Date(START) }],
          },
        ],
      },
    });
    expect(creating.ProductionVariants).toBeUndefined();
    await started.local.clock.jump(2000);
    const inService = await started.sagemaker.describeEndpoint({ EndpointName: 'Mine' });
    expect(inService).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'config',
      LastModifiedTime: new Date(START + 2000),
      ProductionVariants: [
        {
          VariantName: 'live',
          CurrentWeight: 1,
          DesiredWeight: 1,
          CurrentInstanceCount: 2,
          DesiredInstanceCount: 2,
          DeployedImages: [{ SpecifiedImage: IMAGE }],
        },
      ],
    });
    expect(inService.PendingDeploymentSummary).toBeUndefined();
    expect((await started.sagemaker.listTags({ ResourceArn: arn('endpoint/mine') })).Tags).toEqual(tags);
    const states = events.filter(({ detailType }) => detailType === 'SageMaker Endpoint State Change');
    expect(states.map(({ detail }) => detail.EndpointStatus)).toEqual(['CREATING', 'IN_SERVICE']);
    expect(states[1]).toMatchObject({
      source: 'aws.sagemaker',
      resources: [arn('endpoint/mine')],
      detail: { EndpointName: 'Mine', CreationTime: START },
    });
  });

  it('is refused where its configuration or its name does not fit', async () => {
    await expect(started.sagemaker.createEndpoint({ EndpointName: 'mine', EndpointConfigName: 'none' })).rejects.toThrow(
      `Could not find endpoint configuration "${arn('endpoint-config/none')}".`,
    );
    await serve(started, 'mine', 'model');
    await expect(started.sagemaker.createEndpoint({ EndpointName: 'MINE', EndpointConfigName: 'model' })).rejects.toThrow(
      `Cannot create already existing endpoint "${arn('endpoint/mine')}".`,
    );
    await expect(started.sagemaker.createEndpoint({ EndpointName: 'a--', EndpointConfigName: 'model' })).rejects.toThrow(
      "Value 'a--' at 'endpointName'",
    );
  });

  it('is Failed with the reason where its model does not load, and can only be deleted', async () => {
    await started.stop();
    started = await start({ openModel: async () => Promise.reject(new Error('the file is no model')) });
    await serve(started, 'mine', 'model');
    const described = await started.sagemaker.describeEndpoint({ EndpointName: 'mine' });
    expect(described).toMatchObject({ EndpointStatus: 'Failed', FailureReason: 'the file is no model', EndpointConfigName: 'model' });
    await expect(started.sagemaker.updateEndpoint({ EndpointName: 'mine', EndpointConfigName: 'model' })).rejects.toThrow(
      'Cannot update failed endpoint',
    );
    await started.sagemaker.deleteEndpoint({ EndpointName: 'mine' });
    await started.local.clock.jump(10_000);
    await expect(started.sagemaker.describeEndpoint({ EndpointName: 'mine' })).rejects.toThrow(
      `Could not find endpoint "${arn('endpoint/mine')}".`,
    );
  });

  it('is not found once deleted, after a while of Deleting, and its model is closed', async () => {
    await started.stop();
    const engine = new ToldEngine();
    started = await start({ openModel: async () => engine });
    await serve(started, 'mine', 'model');
    await started.sagemaker.deleteEndpoint({ EndpointName: 'mine' });
    expect(await started.sagemaker.describeEndpoint({ EndpointName: 'mine' })).toMatchObject({ EndpointStatus: 'Deleting' });
    await expect(started.sagemaker.deleteEndpoint({ EndpointName: 'mine' })).rejects.toThrow('Cannot update in-progress endpoint');
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'mine', Body: 'x' })).rejects.toThrow('not found');
    await started.local.clock.jump(10_000);
    expect((await started.sagemaker.listEndpoints({})).Endpoints).toEqual([]);
    expect(engine.closed).toBe(true);
  });

  it('under maintenance serves, and refuses every change', async () => {
    await serve(started, 'mine', 'model');
    started.local.maintain('mine', 60);
    expect(await started.sagemaker.describeEndpoint({ EndpointName: 'mine' })).toMatchObject({ EndpointStatus: 'SystemUpdating' });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'mine', Body: 'x' })).resolves.toBeDefined();
    const message = `Cannot update in-progress endpoint "${arn('endpoint/mine')}".`;
    await expect(started.sagemaker.deleteEndpoint({ EndpointName: 'mine' })).rejects.toThrow(message);
    await expect(started.sagemaker.updateEndpoint({ EndpointName: 'mine', EndpointConfigName: 'model' })).rejects.toThrow(message);
    const weights = [{ VariantName: 'live', DesiredWeight: 2 }];
    await expect(
      started.sagemaker.updateEndpointWeightsAndCapacities({ EndpointName: 'mine', DesiredWeightsAndCapacities: weights }),
    ).rejects.toThrow(message);
    await started.local.clock.jump(60_000);
    expect(await started.sagemaker.describeEndpoint({ EndpointName: 'mine' })).toMatchObject({ EndpointStatus: 'InService' });
  });

  it('out of service answers nothing', async () => {
    await serve(started, 'mine', 'model');
    started.local.setInService('mine', false);
    expect(await started.sagemaker.describeEndpoint({ EndpointName: 'mine' })).toMatchObject({ EndpointStatus: 'OutOfService' });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'mine', Body: 'x' })).rejects.toThrow('not found');
    started.local.setInService('mine', true);
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'mine', Body: 'x' })).resolves.toBeDefined();
  });
});

describe('lists', () => {
  it('come in pages that neither repeat nor miss', async () => {
    for (let index = 0; index < 25; index += 1) {
      await createModel(started, `model-${String(index).padStart(2, '0')}`);
      await started.local.clock.jump(1000);
    }
    const names: string[] = [];
    for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
      const { Models, NextToken } = await started.sagemaker.listModels({ NextToken: token, MaxResults: 7 });
      names.push(...Models!.map(({ ModelName }) => ModelName!));
      token = NextToken;
      // One that comes and one that goes between two pages.
      if (first) await createModel(started, 'newest');
      if (first) await started.sagemaker.deleteModel({ ModelName: names[names.length - 1] });
    }
    expect(names).toEqual(Array.from({ length: 25 }, (_, index) => `model-${String(24 - index).padStart(2, '0')}`));
  });

  it('are filtered and sorted as asked', async () => {
    for (const name of ['b-one', 'a-one', 'c-two']) {
      await createModel(started, name);
      await started.local.clock.jump(1000);
    }
    const list = async (input: object) => (await started.sagemaker.listModels(input)).Models!.map(({ ModelName }) => ModelName);
    expect(await list({})).toEqual(['c-two', 'a-one', 'b-one']);
    expect(await list({ SortBy: 'Name', SortOrder: 'Ascending' })).toEqual(['a-one', 'b-one', 'c-two']);
    expect(await list({ NameContains: 'ONE' })).toEqual(['a-one', 'b-one']);
    expect(await list({ CreationTimeAfter: new Date(START + 1000) })).toEqual(['c-two', 'a-one']);
    expect(await list({ CreationTimeBefore: new Date(START + 1000) })).toEqual(['b-one']);
    await expect(list({ NextToken: 'rubbish' })).rejects.toThrow('Invalid pagination token: rubbish');
    await expect(list({ MaxResults: 101 })).rejects.toThrow("Value '101' at 'maxResults'");
  });

  it('tell endpoints by their status', async () => {
    await serve(started, 'first', 'model');
    await started.sagemaker.createEndpoint({ EndpointName: 'second', EndpointConfigName: 'model' });
    const { Endpoints } = await started.sagemaker.listEndpoints({ StatusEquals: 'Creating' });
    expect(Endpoints).toMatchObject([{ EndpointName: 'second', EndpointArn: arn('endpoint/second'), EndpointStatus: 'Creating' }]);
  });
});

describe('model packages', () => {
  const inference = {
    InferenceSpecification: {
      Containers: [{ Image: IMAGE, Environment: { A: '1' } }],
      SupportedContentTypes: ['text/csv'],
      SupportedResponseMIMETypes: ['text/csv'],
    },
  };
  beforeEach(() => started.sagemaker.createModelPackageGroup({ ModelPackageGroupName: 'flights' }));

  it('are versions of their group, and wait for approval', async () => {
    const first = await started.sagemaker.createModelPackage({ ModelPackageGroupName: 'flights', ...inference });
    const second = await started.sagemaker.createModelPackage({
      ModelPackageGroupName: 'flights',
      ...inference,
      CustomerMetadataProperties: { digest: 'abc' },
    });
    expect([first.ModelPackageArn, second.ModelPackageArn]).toEqual([arn('model-package/flights/1'), arn('model-package/flights/2')]);
    expect(await started.sagemaker.describeModelPackage({ ModelPackageName: second.ModelPackageArn! })).toMatchObject({
      ModelPackageGroupName: 'flights',
      ModelPackageVersion: 2,
      ModelPackageStatus: 'Completed',
      ModelApprovalStatus: 'PendingManualApproval',
      CustomerMetadataProperties: { digest: 'abc' },
      ...inference,
    });
  });

  it('can be served once approved, and the approval is an event', async () => {
    const { ModelPackageArn } = await started.sagemaker.createModelPackage({ ModelPackageGroupName: 'flights', ...inference });
    const model = { ModelName: 'mine', ExecutionRoleArn: ROLE, Containers: [{ ModelPackageName: ModelPackageArn }] };
    await expect(started.sagemaker.createModel(model)).rejects.toThrow('is not approved: its ModelApprovalStatus is PendingManualApproval');
    await started.sagemaker.updateModelPackage({ ModelPackageArn, ModelApprovalStatus: 'Approved', ApprovalDescription: 'looks good' });
    expect(await started.sagemaker.describeModelPackage({ ModelPackageName: ModelPackageArn! })).toMatchObject({
      ModelApprovalStatus: 'Approved',
      ApprovalDescription: 'looks good',
    });
    await started.sagemaker.createModel(model);
    const changes = events.filter(({ detailType }) => detailType === 'SageMaker Model Package State Change');
    expect(changes.map(({ detail }) => detail.ModelApprovalStatus)).toEqual(['PendingManualApproval', 'Approved']);
    expect(changes[1]).toMatchObject({
      resources: [ModelPackageArn],
      detail: { ModelPackageGroupName: 'flights', ModelPackageVersion: 1, ...inference },
    });
  });

  it('change their metadata key by key', async () => {
    const { ModelPackageArn } = await started.sagemaker.createModelPackage({
      ModelPackageGroupName: 'flights',
      ...inference,
      CustomerMetadataProperties: { a: '1', b: '2' },
    });
    await started.sagemaker.updateModelPackage({
      ModelPackageArn,
      CustomerMetadataProperties: { c: '3' },
      CustomerMetadataPropertiesToRemove: ['a'],
    });
    const { CustomerMetadataProperties } = await started.sagemaker.describeModelPackage({ ModelPackageName: ModelPackageArn! });
    expect(CustomerMetadataProperties).toEqual({ b: '2', c: '3' });
  });

  it('are made once for one client token', async () => {
    const given = { ModelPackageGroupName: 'flights', ClientToken: 'a'.repeat(20), ...inference };
    const first = await started.sagemaker.createModelPackage(given);
    expect((await started.sagemaker.createModelPackage(given)).ModelPackageArn).toBe(first.ModelPackageArn);
    expect((await started.sagemaker.listModelPackages({ ModelPackageGroupName: 'flights' })).ModelPackageSummaryList).toHaveLength(1);
  });

  it('are listed by group, approval and kind', async () => {
    for (let index = 0; index < 11; index += 1)
      await started.sagemaker.createModelPackage({ ModelPackageGroupName: 'flights', ...inference });
    await started.sagemaker.createModelPackage({ ModelPackageName: 'alone', ...inference });
    await started.sagemaker.updateModelPackage({ ModelPackageArn: arn('model-package/flights/10'), ModelApprovalStatus: 'Rejected' });
    const list = async (input: object) => (await started.sagemaker.listModelPackages(input)).ModelPackageSummaryList!;
    expect(
      (await list({ ModelPackageGroupName: 'flights', SortOrder: 'Descending', MaxResults: 2 })).map(
        (summary) => summary.ModelPackageVersion,
      ),
    ).toEqual([11, 10]);
    expect(await list({ ModelPackageGroupName: 'flights', ModelApprovalStatus: 'Rejected' })).toMatchObject([{ ModelPackageVersion: 10 }]);
    expect(await list({})).toMatchObject([{ ModelPackageName: 'alone', ModelPackageArn: arn('model-package/alone') }]);
    expect(await list({ ModelPackageType: 'Both', MaxResults: 100 })).toHaveLength(12);
  });

  it('keep their group from being deleted', async () => {
    await started.sagemaker.createModelPackage({ ModelPackageGroupName: 'flights', ...inference });
    await expect(started.sagemaker.deleteModelPackageGroup({ ModelPackageGroupName: 'flights' })).rejects.toMatchObject({
      name: 'ConflictException',
    });
    await started.sagemaker.deleteModelPackage({ ModelPackageName: arn('model-package/flights/1') });
    await started.sagemaker.deleteModelPackageGroup({ ModelPackageGroupName: 'flights' });
    expect((await started.sagemaker.listModelPackageGroups({})).ModelPackageGroupSummaryList).toEqual([]);
  });

  it('never give a version twice', async () => {
    await started.sagemaker.createModelPackage({ ModelPackageGroupName: 'flights', ...inference });
    await started.sagemaker.deleteModelPackage({ ModelPackageName: arn('model-package/flights/1') });
    const { ModelPackageArn } = await started.sagemaker.createModelPackage({ ModelPackageGroupName: 'flights', ...inference });
    expect(ModelPackageArn).toBe(arn('model-package/flights/2'));
  });

  it('are described many at once, with those that are missing told', async () => {
    await started.sagemaker.createModelPackage({ ModelPackageGroupName: 'flights', ...inference });
    const list = [arn('model-package/flights/1'), arn('model-package/flights/7')];
    const answer = await started.sagemaker.batchDescribeModelPackage({ ModelPackageArnList: list });
    expect(answer.ModelPackageSummaries?.[list[0]]).toMatchObject({ ModelPackageVersion: 1 });
    expect(answer.BatchDescribeModelPackageErrorMap?.[list[1]]).toMatchObject({
      ErrorResponse: `Model Package ${list[1]} does not exist.`,
    });
  });
});

describe('tags', () => {
  it('are added, replaced and removed by key', async () => {
    await createModel(started, 'mine');
    const ResourceArn = arn('model/mine');
    await started.sagemaker.addTags({
      ResourceArn,
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    });
    await started.sagemaker.addTags({ ResourceArn, Tags: [{ Key: 'a', Value: '3' }] });
    await started.sagemaker.deleteTags({ ResourceArn, TagKeys: ['b'] });
    expect((await started.sagemaker.listTags({ ResourceArn })).Tags).toEqual([{ Key: 'a', Value: '3' }]);
  });

  it('are refused on what does not exist, and above fifty', async () => {
    await expect(started.sagemaker.addTags({ ResourceArn: arn('model/none'), Tags: [] })).rejects.toThrow('Could not find resource');
    await createModel(started, 'mine');
    const many = (prefix: string) => Array.from({ length: 30 }, (_, index) => ({ Key: `${prefix}${index}`, Value: 'x' }));
    await started.sagemaker.addTags({ ResourceArn: arn('model/mine'), Tags: many('a') });
    await expect(started.sagemaker.addTags({ ResourceArn: arn('model/mine'), Tags: many('b') })).rejects.toThrow(
      'would have 60 tags: 50 are the most',
    );
  });
});

describe('what goes over the wire', () => {
  it('is what the service model admits', async () => {
    await serve(started, 'mine', 'model');
    await started.sagemaker.createEndpoint({ EndpointName: 'next', EndpointConfigName: 'model' });
    await started.sagemaker.createModelPackageGroup({ ModelPackageGroupName: 'flights', ModelPackageGroupDescription: 'late or not' });
    const InferenceSpecification = { Containers: [{ Image: IMAGE }] };
    await started.sagemaker.createModelPackage({ ModelPackageGroupName: 'flights', InferenceSpecification });
    const calls: [string, object][] = [
      ['DescribeModel', { ModelName: 'model' }],
      ['ListModels', {}],
      ['DescribeEndpointConfig', { EndpointConfigName: 'model' }],
      ['ListEndpointConfigs', {}],
      ['DescribeEndpoint', { EndpointName: 'mine' }],
      ['DescribeEndpoint', { EndpointName: 'next' }],
      ['ListEndpoints', {}],
      ['DescribeModelPackageGroup', { ModelPackageGroupName: 'flights' }],
      ['ListModelPackageGroups', {}],
      ['DescribeModelPackage', { ModelPackageName: arn('model-package/flights/1') }],
      ['ListModelPackages', { ModelPackageGroupName: 'flights' }],
      ['BatchDescribeModelPackage', { ModelPackageArnList: [arn('model-package/flights/1')] }],
      ['ListTags', { ResourceArn: arn('model/model') }],
    ];
    const model = sagemakerModel as unknown as ServiceModel;
    for (const [operation, input] of calls) {
      const answer = await wire(operation, input);
      const read = readShape(model, model.operations[operation].output!, answer);
      // The model demands a name that SageMaker does not give versions of a group.
      const violations = read.violations.filter((violation) => !violation.includes("'modelPackageName'"));
      expect({ operation, violations }).toEqual({ operation, violations: [] });
      expect(Object.keys(answer as object).filter((name) => !(name in model.shapes[model.operations[operation].output!].members!))).toEqual(
        [],
      );
    }
  });

  it('is refused where it is no request', async () => {
    expect(await wire('DescribeEndpoint', { EndpointName: 7 })).toMatchObject({
      __type: 'SerializationException',
      message: 'endpointName must be a string, got 7',
    });
    expect(await wire('CreateTrainingJob', {})).toMatchObject({
      __type: 'UnknownOperationException',
      message: expect.stringContaining('SageMaker has no operation CreateTrainingJob here'),
    });
    const headers = { 'x-amz-target': 'SageMaker.ListModels' };
    const answer = await fetch(started.local.url, { method: 'POST', headers, body: '{' });
    expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ __type: 'SerializationException' })]);
  });
});

it('leaves a real-time variant at least one instance', async () => {
  await serve(started, 'e', 'one');
  const asked = started.sagemaker.updateEndpointWeightsAndCapacities({
    EndpointName: 'e',
    DesiredWeightsAndCapacities: [{ VariantName: 'live', DesiredInstanceCount: 0 }],
  });
  await expect(asked).rejects.toThrow('DesiredInstanceCount of variant live must be at least 1');
  expect(await started.sagemaker.describeEndpoint({ EndpointName: 'e' })).toMatchObject({ EndpointStatus: 'InService' });
});
