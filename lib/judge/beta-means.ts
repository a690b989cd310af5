/** What a bin's share of bad events, drawn anew for each bin, makes of a bet on it. */

/** However many bad events a bin holds, they count as no more than this many. */
export const MOST_EVENTS = 400;
/** The mean is worked out at shares e^(-j / NODES), and between them by a chord in ln q, which never lies below it. */
const NODES = 32;
/** The means of bins with up to so many events are kept as they are. */
const KEPT = 1000;
/** Larger powers are divided by this on the way. */
const LARGE = 1e200;
const LOG_LARGE = Math.log(LARGE);

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
}

/** The two parameters together of a beta distribution with this intra-class correlation; with one of 1 all events of a bin are one. */
export function concentrationOf(correlation: number): number {
  return Math.max(1e-9, 1 / correlation - 1);
}

/**
 * ln E[(1 + Q (y - 1))^n], Q ~ Beta(q s, (1 - q) s) with s = 1 / iota - 1, from a table that fills as it is asked. It is never below the truth, and above
 * it by less than 0.01.
 */
export class BetaMeans {
  /** ln y, stretch by stretch. */
  private readonly logEffects: Float64Array;
  private readonly effects: number;
  /** The beta distribution's two parameters together. */
  private readonly concentration: number;
  /** By node and stretch. */
  private readonly rows: (Float64Array | undefined)[][] = [];
  private row: (Float64Array | undefined)[] = [];
  /** By node and number of events. */
  private readonly keptRows: (Float64Array | undefined)[][] = [];
  private kept: (Float64Array | undefined)[] = [];
  private share = Number.NaN;
  private node = Number.NaN;
  private beyond = 0;

  constructor({ effects, correlation, tempered }: Terms) {
    this.effects = effects.length;
    this.concentration = concentrationOf(correlation);
    this.logEffects = new Float64Array(FIRST.length * effects.length);
    for (let s = 0; s + 1 < FIRST.length; s++) {
      const n = (FIRST[s]! + FIRST[s + 1]!) / 2;
      effects.forEach((r, k) => {
        this.logEffects[s * effects.length + k] = Math.log(r) / (tempered ? 1 + correlation * Math.max(0, n - 1) : 1);
      });
    }
  }

  /**
   * Writes hits ln y - ln E[(1 + Q (y - 1))^n] for each effect.
   * @param hits like n, after the root for bursts
   * @param events before it: what is known of a few is kept
   */
  weigh(hits: number, n: number, events: number, share: number, into: Float64Array): void {
    if (share !== this.share) {
      this.share = share;
      const place = -NODES * Math.log(share);
      const node = Math.floor(place);
      this.beyond = place - node;
      if (node !== this.node) this.moveTo(node);
    }
    const { beyond, logEffects } = this;
    const near = 1 - beyond;
    const whole = Math.floor(n);
    const means = this.kept[events] ?? this.meansOf(n, whole, events);
    let j = STRETCH[whole]! * into.length;
    for (let k = 0, i = 0; k < into.length; k++, i += 2, j++) {
      into[k] = hits * logEffects[j]! - (near * means[i]! + beyond * means[i + 1]!);
    }
  }

  private moveTo(node: number): void {
    this.node = node;
    this.row = this.rows[node] ?? [];
    this.rows[node] = this.row;
    this.kept = this.keptRows[node] ?? [];
    this.keptRows[node] = this.kept;
  }

  /** The logarithms at the present node and at the next, by turns: chords between whole n, in which they are convex. */
  private meansOf(n: number, whole: number, events: number): Float64Array {
    const stretch = STRETCH[whole]!;
    const table = this.row[stretch] ?? this.fill(stretch);
    const part = n - whole;
    const from = (whole - FIRST[stretch]!) * 2 * this.effects;
    const means = table.slice(from, from + 2 * this.effects);
    for (let i = 0; i < means.length; i++) means[i] = (1 - part) * means[i]! + part * table[from + means.length + i]!;
    if (events <= KEPT) this.kept[events] = means;
    return means;
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

/** The means are the same for all verdicts on the same terms. */
const KNOWN = new Map<string, BetaMeans>();

/** @param terms with a correlation above 0 */
export function meansFor(terms: Terms): BetaMeans {
  const key = JSON.stringify(terms);
  const means = KNOWN.get(key) ?? new BetaMeans(terms);
  KNOWN.set(key, means);
  return means;
}
