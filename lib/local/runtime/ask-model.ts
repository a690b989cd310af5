import type { Answer, Invocation } from '../../serving';
import type { LocalContext } from '../context';
import type { FaultKind } from '../faults';
import { ServiceError } from '../server';
import { Deadlines } from './deadlines';
import { modelError, modelErrorOf, modelTimeout, whose } from './errors';
import type { RunningVariant } from './running-variant';

const MODEL_FAULTS: readonly FaultKind[] = ['model error', 'model slow'];

/** How SageMaker bounds an answer's time, in seconds: 60 for a request, 480 for a streamed one, 900 by default for an asynchronous one. */
export const REQUEST_TIMEOUT = 60;
export const STREAM_TIMEOUT = 480;
export const ASYNC_TIMEOUT = 900;

/**
 * Hands a request to a variant's model and records how that went.
 *
 * @param arrived `performance.now()` when the request reached the server
 * @param timeout seconds
 * @throws ServiceError ModelError where the model answers with a 4xx or 5xx, or not at all
 */
export async function askModel(
  context: LocalContext,
  variant: RunningVariant,
  invocation: Invocation,
  arrived: number,
  timeout: number,
): Promise<Answer> {
  variant.begin();
  const asked = performance.now();
  let status = 0;
  try {
    const answer = await answerInTime(context, variant, invocation, timeout);
    status = answer.status;
    if (status < 200 || status > 299) throw modelErrorOf(whose(context, variant), answer);
    return answer;
  } catch (error) {
    throw error instanceof ServiceError ? error : modelError(whose(context, variant), 0, (error as Error).message);
  } finally {
    record(context, variant, status, performance.now() - asked, asked - arrived);
    variant.end();
  }
}

/** @param latency milliseconds with the model @param overhead milliseconds beside it */
export function record(context: LocalContext, variant: RunningVariant, status: number, latency: number, overhead: number): void {
  const { endpoint, name, config, shadow, kind } = variant.traits;
  context.metrics.record({
    time: context.clock.now(),
    endpoint,
    variant: name,
    config,
    shadow,
    kind,
    status,
    // SageMaker's metrics count whole microseconds.
    latency: Math.round(latency * 1000),
    overhead: Math.round(overhead * 1000),
    instances: variant.instances,
    concurrency: variant.inFlight,
  });
}

const deadlines = new Deadlines();

function answerInTime(context: LocalContext, variant: RunningVariant, invocation: Invocation, timeout: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const deadline = deadlines.start(timeout, () => reject(modelTimeout(whose(context, variant))));
    answerOf(context, variant, invocation).then(
      (answer) => {
        deadlines.met(deadline);
        resolve(answer);
      },
      (error) => {
        deadlines.met(deadline);
        reject(error);
      },
    );
  });
}

function answerOf(context: LocalContext, variant: RunningVariant, invocation: Invocation): Promise<Answer> {
  return context.faults.active ? faultyAnswer(context, variant, invocation) : variant.engine.invoke(invocation);
}

async function faultyAnswer(context: LocalContext, variant: RunningVariant, invocation: Invocation): Promise<Answer> {
  const { endpoint, name, config } = variant.traits;
  const point = { service: 'SageMaker Runtime', operation: 'InvokeModel', endpoint, variant: name, config };
  const fault = context.faults.strike(point, MODEL_FAULTS);
  if (fault?.kind === 'model error') {
    return { status: fault.status ?? 500, contentType: 'text/plain', body: Buffer.from(fault.message ?? 'an injected fault') };
  }
  // The model's latency is measured in real time, so it is made longer in real time.
  if (fault?.kind === 'model slow') await new Promise((resolve) => setTimeout(resolve, (fault.seconds ?? 1) * 1000));
  return variant.engine.invoke(invocation);
}
