/** Intervals for one arm's rate that hold at every moment: the beta-binomial mixture of Howard, Ramdas, McAuliffe and Sekhon (2021). */
import { bisect } from './numeric';
import { logBeta, logIncompleteBeta } from './special';

/** An interval for a rate. */
export interface RateInterval {
  readonly low: number;
  readonly high: number;
}

/** Where a mixture is tuned. */
export interface Tuning {
  /** Number of requests at which the interval is to be tightest, above 0. @default 100 */
  readonly requests?: number;
  /** Error probability at which it is, in (0, 1). @default 0.05 */
  readonly alpha?: number;
}

/** @throws Error that names the value given and the range */
export function checkTuning({ requests = 100, alpha = 0.05 }: Tuning): void {
  if (!(requests > 0 && requests < Infinity)) throw new Error(`tuning: requests must be above 0, not ${requests}`);
  if (!(alpha > 0 && alpha < 1)) throw new Error(`tuning: alpha must be above 0 and below 1, not ${alpha}`);
}

/**
 * The mixture's precision that makes its boundary tightest at intrinsic time v: v / (2 ln(1/alpha) + ln(1 + 2 ln(1/alpha))).
 * @param v intrinsic time, above 0
 */
export function bestPrecision(v: number, alpha: number): number {
  const twice = -2 * Math.log(alpha);
  return v / (twice + Math.log1p(twice));
}

/**
 * ln of the evidence against a rate p: the likelihood ratio of k bad among n, averaged over a beta prior around p (the paper's mixture with
 * g = p and h = 1 - p). One-sided, the prior is kept to rates above p.
 * @param k bad requests; need not be whole
 * @param n requests
 * @param p in (0, 1)
 */
export function rateEvidence(k: number, n: number, p: number, tuning: Tuning = {}, oneSided = false): number {
  const { requests = 100, alpha = 0.05 } = tuning;
  const variance = p * (1 - p);
  const precision = bestPrecision(variance * requests, oneSided ? 2 * alpha : alpha);
  const r = Math.max(precision - variance, 1e-3 * variance);
  const good = r / p;
  const bad = r / (1 - p);
  const norm = oneSided ? logIncompleteBeta(1 - p, good, bad) : logBeta(good, bad);
  const grown = oneSided ? logIncompleteBeta(1 - p, good + (n - k), bad + k) : logBeta(good + (n - k), bad + k);
  return grown - norm - k * Math.log(p) - (n - k) * Math.log1p(-p);
}

/**
 * The deviation s = k - n p at which the evidence against p reaches 1/alpha, at intrinsic time v = n p (1 - p); at most n (1 - p).
 */
export function rateBound(v: number, p: number, alpha: number, tuning: Tuning = {}, oneSided = true): number {
  const n = v / (p * (1 - p));
  const most = n * (1 - p);
  const excess = (s: number) => rateEvidence(n * p + s, n, p, tuning, oneSided) + Math.log(alpha);
  return excess(most) <= 0 ? most : bisect(excess, 0, most);
}

/**
 * A confidence sequence for a rate: it holds the truth at all times together with probability 1 - alpha.
 * @param bad bad requests
 * @param requests at least `bad`; none gives the whole range
 * @param alpha in (0, 1)
 * @throws Error on counts that are not whole, and on an alpha or a tuning out of range
 */
export function rateInterval(bad: number, requests: number, alpha = 0.05, tuning: Tuning = {}): RateInterval {
  if (!(Number.isSafeInteger(bad) && Number.isSafeInteger(requests) && bad >= 0 && bad <= requests)) {
    throw new Error(`rate interval: ${bad} bad of ${requests} requests; counts must be whole, and bad at most all`);
  }
  if (!(alpha > 0 && alpha < 1)) throw new Error(`rate interval: alpha must be above 0 and below 1, not ${alpha}`);
  checkTuning(tuning);
  if (requests === 0) return { low: 0, high: 1 };
  const rate = bad / requests;
  const excess = (p: number) => (p <= 0 || p >= 1 ? Infinity : rateEvidence(bad, requests, p, tuning) + Math.log(alpha));
  const end = (edge: 0 | 1) => (rate === edge ? edge : bisect(excess, rate, edge));
  return { low: end(0), high: end(1) };
}
