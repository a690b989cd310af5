import { Token } from 'aws-cdk-lib/core';

/**
 * Refuses a number outside its range; a token passes, as its value is known only at deployment.
 *
 * @throws Error that names the value, the range and, where given, what to do
 * @internal
 */
export function requireRange(what: string, value: number | undefined, min: number, max: number, remedy?: string): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new Error(`${what} is a whole number from ${min} to ${max}, got ${value}${remedy === undefined ? '' : `: ${remedy}`}`);
}
