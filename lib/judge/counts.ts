/** Bins of counts, checked, put in order and freed of repetitions. */
import type { Bin, Counts } from './types';

const COUNTED = ['candidateRequests', 'candidateBad', 'baselineRequests', 'baselineBad'] as const;
const COLUMNS = ['start', 'seconds', ...COUNTED] as const;

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

/**
 * Refuses a bin that cannot be a count.
 * @param where what the message begins with, for example `metric '5xx', series 'p99'`
 * @throws Error that names the bin, the value and what is wrong with it
 */
export function checkBin(bin: Bin, where: string): void {
  if (!Number.isFinite(bin.start)) throw new Error(`${where}: a bin's start must be in seconds since 1970, not ${bin.start}`);
  const here = `${where}, bin at ${bin.start}`;
  if (!(bin.seconds > 0 && bin.seconds < Infinity)) throw new Error(`${here}: seconds must be above 0, not ${bin.seconds}`);
  for (const column of COUNTED) {
    const count = bin[column];
    if (!(Number.isSafeInteger(count) && count >= 0)) {
      throw new Error(`${here}: ${column} must be a whole number of at least 0, not ${count}; round interpolated counts`);
    }
  }
  if (bin.candidateBad > bin.candidateRequests) {
    throw new Error(`${here}: candidateBad is ${bin.candidateBad}, more than candidateRequests, ${bin.candidateRequests}`);
  }
  if (bin.baselineBad > bin.baselineRequests) {
    throw new Error(`${here}: baselineBad is ${bin.baselineBad}, more than baselineRequests, ${bin.baselineRequests}`);
  }
}

/** The bins of one series in the order of time, each once. */
export class BinTable {
  readonly start: number[] = [];
  readonly seconds: number[] = [];
  readonly candidateRequests: number[] = [];
  readonly candidateBad: number[] = [];
  readonly baselineRequests: number[] = [];
  readonly baselineBad: number[] = [];

  /** @param where begins every message */
  constructor(
    counts: Counts,
    private readonly where: string,
  ) {
    const n = counts.start.length;
    for (const column of COLUMNS) {
      if (counts[column].length !== n) {
        throw new Error(`${where}: column ${column} has ${counts[column].length} entries where column start has ${n}`);
      }
    }
    const { start } = counts;
    let inOrder = true;
    for (let i = 1; i < n && inOrder; i++) inOrder = start[i - 1]! < start[i]!;
    if (inOrder) {
      for (let i = 0; i < n; i++) this.add(binAt(counts, i));
    } else {
      const order = Array.from(start, (_, i) => i).sort((a, b) => start[a]! - start[b]!);
      for (const i of order) this.add(binAt(counts, i));
    }
  }

  get length(): number {
    return this.start.length;
  }

  /**
   * Takes in one more bin. Of two reports of one bin the fuller one counts, count by count: a metric store only ever adds to a bin, so this
   * does not depend on the order in which they arrive.
   * @returns the bin's place in the table
   * @throws Error when the bin is malformed or overlaps another
   */
  add(bin: Bin): number {
    checkBin(bin, this.where);
    const { start, seconds } = this;
    const at = start.length === 0 || start[start.length - 1]! <= bin.start ? start.length : this.firstAfter(bin.start);
    const before = at - 1;
    if (before >= 0 && start[before] === bin.start && seconds[before] === bin.seconds) {
      for (const column of COUNTED) this[column][before] = Math.max(this[column][before]!, bin[column]);
      return before;
    }
    if (before >= 0 && this.end(before) > bin.start) this.refuseOverlap(before, bin);
    if (at < start.length && start[at]! < bin.start + bin.seconds) this.refuseOverlap(at, bin);
    if (at === start.length) for (const column of COLUMNS) this[column].push(bin[column]);
    else for (const column of COLUMNS) this[column].splice(at, 0, bin[column]);
    return at;
  }

  /** The first second after bin i. */
  end(i: number): number {
    return this.start[i]! + this.seconds[i]!;
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

  private firstAfter(start: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.start[middle]! > start) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private refuseOverlap(i: number, bin: Bin): never {
    throw new Error(
      `${this.where}: the bins at ${this.start[i]} (${this.seconds[i]} s) and ${bin.start} (${bin.seconds} s) overlap; ` +
        'give each second once, in one resolution',
    );
  }
}
