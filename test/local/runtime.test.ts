import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { InvocationSample } from '../../lib/local/metrics/sink';
import type { Answer } from '../../lib/serving';
import samples from '../../model-artifacts/flight-delay/1/samples.json';
import { createConfig, createModel, flightDelay, type Started, serve, start, ToldEngine, variant } from './support';

let started: Started;
afterEach(() => started.stop());

const text = (body: Uint8Array | undefined) => Buffer.from(body!).toString('utf8');

describe('a real model', () => {
  it('answers InvokeEndpoint as it did when it was recorded', async () => {
    started = await start();
    await createModel(started, 'flight-delay', flightDelay(1));
    await createConfig(started, 'first', [variant('live', 'flight-delay')]);
    await started.sagemaker.createEndpoint({ EndpointName: 'flights', EndpointConfigName: 'first' });
    await started.local.clock.jump(60_000);
    const recorded = samples.samples.slice(0, 20);
    const answer = await started.runtime.invokeEndpoint({
      EndpointName: 'flights',
      ContentType: 'application/json',
      Body: JSON.stringify({ instances: recorded.map(({ inputs }) => inputs) }),
    });
    const { predictions } = JSON.parse(text(answer.Body));
    expect(answer).toMatchObject({ ContentType: 'application/json', InvokedProductionVariant: 'live' });
    expect(predictions.map(({ label }: { label: number }) => label)).toEqual(recorded.map(({ outputs }) => outputs.label));
    for (const [index, { outputs }] of recorded.entries()) expect(predictions[index].probability).toBeCloseTo(outputs.probability, 5);
  });
});

describe('what the model is given, and what comes back', () => {
  it('hands headers and body through, and the answer with its attributes back', async () => {
    const engine = new ToldEngine(() => ({ contentType: 'text/csv', body: Buffer.from('0.5'), customAttributes: 'trace=1' }));
    started = await start({ openModel: async () => engine });
    await serve(started, 'one', 'model');
    const answer = await started.runtime.invokeEndpoint({
      EndpointName: 'one',
      ContentType: 'text/csv',
      Accept: 'text/csv',
      CustomAttributes: 'caller=7',
      TargetModel: 'a.tar.gz',
      InferenceId: 'id-1',
      Body: '1,2',
    });
    expect(engine.seen).toEqual([
      { body: Buffer.from('1,2'), contentType: 'text/csv', accept: 'text/csv', customAttributes: 'caller=7', targetModel: 'a.tar.gz' },
    ]);
    expect(answer).toMatchObject({ ContentType: 'text/csv', CustomAttributes: 'trace=1', InvokedProductionVariant: 'live' });
    expect(text(answer.Body)).toBe('0.5');
  });

  it('gives back bytes as they are, small and large', async () => {
    const bodies = [Buffer.from([0, 255, 128, 10, 13, 195, 40]), Buffer.alloc(3_000_000, 200)];
    started = await start({ openModel: async () => new ToldEngine(({ body }) => ({ body })) });
    await serve(started, 'echo', 'model');
    for (const body of bodies) {
      const answer = await started.runtime.invokeEndpoint({ EndpointName: 'echo', Body: body });
      expect(Buffer.from(answer.Body).equals(body)).toBe(true);
    }
  });

  it("turns the model's own error into a ModelError with its status and message", async () => {
    started = await start({ openModel: async () => new ToldEngine(() => ({ status: 400, body: Buffer.from('no such column') })) });
    await serve(started, 'bad', 'model');
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'bad', Body: 'x' })).rejects.toMatchObject({
      name: 'ModelError',
      $metadata: { httpStatusCode: 424 },
      OriginalStatusCode: 400,
      OriginalMessage: 'no such column',
      LogStreamArn: 'arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/bad',
      message: expect.stringMatching(/^Received client error \(400\) from primary with message "no such column"\. See https:/),
    });
  });

  it('reports a model that crashes on a request as a server error, and serves on', async () => {
    let first = true;
    const engine = new ToldEngine(() => {
      if (!first) return {};
      first = false;
      throw new Error('out of memory');
    });
    started = await start({ openModel: async () => engine });
    await serve(started, 'crash', 'model');
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'crash', Body: 'x' })).rejects.toMatchObject({
      name: 'ModelError',
      OriginalStatusCode: 0,
      OriginalMessage: 'out of memory',
    });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'crash', Body: 'x' })).resolves.toBeDefined();
  });
});

