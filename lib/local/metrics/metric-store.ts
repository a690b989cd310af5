import { Distribution } from './distribution';

/** A metric as CloudWatch tells them apart. */
export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Somewhere that values of metrics come from. */
export interface MetricSource {
  /** The values of `[from, until)`, in seconds since 1970, a distribution a second that has any. */
  read(metric: MetricId, from: number, until: number): Iterable<readonly [second: number, values: Distribution]>;
  /** All metrics that have values. */
  list(): Iterable<MetricId>;
}

export function metricKey({ namespace, name, dimensions }: MetricId): string {
  const sorted = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([namespace, name, sorted]);
}

/** Seconds for which values are kept by the second; older ones by the minute, as CloudWatch does with high resolution. */
export const FINE_SECONDS = 3 * 3600;
/** Seconds for which values are kept at all. */
export const KEPT_SECONDS = 15 * 86_400;

/** What PutMetricData brought. */
export class MetricStore implements MetricSource {
  private readonly series = new Map<string, { readonly metric: MetricId; readonly seconds: Seconds<Distribution> }>();

  /** The distribution of a second, to be added to. */
  at(metric: MetricId, second: number): Distribution {
    const key = metricKey(metric);
    let found = this.series.get(key);
    if (!found) {
      found = {
        metric,
        seconds: new Seconds(
          () => new Distribution(),
          (into, from) => into.merge(from),
        ),
      };
      this.series.set(key, found);
    }
    return found.seconds.at(second);
  }

  read(metric: MetricId, from: number, until: number): Iterable<readonly [number, Distribution]> {
    return this.series.get(metricKey(metric))?.seconds.between(from, until) ?? [];
  }

  *list(): Iterable<MetricId> {
    for (const { metric } of this.series.values()) yield metric;
  }
}

/** Something kept by the second, then by the minute, then no more. */
export class Seconds<T> {
  private readonly kept = new Map<number, T>();
  private newest = 0;

  constructor(
    private readonly make: () => T,
    private readonly merge: (into: T, from: T) => void,
  ) {}

  at(second: number): T {
    let found = this.kept.get(second);
    if (found === undefined) {
      found = this.make();
      this.kept.set(second, found);
      if (second > this.newest) {
        this.newest = second;
        if (second % 60 === 0) this.compact();
      }
    }
    return found;
  }

  *between(from: number, until: number): Iterable<readonly [number, T]> {
    if (until - from < this.kept.size) {
      for (let second = from; second < until; second++) {
        const found = this.kept.get(second);
        if (found !== undefined) yield [second, found];
      }
      return;
    }
    for (const entry of this.kept) if (entry[0] >= from && entry[0] < until) yield entry;
  }

  private compact(): void {
    for (const [second, values] of [...this.kept]) {
      if (second < this.newest - KEPT_SECONDS) this.kept.delete(second);
      else if (second % 60 !== 0 && second < this.newest - FINE_SECONDS) {
        this.kept.delete(second);
        this.merge(this.at(second - (second % 60)), values);
      }
    }
  }
}
