/** One bin's factor for each effect that is bet on: the formula under every verdict. */
import { type BetaMeans, concentrationOf, MOST_EVENTS, meansFor, type Terms } from './beta-means';
import type { JudgeSettings } from './types';

/** No factor of one bin is larger than this even in the plain form: a bound far above any threshold, and within floating point. */
const PLAIN_LOG_CAP = 50;

/**
 * Bets on all effects at once. Of a bin's E bad events x fell on one arm, whose share of them is at most q while the hypothesis holds. They come in bursts, so up to
 * D = 1 + (E - 1) bursts of them count as one, and all of them as n = E / D; and a bin has a share of its own, so q is only the mean of a beta
 * distribution with the correlation iota. For an effect y > 1
 *
 *     factor = y^(x / D) / E[(1 + Q (y - 1))^n],     Q ~ Beta(q (1/iota - 1), (1 - q) (1/iota - 1)),
 *
 * has an expectation of at most 1: see the appendix of docs/judging.md. Without bursts and correlation it is the likelihood ratio of two binomial counts.
 */
export class Bets {
  /** ln of each effect's factor for the last bin placed. */
  readonly log: Float64Array;
  private readonly logEffects: Float64Array;
  /** ln (1 + q (y - 1)) of each effect for the last share without correlation. */
  private readonly spread: Float64Array;
  private spreadShare = Number.NaN;
  /** The two parameters of the beta distribution together. */
  private readonly concentration: number;
  private readonly means: BetaMeans | undefined;
  private readonly before: Float64Array;
  /** ln of the cap on one bin's factors. */
  readonly logCap: number;

  constructor(readonly terms: Terms) {
    const { effects, correlation, logCap = Infinity } = terms;
    this.logCap = logCap;
    this.log = new Float64Array(effects.length);
    this.logEffects = Float64Array.from(effects, Math.log);
    this.spread = new Float64Array(effects.length);
    this.before = new Float64Array(effects.length);
    this.concentration = concentrationOf(correlation);
    if (correlation > 0) this.means = meansFor(terms);
  }

  /** Sets the factors of a bin; its parameters are those of `add`. */
  place(hits: number, events: number, share: number, from: number): void {
    this.log.fill(0);
    this.add(hits, events, share, from, this.log);
  }

  /**
   * Adds ln of each effect's factor for a bin to `sums`.
   * @param hits bad events of the arm that is bet on
   * @param events bad events of both arms, at least 1
   * @param share the arm's share of them under the hypothesis, strictly between 0 and 1
   * @param from the share that the effects are meant against: an effect that the hypothesis' share already explains is not bet on, and of one that it
   * explains in part only the rest is
   * @returns whether one of them may be above the cap
   */
  add(hits: number, events: number, share: number, from: number, sums: Float64Array): boolean {
    return share > from ? this.addLowered(hits, events, share, from, sums) : this.addFull(hits, events, share, sums);
  }

  private addFull(hits: number, events: number, share: number, sums: Float64Array): boolean {
    if (events > 1 && this.means !== undefined) return this.means.add(hits, events, share, sums);
    return this.addExactly(hits, events, share, sums);
  }

  private addExactly(hits: number, events: number, share: number, sums: Float64Array): boolean {
    const { logEffects, spread } = this;
    const root = 1 / (1 + this.terms.bursts * (events - 1));
    if (share !== this.spreadShare) {
      this.spreadShare = share;
      const { effects } = this.terms;
      for (let k = 0; k < spread.length; k++) spread[k] = Math.log1p(share * (effects[k]! - 1));
    }
    let largest = 0;
    for (let k = 0; k < sums.length; k++) {
      const log = root * (hits * logEffects[k]! - events * spread[k]!);
      sums[k]! += log;
      if (log > largest) largest = log;
    }
    return largest > this.logCap;
  }

  /** Bets on the effect nearest to what is left of each; on none where that is nearer to no effect at all. */
  private addLowered(hits: number, events: number, share: number, from: number, sums: Float64Array): boolean {
    const { logEffects, before } = this;
    before.fill(0);
    const mayExceed = this.addFull(hits, events, share, before);
    const explained = Math.log((share * (1 - from)) / ((1 - share) * from));
    let j = sums.length - 1;
    for (let k = sums.length - 1; k >= 0; k--) {
      const left = logEffects[k]! - explained;
      while (j >= 0 && (logEffects[j]! + (logEffects[j - 1] ?? 0)) / 2 > left) j--;
      if (j >= 0) sums[k]! += before[j]!;
    }
    return mayExceed;
  }

  /**
   * The largest mean that the arm's share of a block's later events can have, after the earlier ones have shown where the block's share lies.
   * @param hits of the `events` earlier ones, the arm's
   * @param share bound on its mean when the block began
   */
  shareAfter(hits: number, events: number, share: number): number {
    const { concentration } = this;
    if (events === 0 || concentration === Infinity) return share;
    return Math.max(share, (share * concentration + hits) / (concentration + events));
  }
}

/** Bets for and against, on the settings' terms and one margin. */
export class Stakes {
  /** That more of the bad events are the candidate's than its share of the traffic. */
  readonly worse: Bets;
  /** That more of them are the baseline's than if the candidate were the margin times as bad; in the reverse order of the settings' effects. */
  readonly notWorse: Bets;
  readonly notWorseWeights: readonly number[];
  /** ln of the cap on one bin's factors. */
  readonly logCap: number;

  constructor(
    settings: JudgeSettings,
    readonly margin: number,
  ) {
    const { effects, promotionWeights } = settings;
    const robust = settings.form === 'robust';
    const correlation = robust ? settings.correlation : 0;
    const promotionCorrelation = robust ? settings.promotionCorrelation : 0;
    const logCap = robust ? Math.log(settings.cap) : PLAIN_LOG_CAP;
    this.logCap = logCap;
    const bursts = robust ? 1 / MOST_EVENTS : 0;
    this.worse = new Bets({ effects: effects.filter((r) => r > 1), correlation, bursts, tempered: true, logCap });
    const below = effects.filter((r) => r < margin);
    // What is bet on must not depend on the bin here, where bad events need not be rare; so a bin is allowed less.
    this.notWorse = new Bets({
      effects: below.map((r) => margin / r).reverse(),
      correlation: promotionCorrelation,
      bursts: Math.max(bursts, promotionCorrelation / 2),
      tempered: false,
      logCap,
    });
    this.notWorseWeights = promotionWeights.slice(0, below.length).reverse();
  }
}
