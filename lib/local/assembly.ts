import { join } from 'node:path';
import type { EngineOptions } from '../serving';
import type { LocalContext } from './context';
import { ControlService, ModelHost, type OpenModel, QUICK_TIMINGS, type Timings } from './control';
import { EventBus } from './events/bus';
import type { EventSink } from './events/sink';
import { Alarms, cloudWatch, Invocations, MetricStore } from './metrics';
import type { AlarmStates, MetricSink } from './metrics/sink';
import { type Routes, RuntimeService } from './runtime';
import { ScalingService, type Variants } from './scaling';
import type { Service } from './server';
import { DirectoryObjects } from './storage/directory-objects';
import { S3Service } from './storage/s3/s3-service';

/** What a local SageMaker is put together from. */
export interface AssemblyOptions {
  /** How models are run. */
  readonly engines?: EngineOptions;
  /** Opens models in place of the engines. */
  readonly openModel?: OpenModel;
  /** How long SageMaker takes for its work. @default - a few seconds each */
  readonly timings?: Partial<Timings>;
  /** What each service gives the others, in place of the local one. */
  readonly sinks?: Partial<Sinks>;
}

/** What services give each other. */
export interface Sinks {
  readonly metrics: MetricSink;
  readonly alarms: AlarmStates;
  readonly events: EventSink;
}

/** The services of one local SageMaker, and what they share. */
export interface Assembly {
  readonly context: LocalContext;
  /** Asked in this order whose a request is. */
  readonly services: readonly Service[];
  readonly control: ControlService;
  readonly runtime: RuntimeService;
  readonly events: EventBus;
  close(): Promise<void>;
}

/** Puts the services together; endpoints of an earlier run serve again when it resolves. */
export async function assemble(base: Omit<LocalContext, keyof Sinks | 'objects'>, options: AssemblyOptions): Promise<Assembly> {
  const objects = await DirectoryObjects.open(base.state.directory === undefined ? undefined : join(base.state.directory, 's3'));
  const events = new EventBus(base);
  const invocations = new Invocations();
  const metrics = new MetricStore();
  const alarms = new Alarms({ ...base, events }, [metrics, invocations], base.state);
  const context: LocalContext = { ...base, objects, metrics: invocations, alarms, events, ...options.sinks };
  const routes: Routes = new Map();
  const host = new ModelHost(context, options.engines ?? {}, options.openModel);
  const control = new ControlService(context, routes, host, { ...QUICK_TIMINGS, ...options.timings });
  const runtime = new RuntimeService(context, routes);
  await control.endpoints.restore();
  const scaling = new ScalingService(context, scaledVariants(control), [metrics, invocations], (action) => alarms.breachesOf(action));
  return {
    context,
    services: [runtime, control, ...cloudWatch(context, metrics, [invocations], alarms), scaling, new S3Service(context, objects)],
    control,
    runtime,
    events,
    async close() {
      await runtime.close();
      await control.close();
      await objects.close();
    },
  };
}

function scaledVariants({ endpoints }: ControlService): Variants {
  return {
    find(EndpointName, VariantName) {
      const known = endpoints
        .list({ NameContains: EndpointName, MaxResults: 100 })
        .Endpoints!.some((one) => one.EndpointName === EndpointName);
      const variant = known ? endpoints.get(EndpointName).live?.production.find((one) => one.name === VariantName) : undefined;
      return variant && { instances: variant.desiredCount, instanceType: variant.spec.InstanceType };
    },
    resize: (EndpointName, VariantName, DesiredInstanceCount) => {
      endpoints.updateWeightsAndCapacities({ EndpointName, DesiredWeightsAndCapacities: [{ VariantName, DesiredInstanceCount }] });
    },
  };
}
