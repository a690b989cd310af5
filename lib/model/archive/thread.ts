import { Worker } from 'node:worker_threads';
import { entryPoint } from '../entry-point';
import { ModelError } from '../model-error';

/** What a worker thread answers when its task failed for a reason that the user can do something about. */
export interface TaskFailed {
  readonly failed: { readonly code: string; readonly path: string; readonly message: string };
}

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** A worker thread that is asked, and answers in the order of the asking. */
export class Thread<Task, Answer extends object> {
  private readonly worker: Worker;
  private readonly waiting: Waiting<Answer>[] = [];
  private failure: { readonly error: unknown } | undefined;

  /** @param program below the package's root, without ending */
  constructor(program: string, workerData: unknown) {
    const { path, execArgv } = entryPoint(program);
    this.worker = new Worker(path, { workerData, execArgv: [...execArgv] });
    this.worker.on('message', (answer: Answer | TaskFailed) => {
      if ('failed' in answer) this.fail(new ModelError(answer.failed.code, answer.failed.path, answer.failed.message));
      else this.waiting.shift()?.resolve(answer);
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', (code) => this.fail(new Error(`a worker thread ended early (exit code ${code})`)));
  }

  /** How many answers are awaited. */
  get load(): number {
    return this.waiting.length;
  }

  ask(task: Task): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      if (this.failure !== undefined) reject(this.failure.error);
      else this.waiting.push({ resolve, reject });
    });
    // Whoever awaits an earlier answer must not leave this one's failure unheard of.
    answer.catch(() => {});
    this.worker.postMessage(task);
    return answer;
  }

  /** Makes what is awaited, and what is asked later, fail with `error`. */
  fail(error: unknown): void {
    this.failure ??= { error };
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Runs a task in a worker thread; what a user can do something about becomes an answer, the rest ends the thread. */
export function attempt<Answer>(task: () => Answer): Answer | TaskFailed {
  try {
    return task();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const { code, path, message } = error;
    return { failed: { code, path, message } };
  }
}
