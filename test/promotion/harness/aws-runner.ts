import { withDurableExecution } from '@aws/durable-execution-sdk-js';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { type Outcome, type Ports, type PromotionRequest, promotion } from '../../../lib/promotion';
import type { World } from './world';

/** AWS's local runner of durable functions, with promotions of a world. */
export function awsRunner(on: World): LocalDurableTestRunner {
  const handler = promotion(passing(on));
  return new LocalDurableTestRunner({
    handlerFunction: withDurableExecution<PromotionRequest, Outcome>((request, context) =>
      on.process(
        () => true,
        () => handler(request, context),
      ),
    ),
  });
}

/** The runner waits in no time at all: here half a minute goes by whenever somebody asks for the endpoint. */
function passing(on: World): Ports {
  const describe = on.ports.sagemaker.send.bind(on.ports.sagemaker) as (command: object) => Promise<unknown>;
  const sagemaker = new Proxy(on.ports.sagemaker, {
    get: (client, name) =>
      name !== 'send'
        ? Reflect.get(client, name)
        : async (command: object) => {
            if (command.constructor.name === 'DescribeEndpointCommand') await on.clock.jump(30_000);
            return describe(command);
          },
  });
  return { ...on.ports, sagemaker };
}
