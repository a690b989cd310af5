import { GetMetricDataCommand, type MetricDataQuery, type MetricDataResult } from '@aws-sdk/client-cloudwatch';
import type { Counts, JudgeSettings, MetricInput, Series } from '../judge';
import type { WholePlan } from './checked-request';
import type { Ports } from './ports';
import type { CountedMetric } from './request';
import { keptSeconds, sayKept } from './retention';

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

/** Whose requests are counted: a variant's, or those of one of its fleets while SageMaker exchanges them. */
export interface Arm {
  readonly variant: string;
  /** The fleet's configuration. @default - all fleets of the variant */
  readonly configName?: string;
}

/** What is compared. */
export interface Arms {
  readonly candidate: Arm;
  readonly baseline: Arm;
}

/** Seconds since 1970, and the length of a bin in seconds. */
interface Span {
  readonly from: number;
  readonly until: number;
  readonly period: number;
}

interface Wanted {
  readonly namespace: string;
  readonly metric: string;
  readonly stat: string;
  readonly arm: Arm;
}

/**
 * Quantiles of the live fleet's model latency over the plan's `baselineSeconds`, each the mean over shorter periods, weighted by their requests: the judge asks only
 * that the line was fixed before the candidate came. The period under way counts only for an endpoint that is too young for another.
 *
 * @returns those that CloudWatch has; none when no request was answered in that time
 */
export async function baselineQuantiles(
  ports: Pick<Ports, 'cloudwatch' | 'now'>,
  endpointName: string,
  live: Arm,
  { baselineSeconds, binSeconds }: Pick<WholePlan, 'baselineSeconds' | 'binSeconds'>,
): Promise<Quantile[]> {
  const period = baselineSeconds < 600 ? binSeconds : Math.ceil(baselineSeconds / 600) * 60;
  const over = Math.floor(ports.now() / 1000 / period) * period;
  const span = (until: number) => ({ from: until - Math.ceil(baselineSeconds / period) * period, until, period });
  const found = await quantilesWithin(ports, endpointName, live, span(over));
  return found.length > 0 ? found : quantilesWithin(ports, endpointName, live, span(over + period));
}

async function quantilesWithin(ports: Pick<Ports, 'cloudwatch'>, endpointName: string, arm: Arm, span: Span): Promise<Quantile[]> {
  const latency = (stat: string): Wanted => ({ namespace: 'AWS/SageMaker', metric: 'ModelLatency', stat, arm });
  const wanted = [latency('SampleCount'), ...PERCENTILES.map((p) => latency(`p${p}`))];
  const [samples, ...quantiles] = await read(ports, endpointName, wanted, span);
  // A period whose quantile CloudWatch does not give says nothing of it.
  return PERCENTILES.flatMap((percentile, i) => {
    const known = [...quantiles[i]].filter(([start]) => (samples.get(start) ?? 0) > 0);
    const total = known.reduce((sum, [start]) => sum + samples.get(start)!, 0);
    const weighted = known.reduce((sum, [start, value]) => sum + value * samples.get(start)!, 0);
    return total === 0 ? [] : [{ percentile, microseconds: weighted / total }];
  });
}

/** Share of the live variant's requests that ended in a 5xx over the plan's `baselineSeconds`; 0 without requests. */
export async function usualErrorRate(
  ports: Ports,
  endpointName: string,
  liveVariant: string,
  { baselineSeconds }: Pick<WholePlan, 'baselineSeconds'>,
): Promise<number> {
  const period = 60;
  const until = Math.floor(ports.now() / 1000 / period) * period;
  const from = until - Math.ceil(baselineSeconds / period) * period;
  const sum = (metric: string): Wanted => ({ namespace: 'AWS/SageMaker', metric, stat: 'Sum', arm: { variant: liveVariant } });
  const wanted = ['Invocations', 'Invocation5XXErrors'].map(sum);
  const [requests, errors] = (await read(ports, endpointName, wanted, { from, until, period })).map((bins) =>
    [...bins.values()].reduce((total, count) => total + count, 0),
  );
  return requests === 0 ? 0 : errors / requests;
}

/** How much slower a request of the candidate may be. */
type Slack = Pick<JudgeSettings, 'latencyTolerance' | 'leastSlowdownMilliseconds'>;

