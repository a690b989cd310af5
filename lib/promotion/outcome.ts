import { isTransient } from './aws-errors';
import { look } from './endpoint';
import { freeLock, type Left } from './lock';
import type { Ports } from './ports';
import { publishEnd } from './publish-metrics';
import { note, outcomeKey } from './record';
import type { Outcome, PromotionRequest } from './request';
import type { Store } from './store';
import type { UnderWay, Withdrawal } from './under-way';

/** How a promotion ended, before it is written down. */
export type Ended = Pick<Outcome, 'verdict' | 'reason' | 'during' | 'verdictKey'>;

/** The end that a withdrawal is. */
export const ended = ({ verdict, message, during, verdictKey }: Withdrawal): Ended => ({
  verdict,
  reason: message,
  during,
  verdictKey: verdictKey === '' ? null : verdictKey,
});

/** Notes that it began. @returns when, milliseconds since 1970 */
export async function begin(ports: Ports, store: Store, request: PromotionRequest): Promise<number> {
  const at = ports.now();
  const sentence = `${request.modelPackageArn} wants to go live on ${request.endpointName}`;
  await note(store, request, '000-begin', { at, what: 'begin', sentence, request });
  return at;
}

/** How the promotion ended; null while it has not. */
export const outcomeOf = async (store: Store, { endpointName, promotionId }: PromotionRequest): Promise<Outcome | null> =>
  (await store.read<Outcome>(outcomeKey(endpointName, promotionId)))?.value ?? null;

/** Writes down how it ended, and frees the endpoint. */
export async function conclude(way: UnderWay, end: Ended, left: Left): Promise<Outcome> {
  const { ports, store, request, run, startedAt } = way;
  const { promotionId, endpointName, modelPackageArn } = request;
  const endpointConfigName = await serving(ports, endpointName);
  const found: Outcome = { promotionId, endpointName, modelPackageArn, ...end, startedAt, endedAt: ports.now(), endpointConfigName };
  await store.create(outcomeKey(endpointName, promotionId), found);
  // The first writing stands, be it of another run: all that follows says the same.
  const outcome = (await outcomeOf(store, request)) ?? found;
  // The judge's own sentence begins with its verdict.
  const { verdict, reason } = outcome;
  const sentence = reason.startsWith(`${verdict}: `) ? reason : `${verdict}: ${reason}`;
  await note(store, request, '999-outcome', { at: outcome.endedAt, what: 'outcome', sentence, outcome });
  await freeLock(store, request, run, left);
  await publishEnd(way, verdict);
  return outcome;
}

/** The configuration that serves; null where that may not be asked: a promotion ends all the same. */
async function serving(ports: Ports, endpointName: string): Promise<string | null> {
  try {
    return (await look(ports, endpointName)).configName;
  } catch (error) {
    if (isTransient(error)) throw error;
    return null;
  }
}
