import { PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  DescribeEndpointCommand,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { type Command, checkRequest, type Outcome, PACKAGE_METADATA, Store, say, story } from '../../lib/promotion';
import { violations } from './harness/invariants';
import { closeWorlds, dying, run, world } from './harness/run';
import { BUCKET, ENDPOINT, PLAN, type World } from './harness/world';

const GOOD = { 1: 0.001, 2: 0.001 };
afterEach(closeWorlds);

/** Says something to version 2's promotion after some seconds. */
function saying(on: World, seconds: number, command: Command, more = {}): void {
  on.later(seconds, () => say(on.ports, new Store(on.ports, BUCKET), ENDPOINT, 'to-2', { command, by: 'anna', ...more }));
}

async function expectKept(on: World, outcome: Outcome, version = '2', bad = false) {
  expect(await violations(on, [{ version, bad, outcome }])).toEqual([]);
}

describe('what people say', () => {
  test('pause stops the way, resume lets it go on', async () => {
    const on = await world();
    saying(on, 200, 'pause');
    saying(on, 5000, 'resume');
    const outcome = await run(on);
    expect(outcome.verdict).toBe('promoted');
    expect(outcome.endedAt - outcome.startedAt).toBeGreaterThan(5_000_000);
    await expectKept(on, outcome);
  });

  test('abort takes the candidate back, with who and why', async () => {
    const on = await world();
    saying(on, 300, 'abort', { reason: 'wrong data' });
    const outcome = await run(on);
    expect(outcome).toMatchObject({ verdict: 'rolled back', reason: 'aborted by anna: wrong data' });
    await expectKept(on, outcome);
  });

  test('a candidate that must be approved waits for it', async () => {
    const on = await world();
    saying(on, 7000, 'approve');
    const outcome = await run(on, '2', { approval: 'manual' });
    expect(outcome).toMatchObject({ verdict: 'promoted', reason: expect.stringContaining('approved by anna') });
    expect(outcome.endedAt - outcome.startedAt).toBeGreaterThan(7_000_000);
  });

  test('nobody approves: held', async () => {
    const on = await world();
    const outcome = await run(on, '2', { approval: 'manual', approvalSeconds: 900 });
    expect(outcome).toMatchObject({ verdict: 'held', during: 'approval' });
    await expectKept(on, outcome);
  });

  test('a candidate that turns bad while it waits for approval is taken back', async () => {
    const rates: Record<string, number> = { ...GOOD };
    const on = await world(rates);
    on.later(4000, async () => {
      rates[2] = 0.5;
    });
    const outcome = await run(on, '2', { approval: 'manual' });
    expect(outcome).toMatchObject({ verdict: 'rolled back', during: 'approval', reason: expect.stringMatching(/5xx/) });
    await expectKept(on, outcome);
  });

  test('extend moves the deadline on', async () => {
    const on = await world();
    saying(on, 60, 'extend', { seconds: 7200 });
    const outcome = await run(on, '2', { deadlineSeconds: 120 });
    expect(outcome.verdict).toBe('promoted');
  });
});

describe('at the deadline, without enough evidence', () => {
  const hurried = { steps: [{ kind: 'percent', percent: 5, bakeSeconds: 60 }], deadlineSeconds: 180 } as const;
  test.each([
    ['rollBack', 'rolled back', /not enough evidence by the deadline/],
    ['hold', 'held', /not enough evidence by the deadline/],
    ['promote', 'promoted', /at the deadline, without enough evidence/],
    ['ask', 'held', /./],
  ] as const)('%s: %s', async (onDeadline, verdict, reason) => {
    const on = await world();
    const outcome = await run(on, '2', { ...hurried, onDeadline, approvalSeconds: 300 });
    expect(outcome).toMatchObject({ verdict, reason: expect.stringMatching(reason) });
    await expectKept(on, outcome);
  });
});

describe('two candidates', () => {
  test('one after the other, where the second waits', async () => {
    const on = await world({ ...GOOD, 3: 0.001 });
    const [first, second] = await Promise.all([run(on), run(on, '3')]);
    expect([first.verdict, second.verdict]).toEqual(['promoted', 'promoted']);
    const both = [first, second].map((outcome, i) => ({ version: String(2 + i), bad: false, outcome }));
    expect(await violations(on, both)).toEqual([]);
  });

  test('the first gives way where the second supersedes', async () => {
    const on = await world({ ...GOOD, 3: 0.001 });
    const [first, second] = await Promise.all([run(on), run(on, '3', { whenBusy: 'supersede' })]);
    expect(first).toMatchObject({ verdict: 'rolled back', reason: 'aborted by the stage: to-3 is newer' });
    expect(second.verdict).toBe('promoted');
  });

  test('the second mends what a first left that died for good', async () => {
    const on = await world({ ...GOOD, 3: 0.001 });
    const since = on.clock.now();
    await dying(on, () => on.clock.now() >= since + 600_000);
    expect((await on.spared(() => on.look())).config).toMatch(/-canary$/);
    const outcome = await run(on, '3');
    expect(outcome.verdict).toBe('promoted');
    expect((await on.spared(() => on.look())).shares).toEqual({ 3: 100 });
  });

  test('run twice under one id, a promotion has one outcome', async () => {
    const on = await world();
    const [first, second] = await Promise.all([run(on), run(on)]);
    const third = await run(on);
    expect([second, third]).toEqual([first, first]);
    await expectKept(on, first);
  });
});

describe('a candidate that does not get to the traffic', () => {
  test.each<[string, Parameters<World['register']>[1], RegExp]>([
    ['is not approved', { ModelApprovalStatus: 'PendingManualApproval' }, /the model package is PendingManualApproval, not Approved/],
    ['has no data', { data: 's3://models/none.tar.gz' }, /there is no model data at s3:\/\/models\/none.tar.gz/],
    [
      'is other data than was approved',
      { CustomerMetadataProperties: { [PACKAGE_METADATA.digest]: 'abc' } },
      /is not the approved content abc/,
    ],
    [
      'answers its samples otherwise',
      { CustomerMetadataProperties: { [PACKAGE_METADATA.samples]: 'samples.json' } },
      /sample 1 of 1: delayed is 0.5, recorded was 0.9/,
    ],
  ])('since it %s', async (_, over, reason) => {
    const on = await world();
    await on.spared(async () => {
      await on.register('2', over);
      await new Store(on.ports, BUCKET).write('samples.json', { samples: [{ inputs: { hour: 7 }, outputs: { delayed: 0.9 } }] });
    });
    const outcome = await run(on);
    expect(outcome).toMatchObject({ verdict: 'rolled back', reason: expect.stringMatching(reason) });
    await expectKept(on, outcome);
  });

  test('since there are no instances', async () => {
    const on = await world();
    on.strike({ operation: 'StartInstances', kind: 'capacity', times: 1 });
    const outcome = await run(on);
    expect(outcome).toMatchObject({ verdict: 'rolled back', during: 'stage', reason: expect.stringMatching(/capacity/i) });
    await expectKept(on, outcome);
  });

  test('since nothing was asked of the live one: there is nothing to compare with', async () => {
    const on = await world();
    await on.spared(() => on.ports.sagemaker.send(new CreateEndpointCommand({ EndpointName: 'quiet', EndpointConfigName: 'config-1' })));
    await on.clock.jump(60_000);
    const outcome = await run(on, '2', {}, { endpointName: 'quiet' });
    expect(outcome).toMatchObject({ verdict: 'held', reason: expect.stringMatching(/no request reached quiet in the 300 s before/) });
  });

  test('since the endpoint has two variants already', async () => {
    const on = await world();
    await on.spared(async () => {
      const one = { ModelName: 'model-1', InstanceType: 'ml.c7g.large' as const, InitialInstanceCount: 1, InitialVariantWeight: 1 };
      const ProductionVariants = ['a', 'b'].map((VariantName) => ({ ...one, VariantName }));
      await on.ports.sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: 'two', ProductionVariants }));
      await on.ports.sagemaker.send(new CreateEndpointCommand({ EndpointName: 'pair', EndpointConfigName: 'two' }));
    });
    await on.clock.jump(60_000);
    const outcome = await run(on, '2', {}, { endpointName: 'pair' });
    expect(outcome).toMatchObject({
      verdict: 'rolled back',
      reason: 'two has 2 production variants (a, b): a promotion starts from an endpoint with one',
    });
  });

  test('since the endpoint mirrors to a shadow of somebody else, which stays', async () => {
    const on = await world();
    await on.spared(async () => {
      const one = {
        VariantName: 'live',
        ModelName: 'model-1',
        InstanceType: 'ml.c7g.large' as const,
        InitialInstanceCount: 1,
        InitialVariantWeight: 1,
      };
      const ShadowProductionVariants = [{ ...one, VariantName: 'theirs' }];
      await on.ports.sagemaker.send(
        new CreateEndpointConfigCommand({ EndpointConfigName: 'mirrored', ProductionVariants: [one], ShadowProductionVariants }),
      );
      await on.ports.sagemaker.send(new UpdateEndpointCommand({ EndpointName: ENDPOINT, EndpointConfigName: 'mirrored' }));
    });
    await on.clock.jump(400_000);
    const outcome = await run(on);
    expect(outcome).toMatchObject({
      verdict: 'rolled back',
      during: 'check',
      reason: 'mirrored mirrors requests to the shadow variant theirs, which a promotion would end: take it out first',
      endpointConfigName: 'mirrored',
    });
  });
});

