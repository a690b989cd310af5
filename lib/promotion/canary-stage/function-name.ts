import { markOf } from '../names';

/**
 * Name of a function of an endpoint's stage: literal, so that a policy can name it before it exists; 64 characters at most.
 *
 * @internal
 */
export function functionName(endpointName: string, what: string): string {
  const whole = `${endpointName}-${what}`;
  return whole.length <= 64 ? whole : `${endpointName.slice(0, 64 - what.length - 8)}-${markOf(endpointName).slice(0, 6)}-${what}`;
}
