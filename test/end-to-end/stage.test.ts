import { ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import {
  DescribeEndpointCommand,
  DescribeModelPackageCommand,
  ListEndpointConfigsCommand,
  ListEndpointsCommand,
  ListModelPackagesCommand,
  ListModelsCommand,
  ListTagsCommand,
} from '@aws-sdk/client-sagemaker';
import { type Notice, type Outcome, STAGE_TAGS } from '../../lib/promotion';
import { changedPaths } from './stage/stand-ins';
import { World } from './stage/world';

const ENDPOINT = 'flights';
let world: World;

beforeAll(async () => {
  world = await World.start();
}, 300_000);

afterAll(() => world?.stop(), 60_000);

let whole = true;

/** A test that goes on where the one before it ended. */
function chapter(name: string, run: () => Promise<void>, milliseconds: number): void {
  test(
    name,
    async () => {
      if (!whole) throw new Error('what comes before it failed');
      whole = false;
      await run();
      whole = true;
    },
    milliseconds,
  );
}

const endpoint = () => world.sagemaker.send(new DescribeEndpointCommand({ EndpointName: ENDPOINT }));

/** Starts what was approved, which must be one promotion, and waits for its end. */
async function promotion(): Promise<Outcome> {
  const started = await world.relay.deliver();
  expect(started).toHaveLength(1);
  return JSON.parse(await world.result(started[0].execution, 400)) as Outcome;
}

/** What people were told, in order. */
async function told(): Promise<Pick<Notice, 'news' | 'modelPackageArn'>[]> {
  const notices = (await world.ministack.messages('told')).map((body) => JSON.parse(body) as Notice);
  return notices.sort((one, other) => one.at - other.at).map(({ news, modelPackageArn }) => ({ news, modelPackageArn }));
}

const version = (number: number): string => `arn:aws:sagemaker:us-east-1:000000000000:model-package/${ENDPOINT}/${number}`;

chapter(
  'the first deployment brings the endpoint up with version 1, which starts no promotion',
  async () => {
    await world.deploy(world.synthesised[1]);
    const { EndpointArn, ...created } = await endpoint();
    expect(created).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: expect.stringMatching(/-first$/) });
    const { probability, recorded } = await world.answer(ENDPOINT, 1);
    expect(probability).toBeCloseTo(recorded, 5);
    const { Tags } = await world.sagemaker.send(new ListTagsCommand({ ResourceArn: EndpointArn }));
    expect(Tags).toEqual(
      expect.arrayContaining([
        { Key: STAGE_TAGS.bucket, Value: expect.stringContaining('canaryrecordsbucket') },
        { Key: STAGE_TAGS.group, Value: ENDPOINT },
      ]),
    );
    expect(await world.relay.deliver()).toEqual([]);
  },
  120_000,
);

chapter(
  'deploying version 2 changes what it says and leaves the endpoint as it is',
  async () => {
    world.traffic(ENDPOINT, 300);
    const before = await endpoint();
    expect(changedPaths(world.synthesised[1].template, world.synthesised[2].template)).toEqual([
      // A custom resource whose update looks and changes nothing.
      'Canary/First-flights/Resource/Default',
      // The old version, which stays in the registry, and the new one.
      'Canary/Registry/Version-',
      'Canary/Registry/Version-',
      'FlightDelay/ExecutionRole/Policy/Resource',
      'FlightDelay/Variants/live/StoreCopy/CustomResourcePolicy/Resource',
      'FlightDelay/Variants/live/StoreCopy/Resource/Default',
    ]);
    await world.deploy(world.synthesised[2]);
    const after = await endpoint();
    expect(after).toMatchObject({ EndpointConfigName: before.EndpointConfigName, LastModifiedTime: before.LastModifiedTime });
    const { ModelPackageSummaryList } = await world.sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: ENDPOINT }));
    expect(ModelPackageSummaryList!.map(({ ModelPackageVersion }) => ModelPackageVersion)).toEqual([1, 2]);
  },
  120_000,
);

