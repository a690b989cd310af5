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
  }, 60_000);

  test('takes a bad candidate back, and says why', async () => {
    const on = await world({ 1: 0.001, 2: 0.3 });
    const outcome = await run(on, '2');
    expect(outcome.verdict).toBe('rolled back');
    expect(outcome.reason).toMatch(/5xx .* against/);
    expect(await violations(on, [{ version: '2', bad: true, outcome }])).toEqual([]);
  }, 60_000);

  test('keeps a story that can be read', async () => {
    const on = await world({ 1: 0, 2: 0 });
    const outcome = await run(on, '2');
    const told = await on.spared(() => story(new Store(on.ports, BUCKET), ENDPOINT, outcome.promotionId));
    expect(told.map((entry) => entry.what)).toEqual(['begin', 'verdict', 'verdict', 'verdict', 'outcome']);
  }, 60_000);
});
