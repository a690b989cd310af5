import type { TemplateResource, Templates } from './template';

/**
 * A mistake that CloudFormation, its schema and its linters let pass.
 *
 * @internal
 */
export interface Rule {
  /** Stays for good: acknowledgements name it. */
  readonly id: string;
  /** What is wrong, and what comes of it. */
  readonly says: string;
  /** What to do. */
  readonly remedy: string;
  /** Who says so: AWS's documentation, or the thread in which it happened. */
  readonly source: string;
  /** A `warning` is wrong nearly always; every other rule is always wrong. */
  readonly severity: 'error' | 'warning';
  /** The resource types that it looks at. */
  readonly types: readonly string[];
  check(resource: TemplateResource, app: Templates): Finding[];
}

/**
 * Where a rule is broken.
 *
 * @internal
 */
export interface Finding {
  /** Below the resource, e.g. `Properties.DeploymentConfig`. */
  readonly location: string;
  /** What stands there. */
  readonly got: string;
}

/** @internal */
export const MODEL = 'AWS::SageMaker::Model';
/** @internal */
export const CONFIG = 'AWS::SageMaker::EndpointConfig';
/** @internal */
export const ENDPOINT = 'AWS::SageMaker::Endpoint';
/** @internal */
export const ALARM = 'AWS::CloudWatch::Alarm';
/** @internal */
export const TARGET = 'AWS::ApplicationAutoScaling::ScalableTarget';
/** @internal */
export const POLICY = 'AWS::ApplicationAutoScaling::ScalingPolicy';

/**
 * A finding where a condition holds.
 *
 * @internal
 */
export function findIf(broken: boolean, location: string, got: unknown): Finding[] {
  return broken ? [{ location: `Properties.${location}`, got: typeof got === 'string' ? got : JSON.stringify(got) }] : [];
}
