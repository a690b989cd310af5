/** What a bin's share of bad events, drawn anew for each bin, makes of a bet on it. */

/** However many bad events a bin holds, they count as no more than this many. */
export const MOST_EVENTS = 400;
/** The mean is worked out at shares e^(-j / NODES), and between them by a chord in ln q, which never lies below it. */
const NODES = 32;
/** What was worked out for bins of up to so many events is kept, so many in a row. */
const KEPT = 1000;
const IN_ROW = 32;
/** Numbers kept for each effect. */
const PARTS = 3;
/** Larger powers are divided by this on the way. */
const LARGE = 1e200;
const LOG_LARGE = Math.log(LARGE);
/** A smaller correlation is taken as this: its reciprocal stays within what can be multiplied by a large power. */
const LEAST_CORRELATION = 1e-15;

/** First n of each stretch in which the effects stay the same: one by one, then ever wider. */
const FIRST: number[] = [];
for (let n = 0; n <= MOST_EVENTS + 1; n += Math.max(1, n >> 3)) FIRST.push(n);
FIRST.push(MOST_EVENTS + 2);
const STRETCH = new Uint8Array(MOST_EVENTS + 2);
for (let s = 0; s + 1 < FIRST.length; s++) STRETCH.fill(s, FIRST[s], FIRST[s + 1]!);

/** What is bet on, and what is allowed for. */
export interface Terms {
  /** Effects, above 1 and increasing. */
  readonly effects: readonly number[];
  /** Intra-class correlation allowed for, in [0, 1]. */
  readonly correlation: number;
  /** Of E bad events in a bin, 1 + (E - 1) times this count as one: 0, or at least 1 / MOST_EVENTS. */
  readonly bursts: number;
  /** Whether to bet on less where a bin holds more than it can tell, y = r^(1 / (1 + iota (n - 1))): there the evidence grows fastest. */
  readonly tempered: boolean;
  /** ln of the cap on one bin's factors. @default - no cap */
  readonly logCap?: number;
}

/** The two parameters together of a beta distribution with this intra-class correlation; with one of 1 all events of a bin are one. */
export function concentrationOf(correlation: number): number {
  return Math.max(1e-9, 1 / Math.max(correlation, LEAST_CORRELATION) - 1);
}

/**
 * ln E[(1 + Q (y - 1))^n], Q ~ Beta(q s, (1 - q) s) with s = 1 / iota - 1, from a table that fills as it is asked. It is never below the truth, and above
 * it by less than 0.01.
 */
export class BetaMeans {
  /** ln y, stretch by stretch. */
  private readonly logEffects: Float64Array;
  private readonly effects: number;
  private readonly bursts: number;
  private readonly logCap: number;
  /** The beta distribution's two parameters together. */
  private readonly concentration: number;
  /** By node and stretch. */
  private readonly rows: (Float64Array | undefined)[][] = [];
  private row: (Float64Array | undefined)[] = [];
  /**
   * By node and number of events: the most hits with which no factor can be above the cap, 0 where not yet asked for; then for each effect ln y of a hit, the
   * logarithm at the node, and how far that at the next is from it.
   */
  private readonly keptRows: (Float64Array | undefined)[][] = [];
  private kept: (Float64Array | undefined)[] = [];
  /** The same for the last bin of more events than are kept. */
  private readonly passing: Float64Array;
  private share = Number.NaN;
  private node = Number.NaN;
  private beyond = 0;

  constructor({ effects, correlation, bursts, tempered, logCap = Infinity }: Terms) {
    this.bursts = bursts;
    this.logCap = logCap;
    this.effects = effects.length;
    this.concentration = concentrationOf(correlation);
    this.passing = new Float64Array(1 + PARTS * effects.length);
    this.logEffects = new Float64Array(FIRST.length * effects.length);
    for (let s = 0; s + 1 < FIRST.length; s++) {
      const n = (FIRST[s]! + FIRST[s + 1]!) / 2;
      effects.forEach((r, k) => {
        this.logEffects[s * effects.length + k] = Math.log(r) / (tempered ? 1 + correlation * Math.max(0, n - 1) : 1);
      });
    }
  }

