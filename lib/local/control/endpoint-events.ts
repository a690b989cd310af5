import type { EndpointStatus } from '@aws-sdk/client-sagemaker';
import type { LocalContext } from '../context';
import { describeEndpoint } from './describe-endpoint';
import type { Endpoint } from './endpoint';
import type { Tags } from './tags';

/** Sends an event whenever an endpoint's status, or what one of its variants is doing, has changed. */
export class EndpointEvents {
  private readonly said = new Map<string, { readonly status: EndpointStatus; readonly phases: string }>();

  constructor(
    private readonly context: LocalContext,
    private readonly tags: Tags,
  ) {}

  changed(endpoint: Endpoint): void {
    const before = this.said.get(endpoint.name);
    const now = { status: endpoint.status, phases: phasesOf(endpoint) };
    this.said.set(endpoint.name, now);
    if (before?.status !== now.status) this.put(endpoint, 'SageMaker Endpoint State Change');
    if (now.phases !== '' && before?.phases !== now.phases) this.put(endpoint, 'SageMaker Endpoint Deployment State Change');
  }

  gone(endpoint: Endpoint): void {
    this.said.delete(endpoint.name);
  }

  private put(endpoint: Endpoint, detailType: string): void {
    const described = describeEndpoint(endpoint);
    const detail = {
      ...described,
      EndpointStatus: shouted(endpoint.status),
      Tags: Object.fromEntries(this.tags.of(endpoint.arn).map(({ Key, Value }) => [Key, Value])),
    };
    this.context.events.put({
      source: 'aws.sagemaker',
      detailType,
      resources: [endpoint.arn],
      detail: milliseconds(detail) as Record<string, unknown>,
    });
  }
}

function phasesOf({ fleets, pending }: Endpoint): string {
  const variants = [...fleets, ...(pending === undefined ? [] : [pending.fleet])].flatMap((fleet) => fleet.variants);
  return variants.map(({ name, phase }) => (phase === undefined ? '' : `${name}: ${phase.status} ${phase.message}`)).join('');
}

/** `InService` is `IN_SERVICE` in events. */
function shouted(status: EndpointStatus): string {
  return status.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

/** Events carry time stamps as milliseconds. */
function milliseconds(value: unknown): unknown {
  if (value instanceof Date) return value.getTime();
  if (Array.isArray(value)) return value.map(milliseconds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, milliseconds(member)]),
  );
}
