import type { DeploymentConfig, EndpointStatus } from '@aws-sdk/client-sagemaker';
import { type AsyncOutput, Route } from '../runtime';
import type { Fleet, FleetVariant } from './fleet';

/** The fleet that a deployment brings in. */
export interface Pending {
  readonly fleet: Fleet;
  /** Milliseconds since 1970. */
  readonly started: number;
}

/** An endpoint: the fleets that serve, and what is being done to them. */
export class Endpoint {
  status: EndpointStatus = 'Creating';
  failureReason: string | undefined;
  modified: number;
  lastDeployment: DeploymentConfig | undefined;
  /** What serves: the fleet of the endpoint's configuration first; more than one only after a rollback failed. */
  fleets: Fleet[] = [];
  pending: Pending | undefined;

  constructor(
    readonly name: string,
    readonly arn: string,
    readonly created: number,
  ) {
    this.modified = created;
  }

  /** The fleet of the configuration that the endpoint is said to have. */
  get live(): Fleet | undefined {
    return this.fleets[0];
  }

  get configName(): string {
    return (this.live ?? this.pending?.fleet)!.config.name;
  }

  /** Where requests go now; undefined while nothing serves. */
  route(): Route | undefined {
    const fleets = this.pending === undefined ? this.fleets : [...this.fleets, this.pending.fleet];
    if (this.fleets.length === 0) return undefined;
    const arms = fleets.flatMap((fleet) => {
      const total = fleet.production.reduce((sum, { currentWeight }) => sum + currentWeight, 0);
      return fleet.production
        .filter(({ running }) => running !== undefined)
        .map((variant) => ({ variant: variant.running!, share: total === 0 ? 0 : (variant.currentWeight / total) * variant.active }));
    });
    const serving = fleets.filter((fleet) => fleet.production.some(({ active }) => active > 0));
    const mirrors = serving.flatMap((fleet) =>
      fleet.shadows
        .filter(({ running }) => running !== undefined)
        .map((shadow) => ({ variant: shadow.running!, share: mirroredShare(fleet, shadow) })),
    );
    return new Route(this.name, arms, mirrors, asyncOutputOf(this.fleets[0]));
  }
}

/** SageMaker mirrors the share that the shadow's weight is of the production variant's. */
function mirroredShare(fleet: Fleet, shadow: FleetVariant): number {
  const [{ currentWeight, active }] = fleet.production;
  const sampled = currentWeight === 0 ? 1 : Math.min(1, shadow.currentWeight / currentWeight);
  return sampled * active;
}

function asyncOutputOf({ config }: Fleet): AsyncOutput | undefined {
  const output = config.input.AsyncInferenceConfig?.OutputConfig;
  return output === undefined ? undefined : { outputPath: output.S3OutputPath!, failurePath: output.S3FailurePath };
}
