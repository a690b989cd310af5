import type { Clock } from './clock';
import type { EventSink } from './events/sink';
import type { Faults } from './faults';
import type { AlarmStates, MetricSink } from './metrics/sink';
import type { ObjectStore } from './storage/objects';
import type { State } from './storage/state';

/** What every service of the local SageMaker is given. */
export interface LocalContext {
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly state: State;
  readonly metrics: MetricSink;
  readonly alarms: AlarmStates;
  readonly events: EventSink;
  readonly objects: ObjectStore;
  /** In [0, 1); seeded where the caller asked for it. */
  readonly random: () => number;
  /** Says something that the user should know and that no answer can carry. */
  readonly warn: (message: string) => void;
}

/** `arn:aws:<service>:<region>:<account>:<resource>` */
export function arn(context: LocalContext, service: string, resource: string): string {
  return `arn:${partitionOf(context.region)}:${service}:${context.region}:${context.account}:${resource}`;
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
