import { type Assembly, type AssemblyOptions, assemble } from './assembly';
import { type ClockOptions, LocalClock } from './clock';
import type { EventListener } from './events/bus';
import { type FaultRule, Faults, random } from './faults';
import type { MetricSink } from './metrics';
import { Dispatch, InProcessHandler, Listener } from './server';
import type { ObjectStore } from './storage/objects';
import { State } from './storage/state';

/** How a local SageMaker is started. */
export interface LocalOptions extends AssemblyOptions {
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
  /** Is told what the user should know and no answer can carry. @default - a process warning */
  readonly warn?: (message: string) => void;
}

/** A SageMaker on 127.0.0.1. */
export class LocalSageMaker {
  private constructor(
    readonly clock: LocalClock,
    readonly faults: Faults,
    private readonly assembly: Assembly,
    private readonly dispatch: Dispatch,
    private readonly listener: Listener,
  ) {}

  /** @internal use {@link startLocal} */
  static async start(options: LocalOptions): Promise<LocalSageMaker> {
    const clock = new LocalClock(options.clock);
    const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
    const faults = new Faults(options.faults, seed + 1);
    const base = {
      account: options.account ?? '000000000000',
      region: options.region ?? process.env.AWS_REGION ?? 'us-east-1',
      clock,
      faults,
      state: new State(options.stateDirectory),
      random: random(seed),
      warn: options.warn ?? ((message: string) => process.emitWarning(message)),
    };
    const assembly = await assemble(base, options).catch((error: unknown) => {
      base.state.close();
      throw error;
    });
    try {
      const dispatch = new Dispatch(assembly.services, faults, clock);
      return new LocalSageMaker(clock, faults, assembly, dispatch, await Listener.open(dispatch, options.port ?? 0));
    } catch (error) {
      await assembly.close();
      clock.close();
      base.state.close();
      throw error;
    }
  }

  /** `http://127.0.0.1:<port>`: the endpoint URL of every service. */
  get url(): string {
    return this.listener.url;
  }

  get account(): string {
    return this.assembly.context.account;
  }

  get region(): string {
    return this.assembly.context.region;
  }

  /**
   * For an SDK client's `requestHandler`: its calls reach this server without a socket.
   *
   * @param options.faults whether the faults in force strike its calls; @default true
   */
  requestHandler(options: { readonly faults?: boolean } = {}): InProcessHandler {
    const spared = options.faults === false;
    return new InProcessHandler(spared ? new Dispatch(this.assembly.services, new Faults(), this.clock) : this.dispatch);
  }

  /** Takes measurements as the runtime takes them: for traffic that is simulated. */
  get metrics(): MetricSink {
    return this.assembly.context.metrics;
  }

  /** The objects of the local S3. */
  get objects(): ObjectStore {
    return this.assembly.context.objects;
  }

  /** Hands over every event that a service sends, as EventBridge would. @returns ends it */
  onEvent(listener: EventListener): () => void {
    return this.assembly.events.listen(listener);
  }

  /** Requests that wait for an asynchronous endpoint, or are with its model. */
  backlog(endpoint: string): number {
    return this.assembly.runtime.async.backlog(endpoint);
  }

  /** The variables that make any AWS SDK or CLI talk to this server and to nothing else. */
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

  /** Lets SageMaker maintain the endpoint for some seconds of the clock: status SystemUpdating, no update until it is over. */
  maintain(endpoint: string, seconds: number): void {
    this.assembly.control.endpoints.maintain(endpoint, seconds);
  }

  /** Takes the endpoint out of service, as SageMaker says OutOfService, or back into it. */
  setInService(endpoint: string, inService: boolean): void {
    this.assembly.control.endpoints.setInService(endpoint, inService);
  }

  /** Answers the requests under way, ends models and timers, and leaves no port open. */
  async close(): Promise<void> {
    await this.listener.close();
    await this.assembly.close();
    this.clock.close();
    this.assembly.context.state.close();
  }
}

/**
 * Starts a SageMaker on this machine: control plane, runtime, and what they need.
 *
 * @throws Error when the port is taken; UnusableDirectory when the state directory is another process's, or cannot be read
 */
export function startLocal(options: LocalOptions = {}): Promise<LocalSageMaker> {
  return LocalSageMaker.start(options);
}

const SERVICE_VARIABLES = ['SAGEMAKER', 'SAGEMAKER_RUNTIME', 'CLOUDWATCH', 'APPLICATION_AUTO_SCALING', 'S3', 'EVENTBRIDGE', 'DYNAMODB'];
