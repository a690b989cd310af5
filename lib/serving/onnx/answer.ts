import { BadRequest, type Batch, decode, type Encoding, encodingFor, type Outputs, type Rows } from '../codec';
import type { Answer, Invocation } from '../engine';
import { failure } from '../failure';
import type { OnnxSession } from './runtime';

/** What an ONNX model needs of an invocation. */
export type Question = Pick<Invocation, 'body' | 'contentType' | 'accept'>;

/** A question understood. */
export interface Call {
  readonly content: Rows | Batch;
  readonly encoding: Encoding;
}

/** @throws BadRequest */
export function understand(session: OnnxSession, { body, contentType, accept }: Question): Call {
  const encoding = encodingFor(accept);
  return { content: decode(session.layout, body, contentType), encoding };
}

/** Runs one call; what goes wrong becomes an answer. */
export async function run(session: OnnxSession, call: Call): Promise<Answer> {
  try {
    const { rows, outputs } = await session.run(call.content);
    return written(session, call, outputs, rows);
  } catch (error) {
    return refusal(error as Error);
  }
}

/** Encodes a call's outputs; what has no such form becomes an answer. */
export function written({ outputNames }: OnnxSession, { encoding }: Call, outputs: Outputs, rows: number): Answer {
  try {
    return { status: 200, contentType: encoding.contentType, body: encoding.encode(outputs, rows, outputNames) };
  } catch (error) {
    return refusal(error as Error);
  }
}

/** Decodes, runs, encodes. */
export async function answer(session: OnnxSession, question: Question): Promise<Answer> {
  try {
    return await run(session, understand(session, question));
  } catch (error) {
    return refusal(error as Error);
  }
}

/** 4xx where the request is at fault, 500 with the runtime's message where the model is. */
export function refusal(error: Error): Answer {
  return failure(error instanceof BadRequest ? error.status : 500, error.message);
}
