import { randomUUID } from 'node:crypto';

const run = randomUUID().slice(0, 24);
let count = 0;

/** A request's id in the form of a UUID: random for this run of the server, counted within it. */
export function requestId(): string {
  count += 1;
  return run + count.toString(16).padStart(12, '0');
}
