import type { CapacitySize, RollingUpdatePolicy } from '@aws-sdk/client-sagemaker';
import type { Deployment } from './deployment';
import { instancesOf } from './deployment-rules';
import type { Fleet, FleetVariant } from './fleet';

/**
 * Rolling: instances of the new fleet start in batches; each gets its part of the traffic and bakes, and as many of the old fleet end.
 *
 * @throws DeploymentFailure where a batch does not start or an alarm trips: the caller rolls back
 */
export async function rolling(deployment: Deployment, old: Fleet, next: Fleet, policy: RollingUpdatePolicy): Promise<void> {
  const [variant] = next.production;
  const batch = instancesOf(policy.MaximumBatchSize!, variant);
  while (variant.currentCount < variant.desiredCount) {
    const count = Math.min(variant.desiredCount, variant.currentCount + batch);
    await exchange(deployment, old, next, count, policy.WaitIntervalInSeconds!);
  }
  deployment.phase(next.production);
}

/**
 * The way back: the old fleet's instances start again in batches, and get their traffic back.
 *
 * @throws DeploymentFailure where they do not start
 */
export async function rollBackRolling(deployment: Deployment, old: Fleet, next: Fleet, size: CapacitySize | undefined): Promise<void> {
  const [variant] = old.production;
  const batch = size === undefined ? variant.desiredCount : instancesOf(size, variant);
  while (variant.currentCount < variant.desiredCount) {
    const count = Math.min(variant.desiredCount, variant.currentCount + batch);
    deployment.phase(old.production, 'Updating', () => `Launching ${count - variant.currentCount} instance(s).`);
    await deployment.start(old, variant, count);
    deployment.share(next, () => 1 - count / variant.desiredCount);
  }
  deployment.phase(old.production);
}

/** Brings the new fleet to `count` instances, and takes as many from the old one. */
async function exchange(deployment: Deployment, old: Fleet, next: Fleet, count: number, bake: number): Promise<void> {
  const [variant] = next.production;
  const [replaced] = old.production;
  deployment.phase(next.production, 'Creating', () => `Launching ${count - variant.currentCount} instance(s).`);
  await deployment.start(next, variant, count);
  deployment.phase(next.production, 'ActivatingTraffic', () => `Activating traffic on step capacity of ${count} instance(s).`);
  await deployment.wait(deployment.timings.shift);
  deployment.checkAlarms();
  deployment.share(next, () => count / variant.desiredCount);
  deployment.phase(
    next.production,
    'Baking',
    () => `Baking for ${bake} seconds (WaitIntervalInSeconds) with traffic enabled on step capacity of ${count} instance(s).`,
  );
  await deployment.bake(bake);
  const left = remaining(replaced, count, variant);
  deployment.phase(old.production, 'Deleting', () => `Terminating ${replaced.currentCount - left} instance(s).`);
  await deployment.wait(deployment.timings.terminate);
  replaced.setCount(left);
  deployment.phase(old.production);
}

/** Instances of the old fleet beside `count` new ones: as large a part as is not exchanged yet. */
function remaining(replaced: FleetVariant, count: number, { desiredCount }: FleetVariant): number {
  return Math.max(0, Math.round(replaced.desiredCount * (1 - count / desiredCount)));
}
