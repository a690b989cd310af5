import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, type EngineOptions, openEngine } from '../../lib/serving';
import { ask, directoryOf, errorOf, type Heard, modelDirectory, removeDirectories } from './ask';

const opened: Engine[] = [];

async function open(fixture: string, options: EngineOptions = {}): Promise<Engine> {
  const engine = await openEngine(modelDirectory(fixture), options);
  opened.push(engine);
  return engine;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
  removeDirectories();
});

const UA = { carrier: 'UA', hour: 3, distance: 500 };
const EV = { carrier: 'EV', hour: 20, distance: 100 };

/** What the graph of late.onnx computes. */
function probability(effect: number, hour: number, distance: number): number {
  return 1 / (1 + Math.exp(-(effect + (2 * hour) / 23 - 1 - distance / 1000)));
}

function predictions(heard: Heard): { label: number; probability: number }[] {
  expect(heard.status).toBe(200);
  return JSON.parse(heard.text).predictions;
}

describe.each(['onnxruntime-node', 'onnxruntime-web'] as const)('an ONNX model on %s', (runtime) => {
  test('answers each row with every output', async () => {
    const engine = await open('late', { runtime });
    const [first, second, ...rest] = predictions(await ask(engine, { instances: [UA, EV] }));
    expect(first!.label).toBe(0);
    expect(first!.probability).toBeCloseTo(probability(-1, 3, 500), 6);
    expect(second!.label).toBe(1);
    expect(second!.probability).toBeCloseTo(probability(1, 20, 100), 6);
    expect(rest).toEqual([]);
  });

  test('answers 400 where the request is at fault and 500 with the runtime’s words where the model is', async () => {
    const engine = await open('late', { runtime });
    expect(errorOf(await ask(engine, { instances: [{ ...UA, hour: 'three' }] }))).toMatch(/^400 instances\[0\], input "hour": must be/);
    expect(errorOf(await ask(engine, { instances: [{ ...UA, hour: 99 }] }))).toMatch(/^500 .*Gather node.*idx=99/);
    expect(errorOf(await ask(engine, { instances: [UA] }, 'image/png'))).toMatch(/^415 /);
    expect(errorOf(await ask(engine, { instances: [UA] }, 'application/json', 'image/png'))).toMatch(/^406 /);
    expect((await ask(engine, { instances: [UA] })).status).toBe(200);
    expect(engine.restarts).toBe(0);
  });

  test('of float16 takes and answers numbers', async () => {
    const engine = await open('half', { runtime });
    const heard = await ask(engine, {
      instances: [
        [1.5, -3],
        [0.1, null],
      ],
    });
    expect(heard.text).toBe('{"predictions":[{"doubled":[3,-6]},{"doubled":[0.199951171875,null]}]}');
  });

  test('takes CSV and NumPy, and answers in the form that is accepted', async () => {
    const late = await open('late', { runtime });
    expect((await ask(late, 'UA,3,500\n', 'text/csv', 'text/csv')).text).toMatch(/^0,0\.09\d+\n$/);
    const plain = await open('plain', { runtime });
    const heard = await ask(
      plain,
      [
        [1, 0, 0, 0],
        [0, 1, 0, 1],
      ],
      'application/json',
      'text/csv',
    );
    expect(heard).toEqual({ status: 200, contentType: 'text/csv', text: '0,1,2\n12,14,16\n' });
  });
});

test.each([
  ['in workers', 0],
  ['on the serving thread', 1000],
])('CSV answers %s keep the order of the outputs where their names are numbers', async (_, inlineBelowMs) => {
  const engine = await open('numbered', { inlineBelowMs });
  for (let i = 0; i < 40; i++) await ask(engine, [1]);
  const heard = await Promise.all([1, 2, 3, 4].map((value) => ask(engine, `${value}`, 'text/csv', 'text/csv')));
  expect(heard.map(({ text }) => text)).toEqual(['1,-1\n', '2,-2\n', '3,-3\n', '4,-4\n']);
});

test.each([
  ['in workers', 0],
  ['on the serving thread', 1000],
])('many requests at once %s get each its own answer, and a bad one spoils no other', async (_, inlineBelowMs) => {
  const engine = await open('late', { inlineBelowMs });
  // By 32 calls a model is judged before it may leave the workers.
  for (let i = 0; i < 40; i++) await ask(engine, { instances: [UA] });
  for (let round = 0; round < 30; round++) {
    const asked = Array.from({ length: 20 }, (_, i) => ({ carrier: 'B6', hour: i === 7 ? 99 : i, distance: round * 10 + i }));
    const heard = await Promise.all(asked.map((row) => ask(engine, { instances: i(row) })));
    heard.forEach((one, i) => {
      if (i === 7) expect(errorOf(one)).toMatch(/^500 .*idx=99/);
      else expect(predictions(one)[0]!.probability).toBeCloseTo(probability(0.5, i, round * 10 + i), 6);
    });
  }
  expect(errorOf((await Promise.all([ask(engine, { instances: [UA] }), ask(engine, '{')]))[1]!)).toMatch(/^400 the body is not JSON/);
});

