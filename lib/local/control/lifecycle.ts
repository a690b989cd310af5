import type { DeploymentConfig, EndpointStatus, ProductionVariantServerlessUpdateConfig } from '@aws-sdk/client-sagemaker';
import { blueGreen } from './blue-green';
import { Deployment, type Hosting } from './deployment';
import { DeploymentFailure } from './deployment-failure';
import type { Endpoint } from './endpoint';
import type { Fleet, FleetVariant } from './fleet';
import { rollBackRolling, rolling } from './rolling';

/** SageMaker's own limit where a deployment configuration says none, in seconds. */
const LONGEST_DEPLOYMENT = 28_800;

/** A new weight, count or concurrency of one variant. */
export interface VariantChange {
  readonly variant: FleetVariant;
  readonly weight?: number;
  readonly count?: number;
  readonly serverless?: ProductionVariantServerlessUpdateConfig;
}

/** What happens to an endpoint after the call that asked for it was answered. */
export class Lifecycle {
  private readonly closing = new AbortController();

  constructor(private readonly hosting: Hosting) {}

  /** Ends every wait; what was under way is taken up by the next start, where state is kept. */
  close(): void {
    this.closing.abort(new Error('the local SageMaker is closing'));
  }

  /** From Creating to InService, or Failed. */
  async create(endpoint: Endpoint): Promise<void> {
    const { fleet } = endpoint.pending!;
    const deployment = new Deployment(endpoint, this.hosting, this.closing.signal, undefined);
    try {
      await deployment.launch(fleet);
    } catch (error) {
      await this.abandon(endpoint, fleet);
      endpoint.pending = { ...endpoint.pending!, fleet };
      this.settle(endpoint, 'Failed', reasonOf(error));
      return;
    }
    for (const variant of fleet.production) variant.active = 1;
    endpoint.fleets = [fleet];
    endpoint.pending = undefined;
    this.settle(endpoint, 'InService');
  }

  /** From Updating to InService with the pending fleet; on failure back to InService with the old one, by RollingBack. */
  async update(endpoint: Endpoint, config: DeploymentConfig | undefined): Promise<void> {
    const { fleet } = endpoint.pending!;
    const timeout =
      config?.BlueGreenUpdatePolicy?.MaximumExecutionTimeoutInSeconds ?? config?.RollingUpdatePolicy?.MaximumExecutionTimeoutInSeconds;
    const limit = this.limited(timeout ?? LONGEST_DEPLOYMENT);
    const deployment = new Deployment(endpoint, this.hosting, limit.signal, config);
    try {
      const [old] = endpoint.fleets;
      if (config?.RollingUpdatePolicy !== undefined) await rolling(deployment, old, fleet, config.RollingUpdatePolicy);
      else await blueGreen(deployment, fleet, config?.BlueGreenUpdatePolicy);
    } catch (error) {
      limit.done();
      await this.rollBack(endpoint, config, error);
      return;
    }
    limit.done();
    for (const old of endpoint.fleets) await deployment.terminate(old);
    endpoint.fleets = [fleet];
    endpoint.pending = undefined;
    for (const variant of fleet.production) variant.active = 1;
    this.settle(endpoint, 'InService');
  }

  /** From Updating to InService with new weights and counts; on failure back to the old ones, by RollingBack. */
  async resize(endpoint: Endpoint, changes: readonly VariantChange[]): Promise<void> {
    const fleet = endpoint.live!;
    const deployment = new Deployment(endpoint, this.hosting, this.closing.signal, undefined);
    const before = fleet.capacities();
    for (const { variant, weight, count } of changes) {
      variant.desiredWeight = weight ?? variant.desiredWeight;
      variant.desiredCount = count ?? variant.desiredCount;
    }
    try {
      await deployment.wait(this.hosting.timings.shift);
      for (const { variant, serverless } of changes) {
        variant.currentWeight = variant.desiredWeight;
        if (variant.serverless !== undefined) variant.serverless = { ...variant.serverless, ...serverless };
        variant.setCount(variant.currentCount);
      }
      deployment.show();
      for (const { variant } of changes) await scale(deployment, fleet, variant);
      this.settle(endpoint, 'InService');
    } catch (error) {
      if (this.closing.signal.aborted) return;
      endpoint.status = 'RollingBack';
      for (const { variant } of changes) {
        variant.desiredWeight = before[variant.name].weight;
        variant.desiredCount = before[variant.name].count;
      }
      deployment.phase(fleet.variants);
      await deployment.wait(this.hosting.timings.shift);
      for (const { variant } of changes) variant.currentWeight = variant.desiredWeight;
      this.settle(endpoint, 'InService', reasonOf(error));
    }
  }

