import { Stack, Token } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

/**
 * SageMaker takes image, data and package of a model only from the endpoint's own region; keys and topics of others are as far.
 *
 * @param remedy why it must be there, and what to do
 * @throws Error where both regions are known and differ
 * @internal
 */
export function requireSameRegion(
  scope: Construct,
  what: string,
  region: string,
  remedy = 'SageMaker takes it from the same region only, copy it there',
): void {
  const { region: here } = Stack.of(scope);
  if (Token.isUnresolved(region) || Token.isUnresolved(here) || region === here) return;
  throw new Error(`${what} is in ${region}, and the endpoint in ${here}: ${remedy}`);
}
