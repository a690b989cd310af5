import type { GetMetricDataCommandOutput } from '@aws-sdk/client-cloudwatch';
import { STANDARD_METRICS } from '../../lib/promotion';
import { readCounts } from '../../lib/promotion/counts';
import { violations } from './harness/invariants';
import { closeWorlds, run, world } from './harness/run';
import { ENDPOINT } from './harness/world';

afterEach(closeWorlds);

describe('SageMaker does not see at once what it has made', () => {
  test.each([
    ['CreateEndpointConfig', 1, 'Could not find model "flights-to-2".'],
    ['UpdateEndpoint', 1, 'Could not find endpoint configuration "flights-to-2-canary".'],
    ['UpdateEndpoint', 2, 'Could not find endpoint configuration "flights-to-2-live".'],
  ])('%s %d, which is refused for it three times, is asked again', async (operation, nth, message) => {
    const on = await world();
    for (const late of [0, 1, 2])
      on.strike({ operation, kind: 'error', code: 'ValidationException', status: 400, message, nth: nth + late, times: 1 });
    const outcome = await run(on);
    expect(outcome).toMatchObject({ verdict: 'promoted' });
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('but what stays away for minutes is not there', async () => {
    const on = await world();
    const message = 'Could not find endpoint configuration "flights-to-2-canary".';
    on.strike({ operation: 'UpdateEndpoint', kind: 'error', code: 'ValidationException', status: 400, message, times: 50 });
    const outcome = await run(on);
    expect(outcome).toMatchObject({ verdict: 'rolled back', during: 'stage', reason: expect.stringContaining(message) });
    expect(outcome.endedAt - outcome.startedAt).toBeLessThan(600_000);
  });
});

test.each(['InternalError', 'Forbidden', 'PartialData'])(
  'a series that CloudWatch did not read (%s) is no series of zeros',
  async (StatusCode) => {
    const on = await world();
    const { cloudwatch } = on.ports;
    const send = async (command: never): Promise<GetMetricDataCommandOutput> => {
      const given: GetMetricDataCommandOutput = await cloudwatch.send(command);
      const MetricDataResults = given.MetricDataResults?.map((one, i) =>
        i === 1 ? { ...one, StatusCode, Timestamps: [], Values: [] } : one,
      );
      return { ...given, MetricDataResults } as GetMetricDataCommandOutput;
    };
    const ports = { now: on.ports.now, cloudwatch: { send } as unknown as typeof cloudwatch };
    const arms = { candidate: { variant: 'candidate' }, baseline: { variant: 'live' } };
    const segment = { from: Math.floor(on.clock.now() / 60_000) * 60 - 300, until: 0, share: 0.5 };
    const slack = { latencyTolerance: 0.1, leastSlowdownMilliseconds: 1 };
    const reading = on.spared(() => readCounts(ports, ENDPOINT, arms, { metrics: STANDARD_METRICS, binSeconds: 60 }, [], [segment], slack));
    await expect(reading).rejects.toThrow(`CloudWatch did not read Sum of Invocation5XXErrors to its end (${StatusCode})`);
  },
);
