import { Token } from 'aws-cdk-lib/core';

/**
 * Refuses a number that only the deployment knows: a token is a large negative number to whoever compares or multiplies it.
 *
 * @throws Error that says what to give instead
 * @internal
 */
export function requireWritten(what: string, value: number | undefined): void {
  if (!Token.isUnresolved(value)) return;
  throw new Error(
    `${what} must be known at synth, got a token, which only the deployment knows: write the number out, or read it from context, e.g. Number(this.node.getContext('max'))`,
  );
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
