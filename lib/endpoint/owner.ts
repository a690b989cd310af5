import type { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import type { IResolvable } from 'aws-cdk-lib/core';
import type { ExecutionRole } from './execution-role';
import type { ModelStore } from './model-store';
import type { VariantModel } from './production-variant';
import type { ServedVariant } from './served-variant';

/**
 * Whoever chooses what an endpoint serves, in the template's stead.
 *
 * @internal
 */
export interface EndpointOwner {
  /** As a sentence names it: `a CanaryStage`. */
  readonly what: string;
  /** The configuration that the endpoint is created with. Its value must never change, or CloudFormation would move the endpoint. */
  readonly configName: string;
  /** By which people's commands find the owner. */
  readonly tags: Record<string, string>;
}

/**
 * What an owner is given.
 *
 * @internal
 */
export interface HandedOver {
  /** CreateEndpointConfig's input without name and models; may hold tokens. */
  readonly configuration: Record<string, unknown>;
  readonly model: VariantModel;
  readonly served: ServedVariant;
  readonly role: ExecutionRole;
  readonly store?: ModelStore;
  /** Its template entry never changes, so that CloudFormation never updates it. */
  readonly resource: CfnEndpoint;
  /** What the template tags the endpoint with, for the owner to see to. */
  readonly tags: IResolvable;
  /** Whether the variant is a scalable target. */
  readonly scales: boolean;
}
