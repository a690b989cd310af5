import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, type EngineOptions, type Invocation, openEngine, streamed } from '../../lib/serving';
import { ask, directoryOf, errorOf, removeDirectories } from './ask';

const PYTHON = process.env.FLEDGE_TEST_PYTHON ?? 'python3';

const opened: Engine[] = [];

async function openCode(inference: string, options: EngineOptions = {}, files: Readonly<Record<string, string>> = {}): Promise<Engine> {
  const directory = directoryOf({ 'code/inference.py': inference, ...files });
  const engine = await openEngine(directory, { allowCode: true, python: PYTHON, ...options });
  opened.push(engine);
  return engine;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
  removeDirectories();
});

const csv = (body: string, accept?: string): Invocation => ({ body: Buffer.from(body), contentType: 'text/csv; charset=utf-8', accept });

describe('a user’s inference.py', () => {
  test('answers by input_fn, predict_fn and output_fn, with what model_fn loaded', async () => {
    const engine = await openCode(
      `
import os
from weights import FACTOR

def model_fn(model_dir):
    return float(open(os.path.join(model_dir, 'bias.txt')).read())

def input_fn(data, content_type):
    assert content_type == 'text/csv', content_type
    return [float(one) for one in data.split(',')]

def predict_fn(data, model):
    return [FACTOR * one + model for one in data]

def output_fn(prediction, accept):
    return '|'.join(str(one) for one in prediction), 'text/' + accept.split('/')[1]
`,
      {},
      { 'bias.txt': '0.5', 'code/weights.py': 'FACTOR = 2' },
    );
    const answer = await engine.invoke(csv('1,2', 'application/pipes'));
    expect([answer.status, answer.contentType, answer.body.toString()]).toEqual([200, 'text/pipes', '2.5|4.5']);
    expect(await engine.ping()).toBe(true);
  });

  test('answers by transform_fn, whose context carries headers both ways', async () => {
    const engine = await openCode(`
def model_fn(model_dir, context):
    return context.system_properties['model_dir'] == model_dir

def transform_fn(model, data, content_type, accept, context):
    attributes = context.get_request_header(0, 'X-Amzn-SageMaker-Custom-Attributes')
    context.set_response_header(0, 'X-Amzn-SageMaker-Custom-Attributes', attributes + '!')
    context.set_response_status(code=202)
    return {'loaded': model, 'bytes': isinstance(data, bytes), 'accept': accept}
`);
    const answer = await engine.invoke({ body: Buffer.from([0xff]), contentType: 'image/png', customAttributes: 'trace' });
    expect([answer.status, answer.contentType, answer.customAttributes]).toEqual([202, 'application/json', 'trace!']);
    expect(JSON.parse(answer.body.toString())).toEqual({ loaded: true, bytes: true, accept: 'application/json' });
  });

  test('streams what it yields', async () => {
    const engine = await openCode(`
import time
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    def parts():
        yield 'one'
        time.sleep(0.3)
        yield b' two'
    return parts(), 'text/plain'
`);
    const { status, contentType, parts } = await streamed(engine, csv('x'));
    const heard: string[] = [];
    for await (const part of parts) heard.push(part.toString());
    expect([status, contentType, heard]).toEqual([200, 'text/plain', ['one', ' two']]);
    expect((await engine.invoke(csv('x'))).body.toString()).toBe('one two');
  });

  test('that raises answers 500 with its words, and lives', async () => {
    const lines: string[] = [];
    const engine = await openCode(
      'def model_fn(d): return {"UA": 1}\ndef transform_fn(model, data, content_type, accept): return str(model[data])',
      { log: (line) => lines.push(line) },
    );
    expect(errorOf(await ask(engine, 'XX', 'text/csv'))).toBe("500 KeyError: 'XX'");
    expect((await ask(engine, 'UA', 'text/csv')).text).toBe('1');
    expect(engine.restarts).toBe(0);
    expect(lines.join('\n')).toContain('Traceback');
  });

  test('that ends its program, or answers what HTTP cannot carry, fails that request alone and says why', async () => {
    const engine = await openCode(`
import sys
def model_fn(d): return None
def transform_fn(model, data, content_type, accept, context):
    if data == 'exit': sys.exit(3)
    if data == 'header': context.set_response_header(0, 'X-Amzn-SageMaker-Custom-Attributes', '\u65e5')
    if data == 'numbers': return (n for n in [1, 2])
    if data == 'no content': context.set_response_status(204)
    return data
`);
    expect(errorOf(await ask(engine, 'exit', 'text/csv'))).toBe('500 SystemExit: 3');
    expect(errorOf(await ask(engine, 'header', 'text/csv'))).toMatch(/^500 UnicodeEncodeError: 'latin-1' codec/);
    expect(errorOf(await ask(engine, 'numbers', 'text/csv'))).toMatch(/^500 the model broke off its answer/);
    expect(await ask(engine, 'no content', 'text/csv')).toMatchObject({ status: 204, text: '' });
    expect((await ask(engine, 'next', 'text/csv')).text).toBe('next');
    expect(engine.restarts).toBe(0);
  });

  test('that returns an array answers its values', async () => {
    const engine = await openCode(
      'from array import array\ndef model_fn(d): return None\ndef transform_fn(m, data, t, accept): return array("i", [1, 2])',
    );
    expect((await ask(engine, 'x', 'text/csv')).text).toBe('[1, 2]');
  });

  test('that prints without end and ends no line has it handed on in pieces', async () => {
    const lines: string[] = [];
    const engine = await openCode(
      'def model_fn(d): return None\ndef transform_fn(m, data, t, accept):\n    print("x" * 2_000_000, end="", flush=True)\n    return data',
      { log: (line) => lines.push(line) },
    );
    await ask(engine, 'x', 'text/csv');
    while (lines.join('').length < 1_990_000) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(10_000);
  });

  test('answers hundreds of requests that come at once', async () => {
    const engine = await openCode(`
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept): return data
`);
    const answers = await Promise.all(Array.from({ length: 400 }, (_, i) => engine.invoke(csv(String(i)))));
    expect(answers.map(({ body }) => body.toString())).toEqual(Array.from(answers, (_, i) => String(i)));
  });

  test('that crashes fails the request under way, is started again and counted', async () => {
    const restarts: string[] = [];
    const engine = await openCode(
      `
import os
def model_fn(d): return None
def transform_fn(model, data, content_type, accept):
    if data == 'crash': os._exit(7)
    return data
`,
      { onRestart: (count, reason) => restarts.push(`${count}: ${reason}`) },
    );
    expect(errorOf(await ask(engine, 'crash', 'text/csv'))).toMatch(
      /^500 the model crashed while it answered: its process ended with code 7/,
    );
    while (!(await engine.ping())) await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await ask(engine, 'next', 'text/csv')).text).toBe('next');
    expect(engine.restarts).toBe(1);
    expect(restarts).toEqual(['1: its process ended with code 7']);
  });

  test('runs only where it is allowed', async () => {
    const directory = directoryOf({ 'code/inference.py': 'open("ran", "w")' });
    await expect(openEngine(directory)).rejects.toThrow('its code runs only where it is allowed (--allow-code');
    expect(existsSync(join(directory, 'ran'))).toBe(false);
  });

  test('does not get the user’s credentials', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'secret';
    try {
      const engine = await openCode(
        'import os\ndef model_fn(d): return None\ndef transform_fn(m, data, c, a): return str(os.environ.get(data))',
        { environment: { GREETING: 'hello' } },
      );
      expect((await ask(engine, 'AWS_SECRET_ACCESS_KEY', 'text/csv')).text).toBe('None');
      expect((await ask(engine, 'GREETING', 'text/csv')).text).toBe('hello');
    } finally {
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
  });

  test.each([
    ['pass', 'code/inference.py defines no model_fn(model_dir), which loads the model'],
    [
      'def model_fn(d): pass\ndef transform_fn(m, d, c, a): pass\ndef predict_fn(d, m): pass',
      'code/inference.py defines transform_fn and predict_fn: transform_fn stands for all three, keep one or the other',
    ],
    ['import no_such_package', "ModuleNotFoundError: No module named 'no_such_package'"],
    ['def model_fn(d): raise OSError("no weights here")', 'OSError: no weights here'],
  ])('of %j is refused with its own words', async (inference, message) => {
    await expect(openCode(inference)).rejects.toThrow(message);
  });

  test('says that its defaults need numpy, where Python has none', async () => {
    const none = { 'code/numpy.py': 'raise ModuleNotFoundError("No module named numpy")' };
    const engine = await openCode('def model_fn(d): return lambda data: data', {}, none);
    expect(errorOf(await ask(engine, [1]))).toMatch(/^500 the default decoders and encoders need numpy/);
  });
});

