import type { Answer } from './engine';

/** An answer that says what went wrong. */
export function failure(status: number, message: string): Answer {
  return { status, contentType: 'application/json', body: Buffer.from(JSON.stringify({ error: message })) };
}
