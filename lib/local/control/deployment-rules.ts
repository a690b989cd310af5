import type { CapacitySize, DeploymentConfig } from '@aws-sdk/client-sagemaker';
import type { LocalContext } from '../context';
import { validation } from './errors';
import type { Fleet, FleetVariant } from './fleet';

/**
 * What SageMaker checks of a deployment configuration beyond each member's own constraints.
 *
 * @throws ServiceError ValidationException
 */
export function checkDeployment(context: LocalContext, config: DeploymentConfig): void {
  const { BlueGreenUpdatePolicy: blueGreen, RollingUpdatePolicy: rolling, AutoRollbackConfiguration: rollback } = config;
  if (blueGreen !== undefined && rolling !== undefined)
    throw validation('Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.');
  if (blueGreen !== undefined) {
    const { Type: type, WaitIntervalInSeconds: wait, CanarySize, LinearStepSize } = blueGreen.TrafficRoutingConfiguration!;
    if (type === 'CANARY') checkSize('CanarySize', CanarySize, 1, 50);
    else if (CanarySize !== undefined) throw validation(`CanarySize can only be specified for CANARY traffic routing, not ${type}.`);
    if (type === 'LINEAR') checkSize('LinearStepSize', LinearStepSize, 10, 50);
    else if (LinearStepSize !== undefined)
      throw validation(`LinearStepSize can only be specified for LINEAR traffic routing, not ${type}.`);
    checkTimeout(blueGreen.MaximumExecutionTimeoutInSeconds, (wait ?? 0) + (blueGreen.TerminationWaitInSeconds ?? 0));
  }
  if (rolling !== undefined) {
    checkSize('MaximumBatchSize', rolling.MaximumBatchSize, 5, 50);
    if (rolling.RollbackMaximumBatchSize !== undefined) checkSize('RollbackMaximumBatchSize', rolling.RollbackMaximumBatchSize, 5, 100);
    checkTimeout(rolling.MaximumExecutionTimeoutInSeconds, rolling.WaitIntervalInSeconds!);
  }
  const unknown = (rollback?.Alarms ?? []).map(({ AlarmName }) => AlarmName!).filter((name) => context.alarms.stateOf(name) === undefined);
  if (unknown.length > 0) throw validation(`Could not find CloudWatch alarm(s) ${unknown.join(', ')} of the AutoRollbackConfiguration.`);
}

/**
 * Whether the fleets can be exchanged step by step.
 *
 * @throws ServiceError ValidationException where variants are not the same, or are too few instances for a step
 */
export function checkFleets(config: DeploymentConfig, old: Fleet, next: Fleet): void {
  const routing = config.BlueGreenUpdatePolicy?.TrafficRoutingConfiguration;
  const rolling = config.RollingUpdatePolicy;
  const gradual =
    rolling !== undefined ? 'a rolling deployment' : routing?.Type === 'CANARY' || routing?.Type === 'LINEAR' ? routing.Type : undefined;
  if (gradual === undefined) return;
  const names = (fleet: Fleet) =>
    fleet.production
      .map(({ name }) => name)
      .sort()
      .join(', ');
  if (names(old) !== names(next)) {
    throw validation(
      `The variants of the new endpoint configuration (${names(next)}) must be those of the endpoint (${names(old)}) for ${gradual}.`,
    );
  }
  if (next.production.some(({ isServerless }) => isServerless)) throw validation(`${gradual} cannot be used with serverless variants.`);
  if (rolling !== undefined && next.production.length > 1)
    throw validation('A rolling deployment cannot be used with several production variants.');
  const size = rolling?.MaximumBatchSize ?? routing?.CanarySize ?? routing?.LinearStepSize;
  for (const variant of next.production) checkStep(gradual, variant, size!);
}

/** Instances that a step of this size is, of a variant; whole ones, at least one. */
export function instancesOf({ Type, Value }: CapacitySize, { desiredCount }: FleetVariant): number {
  if (Type === 'INSTANCE_COUNT') return Value!;
  return Math.max(1, Math.floor((desiredCount * Value!) / 100));
}

function checkStep(gradual: string, variant: FleetVariant, size: CapacitySize): void {
  const step = instancesOf(size, variant);
  // A rolling deployment replaces a single instance as its one batch; blue/green needs a second one to be a part of the fleet.
  if (gradual === 'a rolling deployment' && variant.desiredCount === 1 && step === 1) return;
  if (step * 2 <= variant.desiredCount) return;
  throw validation(
    `${gradual} moves ${step} of the ${variant.desiredCount} instance(s) of variant ${variant.name} in a step, which is more than 50 %: use more instances or ALL_AT_ONCE.`,
  );
}

function checkSize(name: string, size: CapacitySize | undefined, least: number, most: number): void {
  if (size === undefined) throw validation(`${name} must be specified.`);
  if (size.Type === 'CAPACITY_PERCENT' && (size.Value! < least || size.Value! > most)) {
    throw validation(`${name} must be between ${least} and ${most} percent of the capacity, got ${size.Value}.`);
  }
}

function checkTimeout(timeout: number | undefined, waits: number): void {
  if (timeout !== undefined && timeout <= waits) {
    throw validation(`MaximumExecutionTimeoutInSeconds (${timeout}) must be larger than the sum of the waiting times (${waits}).`);
  }
}
