/** Latencies as they are, where every one of them was recorded: Howard and Ramdas (2022). */
import { checkTuning, rateEvidence, type Tuning } from './beta-binomial';
import { bisect, minimise } from './numeric';

/**
 * p-value, valid at every moment, for the hypothesis that both arms have the same p-quantile: a common quantile x must survive the evidence of both arms
 * against "a share p lies below x", so the least of their sum over x is the evidence against all of them.
 * @param p in (0, 1)
 * @param candidate latencies in any unit, at least one
 * @param baseline latencies in the same unit, at least one
 * @throws Error when an arm is empty or holds something that is not a number
 */
export function quantilePValue(p: number, candidate: readonly number[], baseline: readonly number[], tuning: Tuning = {}): number {
  if (!(p > 0 && p < 1)) throw new Error(`quantile: p must be above 0 and below 1, not ${p}`);
  checkTuning(tuning);
  const arms = [sorted('candidate', candidate), sorted('baseline', baseline)];
  const log = Math.min(...candidates(arms).map((x) => arms.reduce((sum, arm) => sum + leastEvidence(arm, x, p, tuning), 0)));
  return Math.min(1, Math.exp(-log));
}

/**
 * Half width of a band around the empirical distribution function of t values that holds the true one everywhere and at all times from `from` on, with
 * probability 1 - alpha: a sqrt((ln(1 + ln(t / from)) + C) / t), with the least C that their bound on the error allows.
 * @param t number of values; below `from` nothing is said
 * @param alpha in (0, 1)
 * @param from above 0
 * @param a above 1 / sqrt 2. @default 0.85
 */
export function distributionHalfWidth(t: number, alpha: number, from: number, a = 0.85): number {
  if (!(t >= 0 && t < Infinity)) throw new Error(`distribution: t must be at least 0, not ${t}`);
  if (!(alpha > 0 && alpha < 1)) throw new Error(`distribution: alpha must be above 0 and below 1, not ${alpha}`);
  if (!(from > 0 && from < Infinity)) throw new Error(`distribution: from must be above 0, not ${from}`);
  if (!(a > Math.SQRT1_2 && a < Infinity)) throw new Error(`distribution: a must be above ${Math.SQRT1_2}, not ${a}`);
  if (t < from) return Infinity;
  const error = (c: number, eta: number) => {
    const squared = (2 / eta) * (a - Math.sqrt((2 * (eta - 1)) / c)) ** 2;
    return squared <= 1 ? Infinity : 4 * Math.exp(-squared * c) * (1 + 1 / ((squared - 1) * Math.log(eta)));
  };
  const leastError = (c: number) => {
    const widest = bisect((eta) => Math.sqrt(eta / 2) + Math.sqrt((2 * (eta - 1)) / c) - a, 1, 2 * a * a);
    return minimise((eta) => error(c, eta), 1 + 1e-9, widest).value;
  };
  let enough = 2;
  while (leastError(enough) > alpha) enough *= 2;
  const c = bisect((tried) => alpha - leastError(tried), enough / 2, enough);
  return a * Math.sqrt((Math.log1p(Math.log(t / from)) + c) / t);
}

/** Evidence is constant between neighbouring values, so each value and each gap stands for all. */
function candidates(arms: readonly Float64Array[]): number[] {
  const values = [...new Set(arms.flatMap((arm) => [...arm]))].sort((x, y) => x - y);
  return values.flatMap((x, i) => [x, (x + (values[i + 1] ?? x)) / 2]);
}

/** The least evidence against "x is the p-quantile", over the shares below x that ties and the gap around x allow. */
function leastEvidence(arm: Float64Array, x: number, p: number, tuning: Tuning): number {
  const n = arm.length;
  const below = firstAtLeast(arm, x);
  const upTo = firstAbove(arm, x);
  const k = Math.min(upTo, Math.max(below, n * p));
  return rateEvidence(k, n, p, tuning);
}

function firstAtLeast(arm: Float64Array, x: number): number {
  let [low, high] = [0, arm.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (arm[middle]! >= x) high = middle;
    else low = middle + 1;
  }
  return low;
}

function firstAbove(arm: Float64Array, x: number): number {
  let [low, high] = [0, arm.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (arm[middle]! > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

function sorted(arm: string, values: readonly number[]): Float64Array {
  if (values.length === 0) throw new Error(`quantile: the ${arm} has no values`);
  for (const value of values) if (!Number.isFinite(value)) throw new Error(`quantile: the ${arm} holds ${value}, which is not a number`);
  return Float64Array.from(values).sort();
}
