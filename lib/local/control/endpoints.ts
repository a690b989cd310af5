import type {
  CreateEndpointInput,
  CreateEndpointOutput,
  DeleteEndpointInput,
  DescribeEndpointInput,
  DescribeEndpointOutput,
  DesiredWeightAndCapacity,
  EndpointStatus,
  ListEndpointsInput,
  ListEndpointsOutput,
  UpdateEndpointInput,
  UpdateEndpointOutput,
  UpdateEndpointWeightsAndCapacitiesInput,
  UpdateEndpointWeightsAndCapacitiesOutput,
} from '@aws-sdk/client-sagemaker';
import { arn, type LocalContext } from '../context';
import type { Routes } from '../runtime';
import { INSTANCES, keyOf, type ScalableTarget } from '../scaling/scalable-targets';
import type { Table } from '../storage/state';
import { checkDeployment, checkFleets } from './deployment-rules';
import { describeEndpoint, summariseEndpoint } from './describe-endpoint';
import { Endpoint } from './endpoint';
import type { EndpointConfigs } from './endpoint-configs';
import { EndpointEvents } from './endpoint-events';
import { type EndpointRecord, endpointOf, recordOf } from './endpoint-records';
import { alreadyExists, inProgress, notFound, validation } from './errors';
import { Fleet, type VariantCapacity } from './fleet';
import { Lifecycle, type VariantChange } from './lifecycle';
import type { ModelHost } from './model-host';
import { page } from './paging';
import type { Tags } from './tags';
import type { Timings } from './timings';

const IN_PROGRESS: readonly EndpointStatus[] = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting'];

/** Endpoints: the calls on them. What follows a call is the {@link Lifecycle}'s. */
export class Endpoints {
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly table: Table<EndpointRecord>;
  private readonly events: EndpointEvents;
  private readonly lifecycle: Lifecycle;

  constructor(
    private readonly context: LocalContext,
    private readonly tags: Tags,
    private readonly configs: EndpointConfigs,
    private readonly routes: Routes,
    host: ModelHost,
    timings: Timings,
  ) {
    this.table = context.state.table('endpoints');
    this.events = new EndpointEvents(context, tags);
    this.lifecycle = new Lifecycle({ context, host, timings, show: (endpoint) => this.show(endpoint) });
  }

  /** Takes up the endpoints of an earlier run: what served serves again, and what was under way starts over. */
  async restore(): Promise<void> {
    await Promise.all(this.table.values().map((record) => this.restoreOne(record)));
  }

  close(): void {
    this.lifecycle.close();
  }

  /** @throws ServiceError where there is no such endpoint */
  get(name: string): Endpoint {
    const endpoint = this.endpoints.get(name);
    if (endpoint === undefined) throw notFound('endpoint', this.arnOf(name));
    return endpoint;
  }

  create(input: CreateEndpointInput): CreateEndpointOutput {
    const name = input.EndpointName!;
    const endpointArn = this.arnOf(name);
    // SageMaker's endpoint names differ by more than their case.
    if ([...this.endpoints.values()].some((other) => other.arn === endpointArn)) throw alreadyExists('endpoint', endpointArn);
    const fleet = this.fleetOf(input.EndpointConfigName!);
    if (input.DeploymentConfig !== undefined) checkDeployment(this.context, input.DeploymentConfig);
    this.tags.open(endpointArn, input.Tags);
    const now = this.context.clock.now();
    const endpoint = new Endpoint(name, endpointArn, now);
    endpoint.lastDeployment = input.DeploymentConfig;
    endpoint.pending = { fleet, started: now };
    this.endpoints.set(name, endpoint);
    this.begin(endpoint, 'Creating', () => this.lifecycle.create(endpoint));
    return { EndpointArn: endpointArn };
  }

  describe({ EndpointName }: DescribeEndpointInput): DescribeEndpointOutput {
    return describeEndpoint(this.get(EndpointName!));
  }

  update(input: UpdateEndpointInput): UpdateEndpointOutput {
    const endpoint = this.get(input.EndpointName!);
    this.checkFree(endpoint);
    const fleet = this.fleetOf(input.EndpointConfigName!, retainedOf(endpoint.live!, input));
    const deployment = input.DeploymentConfig ?? (input.RetainDeploymentConfig ? endpoint.lastDeployment : undefined);
    if (input.RetainDeploymentConfig && input.DeploymentConfig !== undefined) {
      throw validation('DeploymentConfig and RetainDeploymentConfig cannot be specified at the same time.');
    }
    if (deployment !== undefined) {
      checkDeployment(this.context, deployment);
      checkFleets(deployment, endpoint.live!, fleet);
    }
    checkKind(endpoint.live!, fleet);
    this.checkScaled(endpoint, fleet);
    endpoint.pending = { fleet, started: this.context.clock.now() };
    endpoint.lastDeployment = deployment ?? endpoint.lastDeployment;
    this.begin(endpoint, 'Updating', () => this.lifecycle.update(endpoint, deployment));
    return { EndpointArn: endpoint.arn };
  }

