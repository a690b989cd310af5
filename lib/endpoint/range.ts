import { type Duration, Token } from 'aws-cdk-lib/core';

/**
 * Refuses a number that only the deployment knows: a token is a large negative number to whoever compares or multiplies it.
 *
 * @throws Error that says what to give instead
 * @internal
 */
export function requireWritten(what: string, value: number | undefined): void {
  if (Token.isUnresolved(value)) throw unknown(what);
}

/**
 * A time in seconds.
 *
 * @throws Error for one that only the deployment knows
 * @internal
 */
export function writtenSeconds(what: string, time: Duration): number {
  if (time.isUnresolved()) throw unknown(what);
  return time.toSeconds();
}

/**
 * Refuses a number outside its range.
 *
 * @throws Error that names the value, the range and, where given, what to do
 * @internal
 */
export function requireRange(what: string, value: number | undefined, min: number, max: number, remedy?: string): void {
  requireWritten(what, value);
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw new Error(`${what} is a whole number from ${min} to ${max}, got ${value}${remedy === undefined ? '' : `: ${remedy}`}`);
}

function unknown(what: string): Error {
  return new Error(
    `${what} must be known at synth, got a token, which only the deployment knows: write the number out, or read it from context, e.g. Number(this.node.getContext('max'))`,
  );
}
