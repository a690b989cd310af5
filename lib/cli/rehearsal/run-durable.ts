import { withDurableExecution } from '@aws/durable-execution-sdk-js';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { type Outcome, type Ports, type PromotionRequest, promotion } from '../../promotion';

/** Runs promotions on this machine with AWS's own local runner of durable functions: the file that Lambda runs, waits and checkpoints included. */
export class DurableRunner {
  static async open(): Promise<DurableRunner> {
    await LocalDurableTestRunner.setupTestEnvironment({ skipTime: false });
    return new DurableRunner();
  }

  /** @throws Error with the workflow's own reason when it ended without an outcome */
  async run(ports: Ports, request: PromotionRequest): Promise<Outcome> {
    const runner = new LocalDurableTestRunner({ handlerFunction: withDurableExecution(promotion(ports)) });
    const execution = await runner.run({ payload: request });
    if (execution.getStatus() !== 'SUCCEEDED')
      throw new Error(`the promotion ended without an outcome: ${execution.getError()?.errorMessage ?? execution.getStatus()}`);
    return execution.getResult() as Outcome;
  }

  async close(): Promise<void> {
    await LocalDurableTestRunner.teardownTestEnvironment();
  }
}
