import {
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  RegisterScalableTargetCommand,
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

/** How the live variant is scaled, without what the service adds. */
export function scalingOf(on: World): Promise<object> {
  return on.spared(async () => {
    const { scaling } = on.ports;
    const { ScalableTargets } = await scaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'sagemaker' }));
    const { ScalingPolicies } = await scaling.send(new DescribeScalingPoliciesCommand({ ServiceNamespace: 'sagemaker' }));
    const { ScheduledActions } = await scaling.send(new DescribeScheduledActionsCommand({ ServiceNamespace: 'sagemaker' }));
    return {
      targets: ScalableTargets!.map(({ ResourceId, MinCapacity, MaxCapacity }) => ({ ResourceId, MinCapacity, MaxCapacity })),
      policies: ScalingPolicies!.map(({ PolicyName, PolicyType, TargetTrackingScalingPolicyConfiguration }) => ({
        PolicyName,
        PolicyType,
        TargetTrackingScalingPolicyConfiguration,
      })),
      actions: ScheduledActions!.map(({ ScheduledActionName, Schedule, ScalableTargetAction }) => ({
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
