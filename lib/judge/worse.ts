/** The evidence that the candidate is worse, bin by bin. */
import type { Bets } from './bets';
import type { JudgeSettings } from './types';

/** Part of the late reserve is put to use after every so many bins with evidence in them ... */
const WAKE_EVERY = 8;
/** ... and half of it after this many. */
const RESERVE_HALF_LIFE = 100;
/** Stakes are kept within this of 1 by a common scale, so that a million bins neither overflow nor vanish. */
const LARGE = 1e100;
/** Logarithms of factors are taken as no further from 0 than this; the cap is far lower, and what is lost below is less than rounding. */
const MOST_LOG = 200;

/**
 * Evidence that the candidate is worse: bets on several effects, which are the larger the more their effect has won, so that with each bin's factors f_ik
 *
 *     M_t = M_{t-1} min(cap, (A + sum_k V_k f_tk) / (A + sum_k V_k)),     V_k <- V_k min(cap, f_tk),
 *
 * where A is a reserve that is not bet yet. A part of it wakes after every so many bins, so that a regression that begins late is not found late. While no bin
 * reaches the cap, this is the mixture A + sum_k V_k; then the factors are taken as sums of logarithms, and M is worked out only where it may matter.
 */
export class WorseProcess {
  private readonly weights: Float64Array;
  /** The stake on each effect at the last summing up, times exp(-scale), and the logarithm of its factors since. */
  private readonly stakes: Float64Array;
  private readonly since: Float64Array;
  private asleep: number;
  private scale = 0;
  /** exp(-scale). */
  private unit = 1;
  private bins = 0;
  /** ln M at the last summing up, ln of all stakes then, and what none of `since` exceeds. */
  private log = 0;
  private logStakes = 0;
  private rise = 0;

  constructor(private readonly settings: JudgeSettings) {
    const { effects, rollbackWeights, lateReserve } = settings;
    const weights = Float64Array.from(rollbackWeights.filter((_, k) => effects[k]! > 1));
    const total = weights.reduce((sum, w) => sum + w, 0);
    this.weights = weights.map((w) => w / total);
    this.stakes = this.weights.map((w) => w * (1 - lateReserve));
    this.since = new Float64Array(weights.length);
    this.asleep = lateReserve;
    this.weigh();
  }

  /** Takes in a bin; see `Bets.add`. */
  step(bets: Bets, hits: number, events: number, share: number, from: number): void {
    // A bet gains at most E KL(hits/E || share), which a mean over shares and a root only lower; and that is at most Pearson's X^2.
    const off = hits - events * share;
    if (off > 0) this.rise += (off * off) / (events * share * (1 - share));
    if (bets.add(hits, events, share, from, this.since)) {
      bets.place(hits, events, share, from);
      this.stepCapped(bets);
    }
    if (++this.bins % WAKE_EVERY === 0) this.wake();
  }

  private stepCapped({ log, logCap }: Bets): void {
    const { stakes, since } = this;
    if (!log.some((one) => one > logCap)) return;
    for (let k = 0; k < since.length; k++) since[k]! -= log[k]!;
    this.sumUp();
    const before = this.logStakes;
    let sum = this.asleep * this.unit;
    for (let k = 0; k < stakes.length; k++) {
      sum += stakes[k]! * Math.exp(Math.min(log[k]!, MOST_LOG));
      stakes[k]! *= Math.exp(Math.max(-MOST_LOG, Math.min(log[k]!, logCap)));
    }
    this.log += Math.min(logCap, Math.log(sum) + this.scale - before);
    this.weigh();
  }

  /** Takes the factors since the last time into the stakes. */
  private sumUp(): void {
    const { stakes, since } = this;
    const before = this.logStakes;
    for (let k = 0; k < stakes.length; k++) {
      if (since[k] !== 0) stakes[k]! *= Math.exp(Math.max(since[k]!, -MOST_LOG));
      since[k] = 0;
    }
    this.rise = 0;
    this.weigh();
    this.log += this.logStakes - before;
  }

  /** Works out the sum of all stakes, and changes the scale where they have grown or shrunk too far. */
  private weigh(): void {
    const { stakes } = this;
    let sum = this.asleep * this.unit;
    for (let k = 0; k < stakes.length; k++) sum += stakes[k]!;
    this.logStakes = Math.log(sum) + this.scale;
    if (sum <= LARGE && sum >= (this.scale > 0 ? 1 : 1 / LARGE)) return;
    const shift = this.scale > 0 && sum < 1 ? Math.max(-this.scale, Math.log(sum)) : Math.log(sum);
    const factor = Math.exp(-shift);
    for (let k = 0; k < stakes.length; k++) stakes[k]! *= factor;
    this.scale += shift;
    this.unit = Math.exp(-this.scale);
  }

  private wake(): void {
    const { stakes, weights } = this;
    this.sumUp();
    const asleep = (this.settings.lateReserve * RESERVE_HALF_LIFE) / (RESERVE_HALF_LIFE + this.bins);
    const waking = (this.asleep - asleep) * this.unit;
    for (let k = 0; k < stakes.length; k++) stakes[k]! += waking * weights[k]!;
    this.asleep = asleep;
  }

  /** Whether ln M is at least so much; it is worked out only where it may be. */
  hasReached(logThreshold: number): boolean {
    if (this.log + this.rise < logThreshold) return false;
    this.sumUp();
    return this.log >= logThreshold;
  }

  /** ln M. */
  get logValue(): number {
    const { stakes, since } = this;
    let sum = this.asleep * this.unit;
    for (let k = 0; k < stakes.length; k++) sum += stakes[k]! * Math.exp(since[k]!);
    return this.log + (Math.log(sum) + this.scale - this.logStakes);
  }
}
