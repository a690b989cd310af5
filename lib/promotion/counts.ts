import { GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { Counts, MetricInput, Series } from '../judge';
import { CANDIDATE } from './configurations';
import type { Ports } from './ports';
import type { CountedMetric, StagePlan } from './request';

/** A stretch of time with one share routed. Seconds since 1970, both ends on bins' edges. */
export interface Segment {
  readonly from: number;
  /** End; 0 while it lasts. */
  readonly until: number;
  /** Share of the requests that the candidate takes, 0 to 1. */
  readonly share: number;
}

/** A latency quantile of the live variant before the candidate came: the line past which a request is slow. */
export interface Quantile {
  readonly percentile: number;
  readonly microseconds: number;
}

/** Quantiles whose excess is counted. */
export const PERCENTILES = [50, 90, 99] as const;

/** One series of one variant: sums or counts per bin, keyed by the bin's start in seconds. */
type PerBin = ReadonlyMap<number, number>;

interface Wanted {
  readonly namespace: string;
  readonly metric: string;
  readonly stat: string;
  readonly variant: string;
}

/**
 * Quantiles of the live variant's model latency over the plan's `baselineSeconds`, each the mean over shorter periods, weighted by their requests: the judge asks only
 * that the line was fixed before the candidate came.
 *
 * @returns empty when no request was answered in that time
 */
export async function baselineQuantiles(ports: Ports, endpointName: string, liveVariant: string, plan: StagePlan): Promise<Quantile[]> {
  const span = plan.baselineSeconds ?? 3600;
  const bin = plan.binSeconds ?? 60;
  const period = span < 600 ? bin : Math.ceil(span / 600) * 60;
  const until = Math.floor(ports.now() / 1000 / period) * period;
  const latency = (stat: string): Wanted => ({ namespace: 'AWS/SageMaker', metric: 'ModelLatency', stat, variant: liveVariant });
  const wanted = [latency('SampleCount'), ...PERCENTILES.map((p) => latency(`p${p}`))];
  const [samples, ...quantiles] = await read(ports, endpointName, wanted, {
    from: until - Math.ceil(span / period) * period,
    until,
    period,
  });
  const total = [...samples.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return [];
  return PERCENTILES.map((percentile, i) => {
    const weighted = [...quantiles[i]].reduce((sum, [start, value]) => sum + value * (samples.get(start) ?? 0), 0);
    return { percentile, microseconds: weighted / total };
  });
}

/** Counts of every metric of the plan, over the segments' whole bins, as the judge takes them. */
export async function readCounts(
  ports: Ports,
  endpointName: string,
  liveVariant: string,
  plan: StagePlan,
  quantiles: readonly Quantile[],
  segments: readonly Segment[],
  tolerance: number,
): Promise<MetricInput[]> {
  const period = plan.binSeconds ?? 60;
  const now = Math.floor(ports.now() / 1000 / period) * period;
  const span = { from: segments[0].from, until: now, period };
  const latest = segments.at(-1)!.until;
  if (span.until <= span.from || (latest !== 0 && latest <= span.from))
    return plan.metrics.map((metric) => ({ ...named(metric), series: emptySeries(metric, quantiles) }));
  const facts = plan.metrics.flatMap((metric) => factsOf(metric, quantiles, tolerance).map((fact) => ({ metric, fact })));
  const wanted = facts.flatMap(({ fact }) =>
    [fact.candidateRequests, fact.candidateBad, fact.baselineRequests, fact.baselineBad].map((make) => make(liveVariant)),
  );
  const read4 = await read(ports, endpointName, wanted, span);
  const series = facts.map(({ metric, fact }, i) => ({
    metric,
    series: { label: fact.label, threshold: fact.threshold, counts: columns(read4.slice(4 * i, 4 * i + 4), segments, period) },
  }));
  return plan.metrics.map((metric) => ({
    ...named(metric),
    series: series.filter((one) => one.metric === metric).map((one) => one.series),
  }));
}

interface Fact {
  readonly label?: string;
  readonly threshold?: Series['threshold'];
  readonly candidateRequests: (live: string) => Wanted;
  readonly candidateBad: (live: string) => Wanted;
  readonly baselineRequests: (live: string) => Wanted;
  readonly baselineBad: (live: string) => Wanted;
}

/** A metric is one fact about each request, or one for each quantile of latency. */
function factsOf(metric: CountedMetric, quantiles: readonly Quantile[], tolerance: number): Fact[] {
  const { source } = metric;
  if (source) {
    const sum = (name: string, variant: string): Wanted => ({ namespace: source.namespace, metric: name, stat: 'Sum', variant });
    return [
      {
        candidateRequests: () => sum(source.requests, CANDIDATE),
        candidateBad: () => sum(source.bad, CANDIDATE),
        baselineRequests: (live) => sum(source.requests, live),
        baselineBad: (live) => sum(source.bad, live),
      },
    ];
  }
  const latency = (stat: string, variant: string): Wanted => ({ namespace: 'AWS/SageMaker', metric: 'ModelLatency', stat, variant });
  return quantiles.map(({ percentile, microseconds }) => ({
    label: `p${percentile}`,
    threshold: { percentile, baselineMilliseconds: microseconds / 1000, candidateMilliseconds: (microseconds * (1 + tolerance)) / 1000 },
    candidateRequests: () => latency('SampleCount', CANDIDATE),
    candidateBad: () => latency(slowerThan(microseconds * (1 + tolerance)), CANDIDATE),
    baselineRequests: (live) => latency('SampleCount', live),
    baselineBad: (live) => latency(slowerThan(microseconds), live),
  }));
}

/** CloudWatch's trimmed count: requests above a value. */
const slowerThan = (microseconds: number): string => `TC(${Math.round(microseconds)}:)`;

const named = ({ id, name, kind, required, margin, objective, weight }: CountedMetric) => ({
  id,
  name,
  kind,
  required,
  margin,
  objective,
  weight,
});

function emptySeries(metric: CountedMetric, quantiles: readonly Quantile[]): Series[] {
  const counts: Counts = { start: [], seconds: [], candidateRequests: [], candidateBad: [], baselineRequests: [], baselineBad: [] };
  return metric.source ? [{ counts }] : quantiles.map(({ percentile }) => ({ label: `p${percentile}`, counts }));
}

function columns(
  [candidateRequests, candidateBad, baselineRequests, baselineBad]: PerBin[],
  segments: readonly Segment[],
  period: number,
): Counts {
  const start = [...new Set([...candidateRequests.keys(), ...baselineRequests.keys()])]
    .filter((bin) => segments.some(({ from, until }) => bin >= from && (until === 0 || bin + period <= until)))
    .sort((a, b) => a - b);
  const requests = (counts: PerBin) => start.map((bin) => Math.round(counts.get(bin) ?? 0));
  // Trimmed counts are interpolated: rounded, and never above the requests.
  const bad = (counts: PerBin, all: PerBin) => start.map((bin) => Math.round(Math.min(counts.get(bin) ?? 0, all.get(bin) ?? 0)));
  return {
    start,
    seconds: start.map(() => period),
    candidateRequests: requests(candidateRequests),
    candidateBad: bad(candidateBad, candidateRequests),
    baselineRequests: requests(baselineRequests),
    baselineBad: bad(baselineBad, baselineRequests),
  };
}

/** One map of bins for each wanted series, however many pages it takes. */
async function read(
  ports: Ports,
  endpointName: string,
  wanted: readonly Wanted[],
  span: { from: number; until: number; period: number },
): Promise<Map<number, number>[]> {
  const found = wanted.map(() => new Map<number, number>());
  const queries: MetricDataQuery[] = wanted.map(({ namespace, metric, stat, variant }, i) => ({
    Id: `m${i}`,
    MetricStat: {
      Metric: {
        Namespace: namespace,
        MetricName: metric,
        Dimensions: [
          { Name: 'EndpointName', Value: endpointName },
          { Name: 'VariantName', Value: variant },
        ],
      },
      Period: span.period,
      Stat: stat,
    },
  }));
  let NextToken: string | undefined;
  do {
    const page = await ports.cloudwatch.send(
      new GetMetricDataCommand({
        MetricDataQueries: queries,
        StartTime: new Date(span.from * 1000),
        EndTime: new Date(span.until * 1000),
        ScanBy: 'TimestampAscending',
        NextToken,
      }),
    );
    for (const { Id, Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
      const series = found[Number(Id!.slice(1))];
      for (const [i, time] of Timestamps.entries()) series.set(time.getTime() / 1000, Values[i]);
    }
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}
