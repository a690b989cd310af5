import { CfnScalableTarget, CfnScalingPolicy, type CfnScalingPolicyProps } from 'aws-cdk-lib/aws-applicationautoscaling';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Annotations, Duration, Names, Token } from 'aws-cdk-lib/core';
import { Construct, type IDependable } from 'constructs';
import type { Scaling } from './scaling';
import type { ServedVariant } from './served-variant';

/**
 * Makes a variant scale: one scalable target with every policy and schedule.
 *
 * @param dependsOn the endpoint: a variant can be registered only once it serves
 * @returns undefined where there is nothing to scale by
 * @throws Error for a variant that cannot scale, or not so
 * @internal
 */
export function bindScaling(
  scope: Construct,
  variant: ServedVariant,
  scalings: Scaling[],
  dependsOn: IDependable,
): CfnScalableTarget | undefined {
  requireBounds(variant);
  if (scalings.length === 0) {
    if (variant.maxCapacity > variant.minCapacity) {
      Annotations.of(scope).addInfo(
        `variant ${variant.variantName} may have ${variant.minCapacity} to ${variant.maxCapacity}, but no scaling says when: it stays as it starts`,
      );
    }
    return undefined;
  }
  requireScalable(variant, scalings);

  const parts = new Construct(scope, `${variant.variantName}Scaling`);
  const bound = scalings.map((scaling) => ({ name: scaling._name, ...scaling._bind(variant) }));
  const actions = bound.flatMap(({ action }) => action ?? []);
  // No RoleARN: Application Auto Scaling has a service-linked role for SageMaker, narrower than any written here.
  const target = new CfnScalableTarget(parts, 'Target', {
    serviceNamespace: 'sagemaker',
    resourceId: `endpoint/${variant.endpointName}/variant/${variant.variantName}`,
    scalableDimension:
      variant.kind === 'serverless' ? 'sagemaker:variant:DesiredProvisionedConcurrency' : 'sagemaker:variant:DesiredInstanceCount',
    minCapacity: variant.minCapacity,
    maxCapacity: variant.maxCapacity,
    scheduledActions:
      actions.length === 0 ? undefined : actions.map((action, index) => ({ ...action, scheduledActionName: `Schedule${index + 1}` })),
  });
  target.node.addDependency(dependsOn);

  for (const { name, tracking } of bound) {
    if (tracking !== undefined)
      addPolicy(parts, name, target, { policyType: 'TargetTrackingScaling', targetTrackingScalingPolicyConfiguration: tracking });
  }
  if (variant.minCapacity === 0 && scalings.some(({ _name }) => _name === 'Backlog')) wakeFromZero(parts, target, variant);
  return target;
}

/** Target tracking divides by instances, of which there are none at 0: an alarm and a step bring up the first. */
function wakeFromZero(parts: Construct, target: CfnScalableTarget, { endpointName }: ServedVariant): void {
  const step = addPolicy(parts, 'Wake', target, {
    policyType: 'StepScaling',
    stepScalingPolicyConfiguration: {
      adjustmentType: 'ChangeInCapacity',
      metricAggregationType: 'Average',
      cooldown: 300,
      stepAdjustments: [{ metricIntervalLowerBound: 0, scalingAdjustment: 1 }],
    },
  });
  const alarm = new Alarm(parts, 'HasBacklogWithoutCapacity', {
    alarmDescription: `Requests wait at ${endpointName}, which has no instance: starts one.`,
    metric: new Metric({
      namespace: 'AWS/SageMaker',
      metricName: 'HasBacklogWithoutCapacity',
      dimensionsMap: { EndpointName: endpointName },
      statistic: Stats.AVERAGE,
      period: Duration.minutes(1),
    }),
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    threshold: 1,
    evaluationPeriods: 2,
    treatMissingData: TreatMissingData.MISSING,
  });
  alarm.addAlarmAction({ bind: () => ({ alarmActionArn: step.ref }) });
}

function addPolicy(
  parts: Construct,
  id: string,
  target: CfnScalableTarget,
  policy: Omit<CfnScalingPolicyProps, 'policyName' | 'scalingTargetId'>,
): CfnScalingPolicy {
  const scope = new Construct(parts, id);
  return new CfnScalingPolicy(scope, 'Policy', { policyName: Names.uniqueId(scope), scalingTargetId: target.ref, ...policy });
}

function requireBounds({ variantName, kind, minCapacity, maxCapacity }: ServedVariant): void {
  if (minCapacity > maxCapacity)
    throw new Error(`variant ${variantName} would scale from ${minCapacity} to ${maxCapacity}: the minimum is above the maximum`);
  if (kind === 'instances' && minCapacity < 1) {
    throw new Error(
      `the minimum of the real-time variant ${variantName} is at least 1, got ${minCapacity}: only Capacity.async can go to 0`,
    );
  }
}

function requireScalable(variant: ServedVariant, scalings: Scaling[]): void {
  const { variantName, kind, instanceType, minCapacity, maxCapacity } = variant;
  const names = scalings.map(({ _name }) => _name);
  for (const { _name, _kinds } of scalings) {
    if (_kinds.includes(kind)) continue;
    throw new Error(
      `${spell(_name)} is for ${_kinds.map((other) => `Capacity.${other}`).join(' and ')}, but variant ${variantName} is ${kind}: ${REMEDY[kind]}`,
    );
  }
  const tracked = names.filter((name) => name !== 'Schedule');
  const twice = tracked.find((name, index) => tracked.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`variant ${variantName} has ${spell(twice)} twice: two policies on one metric would fight`);
  if (instanceType !== undefined && !Token.isUnresolved(instanceType) && instanceType.startsWith('ml.t2.')) {
    throw new Error(`${instanceType} cannot scale: take another family, e.g. ml.m5.large, or leave scaling out`);
  }
  if (kind === 'serverless' && minCapacity < 1) {
    throw new Error(
      `variant ${variantName} keeps nothing warm to scale: set provisionedConcurrency and maxProvisionedConcurrency of Capacity.serverless`,
    );
  }
  const scheduled = names.includes('Schedule');
  if (minCapacity === maxCapacity && !scheduled) {
    throw new Error(
      `variant ${variantName} has a minimum and a maximum of ${minCapacity}, so nothing can scale: set a higher max, or leave scaling out`,
    );
  }
  if (minCapacity === 0 && !scheduled && !names.includes('Backlog')) {
    throw new Error(`variant ${variantName} would never wake from 0 instances by ${names.map(spell).join(', ')}: add Scaling.backlog()`);
  }
}

/** As the user wrote it. */
function spell(name: string): string {
  return `Scaling.${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

const REMEDY = {
  instances: 'use Scaling.invocationsPerInstance, .concurrency, .cpuUtilization, .gpuUtilization or .schedule',
  serverless: 'use Scaling.provisionedConcurrency or .schedule',
  async: 'use Scaling.backlog, .cpuUtilization, .gpuUtilization or .schedule; an async endpoint publishes no Invocations',
};
