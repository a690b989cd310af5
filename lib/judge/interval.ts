/** Which relative risks the counts leave possible, at every moment at once. */
import { BinTable } from './counts';
import { burstSize } from './likelihood';
import { profile } from './settings';
import type { Counts, JudgeSettings, ProfileName, RiskInterval } from './types';

/** Newton's steps in ln r stop when one is shorter than this: the next would be about its square. */
const TOLERANCE = 1e-4;
/** ln r beyond which an end is called open. */
const FURTHEST = Math.log(1e6);
/** Spread of ln r before anything was counted: a Cauchy distribution around 0, so half of it between 1/2 and 2. */
const PRIOR_SPREAD = Math.LN2;
/** Where the likelihood is worked out to integrate it: in standard deviations around its peak, and at these relative risks. */
const DEVIATIONS = [0.4, 0.8, 1.3, 1.8, 2.5, 3.3, 4.5];
const RISKS = [1, 1.25, 1.5, 2, 3, 5, 10, 25, 60, 200];

/**
 * Bins that carry evidence, gathered into classes of nearly equal theta: within 3 % of each other, and with the variance of the class taken into
 * account, their likelihood differs from the sum over all bins by less than a thousandth where it matters.
 */
export interface GatheredBins {
  /** Weighted mean and variance of theta in each class. */
  readonly theta: Float64Array;
  readonly variance: Float64Array;
  /** Bad events of both arms in each class, after the root for bursts. */
  readonly events: Float64Array;
  /** The sum of those of the candidate, and of both arms. */
  readonly candidateSum: number;
  readonly eventSum: number;
}

/**
 * A confidence sequence for the relative risk: the r0 against which a mixture over all r has gathered evidence below 1/alpha,
 *
 *     { r0 : l(r0) > ln Z - ln(1/alpha) },     Z <= integral of exp(l(r)) d prior(ln r),
 *
 * an interval, since l is concave in ln r0. It holds the true risk at all times together with probability 1 - alpha, and swapping the arms inverts it.
 * @param counts of one series
 * @throws Error on malformed counts or settings
 */
export function relativeRiskInterval(counts: Counts, settings: Partial<JudgeSettings> = {}, name: ProfileName = 'standard'): RiskInterval {
  const resolved = profile(name, settings);
  const table = new BinTable(counts, 'counts');
  return intervalOf(gatherBins(table, table.length, resolved), resolved);
}

const asFloat = new Float32Array(1);
const asBits = new Int32Array(asFloat.buffer);

/** The class of a positive number: its exponent and the first five digits of its mantissa. */
function classOf(value: number): number {
  asFloat[0] = value;
  return asBits[0]! >> 18;
}

/** The first `until` bins of a table, without those that say nothing. */
export function gatherBins(table: BinTable, until: number, settings: JudgeSettings): GatheredBins {
  const { candidateRequests, candidateBad, baselineRequests, baselineBad } = table;
  const correlation = settings.form === 'robust' ? settings.correlation : 0;
  const places = new Int16Array(1 << 13);
  const events: number[] = [];
  const first: number[] = [];
  const second: number[] = [];
  let candidateSum = 0;
  let eventSum = 0;
  for (let i = 0; i < until; i++) {
    const n = candidateRequests[i]!;
    const m = baselineRequests[i]!;
    const both = candidateBad[i]! + baselineBad[i]!;
    if (both === 0 || n === 0 || m === 0) continue;
    const root = 1 / burstSize(both, correlation);
    const rooted = both * root;
    const theta = n / (n + m);
    candidateSum += candidateBad[i]! * root;
    eventSum += rooted;
    const key = classOf(n / m);
    const place = places[key]! - 1;
    if (place < 0) {
      places[key] = events.push(rooted);
      first.push(rooted * theta);
      second.push(rooted * theta * theta);
    } else {
      events[place]! += rooted;
      first[place]! += rooted * theta;
      second[place]! += rooted * theta * theta;
    }
  }
  const weights = Float64Array.from(events);
  const theta = weights.map((v, g) => first[g]! / v);
  const variance = weights.map((v, g) => Math.max(0, second[g]! / v - theta[g]! ** 2));
  return { theta, variance, events: weights, candidateSum, eventSum };
}

/** The interval from gathered bins. */
export function intervalOf(bins: GatheredBins, settings: JudgeSettings): RiskInterval {
  const confidence = 1 - settings.alpha;
  if (bins.events.length === 0) return { estimate: null, low: 0, high: null, confidence };
  const none = bins.candidateSum <= 0;
  const all = bins.candidateSum >= bins.eventSum;
  const { peak, deviation } = none || all ? { peak: all ? FURTHEST : -FURTHEST, deviation: 0 } : maximise(bins);
  const { logIntegral, nodes } = integrate(bins, peak, deviation);
  const level = logIntegral + Math.log(settings.alpha);
  const low = none ? null : endOf(bins, level, peak, -1, nodes);
  const high = all ? null : endOf(bins, level, peak, 1, nodes);
  return {
    estimate: none ? 0 : all ? null : Math.exp(peak),
    low: low === null ? 0 : Math.exp(low),
    high: high === null ? null : Math.exp(high),
    confidence,
  };
}