describe('a shadow', () => {
  const steps = [{ kind: 'shadow', bakeSeconds: 300 }, ...PLAN.steps] as const;
  test('lets a good candidate on', async () => {
    const on = await world();
    const outcome = await run(on, '2', { steps });
    expect(outcome.verdict).toBe('promoted');
    await expectKept(on, outcome);
  });

  test('of one share after another mirrors each of them', async () => {
    const on = await world();
    const mirrored: (number | undefined)[] = [];
    const watch = (): void =>
      on.later(10, async () => {
        const { EndpointStatus, ShadowProductionVariants = [] } = await on.ports.sagemaker.send(
          new DescribeEndpointCommand({ EndpointName: ENDPOINT }),
        );
        const weight = ShadowProductionVariants[0]?.CurrentWeight;
        if (EndpointStatus === 'InService' && weight !== undefined && weight !== mirrored.at(-1)) mirrored.push(weight);
        watch();
      });
    watch();
    const shares = [10, 100, 30].map((percent) => ({ kind: 'shadow', percent, bakeSeconds: 120 }) as const);
    const outcome = await run(on, '2', { steps: [...shares, ...PLAN.steps] });
    expect(outcome.verdict).toBe('promoted');
    expect(mirrored).toEqual([0.1, 1, 0.3]);
    await expectKept(on, outcome);
  });

  test('that died in its second share is mended by the next promotion', async () => {
    const on = await world({ ...GOOD, 3: 0.001 });
    const steps = [10, 100].map((percent) => ({ kind: 'shadow', percent, bakeSeconds: 300 }) as const);
    await dying(on, async () => (await on.look()).config.endsWith('-shadow2'), { steps: [...steps, ...PLAN.steps] });
    const outcome = await run(on, '3');
    expect(outcome.verdict).toBe('promoted');
    await expectKept(on, outcome, '3');
  });

  test('keeps a bad one off the requests altogether', async () => {
    const on = await world({ 1: 0.001, 2: 0.3 });
    const outcome = await run(on, '2', { steps });
    expect(outcome).toMatchObject({ verdict: 'rolled back', during: 'shadow 100 %' });
    expect(on.looks.every((look) => !look.shares[2])).toBe(true);
    await expectKept(on, outcome, '2', true);
  });
});

