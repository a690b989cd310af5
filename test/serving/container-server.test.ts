import { symlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  type Answer,
  type ContainerServer,
  type ContainerServerProps,
  containerServer,
  type Engine,
  type Invocation,
  multiModelServer,
  openEngine,
} from '../../lib/serving';
import { modelDirectory, removeDirectories } from './ask';

const servers: ContainerServer[] = [];

async function serve(engine: Engine, props: Partial<ContainerServerProps> = {}): Promise<string> {
  const server = await containerServer({ engine, port: 0, ...props });
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

async function serveModel(fixture: string, props: Partial<ContainerServerProps> = {}): Promise<string> {
  return serve(await openEngine(modelDirectory(fixture), { workers: 1 }), props);
}

/** An engine that hands each request to a function: for what no model can be brought to do at a given moment. */
function engineOf(invoke: (invocation: Invocation) => Promise<Answer>, rest: Partial<Engine> = {}): Engine {
  return { invoke, ping: async () => true, restarts: 0, close: async () => {}, ...rest };
}

const echo = engineOf(async ({ body, contentType, accept, customAttributes, targetModel }) => ({
  status: 200,
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify({ body: body.toString(), contentType, accept, customAttributes, targetModel })),
  customAttributes: customAttributes?.toUpperCase(),
}));

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  removeDirectories();
});

test('GET /ping says that the model answers, and 503 once it does not', async () => {
  expect((await fetch(`${await serveModel('late')}/ping`)).status).toBe(200);
  const dead = await serve(engineOf(async () => Promise.reject(new Error('never asked')), { ping: async () => false }));
  expect((await fetch(`${dead}/ping`)).status).toBe(503);
});

test('POST /invocations answers with the model, its type and its status', async () => {
  const url = `${await serveModel('late')}/invocations`;
  const good = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/csv', accept: 'text/csv' }, body: 'UA,3,500\n' });
  expect([good.status, good.headers.get('content-type'), await good.text()]).toEqual([
    200,
    'text/csv',
    expect.stringMatching(/^0,0\.09\d+\n$/),
  ]);
  const bad = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[["UA"]]' });
  expect([bad.status, await bad.json()]).toEqual([400, { error: expect.stringContaining('row 1 has 1 values, the model takes 3') }]);
  const failed = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[["UA",99,1]]' });
  expect([failed.status, await failed.json()]).toEqual([500, { error: expect.stringContaining('idx=99') }]);
});

/** Requests written by hand, so that it is known which way they go; the answers as they come, up to so many. */
function raw(url: string, texts: string | readonly string[], answers = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(Number(new URL(url).port), '127.0.0.1');
    let heard = '';
    socket.on('data', (data) => {
      heard += data.toString('latin1');
      if ((heard.match(/HTTP\/1\.1 \d/g) ?? []).length >= answers) setTimeout(() => socket.end(), 20);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(heard));
    socket.on('connect', async () => {
      for (const text of [texts].flat()) {
        socket.write(text, 'latin1');
        await new Promise((next) => setTimeout(next, 20));
      }
    });
  });
}

const post = (body: string, ...headers: string[]): string =>
  ['POST /invocations HTTP/1.1', 'Host: x', `Content-Length: ${body.length}`, ...headers, '', body].join('\r\n');
const bodies = (heard: string): string[] => [...heard.matchAll(/"body":"([^"]*)"/g)].map(([, body]) => body!);

