/**
 * What all evidence is made of.
 *
 * In a bin the candidate answered N_c and the baseline N_b of the requests; theta = N_c / (N_c + N_b). Were the candidate r times as often bad, a bad event
 * would be the candidate's with probability q(r) = theta r / (theta r + 1 - theta). Of E bad events c were the candidate's, so against r = 1
 *
 *     l(r) = c ln r - E ln(1 + theta (r - 1)),
 *
 * and exp(l(r) - l(r0)) has an expectation of at most 1 when the true risk is r0, or on the far side of r0 from r: whatever the rate, the split and the bin.
 */

/**
 * How many bad events count as one for the interval and for objectives: bursts of up to this many events that all hit one arm keep the guarantee, since the
 * root of an e-value is an e-value for such bursts (Jensen).
 * @param events bad events of both arms in the bin, at least 1
 * @param correlation intra-class correlation in [0, 1]
 */
export function burstSize(events: number, correlation: number): number {
  return 1 + 1.5 * correlation * Math.max(0, events - 1);
}

/**
 * ln of the mean of exp(logs_k).
 * @param weights in any scale. @default - all the same
 */
export function logMean(logs: ArrayLike<number>, weights?: ArrayLike<number>): number {
  let top = -Infinity;
  for (let k = 0; k < logs.length; k++) if ((weights?.[k] ?? 1) > 0 && logs[k]! > top) top = logs[k]!;
  if (top === -Infinity) return -Infinity;
  let sum = 0;
  let total = 0;
  for (let k = 0; k < logs.length; k++) {
    const weight = weights?.[k] ?? 1;
    total += weight;
    if (weight > 0) sum += weight * Math.exp(logs[k]! - top);
  }
  return top + Math.log(sum / total);
}
