import { spawnSync } from 'node:child_process';
import { entryPoint } from '../entry-point';
import { ModelError } from '../model-error';

/** What the process of a synchronous caller is to do (archive-process.ts). */
export interface ProcessTask {
  readonly task: 'archive' | 'digest';
  readonly path: string;
  /** As JSON carries them. */
  readonly options: object;
}

/** What it answers on its standard output. */
export type ProcessAnswer =
  | { readonly result: unknown }
  | { readonly failed: { readonly code?: string; readonly path?: string; readonly message: string } };

/** A manifest of a million files. */
const LONGEST_ANSWER = 512 * 2 ** 20;

/** Does something that takes time in a process of its own, and waits for it. @throws what it throws there */
export function runSync<T>(task: ProcessTask): T {
  const { path, execArgv } = entryPoint('lib/model/archive/archive-process');
  const { stdout, status, signal, error } = spawnSync(process.execPath, [...execArgv, path, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: LONGEST_ANSWER,
  });
  if (error !== undefined) throw error;
  if (stdout === '') throw new Error(`reading ${task.path} ended early (${signal ?? `exit code ${status}`})`);
  const answer = JSON.parse(stdout) as ProcessAnswer;
  if ('result' in answer) return answer.result as T;
  const { code, path: about, message } = answer.failed;
  throw code === undefined ? new Error(message) : new ModelError(code, about ?? task.path, message);
}
