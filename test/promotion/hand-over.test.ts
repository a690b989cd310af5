import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateModelPackageGroupCommand, DescribeModelPackageCommand, ListModelPackagesCommand } from '@aws-sdk/client-sagemaker';
import { main } from '../../lib/cli/program';
import { explain } from '../../lib/cli/stage/explanation';
import { offeredPromotion } from '../../lib/cli/stage/offered';
import { type LocalSageMaker, startLocal } from '../../lib/local';
import { type Outcome, PACKAGE_METADATA, requestedBy, Store } from '../../lib/promotion';
import { receive } from '../../lib/promotion/functions/receive-version';
import { type HandOver, takeOver } from '../../lib/promotion/hand-over';
import { copyFolder } from '../../lib/promotion/hand-over-copy';
import type { Notice } from '../../lib/promotion/notices';
import { clients, onWire, type Wire } from './harness/clients';
import { closeWorlds, run, world } from './harness/run';
import { BUCKET, ENDPOINT, MODELS, TOPIC, type World } from './harness/world';

const STAGING = '000000000000';
const PRODUCTION = '222222222222';
const GROUP_ARN = `arn:aws:sagemaker:us-east-1:${STAGING}:model-package-group/models`;
const OFFER: HandOver = {
  from: { endpointName: ENDPOINT, topicArn: TOPIC, groupArn: GROUP_ARN, records: BUCKET, artifacts: MODELS },
  to: {
    group: 'flights-in-production',
    records: 'records-in-production',
    artifacts: 'models-in-production',
    image: 'production/onnx:1',
    approval: 'PendingManualApproval',
  },
};

let staging: World;
let production: LocalSageMaker;
let outcome: Outcome;
let notice: Notice;
/** What the bucket of the record holds in staging, by key. */
let record: Record<string, unknown>;

beforeAll(async () => {
  staging = await world();
  const digest = { CustomerMetadataProperties: { [PACKAGE_METADATA.instanceType]: 'ml.m5.large', team: 'flights' } };
  await staging.spared(() => staging.register('2', digest));
  outcome = await run(staging);
  notice = staging.topic.told.map(({ message }) => message as unknown as Notice).find(({ news }) => news === 'promoted')!;
  record = await staging.spared(async () => {
    const store = new Store(staging.ports, BUCKET);
    const entries = (await store.list('')).map(async (key) => [key, (await store.read(key))!.value] as const);
    return Object.fromEntries(await Promise.all(entries));
  });
}, 120_000);

afterAll(closeWorlds);

beforeEach(async () => {
  jest.spyOn(console, 'log').mockImplementation(() => {});
  production = await startLocal({
    account: PRODUCTION,
    region: 'us-east-1',
    clock: { start: staging.clock.now(), speed: 0 },
    warn: () => {},
  });
  await across(async () => {
    for (const Bucket of [BUCKET, MODELS, OFFER.to.records, OFFER.to.artifacts]) await clients.s3.send(new CreateBucketCommand({ Bucket }));
    await clients.sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: OFFER.to.group }));
    const store = new Store(clients, BUCKET);
    for (const [key, value] of Object.entries(record)) await store.write(key, value);
    await production.objects.write(MODELS, '2.tar.gz', await archive());
    await production.objects.write(MODELS, '2.attestation.json', Buffer.from('{}'));
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  return production.close();
});

const archive = async () => {
  const parts: Buffer[] = [];
  for await (const part of await staging.local.objects.read(MODELS, '2.tar.gz')) parts.push(part as Buffer);
  return Buffer.concat(parts);
};

/** As in AWS: one S3 for all accounts, and a SageMaker that finds another account's package by its ARN. */
function across<T>(work: () => Promise<T>): Promise<T> {
  const handle: Wire['handle'] = (request: { headers: Record<string, string>; body?: Uint8Array }) => {
    const operation = request.headers['x-amz-target'];
    const isTheirs = operation === 'SageMaker.DescribeModelPackage' && Buffer.from(request.body!).includes(`:${STAGING}:`);
    return (isTheirs ? staging.local : production).requestHandler().handle(request as never);
  };
  return onWire({ handle, alive: () => true }, work);
}

const event = (message: unknown = notice, TopicArn = TOPIC) => ({ Records: [{ Sns: { TopicArn, Message: JSON.stringify(message) } }] });
const take = (offer = OFFER, given = event()) => across(() => receive({ ...clients, theirs: clients.sagemaker }, offer, given));
const versions = async () =>
  (await across(() => clients.sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: OFFER.to.group }))))
    .ModelPackageSummaryList!;

