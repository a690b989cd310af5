import type { DeploymentConfig, EndpointStatus } from '@aws-sdk/client-sagemaker';
import { Endpoint } from './endpoint';
import type { EndpointConfigRecord } from './endpoint-configs';
import { Fleet, type VariantCapacity } from './fleet';
import type { ModelRecord } from './models';

/** A fleet as it is kept: with its configuration and models, which may be deleted while it serves. */
interface FleetRecord {
  readonly config: EndpointConfigRecord;
  readonly models: Readonly<Record<string, ModelRecord>>;
  readonly capacities: Readonly<Record<string, VariantCapacity>>;
  /** By variant. */
  readonly active: Readonly<Record<string, number>>;
}

/** An endpoint as it is kept between two runs of the server. */
export interface EndpointRecord {
  readonly name: string;
  readonly arn: string;
  readonly created: number;
  readonly modified: number;
  readonly status: EndpointStatus;
  readonly failureReason?: string;
  readonly lastDeployment?: DeploymentConfig;
  readonly fleets: readonly FleetRecord[];
  readonly pending?: { readonly fleet: FleetRecord; readonly started: number };
}

export function recordOf(endpoint: Endpoint): EndpointRecord {
  const { name, arn, created, modified, status, failureReason, lastDeployment, fleets, pending } = endpoint;
  return {
    name,
    arn,
    created,
    modified,
    status,
    failureReason,
    lastDeployment,
    fleets: fleets.map(fleetRecordOf),
    pending: pending && { fleet: fleetRecordOf(pending.fleet), started: pending.started },
  };
}

/** The endpoint of a record; nothing of it runs yet. */
export function endpointOf(record: EndpointRecord): Endpoint {
  const endpoint = new Endpoint(record.name, record.arn, record.created);
  endpoint.modified = record.modified;
  endpoint.status = record.status;
  endpoint.failureReason = record.failureReason;
  endpoint.lastDeployment = record.lastDeployment;
  endpoint.fleets = record.fleets.map(fleetOf);
  endpoint.pending = record.pending && { fleet: fleetOf(record.pending.fleet), started: record.pending.started };
  return endpoint;
}

function fleetRecordOf(fleet: Fleet): FleetRecord {
  const active = Object.fromEntries(fleet.variants.map((variant) => [variant.name, variant.active]));
  return { config: fleet.config, models: fleet.models, capacities: fleet.capacities(), active };
}

function fleetOf({ config, models, capacities, active }: FleetRecord): Fleet {
  const fleet = new Fleet(config, models, capacities);
  for (const variant of fleet.variants) variant.active = active[variant.name] ?? 0;
  return fleet;
}
