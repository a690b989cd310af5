import type { RunningVariant } from './running-variant';

/** One variant's part of an endpoint's traffic. */
export interface Arm {
  readonly variant: RunningVariant;
  /** 0 to 1; the arms of an endpoint sum to 1, or to 0 where no variant has a weight. */
  readonly share: number;
}

/** A shadow variant, and the part of the requests that is mirrored to it, 0 to 1. */
export type Mirror = Arm;

/** Where an endpoint's requests go. Replaced as a whole when traffic moves. */
export class Route {
  readonly serverless: boolean;
  private readonly bounds: readonly number[];

  /**
   * @param arms production variants, of both fleets while a deployment runs
   * @param async where the endpoint answers asynchronously: where to
   */
  constructor(
    readonly endpoint: string,
    readonly arms: readonly Arm[],
    readonly mirrors: readonly Mirror[] = [],
    readonly async?: AsyncOutput,
  ) {
    this.serverless = arms.some(({ variant }) => variant.traits.kind === 'serverless');
    let sum = 0;
    this.bounds = arms.map(({ share }) => {
      sum += share;
      return sum;
    });
  }

  /**
   * The variant for a request, by the shares of traffic.
   *
   * @param draw in [0, 1)
   * @returns undefined where no variant has a share
   */
  pick(draw: number): RunningVariant | undefined {
    const { arms, bounds } = this;
    const total = bounds[bounds.length - 1] ?? 0;
    if (total === 0) return undefined;
    const point = draw * total;
    for (let index = 0; index < bounds.length; index += 1) if (point < bounds[index]) return arms[index].variant;
    return arms[arms.length - 1].variant;
  }

  /** The variant of this name; of both fleets, while they share the traffic, by their parts of it. */
  named(name: string, draw: number): RunningVariant | undefined {
    const arms = this.arms.filter(({ variant }) => variant.traits.name === name);
    if (arms.length <= 1) return arms[0]?.variant;
    return new Route(this.endpoint, arms).pick(draw) ?? arms[0].variant;
  }
}

/** Where an asynchronous endpoint writes: `s3://bucket/prefix`. */
export interface AsyncOutput {
  readonly outputPath: string;
  readonly failurePath?: string;
}

/** The endpoints that answer now, by name. */
export type Routes = Map<string, Route>;