test('a request that is refused alone is refused beside others, of whatever kind their rows are', async () => {
  const engine = await open('numbered', { inlineBelowMs: 1000 });
  for (let i = 0; i < 40; i++) await ask(engine, [1]);
  for (let round = 0; round < 30; round++) await Promise.all([[round], [round + 1], [round + 2]].map((rows) => ask(engine, rows)));
  for (let round = 0; round < 30; round++) {
    const heard = await Promise.all([[round], [round + 1], [[round], 5], [[round]]].map((rows) => ask(engine, rows)));
    expect(heard.map(({ status }) => status)).toEqual([200, 200, 400, 200]);
  }
});

/** A row by name or in order, so that both kinds arrive together. */
function i(row: { carrier: string; hour: number; distance: number }): unknown[] {
  return row.hour % 3 === 0 ? [Object.values(row)] : [row];
}

test('a model whose answer depends on the rows beside is never given them', async () => {
  const engine = await open('centred', { inlineBelowMs: 1000 });
  for (let i = 0; i < 40; i++) await ask(engine, [[1]]);
  for (let round = 0; round < 20; round++) {
    const heard = await Promise.all([1, 5, 9].map((x) => ask(engine, [[x]])));
    // Alone, a value less the mean of its batch is 0.
    expect(heard.map(({ text }) => text)).toEqual(Array(3).fill('{"predictions":[{"off":0}]}'));
  }
  expect((await ask(engine, [[1], [3]])).text).toBe('{"predictions":[{"off":-1},{"off":1}]}');
});

describe('a slow model', () => {
  test('does not hold up the thread that serves', async () => {
    const engine = await open('slow', { workers: 1 });
    let answered = false;
    const slow = ask(engine, [[100_000]]).then((heard) => {
      answered = true;
      return heard;
    });
    for (let turns = 0; turns < 20; turns++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(await engine.ping()).toBe(true);
    }
    expect(answered).toBe(false);
    expect((await slow).status).toBe(200);
  });

  test('answers several at once on several workers', async () => {
    const engine = await open('slow', { workers: 2 });
    const order: string[] = [];
    const long = ask(engine, [[200_000]]).then(() => order.push('long'));
    await Promise.all([1, 2, 3].map(() => ask(engine, [[1]]).then(() => order.push('short'))));
    await long;
    expect(order).toEqual(['short', 'short', 'short', 'long']);
  });

  test('answers 503 when as many wait as may', async () => {
    const engine = await open('slow', { workers: 1, queue: 1 });
    const heard = await Promise.all([1, 2, 3].map(() => ask(engine, [[20_000]])));
    expect(heard.map(({ status }) => status)).toEqual([200, 200, 503]);
    expect(errorOf(heard[2]!)).toBe('503 1 requests wait for the model already: try again later');
  });

  test('that does not answer in time is given up, and a new worker answers the next', async () => {
    const engine = await open('slow', { workers: 1, timeoutMs: 1000 });
    expect(errorOf(await ask(engine, [[300_000]]))).toMatch(/^500 .*did not answer within 1 s/);
    expect(engine.restarts).toBe(1);
    while ((await ask(engine, [[1]])).status !== 200);
  });

  test('is waited for when the engine is closed', async () => {
    const engine = await openEngine(modelDirectory('slow'), { workers: 1 });
    const slow = [ask(engine, [[50_000]]), ask(engine, [[50_000]])];
    await engine.close();
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200]);
    await expect(ask(engine, [[1]])).rejects.toThrow('the engine is closed');
    expect(await engine.ping()).toBe(false);
  });
});

test('a worker that crashes fails its own request only, is replaced and counted', async () => {
  const restarts: string[] = [];
  const engine = await open('late', { workers: 1, heapMb: 32, onRestart: (count, reason) => restarts.push(`${count}: ${reason}`) });
  const huge = `[${Array(400_000).fill('["UA",3,5.25]').join(',')}]`;
  const [crashed, next] = await Promise.all([ask(engine, huge), ask(engine, { instances: [UA] })]);
  expect(errorOf(crashed)).toMatch(/^500 the model crashed while it answered: .*memory/i);
  expect(next.status).toBe(200);
  expect(engine.restarts).toBe(1);
  expect(restarts).toEqual([expect.stringMatching(/^1: .*memory/i)]);
  expect(await engine.ping()).toBe(true);
});

describe('a directory', () => {
  test.each([
    [{ 'model.txt': '' }, 'holds no .onnx file'],
    [{ 'a.onnx': '', 'b.onnx': '' }, 'holds several models (a.onnx, b.onnx): name the one to serve model.onnx'],
    [{ 'model.onnx': 'this is no ONNX' }, /protobuf|model\.onnx/i],
    [{ 'model.onnx': '', 'code/inference.py': '' }, 'its code runs only where it is allowed'],
  ])('of %j is refused', async (files, message) => {
    await expect(openEngine(directoryOf(files))).rejects.toThrow(message);
  });

  test('that is none is refused', async () => {
    await expect(openEngine('/no/such')).rejects.toThrow('/no/such is not a directory');
  });

  test('whose model is replaced under way is answered by the one that was opened', async () => {
    const directory = modelDirectory('late');
    const engine = await openEngine(directory);
    opened.push(engine);
    const before = await ask(engine, { instances: [UA] });
    copyFileSync(join(__dirname, 'fixtures/plain.onnx'), join(directory, 'model.onnx'));
    for (let i = 0; i < 80; i++) expect(await ask(engine, { instances: [UA] })).toEqual(before);
  });
});
