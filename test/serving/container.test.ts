import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleServer } from '../../.ci/build/container';
import { freePort } from '../../lib/serving/command/free-port';
import { directoryOf, modelDirectory, removeDirectories } from './ask';

const root = join(__dirname, '../..');
const image = mkdtempSync(join(tmpdir(), 'image-'));
const processes: ChildProcess[] = [];

/** What the Dockerfile puts in /opt/fledge; the packages that it installs are this repository's. */
beforeAll(() => {
  cpSync(join(root, 'lib/serving/container/package.json'), join(image, 'package.json'));
  bundleServer(image);
  symlinkSync(join(root, 'node_modules'), join(image, 'node_modules'));
});

afterEach(() => {
  for (const one of processes.splice(0)) one.kill('SIGKILL');
  removeDirectories();
});

afterAll(() => rmSync(image, { recursive: true }));

interface Container {
  readonly process: ChildProcess;
  readonly url: string;
  readonly printed: () => string;
}

/** Runs the Dockerfile's entry point as SageMaker does. */
async function start(directory: string, environment: Readonly<Record<string, string>> = {}): Promise<Container> {
  const port = await freePort();
  const [program, ...entry] = JSON.parse(
    /^ENTRYPOINT (.*)$/m.exec(readFileSync(join(root, 'lib/serving/container/Dockerfile'), 'utf8'))![1]!,
  );
  const child = spawn(
    program === 'node' ? process.execPath : program,
    [...entry.map((one: string) => one.replace('/opt/fledge', image)), 'serve'],
    {
      cwd: '/',
      env: { SM_MODEL_DIR: directory, SAGEMAKER_BIND_TO_PORT: String(port), SAGEMAKER_MODEL_SERVER_WORKERS: '2', ...environment },
    },
  );
  processes.push(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  return { process: child, url: `http://127.0.0.1:${port}`, printed: () => printed };
}

async function healthy(url: string): Promise<void> {
  for (;;) {
    const ping = await fetch(`${url}/ping`).catch(() => undefined);
    if (ping?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('the container answers, replaces a process that dies, and ends by SIGTERM', async () => {
  const container = await start(modelDirectory('late'));
  await healthy(container.url);
  const serving = async (processes: number): Promise<void> => {
    while (container.printed().split('serving ').length <= processes) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await serving(2);
  const ask = async (): Promise<unknown> =>
    (await fetch(`${container.url}/invocations`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'UA,3,500' })).json();
  expect(await ask()).toEqual({ predictions: [{ label: 0, probability: expect.closeTo(0.0963, 4) }] });

  const [child] = execFileSync('pgrep', ['-P', String(container.process.pid)])
    .toString()
    .trim()
    .split(/\s+/);
  process.kill(Number(child), 'SIGKILL');
  await serving(3);
  expect(container.printed()).toContain(`process ${child} ended by SIGKILL: starting another`);
  expect(await ask()).toMatchObject({ predictions: [{ label: 0 }] });

  container.process.kill('SIGTERM');
  expect(await once(container.process, 'exit')).toEqual([0, null]);
  await expect(fetch(`${container.url}/ping`)).rejects.toThrow();
});

test('the container answers what is under way where SIGTERM comes to all of its processes', async () => {
  const container = await start(modelDirectory('slow'));
  await healthy(container.url);
  while (container.printed().split('serving ').length <= 2) await new Promise((resolve) => setTimeout(resolve, 50));
  const asked = fetch(`${container.url}/invocations`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: '100000' });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const children = execFileSync('pgrep', ['-P', String(container.process.pid)])
    .toString()
    .trim()
    .split(/\s+/);
  for (const child of children) process.kill(Number(child), 'SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 50));
  container.process.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 50));
  container.process.kill('SIGTERM');
  expect((await asked).status).toBe(200);
  expect(await once(container.process, 'exit')).toEqual([0, null]);
});

test('the container takes payloads of any length, in any time, where it is set no limit', async () => {
  const container = await start(modelDirectory('plain'), {
    SAGEMAKER_MAX_PAYLOAD_IN_MB: '0',
    SAGEMAKER_MODEL_SERVER_TIMEOUT: '9999999',
    SAGEMAKER_MODEL_SERVER_WORKERS: '1',
  });
  await healthy(container.url);
  const response = await fetch(`${container.url}/invocations`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv', accept: 'text/csv' },
    body: new Blob(['1,0,0,0\n'.repeat(200_000)]).stream(),
    duplex: 'half',
  } as RequestInit);
  expect(response.status).toBe(200);
  expect((await response.text()).split('\n')).toHaveLength(200_001);
});

test.each([
  ['a directory without a model', () => directoryOf({ 'readme.txt': '' }), {}, 'holds no .onnx file'],
  ['a model that does not load', () => directoryOf({ 'model.onnx': 'no model' }), {}, /protobuf/i],
  [
    'a variable that says nothing',
    () => modelDirectory('late'),
    { SAGEMAKER_MODEL_SERVER_WORKERS: 'many' },
    'SAGEMAKER_MODEL_SERVER_WORKERS must be a whole number, 1 or more, not many',
  ],
])('the container ends with code 1 and says why for %s', async (_, directory, environment, message) => {
  const container = await start(directory(), environment);
  expect(await once(container.process, 'exit')).toEqual([1, null]);
  expect(container.printed()).toMatch(message);
});

test('the lockfile holds the runtime that this repository tests with', () => {
  const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const { version } = read('node_modules/onnxruntime-node/package.json');
  expect(read('lib/serving/container/package.json').dependencies['onnxruntime-node']).toBe(version);
  expect(read('lib/serving/container/package-lock.json').packages['node_modules/onnxruntime-node'].version).toBe(version);
});

test('answering tells nobody and leaves no file', async () => {
  const home = mkdtempSync(join(image, 'home-'));
  const container = await start(modelDirectory('late'), { HOME: home, TMPDIR: home, SAGEMAKER_MODEL_SERVER_WORKERS: '1' });
  await healthy(container.url);
  // By 32 calls the model has moved from its worker to the serving thread.
  for (let i = 0; i < 40; i++)
    await (
      await fetch(`${container.url}/invocations`, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'UA,3,500' })
    ).text();
  container.process.kill('SIGTERM');
  await once(container.process, 'exit');
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});
