import {
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  paginateDescribeScalingPolicies,
  paginateDescribeScheduledActions,
  RegisterScalableTargetCommand,
  type ScalableTarget,
  type ScalingPolicy,
  type ScheduledAction,
} from '@aws-sdk/client-application-auto-scaling';
import { isMissing } from './aws-errors';
import type { Ports } from './ports';
import { promotionPrefix } from './record';
import type { Store } from './store';

/** What scaled the live variant before a promotion took it off, kept beside the record. */
interface Noted {
  readonly target: ScalableTarget;
  readonly policies: readonly ScalingPolicy[];
  readonly actions: readonly ScheduledAction[];
  /** Whether it scales again. */
  readonly restored: boolean;
}

interface Whose {
  readonly endpointName: string;
  readonly promotionId: string;
}

const scalingKey = ({ endpointName, promotionId }: Whose): string => `${promotionPrefix(endpointName, promotionId)}scaling.json`;

/** Whether a promotion took a variant off Application Auto Scaling, and did not yet put it back or did. */
export async function hasReleased(store: Store, whose: Whose): Promise<boolean> {
  return (await store.read(scalingKey(whose))) !== undefined;
}

/**
 * Takes the live variant off Application Auto Scaling, which lets nobody change the instance type of what it scales; notes first what there was. Nothing where nothing
 * scales it.
 */
export async function releaseScaling({ scaling }: Ports, store: Store, whose: Whose, liveVariant: string): Promise<void> {
  const id = {
    ServiceNamespace: 'sagemaker' as const,
    ResourceId: `endpoint/${whose.endpointName}/variant/${liveVariant}`,
    ScalableDimension: 'sagemaker:variant:DesiredInstanceCount' as const,
  };
  const { ResourceId, ...rest } = id;
  const { ScalableTargets = [] } = await scaling.send(new DescribeScalableTargetsCommand({ ...rest, ResourceIds: [ResourceId] }));
  if (ScalableTargets.length === 0) return;
  const before = (await store.read<Noted>(scalingKey(whose)))?.value;
  // What an earlier run noted and did not put back is the whole of it; by now some may be gone.
  if (before === undefined || before.restored) {
    const policies: ScalingPolicy[] = [];
    const actions: ScheduledAction[] = [];
    // The SDK leaves the last page's token in what it is given.
    for await (const page of paginateDescribeScalingPolicies({ client: scaling }, { ...id }))
      policies.push(...(page.ScalingPolicies ?? []));
    for await (const page of paginateDescribeScheduledActions({ client: scaling }, { ...id }))
      actions.push(...(page.ScheduledActions ?? []));
    const noted: Noted = { target: ScalableTargets[0], policies, actions, restored: false };
    await store.write(scalingKey(whose), noted);
  }
  try {
    await scaling.send(new DeregisterScalableTargetCommand(id));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Puts back what a promotion took off: target, policies, scheduled actions. Nothing where it took nothing off, or put it back before. */
export async function restoreScaling({ scaling, now }: Ports, store: Store, whose: Whose): Promise<void> {
  const noted = (await store.read<Noted>(scalingKey(whose)))?.value;
  if (noted === undefined || noted.restored) return;
  const { ServiceNamespace, ResourceId, ScalableDimension, MinCapacity, MaxCapacity, RoleARN, SuspendedState } = noted.target;
  const id = { ServiceNamespace, ResourceId, ScalableDimension };
  await scaling.send(
    // The service finds its own role by itself; naming it takes the right to pass it.
    new RegisterScalableTargetCommand({
      ...id,
      MinCapacity,
      MaxCapacity,
      SuspendedState,
      RoleARN: RoleARN?.includes(':role/aws-service-role/') ? undefined : RoleARN,
    }),
  );
  for (const policy of noted.policies) {
    const { PolicyName, PolicyType, StepScalingPolicyConfiguration, TargetTrackingScalingPolicyConfiguration } = policy;
    await scaling.send(
      new PutScalingPolicyCommand({
        ...id,
        PolicyName,
        PolicyType,
        StepScalingPolicyConfiguration,
        TargetTrackingScalingPolicyConfiguration,
      }),
    );
  }
  for (const { ScheduledActionName, Schedule, Timezone, StartTime, EndTime, ScalableTargetAction } of noted.actions) {
    // Dates come back from the record as text; what began before needs no beginning.
    const [start, end] = [StartTime, EndTime].map((time) => (time === undefined ? undefined : new Date(time)));
    if (end !== undefined && end.getTime() <= now()) continue;
    const began = start !== undefined && start.getTime() <= now();
    await scaling.send(
      new PutScheduledActionCommand({
        ...id,
        ScheduledActionName,
        Schedule,
        Timezone,
        StartTime: began ? undefined : start,
        EndTime: end,
        ScalableTargetAction,
      }),
    );
  }
  await store.write(scalingKey(whose), { ...noted, restored: true } satisfies Noted);
}
