import type { Engine } from '../../serving';

/** What the runtime must know of a variant beside its engine. */
export interface VariantTraits {
  readonly endpoint: string;
  readonly name: string;
  /** The endpoint configuration of its fleet. */
  readonly config: string;
  readonly shadow: boolean;
  readonly kind: 'realtime' | 'serverless' | 'async';
  /** Requests that one instance of an asynchronous endpoint works on at once. */
  readonly asyncConcurrency: number;
}

/** A variant of one fleet with its model loaded: what a request ends at. */
export class RunningVariant {
  /** Instances at work; 0 where the variant is serverless. */
  instances = 0;
  /** Requests that a serverless variant takes at once; one more is throttled. */
  maxConcurrency = Number.POSITIVE_INFINITY;
  /** Requests that are with the model. */
  inFlight = 0;
  private idle: (() => void) | undefined;

  constructor(
    readonly traits: VariantTraits,
    readonly engine: Engine,
  ) {}

  begin(): void {
    this.inFlight += 1;
  }

  end(): void {
    this.inFlight -= 1;
    if (this.inFlight === 0) this.idle?.();
  }

  /** Resolves when no request is with the model. New ones must not come: take it out of its route first. */
  drained(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.idle = resolve;
    });
  }
}
