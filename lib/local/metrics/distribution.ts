/** The values of a metric in a stretch of time: how often each occurred, kept to five significant digits, so that the memory is bounded whatever the traffic. */
export class Distribution {
  private readonly counts = new Map<number, number>();
  /** How many values. */
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  add(value: number, times = 1): void {
    const kept = rounded(value);
    this.counts.set(kept, (this.counts.get(kept) ?? 0) + times);
    this.note(value * times, times, value, value);
  }

  /** Adds what is known only in sum (CloudWatch's statistic sets): no percentiles are known of it but those of its mean. */
  addSet(count: number, sum: number, min: number, max: number): void {
    if (count === 0) return;
    const mean = rounded(sum / count);
    this.counts.set(mean, (this.counts.get(mean) ?? 0) + count);
    this.note(sum, count, min, max);
  }

  merge(other: Distribution): void {
    for (const [value, times] of other.counts) this.counts.set(value, (this.counts.get(value) ?? 0) + times);
    this.note(other.sum, other.count, other.min, other.max);
  }

  /** Values in rising order, each with how often it occurred. */
  sorted(): [value: number, times: number][] {
    return [...this.counts].sort((a, b) => a[0] - b[0]);
  }

  private note(sum: number, count: number, min: number, max: number): void {
    this.sum += sum;
    this.count += count;
    if (min < this.min) this.min = min;
    if (max > this.max) this.max = max;
  }
}

/** Five significant digits. */
function rounded(value: number): number {
  if (value === 0 || (Number.isInteger(value) && Math.abs(value) < 100_000)) return value;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 4);
  return Math.round(value / unit) * unit;
}
