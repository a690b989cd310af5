import type { DeploymentConfig, VariantStatus } from '@aws-sdk/client-sagemaker';
import type { LocalContext } from '../context';
import type { FaultKind } from '../faults';
import { RunningVariant } from '../runtime';
import { DeploymentFailure } from './deployment-failure';
import type { Endpoint } from './endpoint';
import type { Fleet, FleetVariant } from './fleet';
import type { ModelHost } from './model-host';
import type { Timings } from './timings';

const START_FAULTS: readonly FaultKind[] = ['capacity', 'unhealthy', 'stuck', 'slow'];

/** How long instances that never come are waited for, in seconds: what users report of AWS. */
const STUCK_SECONDS = 3600;

/** Requests that an instance of an asynchronous endpoint works on at once, where its configuration does not say. */
const ASYNC_CONCURRENCY = 4;

/** What endpoints are worked on with. */
export interface Hosting {
  readonly context: LocalContext;
  readonly host: ModelHost;
  readonly timings: Timings;
  /** Makes the endpoint's present state seen: its route, its record, its events. */
  readonly show: (endpoint: Endpoint) => void;
}

/** The moves that every change of an endpoint is made of. */
export class Deployment {
  /** @param signal ends every wait, with its reason */
  constructor(
    readonly endpoint: Endpoint,
    readonly hosting: Hosting,
    readonly signal: AbortSignal,
    private readonly config: DeploymentConfig | undefined,
  ) {}

  get timings(): Timings {
    return this.hosting.timings;
  }

  async wait(seconds: number): Promise<void> {
    this.signal.throwIfAborted();
    if (seconds > 0) await this.hosting.context.clock.sleep(seconds * 1000, this.signal);
  }

  show(): void {
    this.hosting.show(this.endpoint);
  }

  /** Says what some variants are doing; no status says that they are done. */
  phase(variants: readonly FleetVariant[], status?: VariantStatus, message: (variant: FleetVariant) => string = () => ''): void {
    const since = this.hosting.context.clock.now();
    for (const variant of variants) variant.phase = status === undefined ? undefined : { status, message: message(variant), since };
    this.show();
  }

  /**
   * Starts instances of every variant and loads its model.
   *
   * @param count how many of a variant; all that are desired by default
   * @throws DeploymentFailure where there are none to be had, or the container is not healthy
   */
  async launch(fleet: Fleet, count: (variant: FleetVariant) => number = ({ desiredCount }) => desiredCount): Promise<void> {
    this.phase(fleet.variants, 'Creating', (variant) => `Launching ${count(variant)} instance(s).`);
    const launched = await Promise.allSettled(fleet.variants.map((variant) => this.start(fleet, variant, count(variant))));
    const failed = launched.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    this.phase(fleet.variants);
  }

  /** Starts instances of one variant until it has `count`. */
  async start(fleet: Fleet, variant: FleetVariant, count: number): Promise<void> {
    const point = {
      service: 'SageMaker',
      operation: 'StartInstances',
      endpoint: this.endpoint.name,
      variant: variant.name,
      config: fleet.config.name,
    };
    const fault = this.hosting.context.faults.active ? this.hosting.context.faults.strike(point, START_FAULTS) : undefined;
    if (fault?.kind === 'capacity') {
      await this.wait(this.timings.start);
      throw new DeploymentFailure(fault.message ?? NO_CAPACITY);
    }
    if (fault?.kind === 'stuck') {
      await this.wait(fault.seconds ?? STUCK_SECONDS);
      throw new DeploymentFailure(fault.message ?? NO_CAPACITY);
    }
    await this.wait(this.timings.start + (fault?.kind === 'slow' ? (fault.seconds ?? 1) : 0));
    if (fault?.kind === 'unhealthy') await this.unhealthy(variant);
    if (variant.running === undefined) await this.load(fleet, variant);
    variant.setCount(count);
    if (variant.shadow) variant.active = 1;
  }

  /** Gives the fleet's variants this part of their traffic, and the rest to their namesakes in the fleets that served before; a variant without one goes with the most. */
  share(fleet: Fleet, part: (variant: FleetVariant) => number): void {
    for (const variant of fleet.production) variant.active = part(variant);
    const most = Math.max(...fleet.production.map(({ active }) => active));
    for (const old of this.endpoint.fleets) {
      for (const variant of old.production) variant.active = variant.settled * (1 - (fleet.variant(variant.name)?.active ?? most));
    }
    this.show();
  }

  /**
   * Waits, and watches the alarms.
   *
   * @throws DeploymentFailure once one is in ALARM
   */
  async bake(seconds: number): Promise<void> {
    for (let left = seconds; ; left -= this.timings.alarmPoll) {
      this.checkAlarms();
      if (left <= 0) return;
      await this.wait(Math.min(left, this.timings.alarmPoll));
    }
  }

  /** @throws DeploymentFailure once an alarm is in ALARM, or gone */
  checkAlarms(): void {
    const names = (this.config?.AutoRollbackConfiguration?.Alarms ?? []).map(({ AlarmName }) => AlarmName!);
    const tripped = names.filter((name) => this.hosting.context.alarms.stateOf(name) === 'ALARM');
    if (tripped.length > 0)
      throw new DeploymentFailure(`The deployment was rolled back because of alarms in the ALARM state: ${tripped.join(', ')}.`);
  }

  /** Ends a fleet: its requests under way are answered first. */
  async terminate(fleet: Fleet): Promise<void> {
    for (const variant of fleet.production) variant.active = 0;
    this.phase(fleet.variants, 'Deleting', ({ currentCount }) => `Terminating ${currentCount} instance(s).`);
    const { clock } = this.hosting.context;
    await clock.during(Promise.all(fleet.variants.map((variant) => this.hosting.host.close(variant))));
    await clock.sleep(this.timings.terminate * 1000);
    this.phase(fleet.variants);
  }

  private async load(fleet: Fleet, variant: FleetVariant): Promise<void> {
    const { clock } = this.hosting.context;
    const engine = await clock.during(this.hosting.host.open(variant.model)).catch((error: Error) => {
      throw new DeploymentFailure(error.message);
    });
    if (!(await clock.during(engine.ping()))) {
      await clock.during(engine.close());
      await this.unhealthy(variant);
    }
    const { AsyncInferenceConfig } = fleet.config.input;
    const traits = {
      endpoint: this.endpoint.name,
      name: variant.name,
      config: fleet.config.name,
      shadow: variant.shadow,
      kind: AsyncInferenceConfig === undefined ? (variant.isServerless ? 'serverless' : 'realtime') : 'async',
      asyncConcurrency: AsyncInferenceConfig?.ClientConfig?.MaxConcurrentInvocationsPerInstance ?? ASYNC_CONCURRENCY,
    } as const;
    variant.running = new RunningVariant(traits, engine);
  }

  private async unhealthy(variant: FleetVariant): Promise<never> {
    await this.wait(variant.spec.ContainerStartupHealthCheckTimeoutInSeconds ?? this.timings.healthCheck);
    throw new DeploymentFailure(
      `The primary container for production variant ${variant.name} did not pass the ping health check. Please check CloudWatch logs for this endpoint.`,
    );
  }
}

const NO_CAPACITY =
  'Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a different ML instance type or after ' +
  'some time.';
