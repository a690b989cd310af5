import { setTimeout as sleep } from 'node:timers/promises';
import { isPassing } from './publish-error';

export interface RetryOptions {
  /** How often a call is made at most. @default 6 */
  readonly attempts?: number;
  /** Seconds before the second call; each further wait is twice as long, up to 20 s. @default 0.5 */
  readonly firstWait?: number;
}

const ATTEMPTS = 6;
const FIRST_WAIT = 0.5;
const LONGEST_WAIT = 20;

/** Makes a call again while its errors look passing: throttling, 5xx, a cut connection, damaged bytes. @throws the last error */
export async function withRetries<T>(call: () => Promise<T>, options: RetryOptions = {}, signal?: AbortSignal): Promise<T> {
  const { attempts = ATTEMPTS, firstWait = FIRST_WAIT } = options;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= attempts || !isPassing(error)) throw error;
    }
    const longest = Math.min(LONGEST_WAIT, firstWait * 2 ** (attempt - 1));
    // Publishers that were throttled together must not come back together.
    await sleep(1000 * longest * (0.5 + 0.5 * Math.random()), undefined, { signal });
  }
}