describe('what is refused', () => {
  beforeEach(async () => {
    started = await start({ openModel: async () => new ToldEngine() });
  });

  it.each([
    ['an endpoint that does not exist', { EndpointName: 'nowhere' }, 'Endpoint nowhere of account 000000000000 not found.'],
    ['a variant that does not exist', { TargetVariant: 'other' }, 'Variant other of endpoint one not found.'],
    [
      'an inference component that does not exist',
      { InferenceComponentName: 'part' },
      'Inference Component part of account 000000000000 not found.',
    ],
    [
      'a container that does not exist',
      { TargetContainerHostname: 'box' },
      'endpoint one has no container box: its variants run one container each',
    ],
    [
      'explanations without an explainer',
      { EnableExplanations: '`true`' },
      'endpoint one has no explainer: EnableExplanations cannot be used',
    ],
    ['a session that does not exist', { SessionId: 'none' }, 'there is no open session none: open one with NEW_SESSION'],
    [
      'a variant name that is too long',
      { TargetVariant: 'a'.repeat(64) },
      "at 'targetVariant' failed to satisfy constraint: Member must have length less than or equal to 63",
    ],
    [
      'custom attributes that are too long',
      { CustomAttributes: 'a'.repeat(1025) },
      "at 'customAttributes' failed to satisfy constraint: Member must have length less than or equal to 1024",
    ],
    [
      'an inference id that is too long',
      { InferenceId: 'a'.repeat(65) },
      "at 'inferenceId' failed to satisfy constraint: Member must have length less than or equal to 64",
    ],
  ])('%s', async (_, given, message) => {
    await serve(started, 'one', 'model');
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'one', Body: 'x', ...given })).rejects.toMatchObject({
      name: 'ValidationError',
      $metadata: { httpStatusCode: 400 },
      message: expect.stringContaining(message),
    });
  });

  it('an endpoint that is still being created', async () => {
    await createModel(started, 'model');
    await createConfig(started, 'config', [variant('live', 'model')]);
    await started.sagemaker.createEndpoint({ EndpointName: 'early', EndpointConfigName: 'config' });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'early', Body: 'x' })).rejects.toThrow(
      'Endpoint early of account 000000000000 not found.',
    );
  });

  it('an endpoint whose variants have no weight', async () => {
    await serve(started, 'none', 'model', { InitialVariantWeight: 0 });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'none', Body: 'x' })).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'none', Body: 'x', TargetVariant: 'live' })).resolves.toBeDefined();
  });

  it('an operation that SageMaker Runtime does not have', async () => {
    const answer = await fetch(`${started.local.url}/endpoints/one/dreams`, { method: 'POST' });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([400, 'ValidationError']);
    expect((await fetch(`${started.local.url}/somewhere`)).status).toBe(404);
    const got = await fetch(`${started.local.url}/endpoints/one/invocations`);
    expect([got.status, await got.json()]).toEqual([405, { Message: 'InvokeEndpoint is a POST, not a GET' }]);
  });
});

describe('the limits of a payload', () => {
  const megabyte = 1024 * 1024;

  it.each([
    ['real-time', {}, 25 * megabyte],
    [
      'serverless',
      { InstanceType: undefined, InitialInstanceCount: undefined, ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 5 } },
      4 * megabyte,
    ],
  ])('of a %s endpoint', async (_, more, limit) => {
    const warnings: string[] = [];
    started = await start({ openModel: async () => new ToldEngine(), warn: (message) => warnings.push(message) });
    await serve(started, 'large', 'model', more);
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'large', Body: Buffer.alloc(limit) })).resolves.toBeDefined();
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'large', Body: Buffer.alloc(limit + 1) })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 413 },
    });
    expect(warnings).toHaveLength(limit > 6_291_456 ? 1 : 0);
  });
});

describe('a serverless variant', () => {
  it('throttles what is beyond its concurrency, which can be changed', async () => {
    const open: (() => void)[] = [];
    const engine = new ToldEngine(() => new Promise((resolve) => open.push(() => resolve({}))));
    started = await start({ openModel: async () => engine });
    const ServerlessConfig = { MemorySizeInMB: 1024, MaxConcurrency: 1 };
    await serve(started, 'small', 'model', { InstanceType: undefined, InitialInstanceCount: undefined, ServerlessConfig });
    const invoke = () => started.runtime.invokeEndpoint({ EndpointName: 'small', Body: 'x' });
    const first = invoke();
    while (open.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(invoke()).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
    const DesiredWeightsAndCapacities = [{ VariantName: 'live', ServerlessUpdateConfig: { MaxConcurrency: 2 } }];
    await started.sagemaker.updateEndpointWeightsAndCapacities({ EndpointName: 'small', DesiredWeightsAndCapacities });
    await started.local.clock.jump(10_000);
    const second = invoke();
    while (open.length === 1) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const answer of open) answer();
    await Promise.all([first, second]);
    const { ProductionVariants } = await started.sagemaker.describeEndpoint({ EndpointName: 'small' });
    expect(ProductionVariants).toMatchObject([{ CurrentServerlessConfig: { MemorySizeInMB: 1024, MaxConcurrency: 2 } }]);
    expect(ProductionVariants![0].CurrentInstanceCount).toBeUndefined();
  });
});

