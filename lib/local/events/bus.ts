import { randomUUID } from 'node:crypto';
import type { LocalContext } from '../context';
import type { EventSink, LocalEvent } from './sink';

/** An event in the form in which EventBridge hands it to a target. */
export interface DeliveredEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601, of the local clock. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export type EventListener = (event: DeliveredEvent) => void;

/** EventBridge's default bus: what the services send is handed to whoever listens, after the call that caused it has been answered. */
export class EventBus implements EventSink {
  private readonly listeners = new Set<EventListener>();

  constructor(private readonly context: Pick<LocalContext, 'account' | 'region' | 'clock'>) {}

  put(event: LocalEvent): void {
    const delivered: DeliveredEvent = {
      version: '0',
      id: randomUUID(),
      'detail-type': event.detailType,
      source: event.source,
      account: this.context.account,
      time: new Date(this.context.clock.now()).toISOString(),
      region: this.context.region,
      resources: event.resources,
      detail: event.detail,
    };
    setImmediate(() => {
      for (const listener of this.listeners) listener(delivered);
    });
  }

  /** @returns ends the listening */
  listen(listener: EventListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
