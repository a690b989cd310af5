import {
  type DeploymentConfig,
  DescribeEndpointCommand,
  type DescribeEndpointOutput,
  UpdateEndpointCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
  type VariantPropertyType,
} from '@aws-sdk/client-sagemaker';
import type { WholePlan } from './checked-request';
import { CANDIDATE } from './names';
import type { Ports } from './ports';

/** What the endpoint says of itself. */
export interface Sight {
  readonly status: string;
  /** The configuration that serves; the old one after a silent rollback. */
  readonly configName: string;
  /** The configuration that an update under way is bringing; empty without one. */
  readonly pendingConfigName: string;
  readonly reason: string;
  /** Share of the requests that the candidate variant takes, in percent; 0 without one. */
  readonly candidatePercent: number;
  /** Instances that each variant should have now. */
  readonly instances: Readonly<Record<string, number>>;
}

/** States in which an endpoint takes a change. */
const SETTLED = ['InService', 'UpdateRollbackFailed', 'Failed', 'OutOfService'];

export const isSettled = (sight: Sight): boolean => SETTLED.includes(sight.status);

export async function look(ports: Ports, endpointName: string): Promise<Sight> {
  const endpoint = await ports.sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpointName }));
  return {
    status: endpoint.EndpointStatus!,
    configName: endpoint.EndpointConfigName!,
    pendingConfigName: endpoint.PendingDeploymentSummary?.EndpointConfigName ?? '',
    reason: endpoint.FailureReason ?? '',
    candidatePercent: candidatePercent(endpoint),
    instances: Object.fromEntries((endpoint.ProductionVariants ?? []).map((one) => [one.VariantName!, one.DesiredInstanceCount ?? 0])),
  };
}

function candidatePercent(endpoint: DescribeEndpointOutput): number {
  const variants = endpoint.ProductionVariants ?? [];
  const weight = (name?: string) =>
    variants.reduce((sum, variant) => sum + (name === undefined || variant.VariantName === name ? (variant.CurrentWeight ?? 0) : 0), 0);
  const total = weight();
  return total === 0 ? 0 : (100 * weight(CANDIDATE)) / total;
}

/** Where a change of the endpoint stands; carried from look to look. */
export interface Move {
  readonly asked: boolean;
  /** Milliseconds since 1970 of the first look. */
  readonly since: number;
  readonly sight: Sight | null;
  /** `under way` until it is `done` or `failed`; `lost` when another promotion holds the lock, so that nothing may be changed any more. */
  readonly state: 'under way' | 'done' | 'failed' | 'lost';
  readonly reason: string;
}

export const unmoved: Move = { asked: false, since: 0, sight: null, state: 'under way', reason: '' };

/**
 * One look at the way to a configuration, and the push that it needs: asks for the update once the endpoint takes one, then waits for the endpoint to settle and
 * compares what serves with what was asked for, since after a failed update the endpoint is InService on the old configuration, often without a reason.
 *
 * @param take what the variants take of the target's in place of what they have now
 */
export async function towards(
  ports: Ports,
  endpointName: string,
  target: string,
  deployment: DeploymentConfig | undefined,
  take: readonly VariantPropertyType[],
  move: Move,
): Promise<Move> {
  const sight = await look(ports, endpointName);
  const since = move.since === 0 ? ports.now() : move.since;
  const next: Move = { ...move, since, sight };
  if (!isSettled(sight)) return { ...next, asked: move.asked || sight.pendingConfigName === target };
  if (sight.configName === target && sight.status === 'InService') return { ...next, state: 'done' };
  if (move.asked && sight.status === 'InService') {
    return {
      ...next,
      state: 'failed',
      reason: `the endpoint went back to ${sight.configName}${sight.reason ? `: ${sight.reason}` : ' without a reason'}`,
    };
  }
  if (move.asked && sight.status !== 'InService')
    return { ...next, state: 'failed', reason: `the endpoint is ${sight.status}${sight.reason ? `: ${sight.reason}` : ''}` };
  await ports.sagemaker.send(
    new UpdateEndpointCommand({
      EndpointName: endpointName,
      EndpointConfigName: target,
      RetainAllVariantProperties: sight.status === 'InService',
      ExcludeRetainedVariantProperties:
        sight.status === 'InService' && take.length > 0 ? take.map((VariantPropertyType) => ({ VariantPropertyType })) : undefined,
      DeploymentConfig: deployment,
    }),
  );
  return { ...next, asked: true };
}

/** One look at the way to a share of the requests for the candidate; same pattern. */
export async function towardsShare(ports: Ports, endpointName: string, liveVariant: string, percent: number, move: Move): Promise<Move> {
  const sight = await look(ports, endpointName);
  const since = move.since === 0 ? ports.now() : move.since;
  const next: Move = { ...move, since, sight };
  if (!isSettled(sight)) return next;
  if (Math.abs(sight.candidatePercent - percent) < 0.01) return { ...next, state: 'done' };
  if (sight.status !== 'InService')
    return { ...next, state: 'failed', reason: `the endpoint is ${sight.status}${sight.reason ? `: ${sight.reason}` : ''}` };
  await ports.sagemaker.send(
    new UpdateEndpointWeightsAndCapacitiesCommand({
      EndpointName: endpointName,
      DesiredWeightsAndCapacities: [
        { VariantName: liveVariant, DesiredWeight: 100 - percent },
        { VariantName: CANDIDATE, DesiredWeight: percent },
      ],
    }),
  );
  return { ...next, asked: true };
}

/** How the live variant moves: blue/green under alarms. What is moved at once bakes until the old fleet ends, what is moved in two steps after each of them. */
export function guardrails({ guardrail, updateSeconds }: WholePlan, alarms: readonly string[]): DeploymentConfig {
  const { canaryPercent, waitSeconds } = guardrail;
  return {
    BlueGreenUpdatePolicy: {
      TrafficRoutingConfiguration: canaryPercent
        ? { Type: 'CANARY', CanarySize: { Type: 'CAPACITY_PERCENT', Value: canaryPercent }, WaitIntervalInSeconds: waitSeconds }
        : { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 },
      TerminationWaitInSeconds: waitSeconds,
      MaximumExecutionTimeoutInSeconds: Math.max(600, Math.min(28_800, updateSeconds + 2 * waitSeconds)),
    },
    AutoRollbackConfiguration: { Alarms: alarms.map((AlarmName) => ({ AlarmName })) },
  };
}
