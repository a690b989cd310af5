import { Store, say } from '../../lib/promotion';
import { heard } from '../../lib/promotion/controls';
import { violations } from './harness/invariants';
import { closeWorlds, run, world } from './harness/run';
import { BUCKET, ENDPOINT, PLAN, type World } from './harness/world';

afterEach(closeWorlds);

/** On AWS the clients try again by themselves: a write that was made, and whose answer was lost, is made twice. */
const asOnAws = (): Promise<World> => world({ 1: 0.001, 2: 0.001 }, true);
const lost = (on: World, nth: number) => on.strike({ service: 'S3', operation: 'PutObject', kind: 'lost answer', nth, times: 1 });

/** Long enough that the lock is renewed in it. */
const SLOW = { steps: PLAN.steps.slice(2).map((step) => ({ ...step, bakeSeconds: 600 })), tickSeconds: 180 };

test('no write whose answer was lost takes the endpoint from its promotion', async () => {
  for (let nth = 1; ; nth++) {
    const on = await asOnAws();
    const fault = lost(on, nth);
    const outcome = await run(on, '2', SLOW);
    expect({ nth, ...outcome }).toMatchObject({ nth, verdict: 'promoted' });
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
    await on.close();
    if (fault.matched < nth) break;
  }
});

test('an extension whose answer was lost moves the deadline once', async () => {
  const on = await asOnAws();
  lost(on, 1);
  const store = new Store(on.ports, BUCKET);
  const said = await on.process(
    () => true,
    async () => {
      await say(on.ports, store, ENDPOINT, 'to-2', { command: 'extend', by: 'anna', seconds: 600 });
      return heard(store, ENDPOINT, 'to-2');
    },
  );
  expect(said.extraSeconds).toBe(600);
});
