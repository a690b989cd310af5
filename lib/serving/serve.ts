import cluster, { type Worker } from 'node:cluster';
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type ContainerServer, containerServer, multiModelServer } from './container-server';
import { INLINE_FILE_BYTES } from './onnx/engine';
import { onnxFile, openEngine } from './open-engine';

/** Between SageMaker's SIGTERM and its SIGKILL there are 30 seconds; what is not answered by then is cut here, so that the exit is our own. */
const DRAIN_MS = 27_000;
const FAILED_STARTS = 3;
/** A timer of more milliseconds would ring at once: 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How the container is told to serve: by the variables that SageMaker and its own containers use. */
interface Settings {
  /** SM_MODEL_DIR; SageMaker unpacks the archive in /opt/ml/model. */
  readonly directory: string;
  /** SAGEMAKER_BIND_TO_PORT. */
  readonly port: number;
  /** SAGEMAKER_MODEL_SERVER_WORKERS. */
  readonly workers: number;
  /** SAGEMAKER_MODEL_SERVER_TIMEOUT, there in seconds; SageMaker itself gives up earlier where the request is not asynchronous. */
  readonly timeoutMs: number;
  /** SAGEMAKER_MAX_PAYLOAD_IN_MB, where a batch transform says 0 for payloads of any length; an asynchronous request may have 1 GB. */
  readonly maxBytes: number;
}

function settings(environment: NodeJS.ProcessEnv): Settings {
  const number = (name: string, fallback: number, least = 1): number => {
    const text = environment[name];
    if (text === undefined || text === '') return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) throw new Error(`${name} must be a whole number, ${least} or more, not ${text}`);
    return value;
  };
  const payload = number('SAGEMAKER_MAX_PAYLOAD_IN_MB', 1024, 0);
  return {
    directory: environment.SM_MODEL_DIR ?? '/opt/ml/model',
    port: number('SAGEMAKER_BIND_TO_PORT', 8080),
    workers: number('SAGEMAKER_MODEL_SERVER_WORKERS', availableParallelism()),
    timeoutMs: Math.min(number('SAGEMAKER_MODEL_SERVER_TIMEOUT', 3600) * 1000, LONGEST_TIMER_MS),
    maxBytes: payload === 0 ? Number.POSITIVE_INFINITY : payload * 1024 * 1024,
  };
}

/**
 * The container's main. A model that may answer on the serving thread gets a process a core; a larger one, one process with a worker
 * thread a core, since each holds the model.
 */
async function main(): Promise<void> {
  const { directory, workers, port, ...limits } = settings(process.env);
  if (process.env.SAGEMAKER_MULTI_MODEL === 'true') return serveMany(workers, port, limits);
  const small = statSync(join(directory, onnxFile(directory))).size <= INLINE_FILE_BYTES;
  const processes = small ? workers : 1;
  if (cluster.isPrimary && processes > 1) return supervise(processes);
  const engine = await openEngine(directory, { workers: small ? 1 : workers });
  const server = await containerServer({ engine, port, host: '0.0.0.0', concurrency: workers, ...limits });
  console.log(`serving ${directory} on port ${server.port}`);
  endBySignal(server);
}

/** A multi-model endpoint: one process, since each name is loaded once; SageMaker loads and unloads. */
async function serveMany(workers: number, port: number, limits: Pick<Settings, 'timeoutMs' | 'maxBytes'>): Promise<void> {
  const server = await multiModelServer({ open: (model) => openEngine(model, { workers }), port, host: '0.0.0.0', ...limits });
  console.log(`serving models on port ${server.port}`);
  endBySignal(server);
}

function endBySignal(server: ContainerServer): void {
  onceTold(() => {
    setTimeout(() => process.exit(1), DRAIN_MS).unref();
    // A process of a cluster has a channel to its supervisor, which would keep it.
    void server.close().then(() => process.exit(0));
  });
}

/** At the first SIGTERM: where all processes get it, each of them gets another from the supervisor, which must not cut what is under way. */
function onceTold(end: () => void): void {
  process.once('SIGTERM', () => {
    process.on('SIGTERM', () => {});
    end();
  });
}

/** Keeps so many processes that share the port, and ends when they have. */
function supervise(processes: number): void {
  let failedStarts = 0;
  let ending = false;
  const start = (): void => {
    cluster.fork().once('listening', () => {
      failedStarts = 0;
    });
  };
  cluster.on('exit', (worker: Worker, code: number, signal: string | null) => {
    if (ending) return;
    console.error(`process ${worker.process.pid} ended ${signal === null ? `with code ${code}` : `by ${signal}`}: starting another`);
    if (++failedStarts < FAILED_STARTS) start();
    else process.exit(1);
  });
  onceTold(() => {
    ending = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
  });
  for (let i = 0; i < processes; i++) start();
}

if (require.main === module) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}