describe('a version that staging promoted', () => {
  test('is registered in production, waiting for approval, with its artifact beside it', async () => {
    const [arn] = await take();
    expect(arn).toBe(`arn:aws:sagemaker:us-east-1:${PRODUCTION}:model-package/flights-in-production/1`);
    const found = await across(() => clients.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn })));
    expect(found).toMatchObject({
      ModelApprovalStatus: 'PendingManualApproval',
      ModelPackageDescription: expect.stringMatching(`^offered by ${notice.modelPackageArn}: promoted there, `),
      InferenceSpecification: { Containers: [{ Image: 'production/onnx:1', ModelDataUrl: 's3://models-in-production/2.tar.gz' }] },
    });
    // Sizes are production's own.
    expect(found.CustomerMetadataProperties).toEqual({
      team: 'flights',
      'cdk-fledge:offered': notice.modelPackageArn,
      'cdk-fledge:offered-record': `offered/${STAGING}/promotions/${ENDPOINT}/to-2/`,
    });
    expect(await bytesOf(OFFER.to.artifacts, '2.tar.gz')).toEqual(await archive());
    expect(await bytesOf(OFFER.to.artifacts, '2.attestation.json')).toEqual(Buffer.from('{}'));
  });

  test('can be explained there before anybody approves it, its verdicts recomputed from the counts', async () => {
    await take();
    const explained = await across(async () => {
      const stage = {
        endpoint: 'flights-live',
        ports: { ...clients, now: Date.now },
        store: new Store(clients, OFFER.to.records),
        group: OFFER.to.group,
      };
      const groupArn = `arn:aws:sagemaker:us-east-1:${PRODUCTION}:model-package-group/${OFFER.to.group}`;
      const offered = (await offeredPromotion({ ...stage, group: groupArn }, '1'))!;
      return { account: offered.account, explanation: await explain(offered.stage, offered.promotion) };
    });
    expect(explained.account).toBe(STAGING);
    expect(explained.explanation).toMatchObject({ promotionId: 'to-2', outcome, isRecomputed: true, restsOn: { decision: 'promote' } });
    expect(explained.explanation.verdicts.length).toBeGreaterThan(2);
    expect(explained.explanation.restsOn!.metrics[0]!.series[0]!.totals.candidateRequests).toBeGreaterThan(100);
  });

  test('is explained by the command, as the other account’s', async () => {
    const [arn] = await take();
    const before = { ...process.env };
    Object.assign(process.env, production.environment());
    let said = '';
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      said += text;
      return true;
    });
    const code = await main(['explain', 'flights-live', arn!, '--bucket', OFFER.to.records]);
    write.mockRestore();
    process.env = before;
    expect(said).toContain(`offered by account ${STAGING}, where this was its way:`);
    expect(said).toMatch(/version \d+ on flights: promoted/);
    expect(said).toMatch(/recomputed from the stored counts: (\d+) of \1 verdicts are the same/);
    expect(code).toBe(0);
  });

  test('offered twice is one version', async () => {
    const [first] = await take();
    expect(await take()).toEqual([first]);
    expect(await Promise.all([take(), take()])).toEqual([[first], [first]]);
    expect(await versions()).toHaveLength(1);
  });

  test('whose registration failed half way is taken over by the next try', async () => {
    production.faults.add({ operation: 'CreateModelPackage', kind: 'throttle', times: 1 });
    await expect(take()).rejects.toThrow();
    expect(await versions()).toEqual([]);
    expect(await take()).toHaveLength(1);
  });

  test('starts on its way at once where production approves what staging promoted', async () => {
    const heard = new Promise<Parameters<typeof requestedBy>[0]>((resolve) => {
      production.onEvent((sent) => sent['detail-type'] === 'SageMaker Model Package State Change' && resolve(sent as never));
    });
    const [arn] = await take({ ...OFFER, to: { ...OFFER.to, approval: 'Approved' } });
    const stage = { endpointName: 'flights-live', bucket: OFFER.to.records, plan: { steps: [], metrics: [] }, group: OFFER.to.group };
    expect(requestedBy(await heard, stage)).toMatchObject({ modelPackageArn: arn, endpointName: 'flights-live' });
  });

  test('keeps its own image where production says no other', async () => {
    const { image: _, ...to } = OFFER.to;
    const [arn] = await take({ ...OFFER, to });
    const found = await across(() => clients.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn })));
    expect(found.InferenceSpecification!.Containers![0]!.Image).toBe('local/onnx:1');
  });
});

describe('nothing is taken over', () => {
  test('for news of anything but a promotion', async () => {
    for (const news of ['started', 'rolled back', 'held', 'approval wanted'] as const)
      expect(await take(OFFER, event({ ...notice, news }))).toEqual([]);
    expect(await take(OFFER, event({ ...notice, endpointName: 'another' }))).toEqual([]);
    expect(await versions()).toEqual([]);
  });

  test('from another topic', async () => {
    const other = 'arn:aws:sns:us-east-1:999999999999:notices';
    await expect(take(OFFER, event(notice, other))).rejects.toThrow(`${other} is not the topic ${TOPIC} that offers versions here`);
  });

  test('that the record does not bear out', async () => {
    const lie = { ...notice, modelPackageArn: notice.modelPackageArn.replace(/\d+$/, '1') };
    await expect(take(OFFER, event(lie))).rejects.toThrow(`the record in ${BUCKET} does not`);
    await expect(take(OFFER, event({ ...notice, promotionId: 'to-9' }))).rejects.toThrow(`the record in ${BUCKET} does not`);
  });

  test('of another group', async () => {
    const groupArn = GROUP_ARN.replace('models', 'others');
    await expect(take({ ...OFFER, from: { ...OFFER.from, groupArn } })).rejects.toThrow(`is not of the group ${groupArn}`);
  });

  test('whose artifact lies elsewhere', async () => {
    const offer = { ...OFFER, from: { ...OFFER.from, artifacts: 'others' } };
    await expect(across(() => takeOver({ ...clients, theirs: clients.sagemaker }, offer, notice))).rejects.toThrow(
      'the artifact lies at s3://models/2.tar.gz, not in others',
    );
  });
});

test('an artifact that is too large for one call is copied in parts, to the same bytes', async () => {
  const large = Buffer.alloc(11 * 2 ** 20, 'weights');
  await production.objects.write(MODELS, 'large.tar.gz', large);
  const from = { bucket: MODELS, prefix: 'large' };
  const to = { bucket: OFFER.to.artifacts, prefix: 'large' };
  expect(await across(() => copyFolder(clients, from, to, 2 ** 20, 5 * 2 ** 20))).toBe(1);
  expect(large.equals(await bytesOf(OFFER.to.artifacts, 'large.tar.gz'))).toBe(true);
});

async function bytesOf(bucket: string, key: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await production.objects.read(bucket, key)) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
