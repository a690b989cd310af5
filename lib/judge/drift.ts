/** Whether predictions, or the traffic itself, are split otherwise than they should be. */
import { logMean } from './likelihood';
import { logBeta, logGamma, logIncompleteBeta } from './special';
import type { PredictionSegment } from './types';

/** How closely the alternatives gather around the routed share; the evidence is the mean over them. */
const CONCENTRATIONS = [20, 100, 500];
/** Where no request is routed to an arm, it may get up to this share of them: one may be on its way when the weights change. */
export const STRAY = 1e-3;

/**
 * ln of the evidence that events of some class are not the candidate's in the routed share:
 *
 *     mean over k of  prod_j B(k rho + c_j, k (1 - rho) + b_j) / B(k rho, k (1 - rho)) rho^-c_j (1 - rho)^-b_j,
 *
 * multiplied over the segments; for a rho of 0 or 1, that more than stray ones are elsewhere. P(ever at least 1/alpha | both arms predict alike) <= alpha.
 * @param segments counts of each class in both arms, one segment for each routed share
 * @throws Error on shares outside [0, 1], counts that are not whole, or classes that do not pair up
 */
export function drift(segments: readonly PredictionSegment[]): number {
  const logs = new Float64Array(CONCENTRATIONS.length);
  for (const { share, candidate, baseline } of segments) {
    if (!(share >= 0 && share <= 1)) throw new Error(`drift: share must be from 0 to 1, not ${share}`);
    if (candidate.length !== baseline.length) {
      throw new Error(`drift: the candidate has ${candidate.length} classes where the baseline has ${baseline.length}`);
    }
    for (const count of [...candidate, ...baseline]) checkCount(count);
    for (let k = 0; k < logs.length; k++) {
      for (let j = 0; j < candidate.length; j++) {
        const [c, d] = [candidate[j]!, baseline[j]!];
        if (c + d === 0) continue;
        if (share === 0) logs[k]! += logStrayed(c, d, CONCENTRATIONS[k]!);
        else if (share === 1) logs[k]! += logStrayed(d, c, CONCENTRATIONS[k]!);
        else logs[k]! += logElsewhere(c, d, share, CONCENTRATIONS[k]!);
      }
    }
  }
  return logMean(logs);
}

/** ln of the evidence that `hits` of all events are not the share rho of them. */
function logElsewhere(hits: number, others: number, rho: number, concentration: number): number {
  const [a, b] = [concentration * rho, concentration * (1 - rho)];
  return logBeta(a + hits, b + others) - logBeta(a, b) - hits * Math.log(rho) - others * Math.log1p(-rho);
}

/** ln of the evidence that `hits` of all events are more than the stray ones: the same mixture, kept to shares above that. */
function logStrayed(hits: number, others: number, concentration: number): number {
  const [a, b] = [concentration * STRAY, concentration * (1 - STRAY)];
  const grown = logIncompleteBeta(1 - STRAY, b + others, a + hits) - logIncompleteBeta(1 - STRAY, b, a);
  return grown - hits * Math.log(STRAY) - others * Math.log1p(-STRAY);
}

/**
 * ln of the evidence that classes do not come with the probabilities of a known reference: the Dirichlet-multinomial Bayes factor of Lindon and Malek
 * (2022). P(ever at least 1/alpha | the reference is right) <= alpha.
 * @param counts of each class
 * @param reference probability of each class, positive, summing to 1
 * @param prior Dirichlet parameters of the alternative, positive. @default - the reference, as much as one observation
 */
export function driftAgainstReference(
  counts: readonly number[],
  reference: readonly number[],
  prior: readonly number[] = reference,
): number {
  if (counts.length !== reference.length || prior.length !== reference.length) {
    throw new Error(`drift: ${counts.length} counts and ${prior.length} prior parameters for a reference of ${reference.length} classes`);
  }
  for (const count of counts) checkCount(count);
  for (const p of reference)
    if (!(p > 0 && p <= 1)) throw new Error(`drift: a reference probability must be above 0 and at most 1, not ${p}`);
  const total = sum(reference);
  if (Math.abs(total - 1) > 1e-9) throw new Error(`drift: the reference's probabilities must sum to 1, not ${total}`);
  for (const a of prior) if (!(a > 0 && a < Infinity)) throw new Error(`drift: a prior parameter must be above 0, not ${a}`);
  let log = logGamma(sum(prior)) - logGamma(sum(prior) + sum(counts));
  for (let j = 0; j < counts.length; j++) {
    log += logGamma(prior[j]! + counts[j]!) - logGamma(prior[j]!) - counts[j]! * Math.log(reference[j]!);
  }
  return log;
}

/**
 * ln of the evidence that traffic was not split as routed: the sample-ratio guard. A comparison on which it fires is invalid, whatever the metrics say.
 * @param segments requests of both arms, one segment for each routed share
 */
export function sampleRatio(
  segments: readonly { readonly share: number; readonly candidateRequests: number; readonly baselineRequests: number }[],
): number {
  return drift(
    segments.map(({ share, candidateRequests, baselineRequests }) => ({
      share,
      candidate: [candidateRequests],
      baseline: [baselineRequests],
    })),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function checkCount(count: number): void {
  if (!(Number.isSafeInteger(count) && count >= 0)) throw new Error(`drift: a count must be a whole number of at least 0, not ${count}`);
}
