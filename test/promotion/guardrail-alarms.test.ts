import { DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { type DeploymentConfig, DescribeEndpointCommand } from '@aws-sdk/client-sagemaker';
import { violations } from './harness/invariants';
import { closeWorlds, run, world } from './harness/run';
import { ENDPOINT, type World } from './harness/world';

afterEach(closeWorlds);

const PATIENT = { guardrail: { waitSeconds: 240 } };

/** Does something once the live variant's new fleet answers. */
function onceMoving(on: World, work: () => unknown): void {
  on.later(10, async () => {
    const look = await on.look();
    if (look.fleets.some(({ config, share }) => config.endsWith('-live') && share > 0)) await work();
    else onceMoving(on, work);
  });
}

describe('while the live variant moves', () => {
  test('alarms watch the new fleet alone, and are gone at the end', async () => {
    const on = await world();
    let alarms: MetricAlarm[] = [];
    let deployment: DeploymentConfig | undefined;
    onceMoving(on, async () => {
      alarms = (await on.ports.cloudwatch.send(new DescribeAlarmsCommand({}))).MetricAlarms!;
      deployment = (await on.ports.sagemaker.send(new DescribeEndpointCommand({ EndpointName: ENDPOINT }))).LastDeploymentConfig;
    });
    const outcome = await run(on, '2', PATIENT);
    expect(outcome.verdict).toBe('promoted');
    expect(alarms).toHaveLength(2);
    for (const { Metrics, AlarmName, TreatMissingData } of alarms) {
      expect(deployment?.AutoRollbackConfiguration?.Alarms).toContainEqual({ AlarmName });
      expect(TreatMissingData).toBe('notBreaching');
      for (const { MetricStat } of Metrics!.filter((query) => query.MetricStat)) {
        expect(MetricStat!.Metric!.Dimensions).toEqual([
          { Name: 'EndpointName', Value: ENDPOINT },
          { Name: 'VariantName', Value: 'live' },
          { Name: 'EndpointConfigName', Value: expect.stringMatching(/^flights-[0-9a-f]{12}-live$/) },
        ]);
      }
    }
    expect(deployment?.BlueGreenUpdatePolicy?.TerminationWaitInSeconds).toBe(240);
    expect(await on.spared(() => on.alarms())).toEqual([]);
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('a new fleet that errs is rolled back, and the alarms go', async () => {
    const rates: Record<string, number> = { 1: 0.001, 2: 0.001 };
    const on = await world(rates);
    onceMoving(on, () => {
      rates[2] = 0.5;
    });
    const outcome = await run(on, '2', PATIENT);
    expect(outcome).toMatchObject({
      verdict: 'rolled back',
      during: 'go live',
      reason: expect.stringMatching(/flights-[0-9a-f]{12}-errors/),
    });
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('an old fleet that errs does not stop the new one', async () => {
    const rates: Record<string, number> = { 1: 0.001, 2: 0.001 };
    const on = await world(rates);
    onceMoving(on, () => {
      rates[1] = 0.9;
    });
    expect((await run(on, '2', { guardrail: { waitSeconds: 240, canaryPercent: 50 } })).verdict).toBe('promoted');
  });

  test('an endpoint that always erred much is measured by that', async () => {
    const on = await world({ 1: 0.08, 2: 0.08 });
    const outcome = await run(on, '2', { ...PATIENT, deadlineSeconds: 1200, onDeadline: 'promote' });
    expect(outcome.verdict).toBe('promoted');
  });
});

test.each([
  ['set', 'PutMetricAlarm', 'rolled back', /AccessDenied/],
  ['deleted', 'DeleteAlarms', 'promoted', /the alarms of the promotion to-2 could not be deleted: AccessDenied/],
])('alarms that may not be %s', async (_, operation, verdict, reason) => {
  const on = await world();
  on.strike({ operation, kind: 'error', code: 'AccessDenied', status: 403 });
  const outcome = await run(on);
  expect(outcome).toMatchObject({ verdict, reason: expect.stringMatching(reason) });
  expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
});
