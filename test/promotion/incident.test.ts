import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { CreateEndpointConfigCommand, UpdateEndpointCommand } from '@aws-sdk/client-sagemaker';
import { type Command, type Entry, type Lock, lockKey, type Outcome, outcomeKey, promotion, Store, say } from '../../lib/promotion';
import { note } from '../../lib/promotion/record';
import { DurableExecutor } from './harness/durable-executor';
import { violations } from './harness/invariants';
import { closeWorlds, run, world } from './harness/run';
import { BUCKET, ENDPOINT, PLAN, type World } from './harness/world';

const GOOD = { 1: 0.001, 2: 0.001, 3: 0.001 };
afterEach(closeWorlds);

/** Anna says something to a version's promotion after some seconds. */
function saying(on: World, seconds: number, command: Command, version = '2'): void {
  on.later(seconds, () => say(on.ports, new Store(on.ports, BUCKET), ENDPOINT, `to-${version}`, { command, by: 'anna' }));
}

/** Somebody takes the endpoint to a configuration of their own, with the version that was live. */
async function byHand(on: World): Promise<void> {
  const live = { VariantName: 'live', ModelName: 'model-1', InstanceType: 'ml.c7g.large' as const, InitialInstanceCount: 2 };
  await on.ports.sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: 'by-hand', ProductionVariants: [live] }));
  await on.ports.sagemaker.send(new UpdateEndpointCommand({ EndpointName: ENDPOINT, EndpointConfigName: 'by-hand' }));
}

const answered = (on: World, version: string) => on.looks.some(({ shares }) => (shares[version] ?? 0) > 0);