/** Counts of every metric of the plan, over the segments' whole bins, as the judge takes them. */
export async function readCounts(
  ports: Pick<Ports, 'cloudwatch' | 'now'>,
  endpointName: string,
  arms: Arms,
  plan: Pick<WholePlan, 'metrics' | 'binSeconds'>,
  quantiles: readonly Quantile[],
  segments: readonly Segment[],
  slack: Slack,
): Promise<MetricInput[]> {
  const period = plan.binSeconds;
  const now = Math.floor(ports.now() / 1000 / period) * period;
  const span = { from: segments[0].from, until: now, period };
  if (ports.now() / 1000 - span.from > keptSeconds(period))
    throw new Error(`${sayKept(period)}, and this comparison is older: what is left of it is no evidence`);
  const latest = segments.at(-1)!.until;
  if (span.until <= span.from || (latest !== 0 && latest <= span.from))
    return plan.metrics.map((metric) => ({ ...named(metric), series: emptySeries(metric, quantiles) }));
  const facts = plan.metrics.flatMap((metric) => factsOf(metric, quantiles, slack).map((fact) => ({ metric, fact })));
  const wanted = facts.flatMap(({ fact }) => [
    fact.requests(arms.candidate),
    fact.candidateBad(arms.candidate),
    fact.requests(arms.baseline),
    fact.baselineBad(arms.baseline),
  ]);
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
  readonly requests: (arm: Arm) => Wanted;
  readonly candidateBad: (arm: Arm) => Wanted;
  readonly baselineBad: (arm: Arm) => Wanted;
}

/** A metric is one fact about each request, or one for each quantile of latency. */
function factsOf({ source }: CountedMetric, quantiles: readonly Quantile[], slack: Slack): Fact[] {
  if (source) {
    const sum =
      (metric: string) =>
      (arm: Arm): Wanted => ({ namespace: source.namespace, metric, stat: 'Sum', arm });
    return [{ requests: sum(source.requests), candidateBad: sum(source.bad), baselineBad: sum(source.bad) }];
  }
  const latency =
    (stat: string) =>
    (arm: Arm): Wanted => ({ namespace: 'AWS/SageMaker', metric: 'ModelLatency', stat, arm });
  return quantiles.map(({ percentile, microseconds }) => {
    const slow = microseconds + Math.max(microseconds * slack.latencyTolerance, 1000 * slack.leastSlowdownMilliseconds);
    return {
      label: `p${percentile}`,
      threshold: { percentile, baselineMilliseconds: microseconds / 1000, candidateMilliseconds: slow / 1000 },
      requests: latency('SampleCount'),
      candidateBad: latency(slowerThan(slow)),
      baselineBad: latency(slowerThan(microseconds)),
    };
  });
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
  ports: Pick<Ports, 'cloudwatch'>,
  endpointName: string,
  wanted: readonly Wanted[],
  span: Span,
): Promise<Map<number, number>[]> {
  const found = wanted.map(() => new Map<number, number>());
  const queries: MetricDataQuery[] = wanted.map(({ namespace, metric, stat, arm }, i) => ({
    Id: `m${i}`,
    MetricStat: {
      Metric: {
        Namespace: namespace,
        MetricName: metric,
        Dimensions: [
          { Name: 'EndpointName', Value: endpointName },
          { Name: 'VariantName', Value: arm.variant },
          ...(arm.configName === undefined ? [] : [{ Name: 'EndpointConfigName', Value: arm.configName }]),
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
    for (const result of page.MetricDataResults ?? []) {
      const { Id, Timestamps = [], Values = [] } = result;
      const index = Number(Id!.slice(1));
      mustBeRead(result, wanted[index], page.NextToken !== undefined);
      const series = found[index];
      for (const [i, time] of Timestamps.entries()) series.set(time.getTime() / 1000, Values[i]);
    }
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

/** A series that CloudWatch could not read, or not to its end, has gaps that look like zeros. @throws Error named by the status; `InternalError` may pass */
function mustBeRead({ StatusCode, Messages = [] }: MetricDataResult, { metric, stat }: Wanted, goesOn: boolean): void {
  if (StatusCode === undefined || StatusCode === 'Complete' || (StatusCode === 'PartialData' && goesOn)) return;
  const said = Messages.map(({ Value }) => `: ${Value}`).join('');
  const message = `CloudWatch did not read ${stat} of ${metric} to its end (${StatusCode})${said}`;
  throw Object.assign(new Error(message), { name: StatusCode === 'Forbidden' ? 'Forbidden' : 'InternalError' });
}
