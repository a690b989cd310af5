/** Traffic of both arms, in steps of ten seconds. */
import { profile } from '../../lib/judge';
import { type Cell, SHARE } from './cells';
import type { Random } from './random';

export const STEP_SECONDS = 10;
export const STEPS_A_MINUTE = 6;

/** Quantiles at which latency is counted, and the standard normal deviate of each. */
export const QUANTILES = [0.5, 0.9, 0.99];
const DEVIATES = [0, 1.2815515655446004, 2.3263478740408408];
/** Latency is log-normal: median 50 ms, this spread of the logarithm. */
export const MEDIAN_MILLISECONDS = 50;
export const LOG_SPREAD = 0.5;
/** The tolerance of the standard profile, in standard deviations. */
const TOLERATED = Math.log1p(profile('standard').latencyTolerance) / LOG_SPREAD;

/** Counts of one run, step by step. In error cells there is one kind of bad request; in latency cells one for each quantile. */
export interface Traffic {
  readonly candidateRequests: Int32Array;
  readonly baselineRequests: Int32Array;
  readonly candidateBad: readonly Int32Array[];
  readonly baselineBad: readonly Int32Array[];
}

/** Makes one run's traffic. Arrivals are Poisson; each request is routed on its own. */
export function makeTraffic(cell: Cell, random: Random): Traffic {
  const steps = cell.minutes * STEPS_A_MINUTE;
  const kinds = cell.group === 'latency' ? QUANTILES.length : 1;
  const columns = () => Array.from({ length: kinds }, () => new Int32Array(steps));
  const traffic = {
    candidateRequests: new Int32Array(steps),
    baselineRequests: new Int32Array(steps),
    candidateBad: columns(),
    baselineBad: columns(),
  };
  const perStep = cell.requestsPerSecond * STEP_SECONDS;
  const rates = cell.group === 'latency' ? undefined : errorRates(cell, steps, random);
  const slow = cell.group === 'latency' ? slowRates(cell, random) : undefined;
  for (let i = 0; i < steps; i++) {
    const all = random.poisson(perStep);
    const candidate = random.binomial(all, SHARE);
    const baseline = all - candidate;
    traffic.candidateRequests[i] = candidate;
    traffic.baselineRequests[i] = baseline;
    if (rates !== undefined) {
      traffic.candidateBad[0]![i] = random.binomial(candidate, rates.candidate[i]!);
      traffic.baselineBad[0]![i] = random.binomial(baseline, rates.baseline[i]!);
    } else {
      nested(traffic.candidateBad, i, candidate, slow!.candidate, random);
      nested(traffic.baselineBad, i, baseline, slow!.baseline, random);
    }
  }
  return traffic;
}

interface ArmRates {
  readonly candidate: Float64Array;
  readonly baseline: Float64Array;
}

function errorRates(cell: Cell, steps: number, random: Random): ArmRates {
  const candidate = new Float64Array(steps).fill(Math.min(1, cell.base * cell.times));
  const baseline = new Float64Array(steps).fill(cell.base);
  const each = (change: (rate: number, step: number) => number, ...arms: Float64Array[]) => {
    for (const arm of arms) for (let i = 0; i < steps; i++) arm[i] = Math.min(1, change(arm[i]!, i));
  };
  const noisy = (correlation: number) => {
    // Independent factors of squared variation v in both arms give the candidate's share of the errors a correlation of about 2 v theta (1 - theta).
    const squaredVariation = correlation / (2 * SHARE * (1 - SHARE));
    for (const arm of [candidate, baseline]) {
      const factors = Array.from({ length: cell.minutes }, () => random.gammaOfMeanOne(squaredVariation));
      each((rate, i) => rate * factors[Math.floor(i / STEPS_A_MINUTE)]!, arm);
    }
  };
  switch (cell.disturbance) {
    case 'bursts in one arm':
      for (const arm of [candidate, baseline]) each(bursts(steps, random), arm);
      break;
    case 'bursts in both arms':
      each(bursts(steps, random), candidate, baseline);
      break;
    case 'common outage': {
      const from = Math.floor(random.uniform() * (steps - 5 * STEPS_A_MINUTE));
      each((rate, i) => (i >= from && i < from + 5 * STEPS_A_MINUTE ? rate + 0.3 : rate), candidate, baseline);
      break;
    }
    case 'drifting baseline': {
      const phase = random.uniform();
      each((rate, i) => rate * 3 ** Math.sin(2 * Math.PI * (phase + i / (40 * STEPS_A_MINUTE))), candidate, baseline);
      break;
    }
    case 'moderate noise':
      noisy(0.01);
      break;
    case 'heavy noise':
      noisy(0.05);
      break;
    default:
      break;
  }
  return { candidate, baseline };
}