  updateWeightsAndCapacities(input: UpdateEndpointWeightsAndCapacitiesInput): UpdateEndpointWeightsAndCapacitiesOutput {
    const endpoint = this.get(input.EndpointName!);
    this.checkFree(endpoint);
    if (endpoint.status === 'UpdateRollbackFailed')
      throw validation(`Endpoint ${endpoint.arn} is UpdateRollbackFailed: repair it by UpdateEndpoint.`);
    const changes = input.DesiredWeightsAndCapacities!.map((desired) => changeOf(endpoint.live!, desired));
    this.begin(endpoint, 'Updating', () => this.lifecycle.resize(endpoint, changes));
    return { EndpointArn: endpoint.arn };
  }

  delete({ EndpointName }: DeleteEndpointInput): void {
    const endpoint = this.get(EndpointName!);
    if (IN_PROGRESS.includes(endpoint.status)) throw inProgress(endpoint.arn);
    this.begin(endpoint, 'Deleting', () => this.finishDelete(endpoint));
  }

  list(input: ListEndpointsInput): ListEndpointsOutput {
    const rows = [...this.endpoints.values()].filter(({ status }) => input.StatusEquals === undefined || status === input.StatusEquals);
    const paged = page(rows, input, (endpoint) => endpoint);
    return { Endpoints: paged.rows.map(summariseEndpoint), NextToken: paged.NextToken };
  }

  /** SageMaker's own maintenance for some seconds: status SystemUpdating. @throws ServiceError as an update would */
  maintain(name: string, seconds: number): void {
    const endpoint = this.get(name);
    this.checkFree(endpoint);
    this.begin(endpoint, 'SystemUpdating', () => this.lifecycle.maintain(endpoint, seconds));
  }

  /** Takes the endpoint out of service, or back into it: status OutOfService. */
  setInService(name: string, inService: boolean): void {
    const endpoint = this.get(name);
    this.checkFree(endpoint);
    endpoint.status = inService ? 'InService' : 'OutOfService';
    this.show(endpoint);
  }

  private begin(endpoint: Endpoint, status: EndpointStatus, work: () => Promise<void>): void {
    endpoint.status = status;
    endpoint.failureReason = undefined;
    endpoint.modified = this.context.clock.now();
    this.show(endpoint);
    work().catch((error: unknown) => {
      if (error instanceof Error && error.message.includes('is closing')) return;
      this.context.warn(`endpoint ${endpoint.name}: ${(error as Error).stack}`);
    });
  }

  private async finishDelete(endpoint: Endpoint): Promise<void> {
    await this.lifecycle.remove(endpoint);
    this.endpoints.delete(endpoint.name);
    this.routes.delete(endpoint.name);
    this.table.delete(endpoint.name);
    this.tags.close(endpoint.arn);
    this.events.gone(endpoint);
    this.context.state.flushIfPossible();
  }

  private async restoreOne(record: EndpointRecord): Promise<void> {
    const endpoint = endpointOf(record);
    this.endpoints.set(endpoint.name, endpoint);
    if (endpoint.status === 'Failed') return;
    if (endpoint.status === 'Deleting') return this.begin(endpoint, 'Deleting', () => this.finishDelete(endpoint));
    if (endpoint.status === 'Creating') return this.begin(endpoint, 'Creating', () => this.lifecycle.create(endpoint));
    try {
      await this.lifecycle.restore(endpoint);
    } catch (error) {
      endpoint.status = 'Failed';
      endpoint.failureReason = (error as Error).message;
      this.show(endpoint);
      return;
    }
    if (endpoint.pending !== undefined && endpoint.status === 'Updating') {
      for (const variant of endpoint.fleets.flatMap(({ production }) => production)) variant.active = 1;
      return this.begin(endpoint, 'Updating', () => this.lifecycle.update(endpoint, endpoint.lastDeployment));
    }
    if (endpoint.pending !== undefined) {
      endpoint.pending = undefined;
      for (const variant of endpoint.live!.production) variant.active = 1;
    }
    if (IN_PROGRESS.includes(endpoint.status)) endpoint.status = 'InService';
    this.show(endpoint);
  }

