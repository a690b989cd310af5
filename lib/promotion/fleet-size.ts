import type { ProductionVariant } from '@aws-sdk/client-sagemaker';
import type { WantedCapacity } from './capacity';
import type { WholePlan } from './checked-request';
import { CANDIDATE } from './names';

/** Instances of the two variants of a promotion. */
export interface FleetSize {
  readonly live: number;
  readonly candidate: number;
}

/** The live variant as its configuration says, and what the version wants otherwise. */
interface Served {
  readonly variant: ProductionVariant;
  readonly wanted?: WantedCapacity;
}

/**
 * What a candidate comes in with beside what runs: the live variant as it is, the candidate as large as its largest share of that asks for.
 *
 * @param running instances of each variant now
 */
export function besideLive(
  { steps, guardrail, candidateInstances }: WholePlan,
  served: Served,
  running: Readonly<Record<string, number>>,
): FleetSize {
  const found = running[served.variant.VariantName!] ?? 0;
  const live = found > 0 ? found : (served.variant.InitialInstanceCount ?? 1);
  const most = Math.max(...steps.map(({ percent }) => percent));
  const needed = candidateInstances ?? Math.ceil((Math.max(live, served.wanted?.InitialInstanceCount ?? 0) * most) / 100);
  // The candidate variant moves along with the live one: in two steps only if it has two instances.
  return { live, candidate: Math.max(needed, guardrail.canaryPercent === undefined ? 1 : 2) };
}

/**
 * What goes live: as many instances as answered everything before the candidate came, or, where the live variant was scaled since, as many as its part of the requests says, up to
 * all that run of both; the version's own least number on top, which takes none away.
 *
 * @param before sizes that the candidate came in with
 * @param percent share of the requests that the candidate has
 */
export function aloneAgain(before: FleetSize, served: Served, running: Readonly<Record<string, number>>, percent: number): FleetSize {
  const live = running[served.variant.VariantName!] ?? 0;
  const candidate = running[CANDIDATE] ?? before.candidate;
  const scaled = live === before.live ? live : Math.min(Math.ceil(live / (1 - percent / 100)), live + candidate);
  return { live: Math.max(before.live, scaled, served.wanted?.InitialInstanceCount ?? 0), candidate };
}
