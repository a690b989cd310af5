import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { baselineQuantiles } from '../../lib/promotion/counts';
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
const quantiles = () => baselineQuantiles({ cloudwatch, now: () => on.local.clock.now() }, 'flights', 'live', PLAN);

test('an endpoint that is a minute old has a latency to compare with, once it was asked', async () => {
  expect(await quantiles()).toEqual([]);
  for (let i = 0; i < 100; i++) on.local.metrics.record({ ...sample, time: on.local.clock.now() });
  await on.local.clock.jump(60_000);
  expect((await quantiles()).map(({ percentile }) => percentile)).toEqual([50, 90, 99]);
});
