import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { freePort } from '../../lib/serving/command/free-port';
import { signalTree } from './process-tree';

const root = join(__dirname, '../..');
export const MODEL = join(root, 'model-artifacts/flight-delay/2');

/** A server of the bench: one process that answers, with the model loaded once. */
export interface Contender {
  readonly name: string;
  readonly role: 'ours' | 'peer' | 'bound';
  readonly path: string;
  command(port: number): readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  environmentFor?(port: number): Readonly<Record<string, string>>;
}

export interface Running extends Contender {
  readonly port: number;
  readonly process: ChildProcess;
}

/** Bundles our programs as the package ships them, not through a loader of TypeScript. @returns the folder they are in */
export function bundle(work: string): string {
  const folder = join(work, 'package');
  buildSync({
    absWorkingDir: root,
    entryPoints: [
      'bin/fledge.ts',
      'lib/serving/serve.ts',
      'lib/serving/onnx/worker.ts',
      'lib/model/archive/block-worker.ts',
      'lib/model/archive/archive-process.ts',
      'bench/serving/load.ts',
      'bench/serving/bare-loop.ts',
      'bench/serving/bare-socket.ts',
    ],
    outbase: '.',
    outdir: join(folder, 'dist'),
    bundle: true,
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
  writeFileSync(join(folder, 'package.json'), readFileSync(join(root, 'package.json')));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'dist');
}

export function contenders(programs: string, python: string): Contender[] {
  const ours = {
    name: 'cdk-fledge, local endpoint',
    role: 'ours' as const,
    path: '/endpoints/flight-delay/invocations',
    command: (port: number) => [
      process.execPath,
      join(programs, 'bin/fledge.js'),
      'serve',
      MODEL,
      '--endpoint',
      'flight-delay',
      '--port',
      String(port),
    ],
  };
  const container = {
    name: 'cdk-fledge, container',
    role: 'ours' as const,
    path: '/invocations',
    command: () => [process.execPath, join(programs, 'lib/serving/serve.js'), 'serve'],
    environmentFor: (port: number) => ({
      SM_MODEL_DIR: MODEL,
      SAGEMAKER_BIND_TO_PORT: String(port),
      SAGEMAKER_MODEL_SERVER_WORKERS: '1',
    }),
  };
  const environment = { MODEL: join(MODEL, 'model.onnx'), PYTHONPATH: __dirname };
  const fastapi = {
    name: 'FastAPI + uvicorn',
    role: 'peer' as const,
    path: '/invocations',
    environment,
    command: (port: number) => [join(python, 'uvicorn'), 'fastapi_server:app', '--port', String(port), '--log-level', 'warning'],
  };
  const litserve = {
    name: 'LitServe',
    role: 'peer' as const,
    path: '/invocations',
    environment,
    command: (port: number) => [join(python, 'python'), join(__dirname, 'litserve_server.py'), String(port)],
  };
  return [ours, container, fastapi, litserve];
}

/** What no server in Node can do without, as if it were one: the socket alone, and with the session. */
export function bounds(programs: string): { readonly socket: Contender; readonly session: Contender } {
  const bound = (name: string, ...model: string[]): Contender => ({
    name,
    role: 'bound',
    path: '/',
    command: (port) => [process.execPath, join(programs, 'bench/serving/bare-socket.js'), String(port), ...model],
  });
  return {
    socket: bound('a socket in Node, no HTTP, no model'),
    session: bound('a socket and the session in Node, no HTTP', join(MODEL, 'model.onnx')),
  };
}

/** Starts a server and waits until it answers a flight. @throws Error with what it printed when it ends first */
export async function start(contender: Contender, body: string): Promise<Running> {
  const port = await freePort();
  const [program, ...rest] = contender.command(port);
  const child = spawn(program!, rest, {
    env: { ...process.env, ...contender.environment, ...contender.environmentFor?.(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-4000);
    });
  }
  const running = { ...contender, port, process: child };
  for (let i = 0; i < 600; i++) {
    if (child.exitCode !== null) throw new Error(`${contender.name} ended with code ${child.exitCode}:\n${printed}`);
    if ((await answer(running, body).catch(() => undefined)) !== undefined) return running;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  signalTree(child.pid!, 'SIGKILL');
  throw new Error(`${contender.name} did not answer within a minute:\n${printed}`);
}

/** The predictions for one body. */
export async function answer({ port, path, name }: Running, body: string): Promise<{ label: number; probability: number }[]> {
  const url = `http://127.0.0.1:${port}${path}`;
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' }, body });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${name} answered ${response.status}: ${text}`);
  return (JSON.parse(text) as { predictions: { label: number; probability: number }[] }).predictions;
}
