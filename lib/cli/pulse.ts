import { GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { CANDIDATE, type Ports } from '../promotion';
import { milliseconds, percent } from './report/figures';

/** Below a minute, one of the periods that CloudWatch has. */
const SHORT = 5;
/** Seconds by which CloudWatch may be late with metrics of a minute. */
const LATE = 180;

/** What a variant answered lately. */
export interface Pulse {
  readonly perSecond: number;
  /** Share of the requests that ended in a 5xx; null without requests. */
  readonly serverErrors: number | null;
  /** Milliseconds with the model; null without requests. */
  readonly p99: number | null;
}

/** Both variants; a shadow's requests are copies. */
export interface Pulses {
  readonly live: Pulse;
  readonly candidate: Pulse;
}

/**
 * What CloudWatch says of both variants: of the last whole five seconds, or, where metrics come by the minute, of the newest minute that it knows.
 *
 * @param live name of the live variant
 * @param binSeconds how finely the promotion's plan reads metrics
 */
export async function pulsesOf(
  { cloudwatch, now }: Pick<Ports, 'cloudwatch' | 'now'>,
  endpointName: string,
  live: string,
  binSeconds: number,
): Promise<Pulses> {
  const period = binSeconds < 60 ? SHORT : 60;
  const until = Math.floor(now() / 1000 / period) * period;
  const queries = [live, CANDIDATE].flatMap((variant, arm): MetricDataQuery[] => {
    const Dimensions = [
      { Name: 'EndpointName', Value: endpointName },
      { Name: 'VariantName', Value: variant },
    ];
    const query = (id: string, MetricName: string, Stat: string): MetricDataQuery => ({
      Id: `${id}${arm}`,
      MetricStat: { Metric: { Namespace: 'AWS/SageMaker', MetricName, Dimensions }, Period: period, Stat },
    });
    return [query('requests', 'Invocations', 'Sum'), query('errors', 'Invocation5XXErrors', 'Sum'), query('slow', 'ModelLatency', 'p99')];
  });
  const { MetricDataResults = [] } = await cloudwatch.send(
    new GetMetricDataCommand({
      MetricDataQueries: queries,
      StartTime: new Date((until - (period === SHORT ? period : LATE)) * 1000),
      EndTime: new Date(until * 1000),
      ScanBy: 'TimestampDescending',
    }),
  );
  const series = (id: string) => {
    const { Timestamps = [], Values = [] } = MetricDataResults.find(({ Id }) => Id === id) ?? {};
    return new Map(Timestamps.map((time, i): [number, number] => [time.getTime(), Values[i]]));
  };
  const pulse = (arm: number): Pulse => {
    const [newest] = series(`requests${arm}`);
    if (newest === undefined || newest[1] === 0) return { perSecond: 0, serverErrors: null, p99: null };
    const [at, requests] = newest;
    const slow = series(`slow${arm}`).get(at);
    return {
      perSecond: requests / period,
      serverErrors: (series(`errors${arm}`).get(at) ?? 0) / requests,
      p99: slow === undefined ? null : slow / 1000,
    };
  };
  return { live: pulse(0), candidate: pulse(1) };
}

/** Both variants in a line. */
export function pulsesLine({ live, candidate }: Pulses): string {
  return `live ${pulseLine(live)}; candidate ${pulseLine(candidate)}`;
}

function pulseLine({ perSecond, serverErrors, p99 }: Pulse): string {
  if (serverErrors === null) return 'not asked';
  const rate = perSecond < 10 ? perSecond.toPrecision(2) : perSecond.toFixed(0);
  return `${rate}/s, 5xx ${percent(serverErrors)}${p99 === null ? '' : `, p99 ${milliseconds(p99)}`}`;
}