describe.each([
  ['a plain request', []],
  ['a request that only Node’s own server reads', ['Connection: keep-alive, x']],
])('of %s', (_, extra) => {
  test('the headers of the contract reach the engine and come back', async () => {
    const heard = await raw(
      await serve(echo),
      post(
        'hi',
        'Content-Type: text/csv',
        'Accept: text/csv',
        'X-Amzn-SageMaker-Custom-Attributes: trace=a1',
        'X-Amzn-SageMaker-Target-Model: m',
        ...extra,
      ),
    );
    expect(heard).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(heard).toMatch(/\r\nx-amzn-sagemaker-custom-attributes: TRACE=A1\r\n/);
    expect(heard).toMatch(/\r\ndate: /i);
    expect(JSON.parse(heard.slice(heard.indexOf('{')))).toEqual({
      body: 'hi',
      contentType: 'text/csv',
      accept: 'text/csv',
      customAttributes: 'trace=a1',
      targetModel: 'm',
    });
  });

  test('a header keeps its last byte, whatever letter that belongs to', async () => {
    const bytes = Buffer.from('voilà').toString('latin1');
    const heard = await raw(await serve(echo), post('hi', `X-Amzn-SageMaker-Custom-Attributes:\t ${bytes} \t`, ...extra));
    expect(JSON.parse(Buffer.from(heard.slice(heard.indexOf('{')), 'latin1').toString()).customAttributes).toBe(bytes);
  });

  test('a body without a type is JSON', async () => {
    expect(await raw(await serve(echo), post('hi', ...extra))).toContain('"contentType":"application/json"');
  });

  test('a body above the limit is answered 413, one at the limit is not', async () => {
    const url = await serve(echo, { maxBytes: 10 });
    expect(await raw(url, post('x'.repeat(11), ...extra))).toMatch(/^HTTP\/1\.1 413 /);
    expect(await raw(url, post('x'.repeat(10), ...extra))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('an answer that takes too long is 504', async () => {
    const url = await serve(
      engineOf(() => new Promise(() => {})),
      { timeoutMs: 50 },
    );
    const heard = await raw(url, post('hi', ...extra));
    expect(heard).toMatch(/^HTTP\/1\.1 504 /);
    expect(heard).toContain('the model did not answer within 0.05 s');
  });
});

describe('one connection', () => {
  test('carries requests one after the other, in order, however they arrive', async () => {
    const url = await serve(
      engineOf(async (invocation) => {
        // The first takes longer than the second.
        await new Promise((resolve) => setTimeout(resolve, invocation.body.toString() === 'one' ? 30 : 0));
        return echo.invoke(invocation);
      }),
    );
    expect(bodies(await raw(url, post('one') + post('two') + post('three'), 3))).toEqual(['one', 'two', 'three']);
    const cut = post('one');
    expect(bodies(await raw(url, [cut.slice(0, 10), cut.slice(10, 60), cut.slice(60, -1), cut.slice(-1)]))).toEqual(['one']);
    expect(bodies(await raw(url, [post('one'), post('two'), post('three')], 3))).toEqual(['one', 'two', 'three']);
  });

  test('may change to anything that HTTP allows, and back', async () => {
    const chunked = 'POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n';
    const heard = await raw(await serve(echo), `${post('one')}${chunked}GET /ping HTTP/1.1\r\nHost: x\r\n\r\n${post('four')}`, 4);
    expect(bodies(heard)).toEqual(['one', 'two', 'four']);
    expect(heard.match(/HTTP\/1\.1 200/g)).toHaveLength(4);
  });

  test('with a body of many packets is read whole', async () => {
    const long = 'x'.repeat(300_000);
    const response = await fetch(`${await serve(echo)}/invocations`, { method: 'POST', body: long });
    expect(((await response.json()) as { body: string }).body).toHaveLength(300_000);
  });

  test.each([
    ['two lengths', 'POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi'],
    ['a length and chunks', 'POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a header with a space before its colon', 'POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\nhi'],
    ['a folded header', 'POST /invocations HTTP/1.1\r\nHost: x\r\nA: b\r\n c: d\r\nContent-Length: 2\r\n\r\nhi'],
    ['a length that is no number', 'POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\nhi'],
    ['no host', 'POST /invocations HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi'],
  ])('with %s is refused or read as Node reads it, never guessed at', async (_, text) => {
    let asked = 0;
    const url = await serve(
      engineOf((invocation) => {
        asked++;
        return echo.invoke(invocation);
      }),
    );
    const heard = await raw(url, text);
    const folded = text.includes(' c: d');
    expect(heard).toMatch(folded ? /^HTTP\/1\.1 (200|400)/ : /^HTTP\/1\.1 400 Bad Request/);
    expect(asked).toBeLessThanOrEqual(folded ? 1 : 0);
  });

  test('gets no header that the model made up', async () => {
    for (const evil of ['a/b\r\nset-cookie: x', 'a/b\u010d\u010aset-cookie: x']) {
      const url = await serve(engineOf(async () => ({ status: 200, contentType: evil, body: Buffer.from('hi') })));
      for (const extra of [[], ['Connection: keep-alive, x']]) expect(await raw(url, post('hi', ...extra))).not.toContain('set-cookie');
    }
  });
});

test('other paths and methods are answered with what is here', async () => {
  const url = await serve(echo);
  const [missing, get] = await Promise.all([fetch(`${url}/models`), fetch(`${url}/invocations`)]);
  expect([missing.status, await missing.text()]).toEqual([
    404,
    '{"error":"/models is not here: /ping, /invocations, /execution-parameters"}',
  ]);
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
});

test('a taken port is said plainly', async () => {
  const url = await serve(echo);
  const port = Number(new URL(url).port);
  await expect(containerServer({ engine: echo, port })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`);
});

test('an engine that streams is answered in parts', async () => {
  let go = (): void => {};
  const url = await serve(
    engineOf(() => Promise.reject(new Error('streams')), {
      stream: async () => ({
        status: 200,
        contentType: 'text/plain',
        parts: (async function* () {
          yield Buffer.from('first');
          await new Promise<void>((resolve) => {
            go = resolve;
          });
          yield Buffer.from(' second');
        })(),
      }),
    }),
  );
  const response = await fetch(`${url}/invocations`, { method: 'POST', body: 'x' });
  const reader = response.body!.getReader();
  expect(Buffer.from((await reader.read()).value!).toString()).toBe('first');
  go();
  expect(Buffer.from((await reader.read()).value!).toString()).toBe(' second');
  expect((await reader.read()).done).toBe(true);
});

test('closing answers what is under way, ends idle connections, then the engine', async () => {
  const events: string[] = [];
  let answer = (): void => {};
  const engine = engineOf(
    () =>
      new Promise((resolve) => {
        answer = () => {
          events.push('answered');
          resolve({ status: 200, contentType: 'text/plain', body: Buffer.from('late') });
        };
      }),
    {
      close: async () => {
        events.push('closed');
      },
    },
  );
  const server = await containerServer({ engine, port: 0 });
  const port = String(server.port);
  const idle = connect(server.port, '127.0.0.1');
  const idleEnded = new Promise<void>((resolve) => idle.once('close', () => resolve()));
  idle.resume();
  const heard = raw(`http://127.0.0.1:${port}`, post('hi'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const closed = server.close();
  await idleEnded;
  await expect(fetch(`http://127.0.0.1:${port}/ping`)).rejects.toThrow();
  answer();
  expect(await heard).toMatch(/connection: close\r\n[\s\S]*late$/);
  await closed;
  expect(events).toEqual(['answered', 'closed']);
});

test.each([
  ['with its length', true],
  ['in chunks', false],
])('a client that listens only when it has sent a long body %s hears 413, and may go on', async (_, named) => {
  const port = Number(new URL(await serve(echo, { maxBytes: 1000 })).port);
  const long = Buffer.alloc(20 << 20, 'x');
  const heard: string[] = [];
  const socket = connect(port, '127.0.0.1').pause();
  socket.write(
    `POST /invocations HTTP/1.1\r\nHost: x\r\n${named ? `Content-Length: ${long.length}` : 'Transfer-Encoding: chunked'}\r\n\r\n`,
  );
  if (!named) socket.write(`${long.length.toString(16)}\r\n`);
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.write(long, () => resolve());
  });
  if (!named) socket.write('\r\n0\r\n\r\n');
  socket.on('data', (bytes) => heard.push(bytes.toString())).resume();
  socket.write(post('next'));
  while (!heard.join('').includes('"body":"next"')) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(heard.join('')).toMatch(/^HTTP\/1\.1 413 /);
  socket.destroy();
});

test.each([
  ['a plain request', 0],
  ['one that Node’s own server reads', 5],
])('closing waits for the rest of %s', async (_, first) => {
  const server = await containerServer({ engine: echo, port: 0 });
  const heard: Buffer[] = [];
  const socket = connect(server.port, '127.0.0.1').on('data', (bytes) => heard.push(bytes));
  const ended = new Promise<void>((resolve) => socket.once('end', () => resolve()));
  const request = post('whole');
  if (first > 0) socket.write(request.slice(0, first));
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.write(request.slice(first, -2));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const closed = server.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.write(request.slice(-2));
  await Promise.all([ended, closed]);
  expect(Buffer.concat(heard).toString()).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*"body":"whole"/);
});

test('a client that reads no answers is given no more to keep, and all of them once it reads', async () => {
  let asked = 0;
  const large = engineOf(async () => {
    asked++;
    return { status: 200, contentType: 'text/plain', body: Buffer.alloc(1 << 20, 'k') };
  });
  const server = await containerServer({ engine: large, port: 0 });
  servers.push(server);
  const socket = connect(server.port, '127.0.0.1').pause();
  socket.write(post('hi').repeat(100));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(asked).toBeLessThan(30);
  let length = 0;
  await new Promise<void>((resolve) => {
    socket.on('data', (bytes) => {
      length += bytes.length;
      if (length >= 100 << 20) resolve();
    });
    socket.resume();
  });
  expect(asked).toBe(100);
  socket.destroy();
});

test('a batch transform learns how many requests to send at once', async () => {
  const response = await fetch(`${await serve(echo, { concurrency: 4 })}/execution-parameters`);
  expect(await response.json()).toEqual({ MaxConcurrentTransforms: 4, BatchStrategy: 'MULTI_RECORD', MaxPayloadInMB: 6 });
});

test('a multi-model endpoint loads, lists, describes, invokes and unloads its models', async () => {
  const server = await multiModelServer({ open: (directory) => openEngine(directory, { workers: 1 }), port: 0 });
  servers.push(server);
  const call = async (method: string, path: string, body?: unknown): Promise<unknown[]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return [response.status, await response.json().catch(() => undefined)];
  };
  const [late, plain] = [modelDirectory('late'), modelDirectory('plain')];
  const described = { modelName: 'a/1', modelUrl: late };
  expect(await call('GET', '/ping')).toEqual([200, undefined]);
  expect(await call('GET', '/models')).toEqual([200, { models: [] }]);
  expect(await call('POST', '/models', { model_name: 'a/1', url: late })).toEqual([200, described]);
  expect(await call('POST', '/models', { model_name: 'a/1', url: late })).toEqual([409, { error: 'model a/1 is loaded already' }]);
  expect(await call('POST', '/models', { model_name: 'b', url: plain })).toMatchObject([200, {}]);
  expect(await call('POST', '/models', { model_name: 'c', url: '/no/such' })).toEqual([
    400,
    { error: 'model c does not load: /no/such is not a directory' },
  ]);
  const broken = modelDirectory('plain');
  symlinkSync('/no/such', join(broken, 'vocabulary.txt'));
  expect(await call('POST', '/models', { model_name: 'c', url: broken })).toEqual([
    400,
    { error: expect.stringMatching(/^model c does not load: ENOENT.*vocabulary\.txt/) },
  ]);
  expect(await call('POST', '/models', { name: 'c' })).toMatchObject([400, {}]);
  expect(await call('GET', '/models')).toEqual([200, { models: [described, { modelName: 'b', modelUrl: plain }] }]);
  expect(await call('GET', '/models/a%2F1')).toEqual([200, described]);
  expect(await call('POST', '/models/a%2F1/invoke', [['UA', 3, 500]])).toMatchObject([200, { predictions: [{ label: 0 }] }]);
  expect(await call('POST', '/models/b/invoke', [[1, 0, 0, 0]])).toEqual([200, { predictions: [{ scores: [0, 1, 2] }] }]);
  expect(await call('DELETE', '/models/b')).toMatchObject([200, {}]);
  expect(await call('POST', '/models/b/invoke', [[1, 0, 0, 0]])).toEqual([404, { error: 'model b is not loaded' }]);
  expect(await call('GET', '/models/b/invoke')).toEqual([405, { error: '/models/b/invoke answers POST' }]);
});
