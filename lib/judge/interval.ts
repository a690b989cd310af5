/** Which relative risks the counts leave possible, at every moment at once. */
import { BinTable } from './counts';
import { burstSize, logMean, RiskScale } from './likelihood';
import { profile } from './settings';
import type { Counts, JudgeSettings, ProfileName, RiskInterval } from './types';

/** Precision of the ends, relative. */
const TOLERANCE = 1e-6;
/** ln r beyond which an end is called open. */
const FURTHEST = Math.log(1e6);

/** Bins that carry evidence, as the sums below need them. */
export interface InformativeBins {
  readonly length: number;
  readonly theta: ArrayLike<number>;
  /** Bad events of the candidate, and of both arms, after the root for bursts. */
  readonly candidateBad: ArrayLike<number>;
  readonly events: ArrayLike<number>;
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
  const scale = new RiskScale(resolved.effects);
  const logs = new Float64Array(resolved.effects.length);
  for (let i = 0; i < bins.length; i++) {
    scale.at(bins.theta[i]!);
    for (let k = 0; k < logs.length; k++) logs[k]! += bins.candidateBad[i]! * scale.log[k]! - bins.events[i]! * scale.spread[k]!;
  }
  return intervalFrom(bins, logs, resolved);
}

/** The first `until` bins of a table, without those that say nothing. */
export function informativeBins(table: BinTable, until: number, settings: JudgeSettings): InformativeBins {
  const theta = new Float64Array(until);
  const candidateBad = new Float64Array(until);
  const events = new Float64Array(until);
  const correlation = settings.form === 'robust' ? settings.correlation : 0;
  let length = 0;
  for (let i = 0; i < until; i++) {
    const candidateRequests = table.candidateRequests[i]!;
    const baselineRequests = table.baselineRequests[i]!;
    const both = table.candidateBad[i]! + table.baselineBad[i]!;
    if (both === 0 || candidateRequests === 0 || baselineRequests === 0) continue;
    const rootOf = burstSize(both, correlation);
    theta[length] = candidateRequests / (candidateRequests + baselineRequests);
    candidateBad[length] = table.candidateBad[i]! / rootOf;
    events[length] = both / rootOf;
    length++;
  }
  return { length, theta, candidateBad, events };
}

/** @param logs l(r) at each of the settings' effects, over the same bins */
export function intervalFrom(bins: InformativeBins, logs: ArrayLike<number>, settings: JudgeSettings): RiskInterval {
  const confidence = 1 - settings.alpha;
  if (bins.length === 0) return { estimate: null, low: 0, high: null, confidence };
  let bad = 0;
  let events = 0;
  for (let i = 0; i < bins.length; i++) {
    bad += bins.candidateBad[i]!;
    events += bins.events[i]!;
  }
  const { effects } = settings;
  const level = logMean(logs, new Float64Array(effects.length).fill(1)) - Math.log(1 / settings.alpha);
  let best = 0;
  for (let k = 1; k < effects.length; k++) if (logs[k]! > logs[best]!) best = k;

  const peak = bad <= 0 ? -FURTHEST : bad >= events ? FURTHEST : maximise(bins, bad, Math.log(effects[best]!));
  const low = bad <= 0 ? null : endOf(bins, bad, level, peak, -1, effects, logs);
  const high = bad >= events ? null : endOf(bins, bad, level, peak, 1, effects, logs);
  return {
    estimate: bad <= 0 ? 0 : bad >= events ? null : Math.exp(peak),
    low: low === null ? 0 : Math.exp(low),
    high: high === null ? null : Math.exp(high),
    confidence,
  };
}

/** l and its first two derivatives in u = ln r, at u. */
function derivatives(bins: InformativeBins, bad: number, u: number): [value: number, slope: number, curvature: number] {
  const rise = Math.expm1(u);
  let value = bad * u;
  let slope = bad;
  let curvature = 0;
  for (let i = 0; i < bins.length; i++) {
    const lift = bins.theta[i]! * rise;
    const q = (bins.theta[i]! + lift) / (1 + lift);
    const weighted = bins.events[i]! * q;
    value -= bins.events[i]! * Math.log1p(lift);
    slope -= weighted;
    curvature -= weighted * (1 - q);
  }
  return [value, slope, curvature];
}

/** Where the concave l is greatest; Newton's steps in ln r, kept short. */
function maximise(bins: InformativeBins, bad: number, start: number): number {
  let u = start;
  for (let step = 0; step < 60; step++) {
    const [, slope, curvature] = derivatives(bins, bad, u);
    const move = curvature === 0 ? Math.sign(slope) : Math.max(-2, Math.min(2, -slope / curvature));
    u = Math.max(-FURTHEST, Math.min(FURTHEST, u + move));
    if (Math.abs(move) < TOLERANCE) break;
  }
  return u;
}

/** Where l falls to the level, on one side of its peak: Newton's steps within a bracket. Null where that is further than anyone would ask. */
function endOf(
  bins: InformativeBins,
  bad: number,
  level: number,
  peak: number,
  side: -1 | 1,
  effects: readonly number[],
  logs: ArrayLike<number>,
): number | null {
  let inside = peak;
  let outside = side * FURTHEST;
  for (let k = 0; k < effects.length; k++) {
    const u = Math.log(effects[k]!);
    if ((u - peak) * side <= 0) continue;
    if (logs[k]! > level) inside = side > 0 ? Math.max(inside, u) : Math.min(inside, u);
    else outside = side > 0 ? Math.min(outside, u) : Math.max(outside, u);
  }
  let u = Math.abs(outside) === FURTHEST ? inside + side : (inside + outside) / 2;
  for (let step = 0; step < 200; step++) {
    const [value, slope] = derivatives(bins, bad, u);
    const excess = value - level;
    if (excess > 0) inside = u;
    else outside = u;
    const next = slope === 0 ? Number.NaN : u - excess / slope;
    const usable = (next - inside) * side > 0 && (outside - next) * side > 0;
    const moved = usable ? next : (inside + outside) / 2;
    if (Math.abs(moved - u) < TOLERANCE) return Math.abs(moved) >= FURTHEST - 1 ? null : moved;
    u = moved;
  }
  return Math.abs(u) >= FURTHEST - 1 ? null : u;
}
