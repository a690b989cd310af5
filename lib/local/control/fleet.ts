import type { ProductionVariant, ProductionVariantServerlessConfig, VariantStatus } from '@aws-sdk/client-sagemaker';
import type { RunningVariant } from '../runtime';
import type { EndpointConfigRecord } from './endpoint-configs';
import type { ModelRecord } from './models';

/** What a variant is doing while the endpoint changes. */
export interface VariantPhase {
  readonly status: VariantStatus;
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Weight and instances of a variant. */
export interface VariantCapacity {
  readonly weight: number;
  /** Instances, or provisioned concurrency where the variant is serverless. */
  readonly count: number;
}

/** One variant of a fleet: what was asked for, and what runs of it. */
export class FleetVariant {
  currentWeight: number;
  desiredWeight: number;
  /** Instances that run. */
  currentCount = 0;
  desiredCount: number;
  serverless: ProductionVariantServerlessConfig | undefined;
  /** The part of its share of the traffic that this fleet gets, 0 to 1; the other fleet's variant of the same name gets the rest. */
  active = 0;
  /** What `active` is while no deployment runs: 1, or less where a failed rollback left two fleets that serve. */
  settled = 1;
  phase: VariantPhase | undefined;
  /** Present once its model is loaded. */
  running: RunningVariant | undefined;

  constructor(
    readonly spec: ProductionVariant,
    readonly model: ModelRecord,
    readonly shadow: boolean,
    capacity: VariantCapacity,
  ) {
    this.currentWeight = capacity.weight;
    this.desiredWeight = capacity.weight;
    this.desiredCount = capacity.count;
    this.serverless = spec.ServerlessConfig;
  }

  get name(): string {
    return this.spec.VariantName!;
  }

  get isServerless(): boolean {
    return this.serverless !== undefined;
  }

  /** Sets how many instances run, for the route as well. */
  setCount(count: number): void {
    this.currentCount = count;
    if (this.running === undefined) return;
    this.running.instances = this.isServerless ? 0 : count;
    this.running.maxConcurrency = this.serverless?.MaxConcurrency ?? Number.POSITIVE_INFINITY;
  }
}

/** The instances that one endpoint configuration runs on. */
export class Fleet {
  readonly production: readonly FleetVariant[];
  readonly shadows: readonly FleetVariant[];

  /**
   * @param models of its variants, by their names
   * @param retained weights and counts that take the place of the configuration's, by variant
   */
  constructor(
    readonly config: EndpointConfigRecord,
    readonly models: Readonly<Record<string, ModelRecord>>,
    retained: Readonly<Record<string, Partial<VariantCapacity>>> = {},
  ) {
    const variantOf = (spec: ProductionVariant, shadow: boolean) => {
      const kept = retained[spec.VariantName!];
      const weight = kept?.weight ?? spec.InitialVariantWeight ?? 1;
      const count = kept?.count ?? initialCount(spec);
      return new FleetVariant(spec, models[spec.ModelName!], shadow, { weight, count });
    };
    this.production = config.input.ProductionVariants!.map((spec) => variantOf(spec, false));
    this.shadows = (config.input.ShadowProductionVariants ?? []).map((spec) => variantOf(spec, true));
  }

  get variants(): readonly FleetVariant[] {
    return [...this.production, ...this.shadows];
  }

  variant(name: string): FleetVariant | undefined {
    return this.variants.find((variant) => variant.name === name);
  }

  /** Weights and counts as they are asked for now, by variant. */
  capacities(): Record<string, VariantCapacity> {
    return Object.fromEntries(
      this.variants.map((variant) => [variant.name, { weight: variant.desiredWeight, count: variant.desiredCount }]),
    );
  }
}

function initialCount({ ServerlessConfig, InitialInstanceCount }: ProductionVariant): number {
  return ServerlessConfig === undefined ? InitialInstanceCount! : (ServerlessConfig.ProvisionedConcurrency ?? 0);
}
