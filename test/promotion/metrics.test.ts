import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { PROMOTION_METRICS, type Progress, type PublishedMetric, progressKey, Store } from '../../lib/promotion';
import { closeWorlds, run, world } from './harness/run';
import { BUCKET, ENDPOINT, PLAN, type World } from './harness/world';

afterEach(closeWorlds);

/** A metric's values, oldest first, as somebody reads them who has the catalogue. */
function values(on: World, { namespace, name, dimensions, statistic }: PublishedMetric, metric = ''): Promise<number[]> {
  return on.spared(async () => {
    const Dimensions = dimensions.map((Name) => ({ Name, Value: Name === 'Metric' ? metric : ENDPOINT }));
    const MetricStat = { Metric: { Namespace: namespace, MetricName: name, Dimensions }, Period: 60, Stat: statistic };
    const { MetricDataResults } = await on.ports.cloudwatch.send(
      new GetMetricDataCommand({
        MetricDataQueries: [{ Id: 'm', MetricStat }],
        StartTime: new Date(on.clock.now() - 86_400_000),
        EndTime: new Date(on.clock.now() + 60_000),
        ScanBy: 'TimestampAscending',
      }),
    );
    return MetricDataResults![0].Values!;
  });
}

const progress = (on: World) =>
  on.spared(async () => (await new Store(on.ports, BUCKET).read<Progress>(progressKey(ENDPOINT, 'to-2')))!.value);

describe('while a candidate is judged, CloudWatch shows', () => {
  test('a heartbeat at every tick and the shares that it takes, rising', async () => {
    const on = await world();
    await run(on);
    const beats = await values(on, PROMOTION_METRICS.promotionTick);
    expect(beats.length).toBeGreaterThanOrEqual(PLAN.steps.length);
    const shares = await values(on, PROMOTION_METRICS.candidatePercent);
    expect([...new Set(shares)]).toEqual([5, 25, 50]);
    expect((await progress(on)).unpublished).toBe('');
  });

  test('evidence that a good candidate is not worse, until it suffices for every metric', async () => {
    const on = await world();
    await run(on);
    for (const { id } of PLAN.metrics) {
      const evidence = await values(on, PROMOTION_METRICS.evidenceNotWorse, id);
      expect(evidence.at(-1)).toBeGreaterThanOrEqual(1);
      expect(evidence[0]).toBeLessThan(1);
    }
    expect(Math.max(...(await values(on, PROMOTION_METRICS.evidenceWorseInAll)))).toBeLessThan(1);
  });

  test('evidence that a bad one is worse, on the metric on which it is', async () => {
    const on = await world({ 1: 0.001, 2: 0.3 });
    await run(on);
    expect((await values(on, PROMOTION_METRICS.evidenceWorseInAll)).at(-1)).toBeGreaterThanOrEqual(1);
    const [errors, latency] = await Promise.all(['server-errors', 'latency'].map((id) => values(on, PROMOTION_METRICS.evidenceWorse, id)));
    expect(errors.at(-1)).toBeGreaterThan(0.9);
    expect(latency.at(-1)).toBeLessThan(0.1);
  });
});

test('a tick whose metrics cannot be published goes on, and says so to whoever watches', async () => {
  const on = await world();
  on.strike({ operation: 'PutMetricData', kind: 'error', code: 'AccessDenied', status: 403, message: 'not you' });
  expect((await run(on)).verdict).toBe('promoted');
  expect((await progress(on)).unpublished).toBe('AccessDenied: not you');
  expect(await values(on, PROMOTION_METRICS.promotionTick)).toEqual([]);
});
