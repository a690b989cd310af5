/** The judge: counts of both arms in, a verdict with a stated error rate out; pure functions. */
export { type RateInterval, rateInterval, type Tuning } from './beta-binomial';
export { type Calibration, calibrateCorrelation, type InstanceBin } from './calibrate';
export { binsOf, countsOf } from './counts';
export { drift, driftAgainstReference, sampleRatio } from './drift';
export { evaluate, trace } from './evaluate';
export { Evaluation } from './evaluation';
export { relativeRiskInterval } from './interval';
export {
  type Plan,
  type PlanInput,
  type PlannedMetric,
  type PlannedPromotion,
  type PlannedRollback,
  type PlannedShare,
  plan,
} from './plan';
export { distributionHalfWidth, quantilePValue } from './quantiles';
export { profile } from './settings';
export { type PairEvidence, shadowPairs } from './shadow';
export type * from './types';
