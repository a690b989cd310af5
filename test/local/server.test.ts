import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { SageMaker } from '@aws-sdk/client-sagemaker';
import { startLocal } from '../../lib/local';
import { createModel, ROLE, type Started, serve, start, ToldEngine, variant } from './support';

let started: Started;
afterEach(() => started.stop());

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

it('ends a model that comes up while it closes', async () => {
  const engine = new ToldEngine();
  let asked = () => {};
  let comeUp = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const up = new Promise<void>((resolve) => {
    comeUp = resolve;
  });
  started = await start({
    clock: { speed: 1 },
    timings: { start: 0 },
    openModel: async () => {
      asked();
      await up;
      return engine;
    },
  });
  await createModel(started, 'slow');
  await started.sagemaker.createEndpointConfig({ EndpointConfigName: 'slow', ProductionVariants: [variant('one', 'slow')] });
  await started.sagemaker.createEndpoint({ EndpointName: 'slow', EndpointConfigName: 'slow' });
  await isAsked;
  const closing = started.local.close();
  setTimeout(comeUp, 100);
  await closing;
  expect(engine.closed).toBe(true);
});

describe('faults at a call', () => {
  beforeEach(async () => {
    started = await start({ openModel: async () => new ToldEngine() });
  });
  const create = () => createModel(started, 'mine');

  it('throttle: nothing is done, and the SDK may try again', async () => {
    started.local.faults.add({ service: 'SageMaker', operation: 'CreateModel', kind: 'throttle', times: 1 });
    await expect(create()).rejects.toMatchObject({
      name: 'ThrottlingException',
      message: 'Rate exceeded',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(started.sagemaker.describeModel({ ModelName: 'mine' })).rejects.toThrow('Could not find model');
    const patient = new SageMaker({ endpoint: started.local.url, region: 'us-east-1', credentials, maxAttempts: 3 });
    started.local.faults.add({ operation: 'CreateModel', kind: 'throttle', times: 2 });
    const answer = await patient.createModel({ ModelName: 'mine', ExecutionRoleArn: ROLE, PrimaryContainer: { Image: 'image' } });
    expect(answer.$metadata.attempts).toBe(3);
    patient.destroy();
  });

  it('error: with the code and status that the rule says', async () => {
    started.local.faults.add({ operation: 'CreateModel', kind: 'error', times: 1 });
    await expect(create()).rejects.toMatchObject({ name: 'InternalFailure', $metadata: { httpStatusCode: 500 } });
    started.local.faults.add({ operation: 'CreateModel', kind: 'error', code: 'ResourceLimitExceeded', status: 400, message: 'quota' });
    await expect(create()).rejects.toMatchObject({ name: 'ResourceLimitExceeded', message: 'quota', $metadata: { httpStatusCode: 400 } });
  });

  it('dropped: the connection is cut and nothing was done', async () => {
    started.local.faults.add({ operation: 'CreateModel', kind: 'dropped', times: 1 });
    await expect(create()).rejects.toThrow(/socket hang up|ECONNRESET/);
    await expect(started.sagemaker.describeModel({ ModelName: 'mine' })).rejects.toThrow('Could not find model');
  });

  it('lost answer: the connection is cut after it was done', async () => {
    started.local.faults.add({ operation: 'CreateModel', kind: 'lost answer', times: 1 });
    await expect(create()).rejects.toThrow(/socket hang up|ECONNRESET/);
    await expect(started.sagemaker.describeModel({ ModelName: 'mine' })).resolves.toMatchObject({ ModelName: 'mine' });
  });

  it('late: done at once, answered when the clock says', async () => {
    started.local.faults.add({ operation: 'CreateModel', kind: 'late', seconds: 30, times: 1 });
    const creating = create();
    let answered = false;
    void creating.then(() => {
      answered = true;
    });
    while ((await started.sagemaker.listModels({})).Models!.length === 0);
    expect(answered).toBe(false);
    await started.local.clock.jump(30_000);
    await creating;
  });

  it('reach the runtime as well', async () => {
    await serve(started, 'one', 'model');
    started.local.faults.add({ service: 'SageMaker Runtime', endpoint: 'one', kind: 'throttle', times: 1 });
    started.local.faults.add({
      operation: 'InvokeModel',
      variant: 'live',
      kind: 'model error',
      status: 503,
      message: 'tired',
      nth: 1,
      times: 1,
    });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'one', Body: 'x' })).rejects.toMatchObject({ name: 'ThrottlingException' });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'one', Body: 'x' })).rejects.toMatchObject({
      name: 'ModelError',
      OriginalStatusCode: 503,
      OriginalMessage: 'tired',
    });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'one', Body: 'x' })).resolves.toBeDefined();
  });

  it('can be watched call by call', async () => {
    const seen: string[] = [];
    started.local.faults.observe(({ operation }) => seen.push(operation));
    await serve(started, 'one', 'model');
    expect(seen).toEqual(['CreateModel', 'CreateEndpointConfig', 'CreateEndpoint', 'StartInstances']);
  });
});

