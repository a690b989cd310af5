import { type Outcome, promotion, Store, story } from '../../lib/promotion';
import { DurableExecutor } from './harness/durable-executor';
import { violations } from './harness/invariants';
import { BUCKET, ENDPOINT, World } from './harness/world';

const open: World[] = [];
async function world(errorRates: Record<string, number>) {
  const made = await World.create(errorRates);
  open.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function run(on: World, version: string, over = {}): Promise<Outcome> {
  const request = on.request(version, over);
  return new DurableExecutor(on.clock).run<Outcome>(request, promotion(on.ports), (alive, work) => on.process(alive, work));
}

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