describe('SageMaker gets in the way', () => {
  test('an alarm rolls the live move back, and the candidate with it', async () => {
    const on = await world();
    const alarm = {
      AlarmName: 'too-slow',
      Namespace: 'Mine',
      MetricName: 'Slow',
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
    } as const;
    await on.spared(() =>
      on.ports.cloudwatch.send(
        new PutMetricAlarmCommand({ ...alarm, Threshold: 1, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore' }),
      ),
    );
    const watch = (): void =>
      on.later(10, async () => {
        const { PendingDeploymentSummary } = await on.ports.sagemaker.send(new DescribeEndpointCommand({ EndpointName: ENDPOINT }));
        if (!PendingDeploymentSummary?.EndpointConfigName?.endsWith('-live')) {
          watch();
          return;
        }
        await on.ports.cloudwatch.send(new SetAlarmStateCommand({ AlarmName: 'too-slow', StateValue: 'ALARM', StateReason: 'slow' }));
      });
    watch();
    const outcome = await run(on, '2', { guardrail: { waitSeconds: 120, alarms: ['too-slow'] } });
    expect(outcome).toMatchObject({ verdict: 'rolled back', during: 'go live', reason: expect.stringMatching(/too-slow/) });
    await expectKept(on, outcome);
  });

  test('it is maintained in between: the promotion waits', async () => {
    const on = await world();
    on.later(300, async () => on.local.maintain(ENDPOINT, 400));
    const outcome = await run(on);
    expect(on.looks.some((look) => look.status === 'SystemUpdating')).toBe(true);
    expect(outcome.verdict).toBe('promoted');
    await expectKept(on, outcome);
  });

  test('what it may not delete it leaves, and says so: live stays live', async () => {
    const on = await world();
    on.strike({ operation: 'DeleteEndpointConfig', kind: 'error', code: 'AccessDeniedException', status: 403 });
    const outcome = await run(on);
    expect(outcome).toMatchObject({ verdict: 'promoted', reason: expect.stringMatching(/could not be deleted: .*an injected fault/) });
    expect((await on.spared(() => on.look())).shares).toEqual({ 2: 100 });
  });

  test('it may not update the endpoint: nothing changes', async () => {
    const on = await world();
    on.strike({ operation: 'UpdateEndpoint', kind: 'error', code: 'AccessDeniedException', status: 403 });
    const outcome = await run(on);
    expect(outcome).toMatchObject({ verdict: 'rolled back', during: 'stage', reason: expect.stringMatching(/AccessDeniedException/) });
    await expectKept(on, outcome);
  });
});

test('a comparison whose short bins CloudWatch no longer has is invalid, however far its deadline was moved', async () => {
  const on = await world();
  saying(on, 200, 'pause');
  const outcome = await run(on, '2', { binSeconds: 30, deadlineSeconds: 3600 });
  expect(outcome).toMatchObject({
    verdict: 'rolled back',
    reason: expect.stringMatching(/the comparison is invalid: CloudWatch keeps bins of 30 s for 3 h, and this comparison is older/),
  });
  await expectKept(on, outcome);
});

describe('a request that could not run is refused', () => {
  const request =
    (plan: object, promotionId = 'a') =>
    () =>
      checkRequest({ promotionId, endpointName: 'e', bucket: 'b', modelPackageArn: 'arn', plan: { ...PLAN, ...plan } });
  const percent = (value: number) => ({ kind: 'percent', percent: value });
  test.each<[string, () => void, string]>([
    ['an id', request({}, 'a b'), "promotionId must be 1 to 64 letters, digits or hyphens, got 'a b'"],
    ['no metric', request({ metrics: [] }), 'plan.metrics is empty: nothing would be judged'],
    [
      'a metric that nothing counts',
      request({ metrics: [{ id: 'refused', kind: 'other' }] }),
      "plan.metrics: 'refused' has no source; only a metric of kind latency needs none",
    ],
    [
      'a metric twice',
      request({
        metrics: [
          { id: 'latency', kind: 'latency' },
          { id: 'latency', kind: 'latency' },
        ],
      }),
      "plan: metric 'latency' is given twice; ids must be unique",
    ],
    [
      'a margin of a metric',
      request({ metrics: [{ id: 'latency', kind: 'latency', margin: 0.5 }] }),
      "plan: metric 'latency': margin must be above 1, not 0.5",
    ],
    ['a setting of the judge', request({ settings: { alpha: 2 } }), "plan: setting 'alpha' must be above 0 and below 1, not 2"],
    ['settings that are none', request({ settings: null }), 'plan: settings must be an object, not null'],
    ['an unknown setting', request({ settings: { alfa: 0.1 } }), "plan: unknown setting 'alfa'"],
    ['counts from the future', request({ settleSeconds: -5 }), "plan: setting 'settleSeconds' must be a number of at least 0, not -5"],
    ['no share', request({ steps: [{ kind: 'shadow' }] }), 'plan.steps routes no requests to the candidate: add a step of kind percent'],
    ['a large share', request({ steps: [percent(60)] }), 'plan.steps[0].percent must be above 0 and at most 50 for a percent step, got 60'],
    [
      'a falling share',
      request({ steps: [percent(25), percent(5)] }),
      'plan.steps[1].percent is 5, below the 25 before it: shares only rise',
    ],
    [
      'a late shadow',
      request({ steps: [percent(5), { kind: 'shadow' }] }),
      'plan.steps[1] is a shadow after a routed share: shadows come first',
    ],
    ['a bin', request({ binSeconds: 7 }), 'plan.binSeconds must be 1, 5, 10, 30 or a multiple of 60, got 7'],
    [
      'short bins and a long deadline',
      request({ binSeconds: 10, deadlineSeconds: 10_800, tickSeconds: 10, settleSeconds: 60 }),
      'plan.deadlineSeconds is 10800: CloudWatch keeps bins of 10 s for 3 h, so that at most 10730 s can be judged by them (less settleSeconds and tickSeconds), and later verdicts would lose the beginning. Shorten it, or take bins of at least 60 s',
    ],
    [
      'short bins and a long wait for a person',
      request({ binSeconds: 10, deadlineSeconds: 3600, approval: 'manual', approvalSeconds: 86_400 }),
      'plan.deadlineSeconds and plan.approvalSeconds are 90000 together: CloudWatch keeps bins of 10 s for 3 h',
    ],
    [
      'short bins and a long shadow',
      request({ binSeconds: 30, steps: [{ kind: 'shadow', bakeSeconds: 14_400 }, percent(5)] }),
      'plan.steps[0].bakeSeconds is 14400: CloudWatch keeps bins of 30 s for 3 h',
    ],
    [
      'bins of a minute and weeks for a person',
      request({ approval: 'manual', approvalSeconds: 20 * 86_400 }),
      'CloudWatch keeps bins of 60 s for 15 days, so that',
    ],
    ['a tick', request({ tickSeconds: 0 }), 'plan.tickSeconds must be a number of at least 1 and at most 300, got 0'],
    [
      'a tick in which the lock expires',
      request({ tickSeconds: 1000 }),
      'plan.tickSeconds must be a number of at least 1 and at most 300, got 1000',
    ],
    ['an approval that is none', request({ approval: 'Manual' }), "plan.approval must be none or manual, got 'Manual'"],
    ['a field that is none', request({ aproval: 'manual' }), 'plan.aproval is not known; a plan has steps, metrics,'],
    [
      'a deadline that is none',
      request({ onDeadline: 'rollback' }),
      "plan.onDeadline must be rollBack or hold or promote or ask, got 'rollback'",
    ],
    ['a turn that is none', request({ whenBusy: 'abort' }), "plan.whenBusy must be wait or supersede, got 'abort'"],
    [
      'a step that is none',
      request({ steps: [percent(5), { kind: 'percents', percent: 25 }] }),
      "plan.steps[1].kind must be shadow or percent, got 'percents'",
    ],
    [
      'a time that is none',
      request({ steps: [{ kind: 'shadow', bakeSeconds: '5m' }, percent(5)] }),
      'plan.steps[0].bakeSeconds must be a number of at least 0, got 5m',
    ],
    [
      'a share of the new fleet',
      request({ guardrail: { canaryPercent: 80 } }),
      'plan.guardrail.canaryPercent must be a number of at least 1 and at most 50, got 80',
    ],
    [
      'an hour of alarms',
      request({ guardrail: { waitSeconds: 7200 } }),
      'plan.guardrail.waitSeconds must be a number of at least 0 and at most 3600, got 7200',
    ],
    [
      'a deadline before the first verdict',
      request({ tickSeconds: 60, deadlineSeconds: 0 }),
      'plan.deadlineSeconds must leave time for a verdict, at least tickSeconds (60), got 0',
    ],
    [
      'alarms',
      request({ guardrail: { alarms: Array(11).fill('a') } }),
      "plan.guardrail.alarms holds 11 names: SageMaker takes at most 10, two of which are the promotion's own",
    ],
  ])('%s', (_, check, message) => {
    expect(check).toThrow(message);
  });
});

test('mirrored requests and routed ones share the error rate that rollbacks may have', async () => {
  const levels = async (shadows: number) => {
    const on = await world();
    const shadow = { kind: 'shadow', percent: 50, bakeSeconds: 60 } as const;
    expect((await run(on, '2', { steps: [...Array<typeof shadow>(shadows).fill(shadow), ...PLAN.steps] })).verdict).toBe('promoted');
    const entries = await on.spared(() => story(new Store(on.ports, BUCKET), ENDPOINT, 'to-2'));
    return entries.flatMap(({ verdict }) => (verdict ? [Number(Math.exp(-verdict.logWorseThreshold).toFixed(4))] : []));
  };
  expect(await levels(0)).toEqual([0.05, 0.05, 0.05]);
  expect(await levels(1)).toEqual([0.01, 0.04, 0.04, 0.04]);
  expect(await levels(2)).toEqual([0.005, 0.005, 0.04, 0.04, 0.04]);
});