  /** Makes an endpoint's present state that which callers see, requests follow and another start would find. */
  private show(endpoint: Endpoint): void {
    const route = endpoint.route();
    if (route === undefined || endpoint.status === 'Deleting' || endpoint.status === 'OutOfService') this.routes.delete(endpoint.name);
    else this.routes.set(endpoint.name, route);
    this.table.set(endpoint.name, recordOf(endpoint));
    this.context.state.flushIfPossible();
    this.events.changed(endpoint);
  }

  private checkFree(endpoint: Endpoint): void {
    if (IN_PROGRESS.includes(endpoint.status)) throw inProgress(endpoint.arn);
    if (endpoint.status === 'Failed')
      throw validation(`Cannot update failed endpoint "${endpoint.arn}": DeleteEndpoint is the only operation on it.`);
  }

  /** Application Auto Scaling asks to be told before what it scales goes, or runs on other instances (SageMaker developer guide, "Update endpoints that use auto scaling"). */
  private checkScaled({ name, live }: Endpoint, next: Fleet): void {
    const targets = this.context.state.table<ScalableTarget>('scalable-targets');
    const isScaled = (variant: string) =>
      targets.has(
        keyOf({ ServiceNamespace: 'sagemaker', ResourceId: `endpoint/${name}/variant/${variant}`, ScalableDimension: INSTANCES }),
      );
    const changed = live!.production.filter((variant) => next.variant(variant.name)?.spec.InstanceType !== variant.spec.InstanceType);
    const scaled = changed.filter((variant) => isScaled(variant.name)).map((variant) => `"${variant.name}"`);
    if (scaled.length > 0) {
      throw validation(
        `The variant(s) ${scaled.join(', ')} must be deregistered as scalable targets with AWS Auto Scaling before they can be removed or have their instance type modified.`,
      );
    }
  }

  private fleetOf(configName: string, retained?: Record<string, Partial<VariantCapacity>>): Fleet {
    const config = this.configs.get(configName);
    return new Fleet(config, this.configs.modelsOf(config), retained);
  }

  private arnOf(name: string): string {
    return arn(this.context, 'sagemaker', `endpoint/${name.toLowerCase()}`);
  }
}

/** What of the present variants' weights and counts the new ones of the same name keep. */
function retainedOf(
  live: Fleet,
  { RetainAllVariantProperties, ExcludeRetainedVariantProperties = [] }: UpdateEndpointInput,
): Record<string, Partial<VariantCapacity>> {
  if (!RetainAllVariantProperties) return {};
  const excluded = ExcludeRetainedVariantProperties.map(({ VariantPropertyType }) => VariantPropertyType);
  return Object.fromEntries(
    Object.entries(live.capacities()).map(([name, { weight, count }]) => [
      name,
      {
        ...(excluded.includes('DesiredWeight') ? {} : { weight }),
        ...(excluded.includes('DesiredInstanceCount') ? {} : { count }),
      },
    ]),
  );
}

function checkKind(live: Fleet, next: Fleet): void {
  const realtime = live.production.some(({ isServerless }) => !isServerless);
  if (realtime && next.production.some(({ isServerless }) => isServerless)) {
    throw validation('A real-time endpoint cannot be updated to a serverless one: create another endpoint.');
  }
}

function changeOf(live: Fleet, desired: DesiredWeightAndCapacity): VariantChange {
  const variant = live.production.find(({ name }) => name === desired.VariantName);
  if (variant === undefined) {
    throw validation(
      `The variant name(s) "${desired.VariantName}" is/are not present within endpoint configuration "${live.config.name}".`,
    );
  }
  if (desired.DesiredInstanceCount !== undefined && variant.isServerless) {
    throw validation(`Variant ${variant.name} is serverless and has no DesiredInstanceCount: use ServerlessUpdateConfig.`);
  }
  if (desired.DesiredInstanceCount === 0 && live.config.input.AsyncInferenceConfig === undefined) {
    throw validation(`DesiredInstanceCount of variant ${variant.name} must be at least 1: only asynchronous endpoints run on no instance.`);
  }
  const { ServerlessUpdateConfig: serverless } = desired;
  if (serverless !== undefined && variant.serverless === undefined) {
    throw validation(`Variant ${variant.name} is not serverless: use DesiredInstanceCount.`);
  }
  return { variant, weight: desired.DesiredWeight, count: serverless?.ProvisionedConcurrency ?? desired.DesiredInstanceCount, serverless };
}
