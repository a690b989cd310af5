import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { Store, say } from '../../lib/promotion';
import { awsRunner } from './harness/aws-runner';
import { DurableExecutor } from './harness/durable-executor';
import { violations } from './harness/invariants';
import { closeWorlds, run, world } from './harness/run';
import { BUCKET, ENDPOINT, PLAN, type World } from './harness/world';

afterEach(closeWorlds);

const MANUAL = { approval: 'manual' } as const;

interface Wanted {
  readonly callbackId: string;
  readonly approve: string;
  readonly reject: string;
}

const wanted = (on: World): Wanted | undefined =>
  on.topic.told.find(({ message }) => message.news === 'approval wanted')?.message.approval as Wanted | undefined;

/** Does something some seconds after approval was asked for. */
function onceAsked(on: World, seconds: number, answer: (approval: Wanted) => unknown): void {
  on.later(10, async () => {
    const approval = wanted(on);
    if (approval) on.later(seconds, async () => answer(approval));
    else onceAsked(on, seconds, answer);
  });
}

describe('where a person must agree, the notice asks for it', () => {
  test('and says which command to run', async () => {
    const on = await world();
    await run(on, '2', { ...MANUAL, approvalSeconds: 300 });
    const { callbackId, approve, reject } = wanted(on)!;
    expect(on.topic.told.map(({ subject }) => subject)[1]).toBe('flights: approval wanted for models version 2');
    expect(approve).toBe(
      `aws lambda send-durable-execution-callback-success --region us-east-1 --callback-id '${callbackId}' --cli-binary-format raw-in-base64-out --result '{"by":"YOUR NAME"}'`,
    );
    expect(reject).toBe(
      `aws lambda send-durable-execution-callback-failure --region us-east-1 --callback-id '${callbackId}' --error '{"ErrorType":"YOUR NAME","ErrorMessage":"WHY"}'`,
    );
  });

  test.each([
    ['{"by":"anna"}', 'anna'],
    ['"ben"', 'ben'],
    ['carl', 'carl'],
    ['', 'whoever answered the callback'],
  ])('the answer %s approves', async (Result, by) => {
    const on = await world();
    const executor = new DurableExecutor(on.clock);
    onceAsked(on, 600, ({ callbackId }) => executor.answer(callbackId, { Result }));
    const outcome = await run(on, '2', MANUAL, {}, executor);
    expect(outcome).toMatchObject({ verdict: 'promoted', reason: expect.stringContaining(`approved by ${by}`) });
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('a refusal takes the candidate back, with who and why', async () => {
    const on = await world();
    const executor = new DurableExecutor(on.clock);
    onceAsked(on, 60, ({ callbackId }) => executor.answer(callbackId, { Error: { ErrorType: 'anna', ErrorMessage: 'not on a Friday' } }));
    const outcome = await run(on, '2', MANUAL, {}, executor);
    expect(outcome).toMatchObject({ verdict: 'rolled back', during: 'approval', reason: 'aborted by anna: not on a Friday' });
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('fledge approve does as well', async () => {
    const on = await world();
    onceAsked(on, 600, () => say(on.ports, new Store(on.ports, BUCKET), ENDPOINT, 'to-2', { command: 'approve', by: 'anna' }));
    const outcome = await run(on, '2', MANUAL);
    expect(outcome).toMatchObject({ verdict: 'promoted', reason: expect.stringContaining('approved by anna') });
  });

  test('the judge still takes back a candidate that turns bad, and an approval that comes after it changes nothing', async () => {
    const rates: Record<string, number> = { 1: 0.001, 2: 0.001 };
    const on = await world(rates);
    const executor = new DurableExecutor(on.clock);
    onceAsked(on, 60, () => {
      rates[2] = 0.5;
    });
    onceAsked(on, 1800, ({ callbackId }) => executor.answer(callbackId, { Result: '{"by":"anna"}' }));
    const outcome = await run(on, '2', MANUAL, {}, executor);
    expect(outcome).toMatchObject({ verdict: 'rolled back', during: 'approval', reason: expect.stringMatching(/5xx/) });
    expect(await violations(on, [{ version: '2', bad: true, outcome }])).toEqual([]);
  });

  test('the process may die at any checkpoint of the wait', async () => {
    const on = await world();
    const executor = new DurableExecutor(on.clock, (checkpoint) => (checkpoint % 3 === 0 ? 'before' : undefined));
    onceAsked(on, 600, ({ callbackId }) => executor.answer(callbackId, { Result: '{"by":"anna"}' }));
    const outcome = await run(on, '2', MANUAL, {}, executor);
    expect(outcome).toMatchObject({ verdict: 'promoted', reason: expect.stringContaining('approved by anna') });
    expect(on.topic.told.filter(({ message }) => message.news === 'approval wanted')).toHaveLength(1);
  });

  test('a wait through which nothing could be seen of the endpoint ends, and does not go on without listening', async () => {
    const on = await world();
    const blind = { service: 'CloudWatch', operation: 'GetMetricData', kind: 'error', status: 403, code: 'AccessDeniedException' } as const;
    onceAsked(on, 10, () => on.strike(blind));
    const outcome = await run(on, '2', MANUAL);
    expect(outcome).toMatchObject({
      verdict: 'rolled back',
      during: 'approval',
      reason: expect.stringMatching(/^the comparison is invalid/),
    });
    expect(outcome.endedAt - outcome.startedAt).toBeLessThan(3_600_000);
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('also at a deadline that asks', async () => {
    const on = await world();
    const executor = new DurableExecutor(on.clock);
    onceAsked(on, 60, ({ callbackId }) => executor.answer(callbackId, { Result: 'anna' }));
    const hurried = { steps: [{ kind: 'percent', percent: 5, bakeSeconds: 60 }], deadlineSeconds: 180, onDeadline: 'ask' } as const;
    const outcome = await run(on, '2', hurried, {}, executor);
    expect(outcome).toMatchObject({ verdict: 'promoted', reason: expect.stringMatching(/without enough evidence.*approved by anna/) });
  });
});

describe("by AWS's own local runner", () => {
  beforeAll(() => LocalDurableTestRunner.setupTestEnvironment({ skipTime: true }));
  afterAll(() => LocalDurableTestRunner.teardownTestEnvironment());

  test.each([
    ['an approval', true, { verdict: 'promoted', reason: expect.stringContaining('approved by anna') }],
    ['a refusal', false, { verdict: 'rolled back', reason: 'aborted by anna: no' }],
  ] as const)('%s by the callback ends the wait', async (_, agrees, end) => {
    const on = await world();
    const runner = awsRunner(on);
    const running = runner.run({ payload: on.request('2', { plan: { ...PLAN, ...MANUAL } }) });
    while (!wanted(on)) await new Promise((resolve) => setTimeout(resolve, 20));
    const callback = runner.getOperation('approval');
    if (agrees) await callback.sendCallbackSuccess('{"by":"anna"}');
    else await callback.sendCallbackFailure({ ErrorType: 'anna', ErrorMessage: 'no' });
    expect((await running).getResult()).toMatchObject(end);
  });
});