describe('which variant answers', () => {
  const named = async (_: string, { name }: { name: string }) => new ToldEngine(() => ({ body: Buffer.from(name) }));

  async function two(weights: [number, number]) {
    started = await start({ openModel: named });
    await createModel(started, 'old');
    await createModel(started, 'new');
    const variants = [
      variant('live', 'old', { InitialVariantWeight: weights[0] }),
      variant('candidate', 'new', { InitialVariantWeight: weights[1] }),
    ];
    await createConfig(started, 'both', variants);
    await started.sagemaker.createEndpoint({ EndpointName: 'split', EndpointConfigName: 'both' });
    await started.local.clock.jump(60_000);
  }

  async function share(count: number): Promise<number> {
    let candidate = 0;
    for (let index = 0; index < count; index += 1) {
      const { InvokedProductionVariant, Body } = await started.runtime.invokeEndpoint({ EndpointName: 'split', Body: 'x' });
      expect(text(Body)).toBe(InvokedProductionVariant === 'live' ? 'old' : 'new');
      if (InvokedProductionVariant === 'candidate') candidate += 1;
    }
    return candidate / count;
  }

  it('is drawn by the weights', async () => {
    await two([3, 1]);
    expect(Math.abs((await share(120)) - 0.25)).toBeLessThan(0.1);
  });

  it('is never one of weight 0', async () => {
    await two([1, 0]);
    expect(await share(60)).toBe(0);
  });

  it('is the one that the request names', async () => {
    await two([1, 0]);
    const { Body } = await started.runtime.invokeEndpoint({ EndpointName: 'split', Body: 'x', TargetVariant: 'candidate' });
    expect(text(Body)).toBe('new');
  });

  it('stays the same within a session, until it is over', async () => {
    await two([1, 1]);
    const { NewSessionId, InvokedProductionVariant } = await started.runtime.invokeEndpoint({
      EndpointName: 'split',
      Body: 'x',
      SessionId: 'NEW_SESSION',
    });
    const [SessionId, expires] = NewSessionId!.split('; Expires=');
    for (let index = 0; index < 20; index += 1) {
      expect((await started.runtime.invokeEndpoint({ EndpointName: 'split', Body: 'x', SessionId })).InvokedProductionVariant).toBe(
        InvokedProductionVariant,
      );
    }
    for (let index = 0; index < 20; index += 1) {
      const streamed = await started.runtime.invokeEndpointWithResponseStream({ EndpointName: 'split', Body: 'x', SessionId });
      expect(streamed.InvokedProductionVariant).toBe(InvokedProductionVariant);
      for await (const _ of streamed.Body!);
    }
    await started.local.clock.jump(Date.parse(expires) - started.local.clock.now());
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'split', Body: 'x', SessionId })).rejects.toThrow(
      `there is no open session ${SessionId}`,
    );
  });
});

describe('a shadow variant', () => {
  it('gets a copy of the share that its weight is, and its answer goes nowhere but into the record', async () => {
    const samplesTaken: InvocationSample[] = [];
    const engines: Record<string, ToldEngine> = {
      live: new ToldEngine(() => ({ body: Buffer.from('live') })),
      shadow: new ToldEngine(() => ({ status: 500 })),
    };
    started = await start({
      openModel: async (_, { name }) => engines[name],
      sinks: { metrics: { record: (sample) => samplesTaken.push(sample) } },
    });
    await createModel(started, 'live');
    await createModel(started, 'shadow');
    await createConfig(started, 'mirrored', [variant('live', 'live')], {
      ShadowProductionVariants: [variant('shadow', 'shadow', { InitialVariantWeight: 0.5 })],
    });
    await started.sagemaker.createEndpoint({ EndpointName: 'mirrored', EndpointConfigName: 'mirrored' });
    await started.local.clock.jump(60_000);
    for (let index = 0; index < 100; index += 1) {
      expect(text((await started.runtime.invokeEndpoint({ EndpointName: 'mirrored', Body: `${index}` })).Body)).toBe('live');
    }
    const mirrored = samplesTaken.filter(({ shadow }) => shadow);
    expect(samplesTaken.filter(({ shadow }) => !shadow)).toHaveLength(100);
    expect(Math.abs(mirrored.length - 50)).toBeLessThan(20);
    expect(mirrored[0]).toMatchObject({ endpoint: 'mirrored', variant: 'shadow', config: 'mirrored', status: 500 });
    expect(engines.shadow.seen).toHaveLength(mirrored.length);
  });
});

