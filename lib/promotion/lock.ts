import type { Ports } from './ports';
import type { PromotionRequest } from './request';
import type { Store } from './store';

/** One promotion an endpoint: who has it, and until when. */
export interface Lock {
  /** The promotion's id; empty when the lock is free. */
  readonly owner: string;
  /** The durable execution that runs it: another one under the same id waits like any other. */
  readonly run: string;
  /** Milliseconds since 1970; a lock past this may be taken. */
  readonly expires: number;
  /** Configuration to which an abandoned promotion's endpoint must be taken, back or on; empty where nothing is to be mended. */
  readonly base: string;
  /** The promotion that came from there. */
  readonly of: string;
}

/** What a promotion left half way. */
export interface Left {
  /** Configuration to which the endpoint must be taken, back or on; empty where there is nothing to mend. */
  readonly base: string;
  /** The promotion that left it. */
  readonly of: string;
}

export const NOTHING_LEFT: Left = { base: '', of: '' };

/** Long enough that no live promotion loses its lock between two ticks, short enough that a dead one does not block the next for a day. Milliseconds. */
export const LOCK_MILLISECONDS = 15 * 60_000;

export const lockKey = (endpointName: string): string => `locks/${endpointName}.json`;

/** What a try for the lock found. */
export interface Turn {
  readonly held: boolean;
  /** Who has it, where it is not held. */
  readonly owner: string;
  /** What a dead owner, or a first try of this one, left. */
  readonly left: Left;
}

type Owner = Pick<PromotionRequest, 'endpointName' | 'promotionId'>;

/** Takes the lock, takes it over once it expired, or keeps it: any of them may be run twice. */
export async function takeLock(ports: Ports, store: Store, { endpointName, promotionId: owner }: Owner, run: string): Promise<Turn> {
  const key = lockKey(endpointName);
  const mine = ({ base, of }: Left): Lock => ({ owner, run, expires: ports.now() + LOCK_MILLISECONDS, base, of });
  const found = await store.read<Lock>(key);
  if (!found) {
    if (await store.create(key, mine(NOTHING_LEFT))) return { held: true, owner, left: NOTHING_LEFT };
    return { held: false, owner: (await store.read<Lock>(key))?.value.owner ?? '', left: NOTHING_LEFT };
  }
  const { value } = found;
  if (isHeld(value, owner, run) || value.owner === '' || value.expires <= ports.now()) {
    if (await store.replace(key, mine(value), found.etag)) return { held: true, owner, left: { base: value.base, of: value.of } };
  }
  return { held: false, owner: value.owner, left: NOTHING_LEFT };
}

/**
 * Keeps the lock for another while, once half of its time is over, and notes where to go back to.
 *
 * @returns false when somebody else has taken it: then nothing may be changed any more
 */
export async function keepLock(
  ports: Ports,
  store: Store,
  { endpointName, promotionId: owner }: Owner,
  run: string,
  base?: string,
): Promise<boolean> {
  const found = await store.read<Lock>(lockKey(endpointName));
  if (!found || !isHeld(found.value, owner, run)) return false;
  const isFresh = found.value.expires - ports.now() > LOCK_MILLISECONDS / 2;
  if (isFresh && (base === undefined || base === found.value.base)) return true;
  const left = base === undefined ? found.value : { base, of: owner };
  const kept: Lock = { owner, run, expires: ports.now() + LOCK_MILLISECONDS, base: left.base, of: left.of };
  return store.replace(lockKey(endpointName), kept, found.etag);
}

/**
 * Frees the lock if it is still this run's.
 *
 * @param left what the next promotion must mend first
 */
export async function freeLock(store: Store, { endpointName, promotionId: owner }: Owner, run: string, left: Left): Promise<void> {
  const found = await store.read<Lock>(lockKey(endpointName));
  if (found && isHeld(found.value, owner, run))
    await store.replace(lockKey(endpointName), { owner: '', run: '', expires: 0, base: left.base, of: left.of } satisfies Lock, found.etag);
}

const isHeld = (lock: Lock, owner: string, run: string): boolean => lock.owner === owner && lock.run === run;
