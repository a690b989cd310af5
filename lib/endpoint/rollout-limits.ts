import type { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import { Annotations, Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { requireRange } from './range';
import { largestFleet, type ServedVariant, smallestFleet } from './served-variant';

/**
 * The part of a fleet that one step moves.
 *
 * @internal
 */
export interface Share {
  /** As the user wrote it, e.g. `canary`. */
  readonly way: string;
  size(variant: ServedVariant): CfnEndpoint.CapacitySizeProperty;
  /** The least and the most that SageMaker takes, in percent of the fleet. */
  readonly range: [least: number, most: number];
  /** How many such steps there are at most. */
  steps(variant: ServedVariant): number;
}

/** What SageMaker takes, and what a user who says nothing gets. */
interface ShareLimits {
  readonly percent: [least: number, most: number];
  /** Percent by default, or one instance where that is more; else one instance. */
  readonly default?: number;
}

/** @throws Error for both or a number out of range */
export function requireShare(way: string, given: { percent?: number; instances?: number }, limits: ShareLimits): Share {
  const [least, most] = limits.percent;
  if (given.percent !== undefined && given.instances !== undefined) {
    throw new Error(`a ${way} step is percent or instances, not both: got percent ${given.percent} and instances ${given.instances}`);
  }
  requireRange(`percent of a ${way} step`, given.percent, least, most);
  requireRange(`instances of a ${way} step`, given.instances, 1, 10_000);
  const size = (variant: ServedVariant): CfnEndpoint.CapacitySizeProperty => {
    if (given.percent !== undefined) return { type: 'CAPACITY_PERCENT', value: given.percent };
    if (given.instances !== undefined || limits.default === undefined) return { type: 'INSTANCE_COUNT', value: given.instances ?? 1 };
    return { type: 'CAPACITY_PERCENT', value: Math.max(limits.default, Math.ceil(100 / largestFleet(variant))) };
  };
  return {
    way,
    range: limits.percent,
    size,
    steps: (variant) => {
      const { type, value } = size(variant);
      const whole = type === 'INSTANCE_COUNT' ? largestFleet(variant) : 100;
      return Math.ceil(whole / value);
    },
  };
}

/**
 * Whole instances move, of a fleet that scaling may have made as small as the minimum and as large as the maximum.
 *
 * @throws Error where a fleet of those sizes cannot be divided so
 */
export function requireDivisible(scope: Construct, share: Share, variant: ServedVariant): void {
  const { way } = share;
  const { kind, instanceType } = variant;
  const [minCapacity, maxCapacity] = [smallestFleet(variant), largestFleet(variant)];
  if (kind === 'serverless') {
    throw new Error(`a serverless variant has no instances to move in steps, so Rollout.${way} cannot update it: use Rollout.allAtOnce()`);
  }
  if (instanceType?.startsWith('ml.inf1.')) {
    throw new Error(
      `on ${instanceType} SageMaker ignores Rollout.${way} and moves everything at once, without a bake: take ml.inf2, or say Rollout.allAtOnce()`,
    );
  }
  const { type, value } = share.size(variant);
  if (minCapacity < 2) {
    throw new Error(
      `Rollout.${way} moves whole instances, and variant ${variant.variantName} may have ${minCapacity}: set a min of 2, or use Rollout.allAtOnce(), which rolls back on the same alarms`,
    );
  }
  if (type === 'INSTANCE_COUNT') {
    requireInstances(share, value, minCapacity, maxCapacity);
    return;
  }
  requireOneInstance(value, maxCapacity);
  const real = Math.round((100 * Math.ceil((minCapacity * value) / 100)) / minCapacity);
  if (real > value) {
    Annotations.of(scope).addInfo(
      `${value} % of ${minCapacity} instances is at least one instance: a ${way} step moves ${real} % of the requests`,
    );
  }
}

/** The shortest bake in which a judge can see enough, in seconds: counts are two minutes late, and a decision needs five to be heard. */
const SHORTEST_JUDGED_BAKE = 900;

/**
 * What the judge compares must be there: requests counted for both fleets, long enough, in the share that was asked for.
 *
 * @throws Error where it is not
 */
export function requireJudgeable(share: Share, bake: Duration, variant: ServedVariant): void {
  const { kind, variantName } = variant;
  const { type, value } = share.size(variant);
  if (kind !== 'instances') {
    throw new Error(`a judge compares the requests of real-time instances, and variant ${variantName} is '${kind}': leave the judge out`);
  }
  if (bake.isUnresolved()) {
    throw new Error('a judged rollout needs its bake written out: the judge is told of it');
  }
  if (bake.toSeconds() < SHORTEST_JUDGED_BAKE) {
    throw new Error(
      `a judge decides 5 minutes before the bake ends, on counts that are 2 minutes late: make the bake at least 15 minutes, got ${bake.toHumanString()}`,
    );
  }
  if (type === 'CAPACITY_PERCENT') requireOneInstance(value, smallestFleet(variant));
}

/** @throws Error where a percent of the fleet is less than what moves */
function requireOneInstance(percent: number, fleet: number): void {
  if ((fleet * percent) / 100 >= 1) return;
  throw new Error(
    `${percent} % of ${fleet} instances is less than one, and SageMaker moves whole instances: say instances: 1, or percent: ${Math.ceil(100 / fleet)}`,
  );
}

function requireInstances({ way, range: [least, most] }: Share, instances: number, smallest: number, largest: number): void {
  if (instances > (smallest * most) / 100) {
    throw new Error(
      `a ${way} step moves at most ${most} % of the fleet, and ${instances} of ${smallest} instances are more: use at most ${Math.floor((smallest * most) / 100)}, or percent`,
    );
  }
  if (way !== 'canary' && instances < (largest * least) / 100) {
    throw new Error(
      `a ${way} step moves at least ${least} % of the fleet, and ${instances} of ${largest} instances are fewer: use percent, or at least ${Math.ceil((largest * least) / 100)}`,
    );
  }
}

/** Half an hour for the first instances to start, ten minutes for each further batch of them. */
const START = 1800;
const NEXT_BATCH = 600;
const LONGEST = 28_800;

/**
 * How long an update may take, in seconds.
 *
 * @param batches how often instances are started
 * @throws Error for a timeout that the waits alone would use up
 */
export function requireTimeout(given: Duration | undefined, batches: number, waits: Duration[]): number | undefined {
  if (waits.some((wait) => wait.isUnresolved()) || given?.isUnresolved()) return given?.toSeconds();
  const waiting = waits.reduce((sum, wait) => sum + wait.toSeconds(), 0);
  if (waiting >= (given?.toSeconds() ?? LONGEST)) {
    throw new Error(
      `the waits of this rollout are ${Duration.seconds(waiting).toHumanString()} in ${waits.length}, and its timeout ${(given ?? Duration.seconds(LONGEST)).toHumanString()}: make the bakes shorter or the steps larger${given === undefined ? '' : ', or the timeout longer'}`,
    );
  }
  return given?.toSeconds() ?? Math.min(LONGEST, waiting + START + (batches - 1) * NEXT_BATCH);
}
