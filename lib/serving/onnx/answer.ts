import { BadRequest, decode, encodingFor } from '../codec';
import type { Answer, Invocation } from '../engine';
import type { OnnxSession } from './runtime';

/** Decodes, runs, encodes; what goes wrong becomes an answer: 4xx where the request is at fault, 500 with the runtime's message where the model is. */
export async function answer(session: OnnxSession, invocation: Pick<Invocation, 'body' | 'contentType' | 'accept'>): Promise<Answer> {
  try {
    const encoding = encodingFor(invocation.accept);
    const { rows, tensors } = decode(session.signature, invocation.body, invocation.contentType);
    const outputs = await session.run(tensors);
    return { status: 200, contentType: encoding.contentType, body: encoding.encode(outputs, rows) };
  } catch (error) {
    return failure(error instanceof BadRequest ? error.status : 500, (error as Error).message);
  }
}

/** An answer that says what went wrong, as the serving toolkits of SageMaker write theirs. */
export function failure(status: number, message: string): Answer {
  return { status, contentType: 'application/json', body: Buffer.from(JSON.stringify({ error: message })) };
}
