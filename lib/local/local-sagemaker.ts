import { join } from 'node:path';
import { type ClockOptions, LocalClock } from './clock';
import type { LocalContext } from './context';
import type { EventSink } from './events/sink';
import { type FaultRule, Faults, random } from './faults';
import type { AlarmStates, MetricSink } from './metrics/sink';
import { Dispatch, Listener, type Service } from './server';
import { DirectoryObjects } from './storage/directory-objects';
import { State } from './storage/state';

/** How a local SageMaker is started. */
export interface LocalOptions {
  /** On 127.0.0.1; 0 takes a free port. @default 0 */
  readonly port?: number;
  /**
   * Where endpoints, models, objects and the rest are kept, so that another start finds them.
   *
   * @default - nothing outlives the process
   */
  readonly stateDirectory?: string;
  /** Twelve digits. @default '000000000000' */
  readonly account?: string;
  /** @default AWS_REGION, else us-east-1 */
  readonly region?: string;
  /** @default - the machine's time, at its speed */
  readonly clock?: ClockOptions;
  /** What goes wrong from the start; more can be added to {@link LocalSageMaker.faults}. */
  readonly faults?: readonly FaultRule[];
  /** Of the choice of variants and of faults' probabilities. @default - a different one every time */
  readonly seed?: number;
}

/** The services and the sinks that they give each other. */
interface Parts {
  readonly services: readonly Service[];
  readonly objects: DirectoryObjects;
}

/** A SageMaker on 127.0.0.1. */
export class LocalSageMaker {
  private constructor(
    readonly clock: LocalClock,
    readonly faults: Faults,
    readonly account: string,
    readonly region: string,
    private readonly parts: Parts,
    private readonly listener: Listener,
    private readonly state: State,
  ) {}

  /** @internal use {@link startLocal} */
  static async start(options: LocalOptions): Promise<LocalSageMaker> {
    const clock = new LocalClock(options.clock);
    const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
    const faults = new Faults(options.faults, seed + 1);
    const state = new State(options.stateDirectory);
    const objects = await DirectoryObjects.open(options.stateDirectory === undefined ? undefined : join(options.stateDirectory, 's3'));
    const context: LocalContext = {
      account: options.account ?? '000000000000',
      region: options.region ?? process.env.AWS_REGION ?? 'us-east-1',
      clock,
      faults,
      state,
      metrics: NO_METRICS,
      alarms: NO_ALARMS,
      events: NO_EVENTS,
      objects,
      random: random(seed),
    };
    const services: Service[] = [];
    const listener = await Listener.open(new Dispatch(services, faults, clock), options.port ?? 0);
    return new LocalSageMaker(clock, faults, context.account, context.region, { services, objects }, listener, state);
  }

  /** `http://127.0.0.1:<port>`: the endpoint URL of every service. */
  get url(): string {
    return this.listener.url;
  }

  /** The variables that make any AWS SDK or CLI talk to this server and nothing else. */
  environment(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: this.url,
      ...Object.fromEntries(SERVICE_VARIABLES.map((service) => [`AWS_ENDPOINT_URL_${service}`, this.url])),
      AWS_REGION: this.region,
      AWS_DEFAULT_REGION: this.region,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  /** Answers the requests under way, ends models and timers, and leaves no port open. */
  async close(): Promise<void> {
    await this.listener.close();
    await Promise.all(this.parts.services.map((service) => service.close?.()));
    this.clock.close();
    this.state.flush();
    await this.parts.objects.close();
  }
}

/**
 * Starts a SageMaker on this machine: control plane, runtime, and what they need.
 *
 * @throws Error when the port is taken or the state directory cannot be read
 */
export function startLocal(options: LocalOptions = {}): Promise<LocalSageMaker> {
  return LocalSageMaker.start(options);
}

const SERVICE_VARIABLES = ['SAGEMAKER', 'SAGEMAKER_RUNTIME', 'CLOUDWATCH', 'APPLICATION_AUTO_SCALING', 'S3', 'EVENTBRIDGE', 'DYNAMODB'];

const NO_METRICS: MetricSink = { record() {} };
const NO_ALARMS: AlarmStates = { stateOf: () => undefined };
const NO_EVENTS: EventSink = { put() {} };
