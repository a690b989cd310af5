/** Which relative risks the counts leave possible, at every moment at once. */
import { BinTable } from './counts';
import { burstSize, logMean } from './likelihood';
import { profile } from './settings';
import type { Counts, JudgeSettings, ProfileName, RiskInterval } from './types';

/** Newton's steps in ln r stop when one is shorter than this: the next would be about its square. */
const TOLERANCE = 1e-3;
/** ln r beyond which an end is called open. */
const FURTHEST = Math.log(1e6);

/** Bins that carry evidence, as the sums below need them. */
export interface InformativeBins {
  readonly length: number;
  readonly theta: Float64Array;
  /** Bad events of both arms, after the root for bursts. */
  readonly events: Float64Array;
  /** The sum of those of the candidate, and of both arms. */
  readonly candidateSum: number;
  readonly eventSum: number;
}

/**
 * A confidence sequence for the relative risk: the r0 against which the mixture over all effects has gathered evidence below 1/alpha,
 *
 *     { r0 : l(r0) > ln(mean_k exp l(r_k)) - ln(1/alpha) },
 *
 * an interval, since l is concave in ln r0. It holds the true risk at all times together with probability 1 - alpha, and swapping the arms inverts it.
 * @param counts of one series
 * @throws Error on malformed counts or settings
 */
export function relativeRiskInterval(counts: Counts, settings: Partial<JudgeSettings> = {}, name: ProfileName = 'standard'): RiskInterval {
  const resolved = profile(name, settings);
  const table = new BinTable(counts, 'counts');
  const bins = informativeBins(table, table.length, resolved);
  const logs = resolved.effects.map((r) => height(bins, Math.log(r)).value);
  return intervalFrom(bins, logs, resolved);
}

/** The first `until` bins of a table, without those that say nothing. */
export function informativeBins(table: BinTable, until: number, settings: JudgeSettings): InformativeBins {
  const theta = new Float64Array(until);
  const events = new Float64Array(until);
  const correlation = settings.form === 'robust' ? settings.correlation : 0;
  let length = 0;
  let candidateSum = 0;
  let eventSum = 0;
  for (let i = 0; i < until; i++) {
    const candidateRequests = table.candidateRequests[i]!;
    const baselineRequests = table.baselineRequests[i]!;
    const both = table.candidateBad[i]! + table.baselineBad[i]!;
    if (both === 0 || candidateRequests === 0 || baselineRequests === 0) continue;
    const root = 1 / burstSize(both, correlation);
    theta[length] = candidateRequests / (candidateRequests + baselineRequests);
    events[length] = both * root;
    candidateSum += table.candidateBad[i]! * root;
    eventSum += both * root;
    length++;
  }
  return { length, theta, events, candidateSum, eventSum };
}

/** @param logs l(r) at each of the settings' effects, over the same bins */
export function intervalFrom(bins: InformativeBins, logs: ArrayLike<number>, settings: JudgeSettings): RiskInterval {
  const confidence = 1 - settings.alpha;
  if (bins.length === 0) return { estimate: null, low: 0, high: null, confidence };
  const { effects } = settings;
  const level = logMean(logs, new Float64Array(effects.length).fill(1)) - Math.log(1 / settings.alpha);
  let best = 0;
  for (let k = 1; k < effects.length; k++) if (logs[k]! > logs[best]!) best = k;

  const none = bins.candidateSum <= 0;
  const all = bins.candidateSum >= bins.eventSum;
  const { peak, curvature } = none || all ? { peak: all ? FURTHEST : -FURTHEST, curvature: 0 } : maximise(bins, Math.log(effects[best]!));
  const start = (side: -1 | 1) => startOf(level, peak, curvature, side, effects, logs);
  const low = none ? null : endOf(bins, level, start(-1), peak, -1);
  const high = all ? null : endOf(bins, level, start(1), peak, 1);
  return {
    estimate: none ? 0 : all ? null : Math.exp(peak),
    low: low === null ? 0 : Math.exp(low),
    high: high === null ? null : Math.exp(high),
    confidence,
  };
}

/** The slope and the curvature of l in u = ln r. */
function slopes(bins: InformativeBins, u: number): { slope: number; curvature: number } {
  const rise = Math.expm1(u);
  let slope = bins.candidateSum;
  let curvature = 0;
  for (let i = 0; i < bins.length; i++) {
    const lift = bins.theta[i]! * rise;
    const q = (bins.theta[i]! + lift) / (1 + lift);
    const weighted = bins.events[i]! * q;
    slope -= weighted;
    curvature -= weighted * (1 - q);
  }
  return { slope, curvature };
}

/** l and its slope in u = ln r. */
function height(bins: InformativeBins, u: number): { value: number; slope: number } {
  const rise = Math.expm1(u);
  let value = bins.candidateSum * u;
  let slope = bins.candidateSum;
  for (let i = 0; i < bins.length; i++) {
    const lift = bins.theta[i]! * rise;
    value -= bins.events[i]! * Math.log1p(lift);
    slope -= (bins.events[i]! * (bins.theta[i]! + lift)) / (1 + lift);
  }
  return { value, slope };
}

/** Where the concave l is greatest, by Newton's steps, kept short; and the curvature there. */
function maximise(bins: InformativeBins, start: number): { peak: number; curvature: number } {
  let peak = start;
  for (let step = 0; ; step++) {
    const { slope, curvature } = slopes(bins, peak);
    const move = curvature === 0 ? Math.sign(slope) : Math.max(-2, Math.min(2, -slope / curvature));
    peak = Math.max(-FURTHEST, Math.min(FURTHEST, peak + move));
    if (Math.abs(move) < TOLERANCE || step === 60) return { peak, curvature };
  }
}

/** A first guess at an end: where the parabola at the peak reaches the level, kept between the effects on either side of it. */
function startOf(
  level: number,
  peak: number,
  curvature: number,
  side: -1 | 1,
  effects: readonly number[],
  logs: ArrayLike<number>,
): number {
  let inside = peak;
  let outside = side * FURTHEST;
  let top = -Infinity;
  for (let k = 0; k < effects.length; k++) {
    const u = Math.log(effects[k]!);
    top = Math.max(top, logs[k]!);
    if ((u - peak) * side <= 0) continue;
    if (logs[k]! > level) inside = side > 0 ? Math.max(inside, u) : Math.min(inside, u);
    else outside = side > 0 ? Math.min(outside, u) : Math.max(outside, u);
  }
  const guess = curvature < 0 ? peak + side * Math.sqrt((2 * Math.max(0, top - level)) / -curvature) : inside + side;
  return (guess - inside) * side > 0 && (outside - guess) * side > 0
    ? guess
    : Math.abs(outside) === FURTHEST
      ? inside + side
      : (inside + outside) / 2;
}

/** Where l falls to the level on one side of its peak: Newton's steps within a bracket. Null where that is further than anyone would ask. */
function endOf(bins: InformativeBins, level: number, start: number, peak: number, side: -1 | 1): number | null {
  let inside = peak;
  let outside = side * FURTHEST;
  let u = start;
  for (let step = 0; step < 200; step++) {
    const { value, slope } = height(bins, u);
    if (value > level) inside = u;
    else outside = u;
    const next = u - (value - level) / slope;
    const usable = (next - inside) * side >= 0 && (outside - next) * side >= 0;
    const moved = usable ? next : (inside + outside) / 2;
    if (Math.abs(moved - u) < TOLERANCE) return Math.abs(moved) > FURTHEST - 1 ? null : moved;
    u = moved;
  }
  return u;
}
