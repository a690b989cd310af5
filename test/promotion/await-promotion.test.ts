import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type Outcome, outcomeKey } from '../../lib/promotion';
import type { AwaitedPromotion } from '../../lib/promotion/functions/await-promotion';
import type { CustomResourceEvent } from '../../lib/promotion/functions/custom-resource';
import { createConfig, ROLE, registeredVersion, type Started, start, variant } from '../local/support';
import { type AnswerAddress, answerAddress } from './harness/cloudformation';
import { ShippedFunctions } from './harness/shipped-function';

/** The function as it is shipped, run by AWS's own local runner against a local SageMaker and S3, as CloudFormation calls it. */
let on: Started;
let s3: S3Client;
let address: AnswerAddress;
let functions: ShippedFunctions;

beforeAll(async () => {
  functions = await ShippedFunctions.start();
});
afterAll(() => functions.stop());
beforeEach(async () => {
  on = await start();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  s3 = new S3Client({ endpoint: on.local.url, region: on.local.region, credentials, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'record' }));
  address = await answerAddress();
});
afterEach(async () => {
  s3.destroy();
  await Promise.all([address.close(), on.stop()]);
});

/** A version in the registry, with a model and a configuration of its own. */
async function registered(version: number): Promise<string> {
  const ModelPackageArn = await registeredVersion(on, version);
  const name = `delay-${version}`;
  await on.sagemaker.createModel({ ModelName: name, ExecutionRoleArn: ROLE, Containers: [{ ModelPackageName: ModelPackageArn }] });
  await createConfig(on, name, [variant('live', name)]);
  return ModelPackageArn;
}

async function serve(version: number): Promise<void> {
  await on.sagemaker.createEndpoint({ EndpointName: 'delay', EndpointConfigName: `delay-${version}` });
  await on.local.clock.jump(60_000);
}

/** The record of a promotion that ended. */
function concluded(id: string, modelPackageArn: string, verdict: Outcome['verdict'], reason: string): Promise<unknown> {
  const outcome = { modelPackageArn, verdict, reason, startedAt: 1, endedAt: 2 };
  return s3.send(new PutObjectCommand({ Bucket: 'record', Key: outcomeKey('delay', id), Body: JSON.stringify(outcome) }));
}

/** Calls the function, and does something once it has looked twice. @returns what CloudFormation hears, and how often the function looked */
async function awaited(event: Partial<CustomResourceEvent<AwaitedPromotion>>, arn: string, then = async (): Promise<unknown> => undefined) {
  let looks = 0;
  on.local.faults.observe(({ operation }) => {
    if (operation !== 'DescribeEndpoint') return;
    looks += 1;
    if (looks === 2) void then();
  });
  const environment = {
    AWS_REGION: on.local.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL: on.local.url,
  };
  const ended = await functions.run('await-promotion', environment, {
    ResponseURL: address.url,
    StackId: 'arn:aws:cloudformation:us-east-1:000000000000:stack/Shop/1',
    RequestId: 'request',
    LogicalResourceId: 'Awaited',
    ResourceProperties: { EndpointName: 'delay', Bucket: 'record', ModelPackageArn: arn },
    ...event,
  });
  expect(ended).toEqual({ status: 'SUCCEEDED' });
  expect(address.answers).toHaveLength(1);
  return { ...address.answers[0], looks };
}

describe('a deployment that waits for its version', () => {
  test('goes on at once with the version that the endpoint was created with', async () => {
    const one = await registered(1);
    await serve(1);
    expect(await awaited({ RequestType: 'Create' }, one)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: one, looks: 1 });
  });

  test('waits, and succeeds once the version was promoted', async () => {
    const [one, two] = [await registered(1), await registered(2)];
    await serve(1);
    const told = await awaited({ RequestType: 'Update', PhysicalResourceId: one }, two, () => concluded('now', two, 'promoted', 'as good'));
    expect(told).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: two });
    expect(told.looks).toBeGreaterThan(1);
  });

  test.each(['rolled back', 'held'] as const)('waits, and fails with the reason once it was %s', async (verdict) => {
    const [one, two] = [await registered(1), await registered(2)];
    await serve(1);
    const told = await awaited({ RequestType: 'Update', PhysicalResourceId: one }, two, () =>
      concluded('now', two, verdict, '5xx 9 % against 0 %'),
    );
    expect(told).toMatchObject({ Status: 'FAILED', Reason: `${two} was ${verdict}: 5xx 9 % against 0 %`, PhysicalResourceId: one });
    expect(told.looks).toBeGreaterThan(1);
  });

  test('hears of a version that was refused before it began to wait', async () => {
    const [one, two] = [await registered(1), await registered(2)];
    await serve(1);
    await concluded('quick', two, 'rolled back', 'its content is not the approved one');
    expect(await awaited({ RequestType: 'Update', PhysicalResourceId: one }, two)).toMatchObject({
      Status: 'FAILED',
      Reason: `${two} was rolled back: its content is not the approved one`,
    });
  });

  test('fails with what keeps it from looking', async () => {
    expect(await awaited({ RequestType: 'Create' }, await registered(1))).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/^the promotion could not be followed: .*Could not find endpoint/),
    });
  });
});

describe('a stack that goes back', () => {
  test('does not wait after a version that was not promoted: the one before was awaited already', async () => {
    const [one] = [await registered(1), await registered(2)];
    await serve(2);
    expect(await awaited({ RequestType: 'Update', PhysicalResourceId: one }, one)).toMatchObject({ Status: 'SUCCESS', looks: 0 });
  });

  test('does not wait after one that was: a later version is live, and nothing promotes the earlier one', async () => {
    const [one, two] = [await registered(1), await registered(2)];
    await serve(2);
    await concluded('before', two, 'promoted', 'as good');
    expect(await awaited({ RequestType: 'Update', PhysicalResourceId: two }, one)).toMatchObject({ Status: 'SUCCESS', looks: 1 });
  });

  test('is deleted without waiting', async () => {
    const two = await registered(2);
    const told = await awaited({ RequestType: 'Delete', PhysicalResourceId: two }, two);
    expect(told).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: two, looks: 0 });
  });
});
