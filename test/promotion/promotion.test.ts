import { Store, story } from '../../lib/promotion';
import { violations } from './harness/invariants';
import { closeWorlds, run, world } from './harness/run';
import { BUCKET, ENDPOINT } from './harness/world';

afterEach(closeWorlds);

describe('a promotion', () => {
  test('takes a good candidate live, and leaves nothing behind', async () => {
    const on = await world({ 1: 0.001, 2: 0.001 });
    const outcome = await run(on, '2');
    expect(outcome).toMatchObject({ verdict: 'promoted', during: 'go live' });
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('takes a bad candidate back, and says why', async () => {
    const on = await world({ 1: 0.001, 2: 0.3 });
    const outcome = await run(on, '2');
    expect(outcome.verdict).toBe('rolled back');
    expect(outcome.reason).toMatch(/5xx .* against/);
    expect(await violations(on, [{ version: '2', bad: true, outcome }])).toEqual([]);
  });

  test('keeps a story that can be read', async () => {
    const on = await world({ 1: 0, 2: 0 });
    const outcome = await run(on, '2');
    const told = await on.spared(() => story(new Store(on.ports, BUCKET), ENDPOINT, outcome.promotionId));
    expect(told.map((entry) => entry.what)).toEqual(['begin', 'start', 'verdict', 'verdict', 'verdict', 'outcome']);
  });
});

describe('a version that is live already', () => {
  test.each([
    ['since the endpoint was made with it', '1'],
    ['since a promotion took it there', '2'],
  ])('%s, ends at once as promoted, and the endpoint is not touched', async (_, version) => {
    const on = await world();
    if (version === '2') await run(on, '2');
    const before = await on.spared(() => on.look());
    const probes = ['UpdateEndpoint', 'UpdateEndpointWeightsAndCapacities', 'CreateModel', 'CreateEndpointConfig'].map((operation) =>
      on.strike({ operation, kind: 'late', probability: 0 }),
    );
    const outcome = await run(on, version, {}, { promotionId: 'again' });
    expect(outcome).toMatchObject({ verdict: 'promoted', reason: 'already live', verdictKey: null, endpointConfigName: before.config });
    expect(probes.map(({ matched }) => matched)).toEqual([0, 0, 0, 0]);
    expect(await on.spared(() => on.look())).toMatchObject({ config: before.config, shares: { [version]: 100 } });
  });

  test('does not let another version of the same archive pass for it', async () => {
    const on = await world({ 1: 0.001 });
    await on.spared(() => on.register('2', { data: 's3://models/1.tar.gz' }));
    const outcome = await run(on, '2');
    expect(outcome.reason).not.toBe('already live');
  });
});