/** l and its first two derivatives in u = ln r. */
function likelihoodAt(bins: GatheredBins, u: number): { value: number; slope: number; curvature: number } {
  const { theta, variance, events } = bins;
  const rise = Math.expm1(u);
  const risk = rise + 1;
  let value = bins.candidateSum * u;
  let slope = bins.candidateSum;
  let curvature = 0;
  for (let g = 0; g < events.length; g++) {
    const spread = 1 + theta[g]! * rise;
    const q = (theta[g]! * risk) / spread;
    const off = (variance[g]! * rise) / (spread * spread);
    value -= events[g]! * (Math.log1p(theta[g]! * rise) - 0.5 * off * rise);
    slope -= events[g]! * (q - (off * risk) / spread);
    curvature -= events[g]! * q * (1 - q);
  }
  return { value, slope, curvature };
}

/** Where the concave l is greatest, by Newton's steps, kept short; and the standard deviation there. */
function maximise(bins: GatheredBins): { peak: number; deviation: number } {
  let peak = 0;
  for (let step = 0; ; step++) {
    const { slope, curvature } = likelihoodAt(bins, peak);
    const move = curvature === 0 ? Math.sign(slope) : Math.max(-2, Math.min(2, -slope / curvature));
    peak = Math.max(-FURTHEST, Math.min(FURTHEST, peak + move));
    if (Math.abs(move) < TOLERANCE || step === 100) return { peak, deviation: curvature === 0 ? 0 : 1 / Math.sqrt(-curvature) };
  }
}

interface Node {
  readonly u: number;
  readonly value: number;
}

/**
 * ln of a lower bound on the integral of exp(l) over the prior: between two nodes a concave l lies above its chord, and the prior above the lower of its
 * two ends.
 */
function integrate(bins: GatheredBins, peak: number, deviation: number): { logIntegral: number; nodes: readonly Node[] } {
  const places = RISKS.flatMap((risk) => (risk === 1 ? [0] : [-Math.log(risk), Math.log(risk)]));
  if (deviation > 0) {
    places.push(peak);
    for (const d of DEVIATIONS) places.push(Math.max(-FURTHEST, peak - d * deviation), Math.min(FURTHEST, peak + d * deviation));
  }
  const nodes = places.sort((a, b) => a - b).map((u) => ({ u, value: likelihoodAt(bins, u).value }));
  const top = Math.max(...nodes.map(({ value }) => value));
  let sum = 0;
  for (let j = 1; j < nodes.length; j++) {
    const [a, b] = [nodes[j - 1]!, nodes[j]!];
    const density = 1 / (Math.PI * PRIOR_SPREAD * (1 + (Math.max(Math.abs(a.u), Math.abs(b.u)) / PRIOR_SPREAD) ** 2));
    const [lesser, greater] = a.value < b.value ? [a.value, b.value] : [b.value, a.value];
    const drop = greater - lesser;
    // The mean of exp along a chord.
    const mean = Math.exp(greater - top) * (drop < 1e-9 ? 1 : -Math.expm1(-drop) / drop);
    sum += density * mean * (b.u - a.u);
  }
  return { logIntegral: top + Math.log(sum), nodes };
}

/** Where l falls to the level on one side of its peak: Newton's steps within a bracket. Null where that is further than anyone would ask. */
function endOf(bins: GatheredBins, level: number, peak: number, side: -1 | 1, nodes: readonly Node[]): number | null {
  let inside = peak;
  let outside = side * FURTHEST;
  for (const { u, value } of nodes) {
    if ((u - peak) * side <= 0) continue;
    if (value > level) inside = side > 0 ? Math.max(inside, u) : Math.min(inside, u);
    else outside = side > 0 ? Math.min(outside, u) : Math.max(outside, u);
  }
  let u = Math.abs(outside) === FURTHEST ? inside + side : (inside + outside) / 2;
  for (let step = 0; step < 200; step++) {
    const { value, slope } = likelihoodAt(bins, u);
    if (value > level) inside = u;
    else outside = u;
    const next = u - (value - level) / slope;
    const usable = (next - inside) * side >= 0 && (outside - next) * side >= 0;
    const moved = usable ? next : (inside + outside) / 2;
    if (Math.abs(moved - u) < TOLERANCE) return moved * side > FURTHEST - 1 ? null : moved;
    u = moved;
  }
  return u;
}
