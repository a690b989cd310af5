import {
  type Entry,
  endpointPrefix,
  type Lock,
  lockKey,
  type Outcome,
  outcomeKey,
  type PromotionRequest,
  recordKey,
} from '../../promotion';
import { UserError } from '../exit-codes';
import type { Stage } from './stage';

/** One promotion of a stage. */
export interface Promotion {
  readonly id: string;
  readonly request: PromotionRequest;
  /** Milliseconds since 1970. */
  readonly begun: number;
  /** Null while it is under way. */
  readonly outcome: Outcome | null;
  /** Whether it has the endpoint's lock. */
  readonly isOwner: boolean;
  /** Whether it had the endpoint, and lost it before it ended: its process died, and another promotion took over. Nobody hears what is said to it. */
  readonly isBrokenOff: boolean;
}

/** All that have begun, oldest first. */
export async function promotionsOf({ store, endpoint }: Stage): Promise<Promotion[]> {
  const ids = await store.folders(endpointPrefix(endpoint));
  const owner = (await store.read<Lock>(lockKey(endpoint)))?.value.owner;
  // Only who has the endpoint notes the start.
  const isBrokenOff = async (id: string) =>
    owner !== undefined && owner !== id && (await store.read(recordKey(endpoint, id, '001-start'))) !== undefined;
  const found = await Promise.all(
    ids.map(async (id): Promise<Promotion[]> => {
      const [begin, outcome] = await Promise.all([
        store.read<Entry>(recordKey(endpoint, id, '000-begin')),
        store.read<Outcome>(outcomeKey(endpoint, id)),
      ]);
      const request = begin?.value.request;
      if (!begin || !request) return [];
      const ended = outcome?.value ?? null;
      const isOwner = owner === id;
      return [{ id, request, begun: begin.value.at, outcome: ended, isOwner, isBrokenOff: ended === null && (await isBrokenOff(id)) }];
    }),
  );
  return found.flat().sort((a, b) => a.begun - b.begun);
}

/** The promotion that has the endpoint, else the last one that has not ended; undefined where all have. */
export function underWay(all: readonly Promotion[]): Promotion | undefined {
  const open = all.filter(({ outcome, isBrokenOff }) => outcome === null && !isBrokenOff);
  return open.find(({ isOwner }) => isOwner) ?? open.at(-1);
}

/** @throws UserError where nothing is under way */
export async function mustBeUnderWay(stage: Stage): Promise<Promotion> {
  const all = await promotionsOf(stage);
  const open = underWay(all);
  if (open) return open;
  const last = all.at(-1);
  throw new UserError(
    last
      ? `${stage.endpoint} has no promotion under way: the last, ${last.id}, was ${standing(last)}`
      : `${stage.endpoint} has seen no promotion`,
  );
}

/**
 * The last promotion that fits what a person wrote.
 *
 * @param which a promotion's id, a version's number, or the ARN of a model package
 * @throws UserError where none fits
 */
export function promotionNamed(stage: Stage, all: readonly Promotion[], which: string): Promotion {
  const found = all.filter((one) => fits(one, which)).at(-1);
  if (found) return found;
  const known = all.slice(-5).map(({ id }) => id);
  throw new UserError(
    `${stage.endpoint} has seen no promotion ${which}${known.length > 0 ? `; the last it saw: ${known.join(', ')}` : ''}`,
  );
}

/** How it stands, in words. */
export const standing = ({ outcome, isBrokenOff }: Pick<Promotion, 'outcome' | 'isBrokenOff'>): string =>
  outcome?.verdict ?? (isBrokenOff ? 'broken off' : 'under way');

/** Whether there is such a promotion. */
export const isNamed = (all: readonly Promotion[], which: string): boolean => all.some((one) => fits(one, which));

const fits = ({ id, request }: Promotion, which: string) =>
  id === which || request.modelPackageArn === which || numberOf(request) === which;

const numberOf = ({ modelPackageArn }: Pick<PromotionRequest, 'modelPackageArn'>): string | undefined =>
  /\/(\d+)$/.exec(modelPackageArn)?.[1];

/** `version 14`, or the ARN of a package that is in no group. */
export function titleOf(modelPackageArn: string): string {
  const number = numberOf({ modelPackageArn });
  return number === undefined ? modelPackageArn : `version ${number}`;
}

/** A time as people read it, in UTC. */
export const when = (at: number): string => new Date(at).toISOString().replace('T', ' ').slice(0, 19);