describe('a command', () => {
  const SERVER = `
const { createServer } = require('node:http');
const { spawn } = require('node:child_process');
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const directory = process.env.SM_MODEL_DIR;
if (existsSync(join(directory, 'broken'))) throw new Error('weights are broken');
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
writeFileSync(join(directory, 'pids'), process.pid + ' ' + child.pid);
createServer((request, response) => {
  if (request.url === '/ping') return response.end();
  if (request.headers.accept === 'break') writeFileSync(join(directory, 'broken'), '');
  if (['exit', 'break'].includes(request.headers.accept)) process.exit(9);
  setTimeout(() => response.writeHead(201, { 'content-type': 'text/x' }).end(readFileSync(join(directory, 'weights.txt'))), 200);
}).listen(Number(process.env.SAGEMAKER_BIND_TO_PORT), '127.0.0.1');
process.on('SIGTERM', () => { appendFileSync(join(directory, 'end'), 'SIGTERM'); process.exit(0); });
`;
  const alive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  test('serves on the port it is told, finds the model, and ends with all that it started', async () => {
    const directory = directoryOf({ 'server.js': SERVER, 'weights.txt': 'w' });
    const engine = await openEngine(directory, { command: [process.execPath, join(directory, 'server.js')] });
    const asked = engine.invoke(csv('x'));
    const pids = readFileSync(join(directory, 'pids'), 'utf8').split(' ').map(Number);
    expect(pids.map(alive)).toEqual([true, true]);
    await engine.close();
    const answer = await asked;
    expect([answer.status, answer.contentType, answer.body.toString()]).toEqual([201, 'text/x', 'w']);
    expect(readFileSync(join(directory, 'end'), 'utf8')).toBe('SIGTERM');
    while (pids.some(alive)) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  test('that closes connections without a word answers every request', async () => {
    const server = `require('net').createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => { socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok'); setTimeout(() => socket.destroy(), 2); });
    }).listen(process.env.SAGEMAKER_BIND_TO_PORT, '127.0.0.1');`;
    const engine = await openEngine(directoryOf({}), { command: [process.execPath, '-e', server] });
    opened.push(engine);
    const statuses = new Set<number>();
    for (let i = 0; i < 100; i++) statuses.add((await engine.invoke(csv('x'))).status);
    expect([...statuses]).toEqual([200]);
  });

  test('that sends more than its answer takes nobody down', async () => {
    const server = `require('net').createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => socket.write(String(bytes).startsWith('GET')
        ? 'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n'
        : 'HTTP/1.1 204 No Content\\r\\nContent-Length: 4\\r\\n\\r\\nmore'));
    }).listen(process.env.SAGEMAKER_BIND_TO_PORT, '127.0.0.1');`;
    const engine = await openEngine(directoryOf({}), { command: [process.execPath, '-e', server] });
    opened.push(engine);
    expect((await engine.invoke(csv('x'))).status).toBe(204);
    expect(await engine.ping()).toBe(true);
  });

  test('that ends is started again', async () => {
    const directory = directoryOf({ 'server.js': SERVER, 'weights.txt': 'w' });
    const engine = await openEngine(directory, { command: [process.execPath, join(directory, 'server.js')] });
    opened.push(engine);
    expect(errorOf(await ask(engine, '', 'text/csv', 'exit'))).toMatch(/^500 .* its process ended with code 9/);
    while (!(await engine.ping())) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await ask(engine, '')).status).toBe(201);
    expect(engine.restarts).toBe(1);
  });

  test('that does not come up again answers 503 with its last words', async () => {
    const directory = directoryOf({ 'server.js': SERVER, 'weights.txt': 'w' });
    const engine = await openEngine(directory, { command: [process.execPath, join(directory, 'server.js')] });
    opened.push(engine);
    await ask(engine, '', 'text/csv', 'break');
    let heard = await ask(engine, '');
    while (!heard.text.includes('does not come up')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      heard = await ask(engine, '');
    }
    expect(errorOf(heard)).toMatch(/^503 the model is being restarted: its process does not come up: .*weights are broken/);
    expect(await engine.ping()).toBe(false);
  });

  test.each([
    [['/no/such/program'], 60_000, /\/no\/such\/program .*ENOENT/],
    [[process.execPath, '-e', 'console.error("no licence"); process.exit(4)'], 60_000, /ended with code 4: no licence/],
    [[process.execPath, '-e', 'setInterval(() => {}, 1000)'], 300, /did not answer GET \/ping within 0\.3 s/],
  ])('%j that does not come up is refused with what it printed', async (command, startupMs, message) => {
    await expect(openEngine(directoryOf({}), { command, startupMs })).rejects.toThrow(message);
  });
});