describe('a promotion that is aborted', () => {
  const ABORTED = { verdict: 'rolled back', reason: 'aborted by anna' };

  test('while it waits for its turn ends there, and the candidate never answers', async () => {
    const on = await world(GOOD);
    on.later(200, async () => void run(on, '3').then((outcome) => ends.push(outcome)));
    const ends: Outcome[] = [];
    saying(on, 300, 'abort', '3');
    const first = await run(on);
    await on.clock.jump(3_600_000);
    expect(ends).toMatchObject([{ ...ABORTED, during: 'wait' }]);
    expect(ends[0].endedAt).toBeLessThan(first.endedAt);
    expect(answered(on, '3')).toBe(false);
    expect(first.verdict).toBe('promoted');
  });

  test('while the candidate comes up sends it no request', async () => {
    const on = await world(GOOD);
    on.strike({ operation: 'StartInstances', kind: 'slow', seconds: 600, times: 1 });
    saying(on, 120, 'abort');
    const outcome = await run(on);
    // An end that spends none of the version's tries.
    expect(outcome).toMatchObject({ ...ABORTED, during: 'stage' });
    expect(answered(on, '2')).toBe(false);
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('before the live variant moves leaves it where it is', async () => {
    const on = await world(GOOD);
    // The first configuration is the one that brings the candidate in.
    const slow = on.strike({ operation: 'CreateEndpointConfig', kind: 'throttle', nth: 2, times: 6 });
    const watch = (): void => on.later(5, async () => (slow.matched > 1 ? saying(on, 1, 'abort') : watch()));
    watch();
    const outcome = await run(on);
    expect(outcome).toMatchObject({ ...ABORTED, during: 'go live' });
    expect(on.looks.some(({ config }) => config.endsWith('-live'))).toBe(false);
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('while its metrics cannot be read goes back at once, and says who aborted it', async () => {
    const on = await world(GOOD);
    on.later(300, async () => {
      on.strike({ service: 'CloudWatch', operation: 'GetMetricData', kind: 'error', status: 403, code: 'AccessDeniedException' });
    });
    saying(on, 310, 'abort');
    const started = on.clock.now();
    const outcome = await run(on);
    expect(outcome).toMatchObject(ABORTED);
    expect(outcome.endedAt - started).toBeLessThan(600_000);
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });
});

describe('an endpoint that somebody changed by hand', () => {
  const invalid = { verdict: 'rolled back', reason: expect.stringMatching(/^the comparison is invalid/) };

  test('is not taken live by an approval: the comparison is invalid', async () => {
    const on = await world(GOOD);
    const hand = (): void =>
      on.later(10, async () => {
        if (!on.topic.told.some(({ message }) => message.news === 'approval wanted')) return hand();
        await byHand(on);
        saying(on, 45, 'approve');
      });
    hand();
    expect(await run(on, '2', { approval: 'manual' })).toMatchObject({ ...invalid, during: 'approval' });
  });

  test('is not taken live by a deadline that promotes', async () => {
    const on = await world(GOOD);
    const hurried = { steps: [{ kind: 'percent', percent: 5, bakeSeconds: 60 }], deadlineSeconds: 300, onDeadline: 'promote' } as const;
    const hand = (): void => on.later(10, async () => (answered(on, '2') ? on.later(130, () => byHand(on)) : hand()));
    hand();
    expect(await run(on, '2', hurried)).toMatchObject(invalid);
  });
});

test('a candidate that waits gives way to a newer one that came to the endpoint before it, and does not abort it', async () => {
  const on = await world(GOOD);
  const store = new Store(on.ports, BUCKET);
  const heldBy = (owner: string) =>
    store.write(lockKey(ENDPOINT), { owner, run: 'another', expires: on.clock.now() + 900_000, base: '', of: '' } satisfies Lock);
  await on.spared(() => heldBy('to-2'));
  on.later(100, async () => {
    const newer = on.request('3', { promotionId: 'to-4' });
    await note(store, newer, '000-begin', { at: on.clock.now(), what: 'begin', sentence: 'wants to go live', request: newer });
    await heldBy('to-4');
  });
  const older = await run(on, '3', { whenBusy: 'supersede' });
  expect(older).toMatchObject({ verdict: 'rolled back', during: 'wait', reason: 'aborted by the stage: to-4 is newer' });
  expect(await on.spared(() => store.list(`promotions/${ENDPOINT}/to-4/controls/`))).toEqual([]);
});

test('of two runs under one id the second waits for as long as the first lasts, a person included', async () => {
  const on = await world(GOOD);
  saying(on, 1800, 'approve');
  const plan = { approval: 'manual', deadlineSeconds: 900, approvalSeconds: 7200 } as const;
  const [first, second] = await Promise.all([run(on, '2', plan), run(on, '2', plan)]);
  expect(first.verdict).toBe('promoted');
  expect(second).toEqual(first);
  const stands = await on.spared(() => new Store(on.ports, BUCKET).read<Outcome>(outcomeKey(ENDPOINT, 'to-2')));
  expect(stands!.value).toEqual(first);
});

/** Runs version 2 in a process that dies once it has written what fits, before that is checkpointed; its successor comes some seconds later. */
async function dyingOnce(on: World, key: RegExp, seconds: number, meanwhile: () => void = () => {}): Promise<Outcome> {
  let state: 'alive' | 'dying' | 'dead' | 'over' = 'alive';
  const s3 = Object.create(on.ports.s3) as S3Client;
  s3.send = async (command: PutObjectCommand) => {
    const answer = await on.ports.s3.send(command);
    if (state === 'alive' && command instanceof PutObjectCommand && key.test(command.input.Key!)) state = 'dying';
    return answer as never;
  };
  const executor = new DurableExecutor(on.clock, () => {
    if (state !== 'dying') return undefined;
    state = 'dead';
    return 'before';
  });
  const outcome = await executor.run<Outcome>(on.request('2', { plan: PLAN }), promotion({ ...on.ports, s3 }), async (alive, work) => {
    if (state === 'dead') {
      state = 'over';
      meanwhile();
      await on.clock.jump(seconds * 1000);
    }
    return on.process(alive, work);
  });
  expect(state).toBe('over');
  return outcome;
}

describe('what a process wrote that died before it was checkpointed', () => {
  const read = <T>(on: World, key: string) => on.spared(async () => (await new Store(on.ports, BUCKET).read<T>(key))!.value);

  test('a verdict is not taken for the one that its successor comes to', async () => {
    const rates: Record<string, number> = { ...GOOD };
    const on = await world(rates);
    const outcome = await dyingOnce(on, /202-50--verdict/, 600, () => {
      rates[2] = 0.5;
    });
    expect(outcome.verdict).toBe('rolled back');
    const { verdict } = await read<Entry>(on, outcome.verdictKey!);
    expect(verdict).toMatchObject({ decision: 'rollBack', sentence: outcome.reason });
  });

  test('an outcome stands, in the record, in the story, in the answer and in the notice alike', async () => {
    const on = await world(GOOD);
    const outcome = await dyingOnce(on, /999-outcome/, 120);
    expect(await read(on, outcomeKey(ENDPOINT, 'to-2'))).toEqual(outcome);
    expect(await read(on, 'promotions/flights/to-2/record/999-outcome.json')).toMatchObject({ at: outcome.endedAt, outcome });
    expect(on.topic.told.at(-1)!.message.outcome).toEqual(outcome);
  });
});
