/** The situations that every judge is put into. */

/** What disturbs the traffic, beside the candidate itself. Rates are multiplied or raised in whole or parts of minutes. */
export type Disturbance =
  /** Each arm now and then fails one request in five for 20 to 40 seconds, on its own. */
  | 'bursts in one arm'
  /** As before, both arms together. */
  | 'bursts in both arms'
  /** Three in ten requests fail in both arms for five minutes. */
  | 'common outage'
  /** The rate of both arms swings between a third and three times its mean, once in forty minutes. */
  | 'drifting baseline'
  /** Each arm's rate is multiplied by its own gamma variable every minute, so that the correlation is 0.01 at 10 % of the traffic. */
  | 'moderate noise'
  /** The same with a correlation of 0.05: more than the default allows for. */
  | 'heavy noise';

/** One situation. */
export interface Cell {
  readonly name: string;
  readonly group: 'errors' | 'latency' | 'stress' | 'low traffic';
  readonly requestsPerSecond: number;
  /** Rate of errors of the baseline; 0 in latency cells. */
  readonly base: number;
  /** How many times as many errors, or how many times as slow. 1 is an equal candidate. */
  readonly times: number;
  readonly minutes: number;
  readonly disturbance?: Disturbance;
}

/** The candidate's share of the traffic in every cell. */
export const SHARE = 0.1;
export const HOUR = 60;

const RATES = [5, 50, 500];
const BASES = [0.001, 0.01];

export const CELLS: readonly Cell[] = [
  ...RATES.flatMap((requestsPerSecond) =>
    BASES.flatMap((base) => [1, 1.5, 2, 5, 20].map((times) => cell('errors', requestsPerSecond, base, times, HOUR))),
  ),
  ...RATES.flatMap((requestsPerSecond) => [1, 1.2, 1.5, 2].map((times) => cell('latency', requestsPerSecond, 0, times, HOUR))),
  ...(['bursts in one arm', 'bursts in both arms', 'common outage', 'drifting baseline', 'moderate noise', 'heavy noise'] as const).flatMap(
    (disturbance) =>
      [50, 500].flatMap((requestsPerSecond) =>
        [1, 2].map((times) => ({ ...cell('stress', requestsPerSecond, 0.01, times, HOUR), disturbance })),
      ),
  ),
  ...[0.05, 0.5].flatMap((requestsPerSecond) =>
    [1, 2, 5, 20].map((times) => cell('low traffic', requestsPerSecond, 0.01, times, 24 * HOUR)),
  ),
];

function cell(group: Cell['group'], requestsPerSecond: number, base: number, times: number, minutes: number): Cell {
  return { name: `${group} ${requestsPerSecond}/s ${base} x${times}`, group, requestsPerSecond, base, times, minutes };
}

/** Whether it counts for the bad requests that are served before rollback. */
export function isClearlyWorse({ group, times }: Cell): boolean {
  return group === 'errors' && times >= 2;
}
