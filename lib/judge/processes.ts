/** The evidence of one series, bin by bin: that the candidate is worse, and that it is not. */
import { burstSize, logMean, type RiskScale } from './likelihood';
import type { JudgeSettings, Objective, Totals } from './types';

/** Part of the late reserve is put to use after every so many bins with evidence in them ... */
const WAKE_EVERY = 8;
/** ... and half of it after this many. */
const RESERVE_HALF_LIFE = 100;
/** Evidence is kept below this by a common scale, so that a million bins neither overflow nor vanish. */
const LARGE = 1e100;
/** No factor of one bin is larger than this even in the plain form: a bound far above any threshold, and within floating point. */
const PLAIN_LOG_CAP = 50;
/** A bin with more bad events than this many times what the bins before it lead to expect, and this many more, is no normal one. */
const OUTAGE_TIMES = 4;
const OUTAGE_EVENTS = 10;
/** Rates that are bet on against an objective, as parts of it. */
const OBJECTIVE_PARTS = [0.01, 0.1, 0.25, 0.5, 0.75];
const OBJECTIVE_WEIGHTS = [1, 1, 1, 1, 1];

/**
 * Evidence that the candidate is worse: a mixture over effects and over the moment at which the regression began,
 *
 *     M = sum_k w_k [ (1 - e) prod_i f_ik + e sum_s pi_s prod_{i > s} f_ik ] + (what of the reserve e is not yet awake),
 *
 * where f_ik is bin i's factor for effect k. Each product is a supermartingale while the candidate is not worse, so M is one. The products are taken
 * as sums of logarithms from one waking to the next; M itself is worked out only where it may matter.
 */
class WorseProcess {
  private readonly first: number;
  private readonly weights: Float64Array;
  /** Evidence for each effect at the last waking, times exp(-scale), and the logarithm of its factors since. */
  private readonly wealth: Float64Array;
  private readonly since: Float64Array;
  private asleep: number;
  private scale = 0;
  private bins = 0;
  /** ln of all evidence at the last waking, and the largest of `since`. */
  private logAtWaking = 0;
  private rise = 0;

  constructor(
    private readonly risks: RiskScale,
    private readonly settings: JudgeSettings,
  ) {
    const { effects, rollbackWeights, lateReserve } = settings;
    this.first = effects.findIndex((r) => r > 1);
    const weights = Float64Array.from(rollbackWeights.slice(this.first));
    const total = weights.reduce((sum, w) => sum + w, 0);
    this.weights = weights.map((w) => w / total);
    this.wealth = this.weights.map((w) => w * (1 - lateReserve));
    this.since = new Float64Array(weights.length);
    this.asleep = lateReserve;
  }

  /** Takes in the bin that the scale last weighed. */
  step(logCap: number): void {
    const { since, first } = this;
    const { l } = this.risks;
    let rise = 0;
    for (let k = 0; k < since.length; k++) {
      const grown = since[k]! + Math.min(l[first + k]!, logCap);
      since[k] = grown;
      if (grown > rise) rise = grown;
    }
    this.rise = rise;
    if (++this.bins % WAKE_EVERY === 0) this.wake();
  }

  private wake(): void {
    const { wealth, since, weights } = this;
    const asleep = (this.settings.lateReserve * RESERVE_HALF_LIFE) / (RESERVE_HALF_LIFE + this.bins);
    const unit = this.scale === 0 ? 1 : Math.exp(-this.scale);
    const waking = (this.asleep - asleep) * unit;
    let sum = asleep * unit;
    for (let k = 0; k < wealth.length; k++) {
      const grown = wealth[k]! * Math.exp(since[k]!) + waking * weights[k]!;
      wealth[k] = grown;
      since[k] = 0;
      sum += grown;
    }
    this.asleep = asleep;
    this.rise = 0;
    this.logAtWaking = Math.log(sum) + this.scale;
    if (sum > LARGE || (this.scale > 0 && sum < 1)) this.rescale(Math.max(-this.scale, Math.log(sum)));
  }

  private rescale(shift: number): void {
    const factor = Math.exp(-shift);
    for (let k = 0; k < this.wealth.length; k++) this.wealth[k]! *= factor;
    this.scale += shift;
  }

  /** ln M is at most this: quick to know. */
  get logBound(): number {
    return this.logAtWaking + this.rise;
  }

  /** ln M. */
  get logValue(): number {
    const { wealth, since } = this;
    let sum = this.asleep * Math.exp(-this.scale);
    for (let k = 0; k < wealth.length; k++) sum += wealth[k]! * Math.exp(since[k]!);
    return Math.log(sum) + this.scale;
  }
}

/** All evidence of one series. Bins are given in the order of time. */
export class SeriesProcess {
  readonly worse: WorseProcess;
  private readonly belowMargin: Float64Array;
  private readonly belowObjective: Float64Array;
  private readonly logCap: number;
  private readonly correlation: number;
  private readonly promotionCorrelation: number;
  private readonly outages: boolean;
  private eventsBefore = 0;
  private requestsBefore = 0;
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
    this.promotionCorrelation = robust ? settings.promotionCorrelation : 0;
    this.outages = robust;
    this.worse = new WorseProcess(scale, settings);
    const margin = scale.risks[marginIndex]!;
    this.belowMargin = new Float64Array(settings.effects.filter((r) => r < margin).length);
    this.belowObjective = new Float64Array(objective === undefined ? 0 : OBJECTIVE_PARTS.length);
  }

  step(candidateRequests: number, candidateBad: number, baselineRequests: number, baselineBad: number): void {
    this.candidateRequests += candidateRequests;
    this.candidateBad += candidateBad;
    this.baselineRequests += baselineRequests;
    this.baselineBad += baselineBad;
    if (this.objective !== undefined && candidateRequests > 0) this.stepObjective(this.objective.rate, candidateRequests, candidateBad);
    const events = candidateBad + baselineBad;
    if (events === 0 || candidateRequests === 0 || baselineRequests === 0) return;

    const { scale, marginIndex, belowMargin, logCap, promotionCorrelation } = this;
    const requests = candidateRequests + baselineRequests;
    const most = this.requestsBefore === 0 ? Infinity : OUTAGE_TIMES * (this.eventsBefore / this.requestsBefore) * requests + OUTAGE_EVENTS;
    // An outage raises what is expected by as much as it could without being one: what lasts becomes normal.
    this.eventsBefore += Math.min(events, most);
    this.requestsBefore += requests;
    scale.weigh(candidateBad, events, candidateRequests / requests, this.correlation);
    this.worse.step(logCap);
    const { l } = scale;
    if (this.outages && events > most) return;
    const atMargin = l[marginIndex]!;
    const slower = burstSize(events, this.correlation) / burstSize(events, promotionCorrelation);
    for (let k = 0; k < belowMargin.length; k++) belowMargin[k]! += Math.min((l[k]! - atMargin) * slower, logCap);
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
}
