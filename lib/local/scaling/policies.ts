import { type MetricSource, runQueries } from '../metrics';
import { INSTANCES, type TargetId, validation, variantOf } from './scalable-targets';
import { checkSteps, type StepScaling } from './step-scaling';

/** A scaling policy as it is kept. */
export interface ScalingPolicy extends TargetId {
  readonly PolicyName: string;
  readonly PolicyType: string;
  readonly TargetTrackingScalingPolicyConfiguration?: TargetTracking;
  readonly StepScalingPolicyConfiguration?: StepScaling;
  /** Milliseconds since 1970. */
  readonly created: number;
}

export interface TargetTracking {
  readonly TargetValue: number;
  readonly PredefinedMetricSpecification?: { readonly PredefinedMetricType: string };
  readonly CustomizedMetricSpecification?: {
    readonly MetricName?: string;
    readonly Namespace?: string;
    readonly Statistic?: string;
    readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
  };
  readonly ScaleOutCooldown?: number;
  readonly ScaleInCooldown?: number;
  readonly DisableScaleIn?: boolean;
}

/** Which predefined metric goes with which dimension; Application Auto Scaling refuses another pair. */
const PAIRS: Readonly<Record<string, string>> = {
  SageMakerVariantInvocationsPerInstance: INSTANCES,
  SageMakerVariantConcurrentRequestsPerModelHighResolution: INSTANCES,
  SageMakerVariantProvisionedConcurrencyUtilization: 'sagemaker:variant:DesiredProvisionedConcurrency',
  SageMakerInferenceComponentInvocationsPerCopy: 'sagemaker:inference-component:DesiredCopyCount',
  SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution: 'sagemaker:inference-component:DesiredCopyCount',
};

const MINUTE = 60;

/** @throws ServiceError ValidationException for a metric that does not go with the dimension, or a tracking without one */
export function checkPolicy(policy: Omit<ScalingPolicy, 'created'>): void {
  const tracking = policy.TargetTrackingScalingPolicyConfiguration;
  if (policy.PolicyType === 'StepScaling') {
    if (!policy.StepScalingPolicyConfiguration)
      throw validation('StepScalingPolicyConfiguration is needed for the policy type StepScaling');
    checkSteps(policy.StepScalingPolicyConfiguration);
    return;
  }
  if (!tracking) throw validation(`TargetTrackingScalingPolicyConfiguration is needed for the policy type ${policy.PolicyType}`);
  const metric = tracking.PredefinedMetricSpecification?.PredefinedMetricType;
  if ((metric === undefined) === (tracking.CustomizedMetricSpecification === undefined)) {
    throw validation('Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is needed');
  }
  if (metric !== undefined && PAIRS[metric] !== policy.ScalableDimension)
    throw validation(`${metric} cannot be used with the scalable dimension ${policy.ScalableDimension}`);
}

/**
 * Instances that a target tracking policy asks for: as many more as the metric is above its target, over the last whole minute.
 *
 * @returns undefined where the metric has no value, or is not one that is known here
 */
export function wantedInstances(
  policy: ScalingPolicy,
  sources: readonly MetricSource[],
  instances: number,
  now: number,
): number | undefined {
  const tracking = policy.TargetTrackingScalingPolicyConfiguration;
  const place = variantOf(policy);
  if (!tracking || !place) return undefined;
  const custom = tracking.CustomizedMetricSpecification;
  const variant = [
    { Name: 'EndpointName', Value: place.endpoint },
    { Name: 'VariantName', Value: place.variant },
  ];
  const stat = {
    SageMakerVariantInvocationsPerInstance: { MetricName: 'InvocationsPerInstance', Stat: 'Sum' },
    SageMakerVariantConcurrentRequestsPerModelHighResolution: { MetricName: 'ConcurrentRequestsPerModel', Stat: 'Maximum' },
  }[tracking.PredefinedMetricSpecification?.PredefinedMetricType ?? ''];
  const Metric = stat
    ? { Namespace: 'AWS/SageMaker', MetricName: stat.MetricName, Dimensions: variant }
    : custom?.MetricName && custom.Namespace
      ? { Namespace: custom.Namespace, MetricName: custom.MetricName, Dimensions: custom.Dimensions }
      : undefined;
  if (!Metric) return undefined;
  const until = Math.floor(now / 1000 / MINUTE) * MINUTE;
  const [value] = runQueries(
    sources,
    [{ Id: 'm', MetricStat: { Metric, Period: MINUTE, Stat: stat?.Stat ?? custom?.Statistic ?? 'Average' } }],
    until - MINUTE,
    until,
  ).m.values();
  if (value === undefined) return undefined;
  const wanted = Math.ceil((instances * value) / tracking.TargetValue);
  return tracking.DisableScaleIn ? Math.max(instances, wanted) : wanted;
}
