import { Store, story } from '../../lib/promotion';
import { DurableExecutor } from './harness/durable-executor';
import { violations } from './harness/invariants';
import { closeWorlds, run, world } from './harness/run';
import { BUCKET, ENDPOINT, TOPIC, type World } from './harness/world';

afterEach(closeWorlds);

const BAD = { 1: 0.001, 2: 0.3 };
const subjects = (on: World) => on.topic.told.map(({ subject }) => subject);

describe('people are told', () => {
  test('that a promotion started and that the version was promoted, and why', async () => {
    const on = await world();
    const outcome = await run(on);
    expect(subjects(on)).toEqual(['flights: models version 2 is on its way to live', 'flights: models version 2 was promoted']);
    const { topic, message } = on.topic.told[1];
    expect(topic).toBe(TOPIC);
    expect(message).toMatchObject({
      news: 'promoted',
      promotionId: 'to-2',
      endpointName: ENDPOINT,
      sentence: outcome.reason,
      record: `s3://${BUCKET}/promotions/flights/to-2/`,
      outcome: JSON.parse(JSON.stringify(outcome)),
    });
  });

  test('that a version was rolled back, with the numbers', async () => {
    const on = await world(BAD);
    await run(on);
    expect(subjects(on)[1]).toBe('flights: models version 2 was rolled back');
    expect(on.topic.told[1].message.sentence).toMatch(/5xx .* against/);
  });

  test('that a version is held', async () => {
    const on = await world();
    await run(on, '2', { deadlineSeconds: 60, onDeadline: 'hold', steps: [{ kind: 'percent', percent: 5, bakeSeconds: 60 }] });
    expect(subjects(on)[1]).toBe('flights: models version 2 is held');
  });

  test('once, though the process dies at every second checkpoint', async () => {
    const on = await world();
    const executor = new DurableExecutor(on.clock, (checkpoint) => (checkpoint % 2 === 0 ? 'after' : undefined));
    await run(on, '2', {}, {}, executor);
    expect(executor.invocations).toBeGreaterThan(10);
    expect(subjects(on)).toHaveLength(2);
  });

  test('once, though it runs again under the same id', async () => {
    const on = await world();
    await run(on);
    await run(on);
    expect(subjects(on)).toHaveLength(2);
  });

  test('of nothing without a topic', async () => {
    const on = await world();
    await run(on, '2', {}, { topicArn: undefined });
    expect(subjects(on)).toEqual([]);
  });

  test('on a FIFO topic with an id that keeps the queue from hearing it twice', async () => {
    const on = await world();
    await run(on, '2', {}, { topicArn: `${TOPIC}.fifo` });
    expect(on.topic.told.map(({ once }) => once)).toEqual(['to-2-started', 'to-2-promoted']);
  });
});

describe('a notice that cannot be sent', () => {
  test.each([
    ['is forbidden', { kind: 'error', code: 'AuthorizationErrorException', status: 403 }],
    ['is throttled for good', { kind: 'throttle' }],
  ] as const)('since it %s changes nothing of the promotion, and the record says so', async (_, fault) => {
    const on = await world();
    on.strike({ service: 'SNS', ...fault });
    const outcome = await run(on);
    expect(outcome.verdict).toBe('promoted');
    expect(on.topic.told).toEqual([]);
    const told = await on.spared(() => story(new Store(on.ports, BUCKET), ENDPOINT, 'to-2'));
    const notices = told.filter(({ what }) => what === 'notice').map(({ sentence }) => sentence);
    expect(notices).toHaveLength(2);
    expect(notices[0]).toMatch(/^the notice "started" could not be sent: /);
    expect(await violations(on, [{ version: '2', bad: false, outcome }])).toEqual([]);
  });

  test('is tried again', async () => {
    const on = await world();
    on.strike({ service: 'SNS', kind: 'dropped', times: 2 });
    await run(on);
    expect(subjects(on)).toHaveLength(2);
  });
});