/** Once in four hours on average, for two to four steps, at any moment. */
function bursts(steps: number, random: Random): (rate: number, step: number) => number {
  const bursting = new Uint8Array(steps);
  for (let i = 0; i < steps; i++) {
    if (random.uniform() < 1 / (240 * STEPS_A_MINUTE)) bursting.fill(1, i, i + 2 + Math.floor(3 * random.uniform()));
  }
  return (rate, i) => (bursting[i] === 1 ? rate + 0.2 : rate);
}

/** The part of an arm's requests that is slow: above a threshold this many standard deviations of the baseline above its median. */
function slowRate(threshold: number, times: number): number {
  return upperTail(threshold - Math.log(times) / LOG_SPREAD);
}

/** Whether the candidate is bad in the sense of the promotion guarantee: twice as bad or worse, for latency at one of the quantiles. */
export function isBad({ group, times }: Cell): boolean {
  if (group !== 'latency') return times >= 2;
  return DEVIATES.some((threshold) => slowRate(threshold + TOLERATED, times) >= 2 * slowRate(threshold, 1));
}

/** The parts of either arm's requests above its threshold; the thresholds are the baseline's quantiles as measured in the hour before. */
function slowRates(cell: Cell, random: Random): { candidate: number[]; baseline: number[] } {
  const before = cell.requestsPerSecond * (1 - SHARE) * 3600;
  const rates = { candidate: [] as number[], baseline: [] as number[] };
  for (const [j, p] of QUANTILES.entries()) {
    const density = Math.exp(-(DEVIATES[j]! ** 2) / 2) / Math.sqrt(2 * Math.PI);
    const measured = DEVIATES[j]! + (random.normal() * Math.sqrt((p * (1 - p)) / before)) / density;
    rates.baseline.push(slowRate(measured, 1));
    rates.candidate.push(slowRate(measured + TOLERATED, cell.times));
  }
  return rates;
}

/** What is above a higher threshold is above the lower ones too. */
function nested(bad: readonly Int32Array[], step: number, requests: number, rates: readonly number[], random: Random): void {
  let within = requests;
  let above = 1;
  for (const [j, rate] of rates.entries()) {
    within = random.binomial(within, Math.min(1, rate / above));
    above = rate;
    bad[j]![step] = within;
  }
}

/** A minute's p99 in milliseconds of so many requests: the order statistic at that rank. */
export function p99(requests: number, times: number, random: Random): number {
  if (requests === 0) return 0;
  const rank = Math.ceil(0.99 * requests);
  return times * MEDIAN_MILLISECONDS * Math.exp(LOG_SPREAD * deviate(random.beta(rank, requests + 1 - rank)));
}

/** z with P(Z <= z) = p, by Newton's steps on the tail. */
export function deviate(p: number): number {
  if (p < 0.5) return -deviate(1 - p);
  const tail = Math.max(1e-12, 1 - p);
  const t = Math.sqrt(-2 * Math.log(tail));
  let z = Math.max(0, t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t)));
  for (let i = 0; i < 3; i++) z += ((upperTail(z) - tail) * Math.sqrt(2 * Math.PI)) / Math.exp((-z * z) / 2);
  return z;
}

/** P(Z > z) of a standard normal; Abramowitz and Stegun 26.2.17, to 1e-7. */
export function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (poly * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}
