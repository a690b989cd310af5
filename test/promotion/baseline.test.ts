import { CloudWatchClient, type GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { profile } from '../../lib/judge';
import { baselineQuantiles, readCounts } from '../../lib/promotion/counts';
import { CANDIDATE } from '../../lib/promotion/names';
import { STANDARD_METRICS } from '../../lib/promotion/request';
import { type Started, start } from '../local/support';

let on: Started;
let cloudwatch: CloudWatchClient;
beforeEach(async () => {
  on = await start();
  cloudwatch = new CloudWatchClient({
    endpoint: on.local.url,
    region: on.local.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterEach(async () => {
  cloudwatch.destroy();
  await on.stop();
});

const sample = {
  endpoint: 'flights',
  variant: 'live',
  config: 'c',
  shadow: false,
  kind: 'realtime' as const,
  status: 200,
  latency: 100,
  overhead: 10,
  instances: 1,
  concurrency: 1,
};
const PLAN = { baselineSeconds: 3600, binSeconds: 60 };
const ports = () => ({ cloudwatch, now: () => on.local.clock.now() });
const quantiles = () => baselineQuantiles(ports(), 'flights', { variant: 'live' }, PLAN);

test('an endpoint that is a minute old has a latency to compare with, once it was asked', async () => {
  expect(await quantiles()).toEqual([]);
  for (let i = 0; i < 100; i++) on.local.metrics.record({ ...sample, time: on.local.clock.now() });
  await on.local.clock.jump(60_000);
  expect((await quantiles()).map(({ percentile }) => percentile)).toEqual([50, 90, 99]);
});

test('the line is drawn by what was over before, and by one fleet alone where one is named', async () => {
  const answered = async (latency: number, config: string, minutes: number) => {
    for (let i = 0; i < 100; i++) on.local.metrics.record({ ...sample, latency, config, time: on.local.clock.now() });
    await on.local.clock.jump(minutes * 60_000);
  };
  await on.local.clock.jump(360_000 - (on.local.clock.now() % 360_000));
  await answered(100, 'c', 6);
  await answered(100_000, 'next', 1);
  const median = async (live: Parameters<typeof baselineQuantiles>[2]) =>
    (await baselineQuantiles(ports(), 'flights', live, PLAN))[0]!.microseconds;
  expect(await median({ variant: 'live' })).toBe(100);
  await on.local.clock.jump(300_000);
  expect(await median({ variant: 'live' })).toBe(50_050);
  expect(await median({ variant: 'live', configName: 'c' })).toBe(100);
});

test('a candidate is slow from a tenth and a millisecond on: less is what a cold model takes longer', async () => {
  const asked = async (variant: string, latency: number) => {
    for (let i = 0; i < 100; i++) on.local.metrics.record({ ...sample, variant, latency, time: on.local.clock.now() });
    await on.local.clock.jump(60_000);
  };
  const slow = async (settings: Parameters<typeof profile>[1] = {}) => {
    const plan = { metrics: STANDARD_METRICS.filter(({ kind }) => kind === 'latency'), binSeconds: 60 };
    const arms = { candidate: { variant: CANDIDATE }, baseline: { variant: 'live' } };
    const lines = [{ percentile: 50, microseconds: 500 }];
    const segment = { from: Math.floor(on.local.clock.now() / 60_000) * 60 - 60, until: 0, share: 0.5 };
    const [latency] = await readCounts(ports(), 'flights', arms, plan, lines, [segment], profile('standard', settings));
    const [{ counts, threshold }] = latency!.series;
    return { requests: counts.candidateRequests[0], bad: counts.candidateBad[0], line: threshold!.candidateMilliseconds };
  };
  await asked(CANDIDATE, 1200);
  expect(await slow()).toEqual({ requests: 100, bad: 0, line: 1.5 });
  expect(await slow({ leastSlowdownMilliseconds: 0 })).toEqual({ requests: 100, bad: 100, line: 0.55 });
  await asked(CANDIDATE, 1700);
  expect(await slow()).toEqual({ requests: 100, bad: 100, line: 1.5 });
  expect((await slow({ latencyTolerance: 4 })).line).toBe(2.5);
});

test('a period without quantiles, or a quantile that CloudWatch does not have, draws no line', async () => {
  const at = (minutes: number) => new Date(360_000_000 - 60_000 * minutes);
  const samples = { Timestamps: [at(20), at(10)], Values: [100, 300] };
  const known = { Timestamps: [at(20)], Values: [500] };
  const answers = { SampleCount: samples, p50: known, p90: samples, p99: { Timestamps: [], Values: [] } };
  const send = async ({ input }: GetMetricDataCommand) => ({
    MetricDataResults: input.MetricDataQueries!.map(({ Id, MetricStat }) => ({ Id, ...answers[MetricStat!.Stat as keyof typeof answers] })),
  });
  const found = await baselineQuantiles(
    { cloudwatch: { send } as unknown as CloudWatchClient, now: () => 360_000_000 },
    'flights',
    { variant: 'live' },
    PLAN,
  );
  expect(found).toEqual([
    { percentile: 50, microseconds: 500 },
    { percentile: 90, microseconds: 250 },
  ]);
});
