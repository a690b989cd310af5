/** Comparing answers to the same requests, when a candidate runs in the shadow of the baseline. */
import { logBeta, logIncompleteBeta } from './special';

/** Evidence from pairs; natural logarithms. Only pairs on which the arms differ say anything. */
export interface PairEvidence {
  /** Evidence that the candidate is worse: P(ever at least 1/alpha | it is not) <= alpha. */
  readonly logWorse: number;
  /** Evidence that the candidate is bad less than `margin` times as often. */
  readonly logNotWorse: number;
  /** Evidence that the arms differ, in either direction. */
  readonly logDifferent: number;
}

/**
 * Sequential McNemar test. Of the pairs on which exactly one arm was bad, x are the candidate's and y the baseline's; were both as often bad, x would be
 * binomial with 1/2. The evidence is the likelihood ratio against that, averaged over a Beta(1/2, 1/2) on the side in question.
 * A candidate bad `margin` times as often has at least `margin` times the pairs on its side, so excluding that ratio excludes that risk.
 * @param onlyCandidateBad pairs with a bad answer by the candidate alone
 * @param onlyBaselineBad pairs with a bad answer by the baseline alone
 * @param margin above 1. @default 2
 * @throws Error on counts that are not whole, or a margin of 1 or less
 */
export function shadowPairs(onlyCandidateBad: number, onlyBaselineBad: number, margin = 2): PairEvidence {
  for (const count of [onlyCandidateBad, onlyBaselineBad]) {
    if (!(Number.isSafeInteger(count) && count >= 0))
      throw new Error(`shadow pairs: a count must be a whole number of at least 0, not ${count}`);
  }
  if (!(margin > 1 && margin < Infinity)) throw new Error(`shadow pairs: margin must be above 1, not ${margin}`);
  const x = onlyCandidateBad + 0.5;
  const y = onlyBaselineBad + 0.5;
  const against = (p: number) => onlyCandidateBad * Math.log(p) + onlyBaselineBad * Math.log1p(-p);
  const atMargin = margin / (1 + margin);
  return {
    logWorse: logIncompleteBeta(0.5, y, x) - logIncompleteBeta(0.5, 0.5, 0.5) - against(0.5),
    logNotWorse: logIncompleteBeta(atMargin, x, y) - logIncompleteBeta(atMargin, 0.5, 0.5) - against(atMargin),
    logDifferent: logBeta(x, y) - logBeta(0.5, 0.5) - against(0.5),
  };
}
