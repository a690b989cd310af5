/** The evidence of one series, bin by bin: that the candidate is worse, that it is not, and which relative risks are still possible. */
import { burstSize, logMean, type RiskScale } from './likelihood';
import type { JudgeSettings, Objective, Totals } from './types';

/** After this many bins with evidence in them, half of the late reserve has been put to use. */
const RESERVE_HALF_LIFE = 100;
/** Evidence is kept between these bounds by a common scale, so that a million bins neither overflow nor vanish. */
const LARGE = 1e100;
const LOG_LARGE = Math.log(LARGE);
/** No factor of one bin is larger than this even in the plain form: a bound far above any threshold, and within floating point. */
const PLAIN_LOG_CAP = 200;
/** Rates that are bet on against an objective, as parts of it. */
const OBJECTIVE_PARTS = [0.01, 0.1, 0.25, 0.5, 0.75];
const OBJECTIVE_WEIGHTS = [1, 1, 1, 1, 1];

/**
 * Evidence that the candidate is worse: a mixture over effects and over the moment at which the regression began,
 *
 *     M = sum_k w_k [ (1 - e) prod_i f_ik + e sum_s pi_s prod_{i > s} f_ik ] + (what of the reserve e is not yet awake),
 *
 * where f_ik is bin i's factor for effect k. Each product is a supermartingale while the candidate is not worse, so M is one.
 */
class WorseProcess {
  private readonly wealth: Float64Array;
  private readonly first: number;
  private readonly weights: Float64Array;
  private scale = 0;
  private bins = 0;
  private sum = 1;

  constructor(
    private readonly scaleOfRisks: RiskScale,
    private readonly settings: JudgeSettings,
  ) {
    const { effects, rollbackWeights, lateReserve } = settings;
    this.first = effects.findIndex((r) => r > 1);
    const weights = Float64Array.from(rollbackWeights.slice(this.first));
    const total = weights.reduce((sum, w) => sum + w, 0);
    this.weights = weights.map((w) => w / total);
    this.wealth = this.weights.map((w) => w * (1 - lateReserve));
  }

  step(candidateBad: number, events: number, rootOf: number, logCap: number): void {
    const { wealth, weights, first } = this;
    const { log, spread } = this.scaleOfRisks;
    const reserve = this.settings.lateReserve;
    const asleep = (reserve * RESERVE_HALF_LIFE) / (RESERVE_HALF_LIFE + this.bins);
    const before = this.bins === 0 ? reserve : (reserve * RESERVE_HALF_LIFE) / (RESERVE_HALF_LIFE + this.bins - 1);
    const unit = this.scale === 0 ? 1 : Math.exp(-this.scale);
    const waking = (before - asleep) * unit;
    let sum = asleep * unit;
    for (let k = 0; k < wealth.length; k++) {
      const l = (candidateBad * log[first + k]! - events * spread[first + k]!) / rootOf;
      const grown = (wealth[k]! + waking * weights[k]!) * Math.exp(Math.min(l, logCap));
      wealth[k] = grown;
      sum += grown;
    }
    this.sum = sum;
    this.bins++;
    if (sum > LARGE) this.rescale(1 / LARGE, LOG_LARGE);
    else if (this.scale > 0 && sum < 1) this.rescale(LARGE, -LOG_LARGE);
  }

  private rescale(factor: number, shift: number): void {
    for (let k = 0; k < this.wealth.length; k++) this.wealth[k]! *= factor;
    this.sum *= factor;
    this.scale += shift;
  }

  /** M; infinite where it is beyond floating point. */
  get value(): number {
    return this.scale === 0 ? this.sum : this.sum * Math.exp(this.scale);
  }

  get logValue(): number {
    return Math.log(this.sum) + this.scale;
  }
}

/** All evidence of one series. Bins are given in the order of time. */
export class SeriesProcess {
  readonly worse: WorseProcess;
  private readonly belowMargin: Float64Array;
  private readonly belowObjective: Float64Array;
  private readonly likelihood: Float64Array;
  private readonly logCap: number;
  private readonly correlation: number;
  private candidateRequests = 0;
  private candidateBad = 0;
  private baselineRequests = 0;
  private baselineBad = 0;

  /** @param marginIndex where the scale holds the margin */
  constructor(
    private readonly scale: RiskScale,
    private readonly marginIndex: number,
    private readonly objective: Objective | undefined,
    private readonly settings: JudgeSettings,
  ) {
    const robust = settings.form === 'robust';
    this.logCap = robust ? Math.log(settings.cap) : PLAIN_LOG_CAP;
    this.correlation = robust ? settings.correlation : 0;
    this.worse = new WorseProcess(scale, settings);
    const margin = scale.risks[marginIndex]!;
    this.belowMargin = new Float64Array(settings.effects.filter((r) => r < margin).length);
    this.belowObjective = new Float64Array(objective === undefined ? 0 : OBJECTIVE_PARTS.length);
    this.likelihood = new Float64Array(settings.effects.length);
  }

  step(candidateRequests: number, candidateBad: number, baselineRequests: number, baselineBad: number): void {
    this.candidateRequests += candidateRequests;
    this.candidateBad += candidateBad;
    this.baselineRequests += baselineRequests;
    this.baselineBad += baselineBad;
    if (this.objective !== undefined && candidateRequests > 0) this.stepObjective(this.objective.rate, candidateRequests, candidateBad);
    const events = candidateBad + baselineBad;
    if (events === 0 || candidateRequests === 0 || baselineRequests === 0) return;

    const { scale, marginIndex, belowMargin, likelihood, logCap } = this;
    scale.at(candidateRequests / (candidateRequests + baselineRequests));
    const rootOf = burstSize(events, this.correlation);
    this.worse.step(candidateBad, events, rootOf, logCap);
    const { log, spread } = scale;
    const atMargin = (candidateBad * log[marginIndex]! - events * spread[marginIndex]!) / rootOf;
    for (let k = 0; k < likelihood.length; k++) {
      const l = (candidateBad * log[k]! - events * spread[k]!) / rootOf;
      likelihood[k]! += l;
      if (k < belowMargin.length) belowMargin[k]! += Math.min(l - atMargin, logCap);
    }
  }

  private stepObjective(rate: number, requests: number, bad: number): void {
    const rootOf = burstSize(requests * rate, this.correlation);
    for (let k = 0; k < OBJECTIVE_PARTS.length; k++) {
      const part = OBJECTIVE_PARTS[k]!;
      const better = Math.log1p(-rate * part) - Math.log1p(-rate);
      const l = (bad * Math.log(part) + (requests - bad) * better) / rootOf;
      this.belowObjective[k]! += Math.min(l, this.logCap);
    }
  }

  get totals(): Totals {
    const { candidateRequests, candidateBad, baselineRequests, baselineBad } = this;
    return { candidateRequests, candidateBad, baselineRequests, baselineBad };
  }

  /** ln N against the margin: null where bad means only above the objective. */
  get logBelowMargin(): number | null {
    if (this.objective?.badWhen === 'aboveObjective') return null;
    return logMean(this.belowMargin, this.settings.promotionWeights.slice(0, this.belowMargin.length));
  }

  /** ln N against the objective: null without one. */
  get logBelowObjective(): number | null {
    return this.objective === undefined ? null : logMean(this.belowObjective, OBJECTIVE_WEIGHTS);
  }

  /** l(r), rooted and summed over the bins, at each of the settings' effects. */
  get logLikelihoods(): Float64Array {
    return this.likelihood;
  }
}
