import { ServiceError } from '../server';
import type { Table } from '../storage/state';

/** What is scaled: a resource and one of its dimensions. */
export interface TargetId {
  readonly ServiceNamespace: string;
  readonly ResourceId: string;
  readonly ScalableDimension: string;
}

/** A scalable target as it is kept. */
export interface ScalableTarget extends TargetId {
  readonly MinCapacity: number;
  readonly MaxCapacity: number;
  readonly RoleARN: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly SuspendedState?: object;
}

export interface RegisterInput extends TargetId {
  readonly MinCapacity?: number;
  readonly MaxCapacity?: number;
  readonly RoleARN?: string;
  readonly SuspendedState?: object;
}

/** A variant as scaling sees it. */
export interface ScaledVariant {
  readonly instances: number;
  /** e.g. `ml.c7g.large`; undefined where the variant is serverless. */
  readonly instanceType: string | undefined;
}

export const INSTANCES = 'sagemaker:variant:DesiredInstanceCount';
const DIMENSIONS = [INSTANCES, 'sagemaker:variant:DesiredProvisionedConcurrency', 'sagemaker:inference-component:DesiredCopyCount'];

export const validation = (message: string): ServiceError => new ServiceError('ValidationException', message);

export const keyOf = ({ ServiceNamespace, ResourceId, ScalableDimension }: TargetId): string =>
  `${ServiceNamespace}|${ResourceId}|${ScalableDimension}`;

/** Endpoint and variant of `endpoint/NAME/variant/NAME`; undefined for anything else. */
export function variantOf({ ResourceId }: TargetId): { readonly endpoint: string; readonly variant: string } | undefined {
  const [, endpoint, variant] = /^endpoint\/([^/]+)\/variant\/([^/]+)$/.exec(ResourceId) ?? [];
  return endpoint === undefined ? undefined : { endpoint, variant };
}

/**
 * What stands after a registration: what is left out stays as it was.
 *
 * @throws ServiceError ValidationException where Application Auto Scaling or SageMaker would refuse it
 */
export function registered(
  targets: Table<ScalableTarget>,
  input: RegisterInput,
  found: ScaledVariant | undefined,
  account: string,
  now: number,
): ScalableTarget {
  if (input.ServiceNamespace !== 'sagemaker') throw validation(`Unsupported service namespace here: ${input.ServiceNamespace}`);
  if (!DIMENSIONS.includes(input.ScalableDimension))
    throw validation(`Unsupported service namespace, resource type or scalable dimension: ${input.ScalableDimension}`);
  const place = variantOf(input);
  if (place && !found) throw validation(`SageMaker endpoint or variant doesn't exist: ${input.ResourceId}`);
  if (found?.instanceType?.startsWith('ml.t2.')) throw validation(`Scaling is not supported for the instance type ${found.instanceType}`);
  const before = targets.get(keyOf(input));
  const MinCapacity = input.MinCapacity ?? before?.MinCapacity;
  const MaxCapacity = input.MaxCapacity ?? before?.MaxCapacity;
  if (MinCapacity === undefined || MaxCapacity === undefined)
    throw validation('Both MinCapacity and MaxCapacity are needed to register a new scalable target');
  if (MinCapacity > MaxCapacity) throw validation('Maximum capacity cannot be less than minimum capacity');
  return {
    ServiceNamespace: input.ServiceNamespace,
    ResourceId: input.ResourceId,
    ScalableDimension: input.ScalableDimension,
    MinCapacity,
    MaxCapacity,
    RoleARN:
      input.RoleARN ??
      before?.RoleARN ??
      `arn:aws:iam::${account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint`,
    SuspendedState: input.SuspendedState ?? before?.SuspendedState,
    created: before?.created ?? now,
  };
}