  /** Ends everything that serves; the endpoint is gone when this resolves. */
  async remove(endpoint: Endpoint): Promise<void> {
    const deployment = new Deployment(endpoint, this.hosting, this.closing.signal, undefined);
    for (const fleet of endpoint.fleets) await deployment.terminate(fleet);
    if (endpoint.fleets.length === 0) await deployment.wait(this.hosting.timings.terminate);
  }

  /** SageMaker's own maintenance: the endpoint serves, and nothing else may be done to it. */
  async maintain(endpoint: Endpoint, seconds: number): Promise<void> {
    endpoint.status = 'SystemUpdating';
    this.hosting.show(endpoint);
    await this.hosting.context.clock.sleep(seconds * 1000, this.closing.signal);
    this.settle(endpoint, 'InService');
  }

  /** Loads what served before the server was started again. */
  async restore(endpoint: Endpoint): Promise<void> {
    const instant = { ...this.hosting, timings: { ...this.hosting.timings, start: 0, healthCheck: 0 } };
    const deployment = new Deployment(endpoint, instant, this.closing.signal, undefined);
    for (const fleet of endpoint.fleets) await deployment.launch(fleet);
  }

  private async rollBack(endpoint: Endpoint, config: DeploymentConfig | undefined, cause: unknown): Promise<void> {
    if (this.closing.signal.aborted) return;
    const { fleet } = endpoint.pending!;
    endpoint.status = 'RollingBack';
    const deployment = new Deployment(endpoint, this.hosting, this.closing.signal, undefined);
    deployment.phase(fleet.variants);
    const point = { service: 'SageMaker', operation: 'RollBack', endpoint: endpoint.name, config: fleet.config.name };
    const { faults } = this.hosting.context;
    const fault = faults.active ? faults.strike(point, ['fails', 'silent']) : undefined;
    try {
      if (fault?.kind === 'fails') throw new DeploymentFailure(fault.message ?? 'an injected fault');
      await deployment.wait(this.hosting.timings.shift);
      if (config?.RollingUpdatePolicy !== undefined) {
        await rollBackRolling(deployment, endpoint.fleets[0], fleet, config.RollingUpdatePolicy.RollbackMaximumBatchSize);
      }
      deployment.share(fleet, () => 0);
    } catch (error) {
      if (this.closing.signal.aborted) return;
      endpoint.fleets = [...endpoint.fleets, fleet];
      endpoint.pending = undefined;
      this.settle(endpoint, 'UpdateRollbackFailed', `${reasonOf(cause)} The rollback failed: ${reasonOf(error)}`);
      return;
    }
    await this.abandon(endpoint, fleet);
    endpoint.pending = undefined;
    this.settle(endpoint, 'InService', fault?.kind === 'silent' ? undefined : reasonOf(cause));
  }

  /** Ends a fleet that did not make it. */
  private async abandon(endpoint: Endpoint, fleet: Fleet): Promise<void> {
    if (this.closing.signal.aborted) return;
    await new Deployment(endpoint, this.hosting, this.closing.signal, undefined).terminate(fleet);
  }

  private settle(endpoint: Endpoint, status: EndpointStatus, failureReason?: string): void {
    if (this.closing.signal.aborted) return;
    endpoint.status = status;
    endpoint.failureReason = failureReason;
    endpoint.modified = this.hosting.context.clock.now();
    for (const variant of endpoint.fleets.flatMap(({ production }) => production)) variant.settled = variant.active;
    this.hosting.show(endpoint);
  }

  /** A signal that also ends a deployment that takes too long. */
  private limited(seconds: number): { readonly signal: AbortSignal; readonly done: () => void } {
    const limit = new AbortController();
    const failure = new DeploymentFailure(`The deployment did not finish within ${seconds} seconds (MaximumExecutionTimeoutInSeconds).`);
    const timer = this.hosting.context.clock.schedule(seconds * 1000, () => limit.abort(failure));
    const close = () => limit.abort(this.closing.signal.reason);
    this.closing.signal.addEventListener('abort', close, { once: true });
    const done = () => {
      timer.cancel();
      this.closing.signal.removeEventListener('abort', close);
    };
    return { signal: limit.signal, done };
  }
}

async function scale(deployment: Deployment, fleet: Fleet, variant: FleetVariant): Promise<void> {
  const { desiredCount, currentCount } = variant;
  if (desiredCount === currentCount) return;
  const out = desiredCount > currentCount;
  deployment.phase([variant], 'Updating', () => `Scaling ${out ? 'out' : 'in'} desired instance count to ${desiredCount}.`);
  if (out) await deployment.start(fleet, variant, desiredCount);
  else {
    await deployment.wait(deployment.timings.terminate);
    variant.setCount(desiredCount);
  }
  deployment.phase([variant]);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
