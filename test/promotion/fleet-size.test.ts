import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
} from '@aws-sdk/client-sagemaker';
import { onOtherInstances } from './harness/autoscaled';
import { violations } from './harness/invariants';
import { closeWorlds, run, world } from './harness/run';
import { ENDPOINT, PLAN, type World } from './harness/world';

afterEach(closeWorlds);

/** Has the live variant run on so many instances, as Application Auto Scaling would. */
const scale = (on: World, instances: number) =>
  on.spared(async () => {
    const DesiredWeightsAndCapacities = [{ VariantName: 'live', DesiredInstanceCount: instances }];
    await on.ports.sagemaker.send(new UpdateEndpointWeightsAndCapacitiesCommand({ EndpointName: ENDPOINT, DesiredWeightsAndCapacities }));
  });

/** Instances that run, and that the configuration says, by variant. */
const sizes = (on: World) =>
  on.spared(async () => {
    const { sagemaker } = on.ports;
    const { EndpointConfigName, ProductionVariants } = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: ENDPOINT }));
    const config = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName }));
    return {
      running: Object.fromEntries(ProductionVariants!.map((one) => [one.VariantName, one.CurrentInstanceCount])),
      configured: Object.fromEntries(config.ProductionVariants!.map((one) => [one.VariantName, one.InitialInstanceCount])),
    };
  });

/** Does something once the endpoint serves, settled, what it should. */
function once(on: World, isTime: (look: Awaited<ReturnType<World['look']>>) => boolean, work: () => Promise<unknown>): void {
  on.later(10, async () => {
    const look = await on.look();
    if (look.status === 'InService' && isTime(look)) await work();
    else once(on, isTime, work);
  });
}

/** What there is while the candidate has a share of the requests. */
function watchAt(on: World, percent: number): { sizes?: Awaited<ReturnType<typeof sizes>> } {
  const seen: { sizes?: Awaited<ReturnType<typeof sizes>> } = {};
  once(
    on,
    ({ shares }) => Math.round(shares[2] ?? 0) === percent,
    async () => {
      seen.sizes = await sizes(on);
    },
  );
  return seen;
}

describe('a live variant that was scaled from two instances to ten', () => {
  test('meets a candidate of five for its half of the requests, and keeps its ten throughout', async () => {
    const on = await world();
    await scale(on, 10);
    await on.clock.jump(60_000);
    const seen = watchAt(on, 50);
    const outcome = await run(on);
    expect(outcome.verdict).toBe('promoted');
    expect(seen.sizes).toEqual({ running: { live: 10, candidate: 5 }, configured: { live: 10, candidate: 5 } });
    expect(await sizes(on)).toEqual({ running: { live: 10 }, configured: { live: 10 } });
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('has ten again where the candidate is taken back', async () => {
    const on = await world({ 1: 0.001, 2: 0.3 });
    await scale(on, 10);
    await on.clock.jump(60_000);
    expect((await run(on)).verdict).toBe('rolled back');
    expect((await sizes(on)).running).toEqual({ live: 10 });
  });

  test('meets more of a candidate that wants more instances than that', async () => {
    const on = await world();
    await onOtherInstances(on, 'ml.c6g.large', '20');
    await scale(on, 10);
    await on.clock.jump(60_000);
    const seen = watchAt(on, 50);
    expect((await run(on)).verdict).toBe('promoted');
    expect(seen.sizes!.running).toEqual({ live: 10, candidate: 10 });
    expect((await sizes(on)).running).toEqual({ live: 20 });
  });
});

test('a live variant that grows while requests are mirrored meets a candidate for what runs by then', async () => {
  const on = await world();
  once(
    on,
    ({ config }) => config.endsWith('-shadow'),
    () => scale(on, 10),
  );
  const seen = watchAt(on, 50);
  const steps = [{ kind: 'shadow', percent: 10, bakeSeconds: 300 } as const, ...PLAN.steps];
  expect((await run(on, '2', { steps })).verdict).toBe('promoted');
  expect(seen.sizes!.running).toEqual({ live: 10, candidate: 5 });
});

describe('a live variant that is scaled while the candidate has half of the requests', () => {
  const scaledThen = async (before: number, then: number) => {
    const on = await world();
    await scale(on, before);
    await on.clock.jump(60_000);
    once(
      on,
      ({ shares }) => Math.round(shares[2] ?? 0) === 50,
      () => scale(on, then),
    );
    const outcome = await run(on);
    expect(outcome.verdict).toBe('promoted');
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
    return (await sizes(on)).running;
  };

  test('in, has what it had when it goes live: it answers everything then', async () => {
    expect(await scaledThen(10, 5)).toEqual({ live: 10 });
  });

  test('out, has twice of it, but no more than ran of both', async () => {
    expect(await scaledThen(4, 8)).toEqual({ live: 10 });
  });
});
