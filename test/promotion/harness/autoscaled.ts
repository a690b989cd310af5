import {
  DescribeScalableTargetsCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  paginateDescribeScalingPolicies,
  paginateDescribeScheduledActions,
  RegisterScalableTargetCommand,
  type ScalingPolicy,
  type ScheduledAction,
} from '@aws-sdk/client-application-auto-scaling';
import { PACKAGE_METADATA } from '../../../lib/promotion';
import { ENDPOINT, type World } from './world';

const TARGET = {
  ServiceNamespace: 'sagemaker' as const,
  ResourceId: `endpoint/${ENDPOINT}/variant/live`,
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount' as const,
};

/** Has the live variant scaled: a target, a policy, a scheduled action. */
export function autoscale(on: World): Promise<void> {
  return on.spared(async () => {
    const { scaling } = on.ports;
    await scaling.send(new RegisterScalableTargetCommand({ ...TARGET, MinCapacity: 2, MaxCapacity: 5 }));
    await scaling.send(
      new PutScalingPolicyCommand({
        ...TARGET,
        PolicyName: 'requests',
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingScalingPolicyConfiguration: {
          TargetValue: 100_000,
          PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
        },
      }),
    );
    await scaling.send(
      new PutScheduledActionCommand({
        ...TARGET,
        ScheduledActionName: 'mornings',
        Schedule: 'cron(0 6 24 12 ? *)',
        EndTime: new Date(on.clock.now() + 365 * 86_400_000),
        ScalableTargetAction: { MinCapacity: 3 },
      }),
    );
  });
}

/** Gives the live variant, which is scaled already, more policies and more of a schedule. */
export function autoscaleMore(on: World, policies: number, actions: number): Promise<void> {
  return on.spared(async () => {
    const { scaling } = on.ports;
    for (let i = 1; i <= policies; i++) {
      await scaling.send(
        new PutScalingPolicyCommand({
          ...TARGET,
          PolicyName: `step-${i}`,
          PolicyType: 'StepScaling',
          StepScalingPolicyConfiguration: {
            AdjustmentType: 'ChangeInCapacity',
            StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: i }],
          },
        }),
      );
    }
    for (let i = 1; i <= actions; i++) {
      await scaling.send(
        new PutScheduledActionCommand({
          ...TARGET,
          ScheduledActionName: `day-${i}`,
          Schedule: `cron(0 6 ${1 + (i % 28)} 12 ? *)`,
          ScalableTargetAction: { MinCapacity: 3 },
        }),
      );
    }
  });
}

/** How the live variant is scaled, without what the service adds. */
export function scalingOf(on: World) {
  return on.spared(async () => {
    const { scaling } = on.ports;
    const { ScalableTargets } = await scaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'sagemaker' }));
    const policies: ScalingPolicy[] = [];
    const actions: ScheduledAction[] = [];
    for await (const page of paginateDescribeScalingPolicies({ client: scaling }, { ServiceNamespace: 'sagemaker' }))
      policies.push(...page.ScalingPolicies!);
    for await (const page of paginateDescribeScheduledActions({ client: scaling }, { ServiceNamespace: 'sagemaker' }))
      actions.push(...page.ScheduledActions!);
    return {
      targets: ScalableTargets!.map(({ ResourceId, MinCapacity, MaxCapacity }) => ({ ResourceId, MinCapacity, MaxCapacity })),
      policies: policies.map(({ PolicyName, PolicyType, StepScalingPolicyConfiguration, TargetTrackingScalingPolicyConfiguration }) => ({
        PolicyName,
        PolicyType,
        StepScalingPolicyConfiguration,
        TargetTrackingScalingPolicyConfiguration,
      })),
      actions: actions.map(({ ScheduledActionName, Schedule, ScalableTargetAction }) => ({
        ScheduledActionName,
        Schedule,
        ScalableTargetAction,
      })),
    };
  });
}

/** Registers version 2 anew, to be served on other instances. */
export function onOtherInstances(on: World, type = 'ml.c7g.xlarge', count?: string): Promise<void> {
  const metadata = { [PACKAGE_METADATA.instanceType]: type, ...(count === undefined ? {} : { [PACKAGE_METADATA.instanceCount]: count }) };
  return on.spared(() => on.register('2', { CustomerMetadataProperties: metadata }));
}