describe('what is measured', () => {
  it("tells the model's time from the rest, and carries the clock's time", async () => {
    const taken: InvocationSample[] = [];
    const slow = new ToldEngine(() => new Promise<Partial<Answer>>((resolve) => setTimeout(resolve, 30, {})));
    started = await start({ openModel: async () => slow, sinks: { metrics: { record: (sample) => taken.push(sample) } } });
    await serve(started, 'timed', 'model', { InitialInstanceCount: 3 });
    await started.runtime.invokeEndpoint({ EndpointName: 'timed', Body: 'x' });
    expect(taken).toEqual([
      {
        time: started.local.clock.now(),
        endpoint: 'timed',
        variant: 'live',
        config: 'model',
        shadow: false,
        kind: 'realtime',
        status: 200,
        latency: expect.any(Number),
        overhead: expect.any(Number),
        instances: 3,
        concurrency: 1,
      },
    ]);
    expect(taken[0].latency).toBeGreaterThan(25_000);
    expect(taken[0].overhead).toBeGreaterThanOrEqual(0);
  });
});

describe('a streamed answer', () => {
  async function streaming(parts: () => AsyncIterable<Buffer>, status = 200) {
    const engine = Object.assign(new ToldEngine(), { stream: async () => ({ status, contentType: 'text/plain', parts: parts() }) });
    started = await start({ openModel: async () => engine });
    await serve(started, 'talks', 'model');
    return started.runtime.invokeEndpointWithResponseStream({ EndpointName: 'talks', Body: 'x' });
  }

  it('comes in parts, while the model still works', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const answer = await streaming(async function* () {
      yield Buffer.from('one ');
      await held;
      yield Buffer.from('two');
    });
    expect(answer).toMatchObject({ ContentType: 'text/plain', InvokedProductionVariant: 'live' });
    const seen: string[] = [];
    for await (const event of answer.Body!) {
      seen.push(text(event.PayloadPart!.Bytes));
      release();
    }
    expect(seen).toEqual(['one ', 'two']);
  });

  it('ends with a ModelStreamError where the model breaks off', async () => {
    const answer = await streaming(async function* () {
      yield Buffer.from('half');
      throw new Error('the process died');
    });
    const read = async () => {
      for await (const _ of answer.Body!);
    };
    await expect(read()).rejects.toMatchObject({ name: 'ModelStreamError', ErrorCode: 'StreamBroken', message: 'the process died' });
  });

  it("is a ModelError where the model's status is one", async () => {
    const refused = streaming(async function* () {
      yield Buffer.from('busy');
    }, 503);
    await expect(refused).rejects.toMatchObject({ name: 'ModelError', OriginalStatusCode: 503, OriginalMessage: 'busy' });
  });

  it('comes in one part from an engine that cannot stream', async () => {
    started = await start({ openModel: async () => new ToldEngine(() => ({ body: Buffer.from('whole') })) });
    await serve(started, 'whole', 'model');
    const answer = await started.runtime.invokeEndpointWithResponseStream({ EndpointName: 'whole', Body: 'x' });
    const seen: string[] = [];
    for await (const event of answer.Body!) seen.push(text(event.PayloadPart!.Bytes));
    expect(seen).toEqual(['whole']);
  });
});

