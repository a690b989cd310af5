import { GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { CANDIDATE, type Ports } from '../../promotion';
import { LIVE } from '../local-stage';

/** One of the periods that CloudWatch has below a minute. */
const SECONDS = 5;

/** What a variant answered in the last seconds. */
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

/** What CloudWatch says of the last whole five seconds. */
export async function pulsesOf({ cloudwatch, now }: Pick<Ports, 'cloudwatch' | 'now'>, endpointName: string): Promise<Pulses> {
  const until = Math.floor(now() / 1000 / SECONDS) * SECONDS;
  const queries = [LIVE, CANDIDATE].flatMap((variant, arm): MetricDataQuery[] => {
    const Dimensions = [
      { Name: 'EndpointName', Value: endpointName },
      { Name: 'VariantName', Value: variant },
    ];
    const query = (id: string, MetricName: string, Stat: string): MetricDataQuery => ({
      Id: `${id}${arm}`,
      MetricStat: { Metric: { Namespace: 'AWS/SageMaker', MetricName, Dimensions }, Period: SECONDS, Stat },
    });
    return [query('requests', 'Invocations', 'Sum'), query('errors', 'Invocation5XXErrors', 'Sum'), query('slow', 'ModelLatency', 'p99')];
  });
  const { MetricDataResults = [] } = await cloudwatch.send(
    new GetMetricDataCommand({
      MetricDataQueries: queries,
      StartTime: new Date((until - SECONDS) * 1000),
      EndTime: new Date(until * 1000),
    }),
  );
  const value = (id: string): number | undefined => MetricDataResults.find(({ Id }) => Id === id)?.Values?.[0];
  const pulse = (arm: number): Pulse => {
    const [requests = 0, errors = 0, slow] = [value(`requests${arm}`), value(`errors${arm}`), value(`slow${arm}`)];
    return {
      perSecond: requests / SECONDS,
      serverErrors: requests === 0 ? null : errors / requests,
      p99: slow === undefined ? null : slow / 1000,
    };
  };
  return { live: pulse(0), candidate: pulse(1) };
}
