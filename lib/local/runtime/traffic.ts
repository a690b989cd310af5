import type { Invocation } from '../../serving';
import type { LocalContext } from '../context';
import { ServiceError } from '../server';
import { askModel, REQUEST_TIMEOUT } from './ask-model';
import { validationError } from './errors';
import type { InvocationHeaders } from './headers';
import type { Route } from './route';
import type { RunningVariant } from './running-variant';

/**
 * The variant that a request goes to: the one it names, else one by the weights.
 *
 * @throws ServiceError where it names something that the endpoint does not have
 */
export function chooseVariant(context: LocalContext, route: Route, given: InvocationHeaders): RunningVariant {
  if (given.InferenceComponentName !== undefined) {
    throw validationError(`Inference Component ${given.InferenceComponentName} of account ${context.account} not found.`);
  }
  if (given.TargetContainerHostname !== undefined) {
    throw validationError(
      `endpoint ${route.endpoint} has no container ${given.TargetContainerHostname}: its variants run one container each`,
    );
  }
  if (given.EnableExplanations !== undefined)
    throw validationError(`endpoint ${route.endpoint} has no explainer: EnableExplanations cannot be used`);
  if (given.TargetVariant !== undefined) {
    const variant = route.named(given.TargetVariant, context.random());
    if (variant === undefined) throw validationError(`Variant ${given.TargetVariant} of endpoint ${route.endpoint} not found.`);
    return variant;
  }
  const variant = route.pick(context.random());
  if (variant === undefined)
    throw new ServiceError('ServiceUnavailable', `no variant of endpoint ${route.endpoint} has a weight above 0`, 503);
  return variant;
}

/** Sends a copy to the shadow variants; their answers are recorded and dropped. */
export function mirror(context: LocalContext, route: Route, invocation: Invocation): void {
  const arrived = performance.now();
  for (const { variant, share } of route.mirrors) {
    if (share < 1 && context.random() >= share) continue;
    // A shadow that fails is no matter of the request that it shadows.
    askModel(context, variant, invocation, arrived, REQUEST_TIMEOUT).catch(() => {});
  }
}
