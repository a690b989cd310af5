import type { BlueGreenUpdatePolicy } from '@aws-sdk/client-sagemaker';
import type { Deployment } from './deployment';
import { instancesOf } from './deployment-rules';
import type { Fleet, FleetVariant } from './fleet';

/** A part of the new fleet that gets traffic, by variant, and how long it bakes. */
interface Step {
  /** Instances of a variant that get traffic. */
  readonly instances: (variant: FleetVariant) => number;
  readonly bake: number;
  readonly waitName: 'WaitIntervalInSeconds' | 'TerminationWaitInSeconds';
  readonly capacity: 'canary' | 'step' | 'full';
}

/**
 * Blue/green: the whole new fleet starts beside the old one, traffic moves to it in steps, each of which bakes; then the old fleet ends.
 *
 * @throws DeploymentFailure where the new fleet does not start or an alarm trips: the caller rolls back
 */
export async function blueGreen(deployment: Deployment, green: Fleet, policy: BlueGreenUpdatePolicy | undefined): Promise<void> {
  await deployment.launch(green);
  for (const step of stepsOf(green, policy)) {
    const capacity = (variant: FleetVariant) => `${step.capacity} capacity of ${step.instances(variant)} instance(s).`;
    deployment.phase(green.production, 'ActivatingTraffic', (variant) => `Activating traffic on ${capacity(variant)}`);
    await deployment.wait(deployment.timings.shift);
    deployment.checkAlarms();
    deployment.share(green, (variant) => partOf(variant, step.instances(variant)));
    const message = (variant: FleetVariant) =>
      `Baking for ${step.bake} seconds (${step.waitName}) with traffic enabled on ${capacity(variant)}`;
    deployment.phase(green.production, 'Baking', message);
    await deployment.bake(step.bake);
  }
  deployment.phase(green.production);
}

function stepsOf(green: Fleet, policy: BlueGreenUpdatePolicy | undefined): readonly Step[] {
  const full: Step = {
    instances: ({ desiredCount }) => desiredCount,
    bake: policy?.TerminationWaitInSeconds ?? 0,
    waitName: 'TerminationWaitInSeconds',
    capacity: 'full',
  };
  const routing = policy?.TrafficRoutingConfiguration;
  const wait = { bake: routing?.WaitIntervalInSeconds ?? 0, waitName: 'WaitIntervalInSeconds' } as const;
  if (routing?.Type === 'CANARY') {
    return [{ ...wait, instances: (variant) => instancesOf(routing.CanarySize!, variant), capacity: 'canary' }, full];
  }
  if (routing?.Type !== 'LINEAR') return [full];
  const size = (variant: FleetVariant) => instancesOf(routing.LinearStepSize!, variant);
  const count = Math.max(...green.production.map((variant) => Math.ceil(variant.desiredCount / size(variant))));
  const steps = Array.from({ length: count - 1 }, (_, index): Step => {
    return { ...wait, instances: (variant) => Math.min(variant.desiredCount, (index + 1) * size(variant)), capacity: 'step' };
  });
  return [...steps, full];
}

function partOf({ desiredCount }: FleetVariant, instances: number): number {
  return desiredCount === 0 ? 1 : instances / desiredCount;
}
