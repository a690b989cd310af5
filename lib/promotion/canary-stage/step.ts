import { Duration } from 'aws-cdk-lib/core';
import { requireWritten, writtenSeconds } from '../../endpoint/range';
import type { Step } from '../request';

export interface StepOptions {
  /**
   * The least time that the step lasts: evidence of harm ends it sooner, a step before the last does not wait for more.
   *
   * @default Duration.minutes(5)
   */
  readonly bake?: Duration;
}

export interface ShadowStepOptions extends StepOptions {
  /**
   * The share of the requests that is mirrored, in percent: above 0, at most 100.
   *
   * @default 100
   */
  readonly percent?: number;
}

/** One stretch of a candidate's way. */
export abstract class CanaryStep {
  /**
   * Mirrors requests to the candidate and drops its answers: its errors and its latency are judged, and nobody gets an answer of it.
   *
   * @throws Error for a share out of range
   */
  public static shadow(options: ShadowStepOptions = {}): CanaryStep {
    return new Stretch({ kind: 'shadow', percent: requireShare(options.percent ?? 100, 100), bakeSeconds: seconds(options) });
  }

  /**
   * Routes a share of the requests to the candidate, by weight: seconds, no new fleet.
   *
   * @param percent above 0, at most 50
   * @throws Error for a share out of range
   */
  public static percent(percent: number, options: StepOptions = {}): CanaryStep {
    return new Stretch({ kind: 'percent', percent: requireShare(percent, 50), bakeSeconds: seconds(options) });
  }

  /** @internal */
  public abstract readonly _step: Step;
}

class Stretch extends CanaryStep {
  /** @internal */
  public readonly _step: Step;

  constructor(step: Step) {
    super();
    this._step = step;
  }
}

function requireShare(percent: number, most: number): number {
  requireWritten('percent of a step', percent);
  if (percent > 0 && percent <= most) return percent;
  throw new Error(`a ${most === 100 ? 'shadow' : 'routed'} share is above 0 and at most ${most} percent, got ${percent}`);
}

const seconds = ({ bake }: StepOptions): number => writtenSeconds('bake of a step', bake ?? Duration.minutes(5));
