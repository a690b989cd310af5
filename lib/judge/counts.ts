/** Bins of counts, checked, put in order and freed of repetitions. */
import type { Bin, Counts } from './types';

const COUNTED = ['candidateRequests', 'candidateBad', 'baselineRequests', 'baselineBad'] as const;
const COLUMNS = ['start', 'seconds', ...COUNTED] as const;

const LARGEST = Number.MAX_SAFE_INTEGER;

/** Bins as columns, the form in which they are judged and stored. */
export function countsOf(bins: readonly Bin[]): Counts {
  return {
    start: bins.map((bin) => bin.start),
    seconds: bins.map((bin) => bin.seconds),
    candidateRequests: bins.map((bin) => bin.candidateRequests),
    candidateBad: bins.map((bin) => bin.candidateBad),
    baselineRequests: bins.map((bin) => bin.baselineRequests),
    baselineBad: bins.map((bin) => bin.baselineBad),
  };
}

/** Columns as bins. */
export function binsOf(counts: Counts): Bin[] {
  return counts.start.map((_, i) => binAt(counts, i));
}

function binAt(counts: Counts, i: number): Bin {
  return {
    start: counts.start[i]!,
    seconds: counts.seconds[i]!,
    candidateRequests: counts.candidateRequests[i]!,
    candidateBad: counts.candidateBad[i]!,
    baselineRequests: counts.baselineRequests[i]!,
    baselineBad: counts.baselineBad[i]!,
  };
}

/** The bins of one series in the order of time, each once. */
export class BinTable {
  start: number[];
  seconds: number[];
  candidateRequests: number[];
  candidateBad: number[];
  baselineRequests: number[];
  baselineBad: number[];

  /**
   * @param where begins every message, for example `metric 'latency', series 'p99'`
   * @throws Error that names the bin, the value and what is wrong with it
   */
  constructor(
    counts: Counts,
    private readonly where: string,
  ) {
    for (const column of COLUMNS)
      if (!Array.isArray(counts?.[column])) throw new Error(`${where}: column ${column} of the counts must be an array of numbers`);
    const n = counts.start.length;
    for (const column of COLUMNS) {
      if (counts[column].length !== n) {
        throw new Error(`${where}: column ${column} has ${counts[column].length} entries where column start has ${n}`);
      }
    }
    this.start = counts.start.slice();
    this.seconds = counts.seconds.slice();
    this.candidateRequests = counts.candidateRequests.slice();
    this.candidateBad = counts.candidateBad.slice();
    this.baselineRequests = counts.baselineRequests.slice();
    this.baselineBad = counts.baselineBad.slice();
    for (let i = 0; i < n; i++) this.check(i);
    let inOrder = true;
    for (let i = 1; i < n && inOrder; i++) inOrder = this.end(i - 1) <= this.start[i]!;
    if (inOrder) return;
    const order = Array.from(this.start, (_, i) => i).sort((a, b) => this.start[a]! - this.start[b]!);
    const bins = order.map((i) => binAt(counts, i));
    for (const column of COLUMNS) this[column] = [];
    for (const bin of bins) this.add(bin);
  }

  get length(): number {
    return this.start.length;
  }

  /** The first second after bin i. */
  end(i: number): number {
    return this.start[i]! + this.seconds[i]!;
  }

  /**
   * Takes in one more bin. Of two reports of one bin the fuller one counts, count by count: a metric store only ever adds to a bin, so this
   * does not depend on the order in which they arrive.
   * @returns the bin's place in the table
   * @throws Error when the bin is malformed or overlaps another; the table is then as it was
   */
  add(bin: Bin): number {
    const at = this.firstAfter(bin.start);
    const before = at - 1;
    if (before >= 0 && this.start[before] === bin.start && this.seconds[before] === bin.seconds) {
      const one = new BinTable(countsOf([bin]), this.where);
      for (const column of COUNTED) this[column][before] = Math.max(this[column][before]!, one[column][0]!);
      return before;
    }
    for (const column of COLUMNS) this[column].splice(at, 0, bin[column]);
    try {
      this.check(at);
      if (at > 0 && this.end(at - 1) > bin.start) this.refuseOverlap(at - 1, at);
      if (at + 1 < this.length && this.start[at + 1]! < this.end(at)) this.refuseOverlap(at, at + 1);
    } catch (error) {
      for (const column of COLUMNS) this[column].splice(at, 1);
      throw error;
    }
    return at;
  }

  /** The table as plain columns, which do not change when the table does. */
  counts(): Counts {
    return {
      start: this.start.slice(),
      seconds: this.seconds.slice(),
      candidateRequests: this.candidateRequests.slice(),
      candidateBad: this.candidateBad.slice(),
      baselineRequests: this.baselineRequests.slice(),
      baselineBad: this.baselineBad.slice(),
    };
  }

  private check(i: number): void {
    const start = this.start[i]!;
    const seconds = this.seconds[i]!;
    if (!(Number.isFinite(start) && Math.abs(start) < LARGEST))
      throw new Error(`${this.where}: a bin's start must be in seconds since 1970, not ${start}`);
    if (!(Number.isFinite(seconds) && seconds > 0 && seconds < LARGEST))
      throw new Error(`${this.at(i)}: seconds must be above 0, not ${seconds}`);
    const n = this.candidateRequests[i]!;
    const c = this.candidateBad[i]!;
    const m = this.baselineRequests[i]!;
    const b = this.baselineBad[i]!;
    if (isCount(n) && isCount(c) && isCount(m) && isCount(b) && c <= n && b <= m) return;
    for (const column of COUNTED) {
      const count = this[column][i]!;
      if (isCount(count)) continue;
      const found = typeof count === 'number' ? count : JSON.stringify(count);
      throw new Error(`${this.at(i)}: ${column} must be a whole number of at least 0, not ${found}; round interpolated counts`);
    }
    if (c > n) throw new Error(`${this.at(i)}: candidateBad is ${c}, more than candidateRequests, ${n}`);
    throw new Error(`${this.at(i)}: baselineBad is ${b}, more than baselineRequests, ${m}`);
  }

  private at(i: number): string {
    return `${this.where}, bin at ${this.start[i]}`;
  }

  private firstAfter(start: number): number {
    let low = 0;
    let high = this.length;
    if (high === 0 || this.start[high - 1]! <= start) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.start[middle]! > start) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private refuseOverlap(i: number, j: number): never {
    throw new Error(
      `${this.where}: the bins at ${this.start[i]} (${this.seconds[i]} s) and ${this.start[j]} (${this.seconds[j]} s) overlap; ` +
        'give each second once, in one resolution',
    );
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
