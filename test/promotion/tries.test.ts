import { difference } from '../../lib/cli/stage/recompute';
import { type Entry, type Outcome, Store } from '../../lib/promotion';
import { closeWorlds, run, world } from './harness/run';
import { BUCKET, type World } from './harness/world';

afterEach(closeWorlds);

/** Too short for evidence: held. */
const HURRIED = { steps: [{ kind: 'percent', percent: 5, bakeSeconds: 60 }], deadlineSeconds: 60, onDeadline: 'hold' } as const;

/** Tries a version in a promotion of its own. */
const attempt = (on: World, promotionId: string, plan = {}, version = '2') => run(on, version, plan, { promotionId });

/** The verdict that a promotion rests on: what is most of a bad version, and the evidence that suffices. */
async function judgedBy(on: World, { verdictKey }: Outcome) {
  const { verdict } = (await on.spared(() => new Store(on.ports, BUCKET).read<Entry>(verdictKey!)))!.value;
  expect(difference(verdict!)).toBe('');
  const { beta } = verdict!.input.settings!;
  return { beta, suffices: Math.round(Math.exp(verdict!.metrics[0].logNotWorseThreshold)) };
}

describe('a version that is tried again', () => {
  test('needs more evidence each time, so that all later tries err no more often than the first', async () => {
    const on = await world();
    const tries = [];
    for (const id of ['a', 'b', 'c']) tries.push(await judgedBy(on, await attempt(on, id, HURRIED)));
    const last = await attempt(on, 'd');
    expect(last).toMatchObject({ verdict: 'promoted', reason: expect.stringContaining('where 240 suffices') });
    expect([...tries, await judgedBy(on, last)]).toEqual([
      { beta: 0.05, suffices: 20 },
      { beta: 0.05 / 2, suffices: 40 },
      { beta: 0.05 / 6, suffices: 120 },
      { beta: 0.05 / 12, suffices: 240 },
    ]);
  });

  test('starts from what the stage asks for', async () => {
    const on = await world();
    const strict = { ...HURRIED, settings: { beta: 0.01 } };
    await attempt(on, 'a', strict);
    expect(await judgedBy(on, await attempt(on, 'b', strict))).toEqual({ beta: 0.005, suffices: 200 });
  });

  test('is not charged for a try in which it answered nobody, nor for having been live', async () => {
    const on = await world({ 1: 0.001, 2: 0.001, 3: 0.001 });
    on.strike({ operation: 'StartInstances', kind: 'capacity', times: 1 });
    expect(await attempt(on, 'a')).toMatchObject({ verdict: 'rolled back', during: 'stage' });
    expect(await attempt(on, 'b')).toMatchObject({ verdict: 'promoted' });
    expect(await attempt(on, 'c', {}, '3')).toMatchObject({ verdict: 'promoted' });
    expect(await judgedBy(on, await attempt(on, 'd'))).toEqual({ beta: 0.05, suffices: 20 });
  });

  test('and was live since is at its first try, so that a rollback to it is as quick as ever', async () => {
    const on = await world({ 1: 0.001, 2: 0.001, 3: 0.001 });
    await attempt(on, 'a', HURRIED);
    expect(await attempt(on, 'b')).toMatchObject({ verdict: 'promoted', reason: expect.stringContaining('where 40 suffices') });
    expect(await attempt(on, 'c', {}, '3')).toMatchObject({ verdict: 'promoted' });
    expect(await judgedBy(on, await attempt(on, 'd'))).toEqual({ beta: 0.05, suffices: 20 });
  });

  test('leaves other versions at their first try', async () => {
    const on = await world({ 1: 0.001, 2: 0.001, 3: 0.001 });
    await attempt(on, 'a', HURRIED);
    expect(await judgedBy(on, await attempt(on, 'b', HURRIED, '3'))).toEqual({ beta: 0.05, suffices: 20 });
  });
});
