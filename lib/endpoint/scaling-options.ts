import type { Schedule } from 'aws-cdk-lib/aws-applicationautoscaling';
import type { Duration, TimeZone } from 'aws-cdk-lib/core';

/** How fast capacity follows a metric. */
export interface ScalingPace {
  /**
   * The shortest time between one increase and the next.
   *
   * @default Duration.minutes(1)
   */
  readonly scaleOutCooldown?: Duration;

  /**
   * The shortest time between one decrease and the next.
   *
   * @default Duration.minutes(5)
   */
  readonly scaleInCooldown?: Duration;

  /**
   * Only ever add capacity.
   *
   * @default false
   */
  readonly disableScaleIn?: boolean;
}

export interface InvocationsScalingOptions extends ScalingPace {
  /** Requests a second that one instance bears: what a load test showed at the edge of its latency, before any safety. More than 0. */
  readonly perSecond: number;

  /**
   * The part of it to aim at, more than 0 and at most 1. What is left bears the load while another instance starts.
   *
   * @default 0.5
   */
  readonly safety?: number;
}

export interface ConcurrencyScalingOptions extends ScalingPace {
  /** Requests under way at one time on one instance, more than 0. */
  readonly perInstance: number;
}

export interface UtilizationScalingOptions extends ScalingPace {
  /** How busy to keep what there is: more than 0 and less than 100. At 100 nothing would ever be added. */
  readonly percent: number;
}

export interface BacklogScalingOptions extends ScalingPace {
  /**
   * Requests that wait or are worked on, for each instance; more than 0.
   *
   * @default 5
   */
  readonly perInstance?: number;
}

export interface ScheduleScalingOptions {
  /** When, e.g. `Schedule.cron({ hour: '7', minute: '30' })`. */
  readonly schedule: Schedule;

  /**
   * The minimum from then on. One of min and max is needed.
   *
   * @default - unchanged
   */
  readonly min?: number;

  /**
   * The maximum from then on.
   *
   * @default - unchanged
   */
  readonly max?: number;

  /**
   * The time zone of the schedule.
   *
   * @default - UTC
   */
  readonly timeZone?: TimeZone;

  /**
   * From when the schedule counts.
   *
   * @default - at once
   */
  readonly start?: Date;

  /**
   * Until when it counts.
   *
   * @default - for ever
   */
  readonly end?: Date;
}
