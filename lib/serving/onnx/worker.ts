import { parentPort, workerData } from 'node:worker_threads';
import type { Invocation } from '../engine';
import { answer } from './answer';
import { OnnxSession, type SessionOptions } from './runtime';

/** What a worker is started with. */
export interface WorkerStart {
  readonly file: string;
  readonly session: SessionOptions;
  /** Shared: the worker puts 0 here when it leaves the native runtime. */
  readonly native: Int32Array;
}

/** One request to a worker. A worker gets the next one when it has answered. */
export type WorkerRequest = Pick<Invocation, 'contentType' | 'accept'> & { readonly body: Uint8Array };

/** What a worker says: once that it is loaded or why not, then an answer a request. */
export type WorkerMessage =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'unloadable'; readonly message: string }
  | { readonly kind: 'answer'; readonly ms: number; readonly status: number; readonly contentType: string; readonly body: Uint8Array };

async function main(port: NonNullable<typeof parentPort>, { file, session: options, native }: WorkerStart): Promise<void> {
  const say = (message: WorkerMessage): void => port.postMessage(message);
  let session: OnnxSession;
  try {
    session = await OnnxSession.open(file, options);
    left(native);
    say({ kind: 'loaded' });
  } catch (error) {
    left(native);
    say({ kind: 'unloadable', message: (error as Error).message });
    return;
  }
  port.on('message', async ({ body, contentType, accept }: WorkerRequest) => {
    const from = performance.now();
    const given = await answer(session, { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), contentType, accept });
    left(native);
    say({ kind: 'answer', ms: performance.now() - from, ...given, body: new Uint8Array(given.body) });
  });
}

function left(native: Int32Array): void {
  Atomics.store(native, 0, 0);
  Atomics.notify(native, 0);
}

if (parentPort !== null) void main(parentPort, workerData as WorkerStart);
