import type { CapacityKind } from './capacity-kind';

/**
 * What an endpoint's parts (scaling, rollout, alarms, dashboard) need to know of the production variant they watch, scale or replace.
 *
 * @internal
 */
export interface ServedVariant {
  /** Literal and stable, so that an alarm can name the endpoint before it exists. */
  readonly endpointName: string;
  readonly variantName: string;
  /** The configuration of this deployment: the third dimension of the metrics of the new fleet. A token. */
  readonly endpointConfigName: string;
  readonly kind: CapacityKind;
  /** Real-time and async only, e.g. `ml.c7g.large`. */
  readonly instanceType?: string;
  /** Instances, or provisioned concurrency where the variant is serverless. 0 is a value. */
  readonly minCapacity: number;
  readonly maxCapacity: number;
  /** Of a serverless variant: the most that can be kept warm. */
  readonly maxConcurrency?: number;
  /** The least and the most that a schedule sets, where one does. */
  readonly scheduledMin?: number;
  readonly scheduledMax?: number;
}

/** As small as scaling, by a schedule too, may make the fleet. @internal */
export function smallestFleet({ minCapacity, scheduledMin }: ServedVariant): number {
  return Math.min(minCapacity, scheduledMin ?? minCapacity);
}

/** As large. @internal */
export function largestFleet({ maxCapacity, scheduledMax }: ServedVariant): number {
  return Math.max(maxCapacity, scheduledMax ?? maxCapacity);
}
