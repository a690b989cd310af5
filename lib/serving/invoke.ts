import type { Engine, Invocation } from './engine';
import { failure } from './failure';
import { ATTRIBUTES, type HttpQuestion, type Reply } from './http/serve-http';

/** Puts a request to an engine; an engine that takes longer is answered for with 504. */
export function invoke(engine: Engine, question: HttpQuestion, timeoutMs: number): Promise<Reply> {
  const invocation = invocationOf(question);
  return inTime<Reply>(engine.stream === undefined ? engine.invoke(invocation) : engine.stream(invocation), timeoutMs);
}

function invocationOf({ headers, body }: HttpQuestion): Invocation {
  return {
    body,
    contentType: headers['content-type'] ?? 'application/json',
    accept: headers.accept,
    customAttributes: headers[ATTRIBUTES] as string | undefined,
    targetModel: headers['x-amzn-sagemaker-target-model'] as string | undefined,
  };
}

function inTime<T extends Reply>(asked: Promise<T>, timeoutMs: number): Promise<T | Reply> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      resolve(failure(504, `the model did not answer within ${timeoutMs / 1000} s`));
      asked.then(breakOff).catch(() => {});
    }, timeoutMs);
    asked.then(
      (answer) => {
        clearTimeout(late);
        resolve(answer);
      },
      (error: Error) => {
        clearTimeout(late);
        resolve(failure(503, error.message));
      },
    );
  });
}

/** An answer that nobody waits for any more must not keep its model writing. */
async function breakOff(answer: Reply): Promise<void> {
  if ('parts' in answer) for await (const _ of answer.parts) break;
}
