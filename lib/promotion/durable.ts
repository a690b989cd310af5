import type { DurableContext } from '@aws/durable-execution-sdk-js';
import { isTransient, isUnseen, saying } from './aws-errors';
import { type Move, unmoved } from './endpoint';
import type { Ports } from './ports';

/** How long SageMaker may not see what it has just made, in seconds; and the tries of a step that last about as long. */
const UNSEEN_SECONDS = 120;
const UNSEEN_ATTEMPTS = 7;

/** A step that is tried again, for about half an hour where nothing else is said, while AWS or the network is the reason that it failed. */
export function insist<T>(context: DurableContext, name: string, run: () => Promise<T>, attempts = 36): Promise<T> {
  return context.step(name, run, {
    retryStrategy: (error, attempt) => ({
      shouldRetry: attempt < attempts && (isTransient(error) || (isUnseen(error) && attempt < UNSEEN_ATTEMPTS)),
      delay: { seconds: Math.min(60, 2 ** Math.min(attempt, 6)) },
    }),
  });
}

/** Looks and pushes until the endpoint is where it should be, or cannot get there. */
export function reach(
  context: DurableContext,
  ports: Ports,
  name: string,
  pace: { readonly everySeconds: number; readonly withinSeconds: number },
  push: (move: Move) => Promise<Move>,
): Promise<Move> {
  return context.waitForCondition<Move>(
    name,
    async (move) => {
      const since = move.since === 0 ? ports.now() : move.since;
      const seconds = (ports.now() - since) / 1000;
      const late = seconds > pace.withinSeconds;
      try {
        const next = await push(move);
        return next.state === 'under way' && late
          ? { ...next, state: 'failed', reason: `the endpoint was still ${next.sight?.status} after ${pace.withinSeconds} s` }
          : next;
      } catch (error) {
        const passes = isTransient(error) ? !late : isUnseen(error) && seconds < UNSEEN_SECONDS;
        return passes ? { ...move, since } : { ...move, since, state: 'failed', reason: saying(error) };
      }
    },
    {
      initialState: unmoved,
      waitStrategy: (move) =>
        move.state === 'under way' ? { shouldContinue: true, delay: { seconds: pace.everySeconds } } : { shouldContinue: false },
    },
  );
}
