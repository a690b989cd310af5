import type { DurableContext } from '@aws/durable-execution-sdk-js';
import { isTransient, saying } from './aws-errors';
import { type Move, unmoved } from './endpoint';
import type { Ports } from './ports';

/** A step that is tried again, for about half an hour where nothing else is said, while AWS or the network is the reason that it failed. */
export function insist<T>(context: DurableContext, name: string, run: () => Promise<T>, attempts = 36): Promise<T> {
  return context.step(name, run, {
    retryStrategy: (error, attempt) => ({
      shouldRetry: isTransient(error) && attempt < attempts,
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
      const late = ports.now() - since > pace.withinSeconds * 1000;
      try {
        const next = await push(move);
        return next.state === 'under way' && late
          ? { ...next, state: 'failed', reason: `the endpoint was still ${next.sight?.status} after ${pace.withinSeconds} s` }
          : next;
      } catch (error) {
        return isTransient(error) && !late ? { ...move, since } : { ...move, since, state: 'failed', reason: saying(error) };
      }
    },
    {
      initialState: unmoved,
      waitStrategy: (move) =>
        move.state === 'under way' ? { shouldContinue: true, delay: { seconds: pace.everySeconds } } : { shouldContinue: false },
    },
  );
}
