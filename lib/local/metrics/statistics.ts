import type { Distribution } from './distribution';

const SIMPLE: Readonly<Record<string, (values: Distribution) => number>> = {
  SampleCount: (values) => values.count,
  Sum: (values) => values.sum,
  Average: (values) => values.sum / values.count,
  Minimum: (values) => values.min,
  Maximum: (values) => values.max,
  IQM: (values) => between(values, { low: 25, high: 75, percent: true }).mean,
};

/** Which part of a distribution a statistic is about: bounds in values, or in percent of the count. */
interface Part {
  readonly low?: number;
  readonly high?: number;
  readonly percent: boolean;
}

/**
 * The CloudWatch statistic of a distribution: SampleCount, Sum, Average, Minimum, Maximum, pNN, tmNN, wmNN, tcNN, tsNN, IQM, and TM, WM, TC, TS and PR of a range, whose
 * lower bound is excluded and whose upper bound is included (CloudWatch user guide, "Statistics definitions").
 *
 * @returns undefined where there are no values or the name is no statistic
 */
export function statistic(name: string, values: Distribution): number | undefined {
  if (values.count === 0) return undefined;
  const simple = SIMPLE[name];
  if (simple) return simple(values);
  const [, short, percent] = /^(p|tm|wm|tc|ts|pr)(\d+(?:\.\d+)?)$/i.exec(name) ?? [];
  if (short) {
    const at = Number(percent);
    if (short.toLowerCase() === 'p') return percentile(values, at);
    if (short.toLowerCase() === 'pr') return (100 * between(values, { high: at, percent: false }).count) / values.count;
    return ofPart(short, values, { high: at, percent: true });
  }
  const range = /^(TM|WM|TC|TS|PR)\((-?\d+(?:\.\d+)?)?(%)?:(-?\d+(?:\.\d+)?)?(%)?\)$/.exec(name);
  if (!range) return undefined;
  const bound = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  return ofPart(range[1], values, { low: bound(range[2]), high: bound(range[4]), percent: Boolean(range[3] || range[5]) });
}

/** Whether CloudWatch would take this name. */
export function isStatistic(name: string): boolean {
  if (name in SIMPLE) return true;
  if (/^(p|tm|wm|tc|ts)(100|\d{1,2}(\.\d{1,10})?)$/i.test(name)) return true;
  return /^(TM|WM|TC|TS|PR)\((-?\d+(\.\d+)?%?)?:(-?\d+(\.\d+)?%?)?\)$/.test(name) && !name.includes('(:)');
}

function ofPart(kind: string, values: Distribution, part: Part): number {
  const { count, sum, mean } = between(values, part);
  switch (kind.toLowerCase()) {
    case 'tc':
      return count;
    case 'ts':
      return sum;
    case 'pr':
      return (100 * count) / values.count;
    case 'wm': {
      const low = part.low === undefined ? values.min : part.percent ? percentile(values, part.low) : part.low;
      const high = part.high === undefined ? values.max : part.percent ? percentile(values, part.high) : part.high;
      return values.sorted().reduce((total, [value, times]) => total + Math.min(high, Math.max(low, value)) * times, 0) / values.count;
    }
    default:
      return mean;
  }
}

/** The value below which `at` percent of the values lie, interpolated between neighbours. */
function percentile(values: Distribution, at: number): number {
  const rank = (at / 100) * (values.count - 1);
  const below = Math.floor(rank);
  const sorted = values.sorted();
  const low = valueAt(sorted, below);
  return low + (valueAt(sorted, Math.min(values.count - 1, below + 1)) - low) * (rank - below);
}

function valueAt(sorted: readonly [number, number][], index: number): number {
  let seen = 0;
  for (const [value, times] of sorted) {
    seen += times;
    if (index < seen) return value;
  }
  return sorted.at(-1)![0];
}

/** Count, sum and mean of the values within the part: above its lower bound, up to its upper one. */
function between(values: Distribution, part: Part): { count: number; sum: number; mean: number } {
  let count = 0;
  let sum = 0;
  let seen = 0;
  for (const [value, times] of values.sorted()) {
    const taken = part.percent
      ? Math.max(
          0,
          Math.min(seen + times, ((part.high ?? 100) / 100) * values.count) - Math.max(seen, ((part.low ?? 0) / 100) * values.count),
        )
      : (part.low === undefined || value > part.low) && (part.high === undefined || value <= part.high)
        ? times
        : 0;
    count += taken;
    sum += taken * value;
    seen += times;
  }
  return { count, sum, mean: count === 0 ? 0 : sum / count };
}
