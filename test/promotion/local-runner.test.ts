import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { type Outcome, promotion } from '../../lib/promotion';
import { awsRunner } from './harness/aws-runner';
import { DurableExecutor } from './harness/durable-executor';
import { violations } from './harness/invariants';
import { World } from './harness/world';

beforeAll(() => LocalDurableTestRunner.setupTestEnvironment({ skipTime: true }));
afterAll(() => LocalDurableTestRunner.teardownTestEnvironment());

describe.each([
  ['a good candidate', 0.001, 'promoted'],
  ['a bad candidate', 0.3, 'rolled back'],
] as const)('%s', (_, errorRate, verdict) => {
  test(`is ${verdict} by AWS's own local runner as by the tests' executor`, async () => {
    const rates = { 1: 0.001, 2: errorRate };
    const [ours, theirs] = [await World.create(rates), await World.create(rates)];
    try {
      const mine = await new DurableExecutor(ours.clock).run<Outcome>(ours.request('2'), promotion(ours.ports), (alive, work) =>
        ours.process(alive, work),
      );
      const execution = await awsRunner(theirs).run({ payload: theirs.request('2') });
      const outcome = execution.getResult() as Outcome;
      expect({ mine: mine.verdict, theirs: outcome.verdict }).toEqual({ mine: verdict, theirs: verdict });
      await theirs.clock.jump(300_000);
      expect(await violations(theirs, [{ version: '2', bad: errorRate > 0.1, outcome }])).toEqual([]);
    } finally {
      await Promise.all([ours.close(), theirs.close()]);
    }
  });
});