describe('an asynchronous endpoint', () => {
  async function asynchronous(engine: ToldEngine, client?: { MaxConcurrentInvocationsPerInstance: number }) {
    started = await start({ openModel: async () => engine });
    await createModel(started, 'model');
    await createConfig(started, 'later', [variant('live', 'model')], {
      AsyncInferenceConfig: {
        OutputConfig: { S3OutputPath: 's3://out/answers/', S3FailurePath: 's3://out/failures' },
        ClientConfig: client,
      },
    });
    await started.sagemaker.createEndpoint({ EndpointName: 'later', EndpointConfigName: 'later' });
    await started.local.clock.jump(60_000);
  }

  async function read(uri: string | undefined): Promise<string> {
    const [, bucket, key] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri!)!;
    for (;;) {
      if ((await started.local.objects.stat(bucket, key)) !== undefined) {
        const parts: Buffer[] = [];
        for await (const part of await started.local.objects.read(bucket, key)) parts.push(part as Buffer);
        return Buffer.concat(parts).toString('utf8');
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it('reads its request from S3 and answers there', async () => {
    await asynchronous(new ToldEngine(({ body }) => ({ body: Buffer.from(`seen ${body}`) })));
    await started.local.objects.write('in', 'question', Buffer.from('hello'));
    const { OutputLocation, InferenceId } = await started.runtime.invokeEndpointAsync({
      EndpointName: 'later',
      InputLocation: 's3://in/question',
    });
    expect(OutputLocation).toBe(`s3://out/answers/${InferenceId}.out`);
    expect(await read(OutputLocation)).toBe('seen hello');
  });

  it('takes a small request in the call itself, and the name of its answer', async () => {
    await asynchronous(new ToldEngine(({ body }) => ({ body })));
    const given = { EndpointName: 'later', Body: 'inline', InferenceId: 'mine', S3OutputPathExtension: 'today', Filename: 'answer.json' };
    const { OutputLocation } = await started.runtime.invokeEndpointAsync(given);
    expect(OutputLocation).toBe('s3://out/answers/today/answer.json');
    expect(await read(OutputLocation)).toBe('inline');
  });

  it('writes what went wrong to the failure path', async () => {
    await asynchronous(new ToldEngine(() => ({ status: 500, body: Buffer.from('broken') })));
    const failed = await started.runtime.invokeEndpointAsync({ EndpointName: 'later', Body: 'x', InferenceId: 'f' });
    expect(failed.FailureLocation).toBe('s3://out/failures/f-error.out');
    expect(await read(failed.FailureLocation)).toContain('Received server error (500) from primary with message "broken"');
    const missing = await started.runtime.invokeEndpointAsync({ EndpointName: 'later', InputLocation: 's3://in/nothing' });
    expect(await read(missing.FailureLocation)).toBe('there is no object s3://in/nothing');
  });

  it('queues what its instances cannot take, and drops what waited too long', async () => {
    const open: (() => void)[] = [];
    await asynchronous(new ToldEngine(() => new Promise((resolve) => open.push(() => resolve({})))), {
      MaxConcurrentInvocationsPerInstance: 1,
    });
    const first = await started.runtime.invokeEndpointAsync({ EndpointName: 'later', Body: '1' });
    const second = await started.runtime.invokeEndpointAsync({ EndpointName: 'later', Body: '2', RequestTTLSeconds: 60 });
    expect([started.local.backlog('later'), open.length]).toEqual([2, 1]);
    await started.local.clock.jump(61_000);
    open[0]();
    await read(first.OutputLocation);
    expect(await read(second.FailureLocation)).toBe('the request was not started within 60 seconds');
  });

  it('refuses what is not for it', async () => {
    await asynchronous(new ToldEngine());
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'later', Body: 'x' })).rejects.toThrow(
      'is an asynchronous endpoint: use InvokeEndpointAsync',
    );
    await expect(started.runtime.invokeEndpointAsync({ EndpointName: 'later' })).rejects.toThrow(
      'either an InputLocation or a body of its own',
    );
    await serve(started, 'now', 'plain');
    await expect(started.runtime.invokeEndpointAsync({ EndpointName: 'now', Body: 'x' })).rejects.toThrow(
      'is not an asynchronous endpoint: use InvokeEndpoint',
    );
  });
});

describe('a client that does not behave', () => {
  it('may go away in the middle of its request', async () => {
    started = await start({ openModel: async () => new ToldEngine() });
    await serve(started, 'one', 'model');
    await new Promise<void>((resolve) => {
      const half = request(`${started.local.url}/endpoints/one/invocations`, { method: 'POST', headers: { 'content-length': 100 } });
      half.on('error', () => resolve());
      half.write('half');
      setTimeout(() => half.destroy(), 20);
    });
    await expect(started.runtime.invokeEndpoint({ EndpointName: 'one', Body: gzipSync('x') })).resolves.toBeDefined();
  });
});

it('lets a variant go whose streamed answer was lost', async () => {
  started = await start({ openModel: async () => new ToldEngine() });
  await serve(started, 'talks', 'model');
  const fault = started.local.faults.add({ operation: 'InvokeEndpointWithResponseStream', kind: 'lost answer', times: 1 });
  await expect(started.runtime.invokeEndpointWithResponseStream({ EndpointName: 'talks', Body: 'x' })).rejects.toThrow();
  fault.remove();
  await started.sagemaker.deleteEndpoint({ EndpointName: 'talks' });
  const gone = started.local.clock.jump(10_000).then(() => 'gone');
  expect(await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 5000, 'held').unref())])).toBe('gone');
  await expect(started.sagemaker.describeEndpoint({ EndpointName: 'talks' })).rejects.toThrow(/Could not find endpoint/);
});
