/** How long SageMaker takes for its work, in seconds of the clock. */
export interface Timings {
  /** From asking for instances until they run the container. */
  readonly start: number;
  /** From a decision to move traffic, or a new weight, until requests follow it. */
  readonly shift: number;
  /** Until instances are gone. */
  readonly terminate: number;
  /** Between two looks at the alarms during a deployment. */
  readonly alarmPoll: number;
  /** How long a container may take until it answers /ping, where its variant says nothing. */
  readonly healthCheck: number;
}

/** Short enough to wait for. */
export const QUICK_TIMINGS: Timings = { start: 2, shift: 1, terminate: 1, alarmPoll: 1, healthCheck: 240 };

/** What an account sees, roughly: minutes for a fleet, seconds for a weight. */
export const AWS_TIMINGS: Timings = { start: 240, shift: 20, terminate: 60, alarmPoll: 10, healthCheck: 240 };