describe('without a socket', () => {
  it('the SDK gets the same answers', async () => {
    started = await start({ openModel: async () => new ToldEngine() });
    const requestHandler = started.local.requestHandler();
    const inside = new SageMaker({ endpoint: started.local.url, region: 'us-east-1', credentials, requestHandler, maxAttempts: 1 });
    await inside.createModel({ ModelName: 'mine', ExecutionRoleArn: ROLE, PrimaryContainer: { Image: 'image' } });
    const strip = ({ $metadata, ...rest }: { $metadata: unknown }) => rest;
    expect(strip(await inside.describeModel({ ModelName: 'mine' }))).toEqual(
      strip(await started.sagemaker.describeModel({ ModelName: 'mine' })),
    );
    await expect(inside.describeModel({ ModelName: 'other' })).rejects.toMatchObject({ name: 'ValidationException' });
    started.local.faults.add({ operation: 'DescribeModel', kind: 'dropped' });
    await expect(inside.describeModel({ ModelName: 'mine' })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('the server', () => {
  it('gives the variables that lead the SDK to it', async () => {
    started = await start();
    const before = { ...process.env };
    Object.assign(process.env, started.local.environment());
    try {
      const plain = new SageMaker({});
      expect((await plain.listModels({})).Models).toEqual([]);
      plain.destroy();
    } finally {
      process.env = before;
    }
    expect(started.local.environment()).toMatchObject({ AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: started.local.url, AWS_REGION: 'us-east-1' });
  });

  it('listens on 127.0.0.1 alone', async () => {
    started = await start();
    expect(started.local.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it.each([
    ['127.0.0.1', '/', 200],
    ['localhost:80', '/', 200],
    ['models.localhost', '/', 200],
    ['localhost', '/endpoints/one/invocations', 200],
    ['evil.example', '/', 403],
    ['127.0.0.1.evil.example', '/', 403],
    ['evil.example', '/endpoints/one/invocations', 403],
  ])('asked as %s for %s answers %d', async (host, path, status) => {
    started = await start({ openModel: async () => new ToldEngine() });
    await serve(started, 'one', 'model');
    const { port } = new URL(started.local.url);
    const headers = { host, 'x-amz-target': 'SageMaker.ListModels', 'content-type': 'application/x-amz-json-1.1' };
    const answered = await new Promise((resolve, reject) => {
      const asking = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, ({ statusCode }) => resolve(statusCode));
      asking.on('error', reject);
      asking.end('{}');
    });
    expect(answered).toBe(status);
  });

  it('says that its port is taken', async () => {
    started = await start();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(startLocal({ port })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken: give another, or 0 for a free one`);
    taken.close();
  });

  it('answers the requests under way before it closes, and leaves no port open', async () => {
    let release: () => void = () => {};
    const engine = new ToldEngine(
      () =>
        new Promise((resolve) => {
          release = () => resolve({ body: Buffer.from('still here') });
        }),
    );
    started = await start({ openModel: async () => engine });
    await serve(started, 'slow', 'model');
    const answer = started.runtime.invokeEndpoint({ EndpointName: 'slow', Body: 'x' });
    while (engine.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = started.local.close();
    release();
    expect(Buffer.from((await answer).Body).toString()).toBe('still here');
    await closed;
    expect(engine.closed).toBe(true);
    await expect(fetch(started.local.url)).rejects.toThrow();
  });
});
