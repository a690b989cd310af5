import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';

/** A process of its own for what is shipped: its code loads modules as jest does not let it. */
export interface Call {
  /** Path of the bundle. */
  readonly bundle: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly payload: object;
}

/** How an execution ended, in the runner's words. */
export interface Ended {
  readonly status: string | undefined;
  readonly error: string | undefined;
}

process.on('message', async ({ bundle, environment, payload }: Call) => {
  Object.assign(process.env, environment);
  delete require.cache[require.resolve(bundle)];
  const execution = await new LocalDurableTestRunner({ handlerFunction: require(bundle).handler }).run({ payload });
  const status = execution.getStatus();
  process.send!({ status, error: status === 'SUCCEEDED' ? undefined : execution.getError().errorMessage } satisfies Ended);
});

void LocalDurableTestRunner.setupTestEnvironment({ skipTime: true }).then(() => process.send!('ready'));
