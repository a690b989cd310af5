import { type Entry, type Lock, lockKey, type Outcome, Store } from '../../lib/promotion';
import { type Ran, violations } from './harness/invariants';
import { closeWorlds, dying, run, world } from './harness/run';
import { BUCKET, ENDPOINT, type World } from './harness/world';

afterEach(closeWorlds);

const RATES = { 1: 0.001, 2: 0.001, 3: 0.001 };
const DENIED = { kind: 'error', code: 'AccessDeniedException', status: 403 } as const;

const read = <T>(on: World, key: string) => on.spared(async () => (await new Store(on.ports, BUCKET).read<T>(key))?.value);
const moving = (on: World) => async () => (await on.look()).fleets.some(({ config, share }) => config.endsWith('-live') && share > 0);

/** The next promotion goes live, and nothing of what was promised is broken by either. */
async function mustBeEndedByTheNext(on: World, first: Ran): Promise<void> {
  const outcome = await run(on, '3');
  expect(outcome.verdict).toBe('promoted');
  expect(await violations(on, [first, { version: '3', bad: false, outcome }])).toEqual([]);
}

describe('a promotion that died for good', () => {
  test.each<[string, (on: World) => () => Promise<boolean> | boolean]>([
    ['with the candidate in', (on) => async () => (await on.look()).shares[2] > 0],
    ['while the live variant moved', moving],
    ['with the live variant moved', (on) => async () => (await on.look()).config.endsWith('-live')],
    ['with the candidate variant out', (on) => async () => (await on.look()).config.endsWith('-final')],
  ])('%s leaves nothing behind once the next one is through', async (_, when) => {
    const on = await world(RATES);
    await dying(on, when(on));
    const outcome = await run(on, '3');
    expect(outcome.verdict).toBe('promoted');
    await on.clock.jump(60_000);
    expect((await on.spared(() => on.look())).shares).toEqual({ 3: 100 });
    expect(await on.spared(() => on.alarms())).toEqual([]);
    expect((await on.spared(() => on.configs())).filter((name) => name !== 'config-1' && name !== outcome.endpointConfigName)).toEqual([]);
  });

  test('and runs again under its id judges anew, and names its own verdict', async () => {
    const rates: Record<string, number> = { ...RATES };
    const on = await world(rates);
    await dying(on, async () => Math.round((await on.look()).shares[2] ?? 0) === 25);
    rates[2] = 0.3;
    const outcome: Outcome = await run(on, '2');
    expect(outcome.verdict).toBe('rolled back');
    const { verdict } = (await read<Entry>(on, outcome.verdictKey!))!;
    expect(verdict!.sentence).toBe(outcome.reason);
    expect(verdict!.decision).toBe('rollBack');
    expect(await violations(on, [{ version: '2', bad: true, outcome }])).toEqual([]);
  });
});

test('where the way back is barred for good the candidate is held, the lock says where to go back to, and the next promotion does', async () => {
  const rates = { ...RATES, 2: 0.3 };
  const on = await world(rates);
  let barred = { remove() {} };
  on.later(100, async () => {
    barred = on.strike({ operation: 'UpdateEndpoint', ...DENIED });
  });
  const outcome = await run(on);
  expect(outcome).toMatchObject({
    verdict: 'held',
    reason: expect.stringMatching(/flights could not be taken back to config-1: AccessDenied/),
  });
  expect(outcome.reason).toMatch(/5xx/);
  expect(await read<Lock>(on, lockKey(ENDPOINT))).toMatchObject({ owner: '', base: 'config-1', of: 'to-2' });
  expect((await on.spared(() => on.look())).shares).toMatchObject({ 1: 100, 2: 0 });
  barred.remove();
  await mustBeEndedByTheNext(on, { version: '2', bad: true, outcome });
});

test('where the candidate variant may not be taken out any more the version is promoted, and the next promotion takes it out', async () => {
  const on = await world(RATES);
  const barred = on.strike({ operation: 'UpdateEndpoint', nth: 3, ...DENIED });
  const outcome = await run(on);
  expect(outcome).toMatchObject({
    verdict: 'promoted',
    reason: expect.stringMatching(/the candidate variant could not be taken out, which the next promotion does: AccessDenied/),
  });
  expect((await on.spared(() => on.look())).config).toMatch(/-live$/);
  expect(await read<Lock>(on, lockKey(ENDPOINT))).toMatchObject({ owner: '', base: expect.stringMatching(/-final$/), of: 'to-2' });
  barred.remove();
  await mustBeEndedByTheNext(on, { version: '2', bad: false, outcome });
});
