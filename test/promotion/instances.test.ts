import { DescribeEndpointCommand, DescribeEndpointConfigCommand } from '@aws-sdk/client-sagemaker';
import { autoscale, autoscaleMore, onOtherInstances, scalingOf } from './harness/autoscaled';
import { violations } from './harness/invariants';
import { closeWorlds, dying, run, world } from './harness/run';
import { ENDPOINT, type World } from './harness/world';

afterEach(closeWorlds);

/** What serves: its configuration's variants, and how many instances each has. */
const served = (on: World) =>
  on.spared(async () => {
    const { sagemaker } = on.ports;
    const { EndpointConfigName, ProductionVariants } = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: ENDPOINT }));
    const config = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName }));
    return config.ProductionVariants!.map(({ VariantName, InstanceType }, i) => ({
      VariantName,
      InstanceType,
      instances: ProductionVariants![i].CurrentInstanceCount,
    }));
  });

describe('a version that wants other instances', () => {
  test('is tried on them, and goes live on them', async () => {
    const on = await world();
    await onOtherInstances(on);
    let tried: unknown;
    on.later(300, async () => {
      tried = (await served(on)).map(({ InstanceType }) => InstanceType);
    });
    const outcome = await run(on);
    expect(outcome.verdict).toBe('promoted');
    expect(tried).toEqual(['ml.c7g.large', 'ml.c7g.xlarge']);
    expect(await served(on)).toEqual([{ VariantName: 'live', InstanceType: 'ml.c7g.xlarge', instances: 2 }]);
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('and more of them, gets them; fewer than there are take none away', async () => {
    for (const [count, instances] of [
      ['4', 4],
      ['1', 2],
    ] as const) {
      const on = await world();
      await onOtherInstances(on, 'ml.c7g.xlarge', count);
      expect((await run(on)).verdict).toBe('promoted');
      expect(await served(on)).toEqual([{ VariantName: 'live', InstanceType: 'ml.c7g.xlarge', instances }]);
    }
  });

  test('leaves the live variant scaled as it was, with its policies and its schedule', async () => {
    const on = await world();
    await onOtherInstances(on);
    await autoscale(on);
    const before = await scalingOf(on);
    const outcome = await run(on);
    expect(outcome.verdict).toBe('promoted');
    expect(await scalingOf(on)).toEqual(before);
    expect(await served(on)).toMatchObject([{ InstanceType: 'ml.c7g.xlarge' }]);
  });

  test('leaves it all its policies and its schedule, however many', async () => {
    const on = await world();
    await onOtherInstances(on);
    await autoscale(on);
    await autoscaleMore(on, 20, 60);
    const before = await scalingOf(on);
    expect([before.policies.length, before.actions.length]).toEqual([21, 61]);
    expect((await run(on)).verdict).toBe('promoted');
    expect(await scalingOf(on)).toEqual(before);
  });

  test.each([
    ['new instances are not to be had', { operation: 'StartInstances', variant: 'live', kind: 'capacity', nth: 2, times: 1 }],
    [
      'SageMaker refuses the move',
      { operation: 'UpdateEndpoint', kind: 'error', code: 'AccessDeniedException', status: 403, nth: 2, times: 1 },
    ],
  ] as const)('leaves it scaled as it was where %s', async (_, fault) => {
    const on = await world();
    await onOtherInstances(on);
    await autoscale(on);
    const before = await scalingOf(on);
    on.strike(fault);
    const outcome = await run(on);
    expect(outcome).toMatchObject({ verdict: 'rolled back', during: 'go live' });
    expect(await scalingOf(on)).toEqual(before);
    expect(await served(on)).toMatchObject([{ VariantName: 'live', InstanceType: 'ml.c7g.large' }]);
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('leaves it scaled as it was where it dies in the middle of the move, once the next one has mended that', async () => {
    const on = await world({ 1: 0.001, 2: 0.001, 3: 0.001 });
    await onOtherInstances(on);
    await autoscale(on);
    const before = await scalingOf(on);
    await dying(on, async () => (await on.look()).config.endsWith('-live'));
    expect(await scalingOf(on)).toMatchObject({ targets: [] });
    expect((await run(on, '3')).verdict).toBe('promoted');
    expect(await scalingOf(on)).toEqual(before);
    expect(await served(on)).toMatchObject([{ VariantName: 'live', InstanceType: 'ml.c7g.large' }]);
  });

  test('is promoted, and the reason says where its scaling is kept, where that may not be put back', async () => {
    const on = await world();
    await onOtherInstances(on);
    await autoscale(on);
    on.strike({ operation: 'RegisterScalableTarget', kind: 'error', code: 'AccessDeniedException', status: 403 });
    expect(await run(on)).toMatchObject({
      verdict: 'promoted',
      reason: expect.stringMatching(/kept as scaling\.json beside its record, could not be put back: AccessDenied/),
    });
  });

  test.each([
    ['c7g', undefined, /instance-type is 'c7g', which is no instance type/],
    ['ml.c7g.xlarge', 'two', /instance-count is 'two', which is no number of instances/],
  ])('is refused for %s and %s', async (type, count, reason) => {
    const on = await world();
    await onOtherInstances(on, type, count);
    expect(await run(on)).toMatchObject({ verdict: 'rolled back', during: 'check', reason: expect.stringMatching(reason) });
  });
});

test('a version on the same instances leaves scaling alone', async () => {
  const on = await world();
  await autoscale(on);
  const probe = on.strike({ service: 'Application Auto Scaling', kind: 'late', probability: 0 });
  expect((await run(on)).verdict).toBe('promoted');
  expect(probe.matched).toBe(0);
});