  /**
   * Adds x ln y - ln E[(1 + Q (y - 1))^n] for each effect, where x and n are the hits and the events after the root for bursts.
   * @returns whether one of them may be above the cap
   */
  add(hits: number, events: number, share: number, sums: Float64Array): boolean {
    if (share !== this.share) {
      this.share = share;
      const place = -NODES * Math.log(share);
      const node = Math.floor(place);
      this.beyond = place - node;
      if (node !== this.node) this.moveTo(node);
    }
    const { beyond } = this;
    const keeps = events <= KEPT;
    const bin = keeps ? (this.kept[Math.floor(events / IN_ROW)] ?? this.startRow(events)) : this.passing;
    let i = keeps ? (events % IN_ROW) * (1 + PARTS * sums.length) : 0;
    if (!keeps || bin[i] === 0) this.workOutBin(events, bin, i);
    const mayExceed = hits > bin[i]!;
    i++;
    for (let k = 0; k < sums.length; k++, i += PARTS) sums[k]! += hits * bin[i]! - bin[i + 1]! - beyond * bin[i + 2]!;
    return mayExceed;
  }

  private moveTo(node: number): void {
    this.node = node;
    this.row = this.rows[node] ?? [];
    this.rows[node] = this.row;
    this.kept = this.keptRows[node] ?? [];
    this.keptRows[node] = this.kept;
  }

  private startRow(events: number): Float64Array {
    const row = new Float64Array(IN_ROW * (1 + PARTS * this.effects));
    this.kept[Math.floor(events / IN_ROW)] = row;
    return row;
  }

  /** By chords between whole n, in which the logarithms are convex. */
  private workOutBin(events: number, into: Float64Array, at: number): void {
    const root = 1 / (1 + this.bursts * (events - 1));
    const n = events * root;
    const whole = Math.floor(n);
    const part = n - whole;
    const stretch = STRETCH[whole]!;
    const table = this.row[stretch] ?? this.fill(stretch);
    const width = 2 * this.effects;
    const from = (whole - FIRST[stretch]!) * width;
    let most = Infinity;
    for (let k = 0, i = from, j = at + 1; k < this.effects; k++, i += 2, j += PARTS) {
      const near = (1 - part) * table[i]! + part * table[i + width]!;
      const far = (1 - part) * table[i + 1]! + part * table[i + 1 + width]!;
      const hit = root * this.logEffects[stretch * this.effects + k]!;
      into[j] = hit;
      into[j + 1] = near;
      into[j + 2] = far - near;
      most = Math.min(most, (this.logCap + far) / hit);
    }
    into[at] = most;
  }

  /** The logarithms at the share of the present node and at the next, by turns. */
  private fill(stretch: number): Float64Array {
    const above = this.workOut(Math.exp(-this.node / NODES), stretch);
    const below = this.workOut(Math.exp(-(this.node + 1) / NODES), stretch);
    const table = new Float64Array(2 * above.length);
    for (let i = 0; i < above.length; i++) {
      table[2 * i] = above[i]!;
      table[2 * i + 1] = below[i]!;
    }
    this.row[stretch] = table;
    return table;
  }

  /** By Gauss's relation between neighbours of 2F1(-n, a; a + b; 1 - y): the mean is its growing solution, so the recurrence is stable. */
  private workOut(share: number, stretch: number): Float64Array {
    const { effects, concentration: s } = this;
    const first = FIRST[stretch]!;
    const last = FIRST[stretch + 1]!;
    const table = new Float64Array((last - first + 1) * effects);
    for (let k = 0; k < effects; k++) {
      const y = Math.exp(this.logEffects[stretch * effects + k]!);
      let scale = 0;
      let before = 1;
      let now = 1 + share * (y - 1);
      if (first <= 1) table[(1 - first) * effects + k] = Math.log(now);
      for (let n = 1; n < last; n++) {
        const next = ((s + 2 * n + (share * s + n) * (y - 1)) * now - n * y * before) / (s + n);
        before = now;
        now = next;
        if (now > LARGE) {
          before /= LARGE;
          now /= LARGE;
          scale += LOG_LARGE;
        }
        if (n + 1 >= first) table[(n + 1 - first) * effects + k] = Math.log(now) + scale;
      }
    }
    return table;
  }
}

/** The means are the same for all verdicts on the same terms; those of so many are kept, the latest asked for. */
const KNOWN = new Map<string, BetaMeans>();
const MOST_KNOWN = 32;

/** @param terms with a correlation above 0 */
export function meansFor(terms: Terms): BetaMeans {
  const key = JSON.stringify(terms);
  const means = KNOWN.get(key) ?? new BetaMeans(terms);
  KNOWN.delete(key);
  KNOWN.set(key, means);
  if (KNOWN.size > MOST_KNOWN) KNOWN.delete(KNOWN.keys().next().value!);
  return means;
}