chapter(
  'its approval starts the deployed workflow, which promotes version 2 on real requests',
  async () => {
    expect(await promotion()).toMatchObject({ verdict: 'promoted', modelPackageArn: version(2), during: 'go live' });
    const { probability, recorded } = await world.answer(ENDPOINT, 2);
    expect(probability).toBeCloseTo(recorded, 5);
    expect(await told()).toEqual([
      { news: 'started', modelPackageArn: version(2) },
      { news: 'promoted', modelPackageArn: version(2) },
    ]);
  },
  480_000,
);

chapter(
  'deploying the same again changes nothing and starts nothing',
  async () => {
    const before = await endpoint();
    expect(await world.deploy(world.synthesised[2])).toEqual({});
    expect(await endpoint()).toMatchObject({ EndpointConfigName: before.EndpointConfigName, LastModifiedTime: before.LastModifiedTime });
    expect(await world.relay.deliver()).toEqual([]);
  },
  120_000,
);

chapter(
  'the commands tell what was done, and work the verdict out again from the record',
  async () => {
    expect(await world.fledge('status', ENDPOINT)).toMatchObject({ code: 0, out: expect.stringMatching(/^last: v2-.*, promoted: /) });
    const { code, out } = await world.fledge('explain', ENDPOINT, '2');
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^version 2 on flights: promoted/) });
    expect(out).toMatch(/(\d+) of \1 verdicts are the same/);
    expect(await world.fledge('promote', ENDPOINT, '2')).toMatchObject({ code: 1, err: 'error: version 2 is live on flights already\n' });
  },
  60_000,
);

chapter(
  'version 3, published and approved by the command, is rolled back, and who watches it has exit code 3',
  async () => {
    const before = await endpoint();
    const { Buckets } = await world.s3.send(new ListBucketsCommand({}));
    const named = (part: string) => Buckets!.map(({ Name }) => Name!).find((name) => name.includes(part))!;
    await world.publish(3, ENDPOINT, named('storemodelsbucket'), named('canaryrecordsbucket'));
    expect(await world.relay.deliver()).toEqual([]);
    expect(await world.fledge('promote', ENDPOINT, '3', '--by', 'ana')).toMatchObject({
      code: 0,
      out: expect.stringContaining('version 3 is approved'),
    });
    const outcome = await promotion();
    expect(outcome).toMatchObject({
      verdict: 'rolled back',
      modelPackageArn: version(3),
      reason: expect.stringMatching(/5xx|model errors/),
    });
    expect(await world.fledge('watch', ENDPOINT, '--newest')).toMatchObject({ code: 3, out: expect.stringContaining('rolled back') });
    expect(await endpoint()).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: before.EndpointConfigName });
    const { probability, recorded } = await world.answer(ENDPOINT, 2);
    expect(probability).toBeCloseTo(recorded, 5);
    expect((await told()).slice(2)).toEqual([
      { news: 'started', modelPackageArn: version(3) },
      { news: 'rolled back', modelPackageArn: version(3) },
    ]);
  },
  480_000,
);

chapter(
  'deleting the stack leaves the versions, the archives and the record, and nothing that serves',
  async () => {
    await world.quiet();
    await world.destroy(world.synthesised[2]);
    const { Endpoints } = await world.sagemaker.send(new ListEndpointsCommand({}));
    const { EndpointConfigs } = await world.sagemaker.send(new ListEndpointConfigsCommand({}));
    const { Models } = await world.sagemaker.send(new ListModelsCommand({}));
    expect({ Endpoints, EndpointConfigs, Models }).toEqual({ Endpoints: [], EndpointConfigs: [], Models: [] });
    for (const number of [1, 2, 3]) {
      expect(await world.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: version(number) }))).toMatchObject({
        ModelApprovalStatus: 'Approved',
      });
    }
    const { Functions } = await world.lambda.send(new ListFunctionsCommand({}));
    expect(Functions!.map(({ FunctionName }) => FunctionName)).toEqual(['stand-in']);
    const { Buckets } = await world.s3.send(new ListBucketsCommand({}));
    expect(Buckets!.map(({ Name }) => Name!.replace(/[0-9a-f]{8}-[0-9a-f]+$/, '')).sort()).toEqual([
      'cdk-hnb659fds-assets-000000000000-us-east-1',
      'flights-canaryrecordsaccesslogs',
      'flights-canaryrecordsbucket',
      'flights-storemodelsaccesslogs',
      'flights-storemodelsbucket',
    ]);
  },
  120_000,
);
