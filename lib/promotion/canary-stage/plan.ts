import { Duration } from 'aws-cdk-lib/core';
import type { HandedOver } from '../../endpoint/owner';
import { requireWritten, writtenSeconds } from '../../endpoint/range';
import { checkRequest, type WholePlan } from '../checked-request';
import type { StagePlan } from '../request';
import { CanaryJudge } from './judge';
import { Approval, GoLive, OnDeadline, WaitFor, WhenBusy } from './policy';
import type { CanaryStageProps } from './props';
import { CanaryStep } from './step';

/** CloudFormation waits this long for a custom resource, less what telling it takes. Seconds. */
const STACK_PATIENCE = 3480;

/** Updates of the endpoint on a candidate's way: into each shadow and into the canary, the live variant's move, the candidate variant's end. */
const updatesOf = ({ steps }: WholePlan): number => steps.filter(({ kind }) => kind === 'shadow').length + 3;

/**
 * A stage's plan, checked, with every default written out.
 *
 * @throws Error for steps, times or a metric that could not run, and for a wait that CloudFormation would not bear
 * @internal
 */
export function planOf(props: CanaryStageProps): WholePlan {
  const steps = props.steps ?? [CanaryStep.shadow(), CanaryStep.percent(5), CanaryStep.percent(25), CanaryStep.percent(50)];
  const updateSeconds = writtenSeconds('updateTimeout', props.updateTimeout ?? Duration.hours(1));
  if (updateSeconds < 600 || updateSeconds > 28_800) throw new Error(`updateTimeout is 600 to 28800 s, got ${updateSeconds}`);
  const instances = props.candidateInstances;
  requireWritten('candidateInstances', instances);
  if (instances !== undefined && !(Number.isInteger(instances) && instances >= 1)) {
    throw new Error(`candidateInstances is a whole number of at least 1, got ${instances}`);
  }
  const judged = (props.judge ?? CanaryJudge.standard())._plan;
  const wanted: StagePlan = {
    steps: steps.map(({ _step }) => _step),
    ...judged,
    tickSeconds: Math.min(60, judged.binSeconds),
    deadlineSeconds: writtenSeconds('deadline', props.deadline ?? Duration.hours(24)),
    onDeadline: props.onDeadline ?? OnDeadline.ROLL_BACK,
    ...(props.approval ?? Approval.none())._plan,
    candidateInstances: instances,
    guardrail: (props.goLive ?? GoLive.allAtOnce())._guardrail,
    whenBusy: props.whenBusy ?? WhenBusy.WAIT,
    updateSeconds,
    artifact: demandOf(props),
  };
  const any = { promotionId: 'any', bucket: 'any', modelPackageArn: 'any' };
  const { plan } = checkRequest({ ...any, endpointName: props.endpoint.endpointName, plan: wanted });
  if (props.waitFor === WaitFor.PROMOTED) requireEndWithinAnHour(plan, props.approveOnDeploy ?? true);
  return plan;
}

function demandOf({ signingKeys, refuseUnknownClasses }: CanaryStageProps): StagePlan['artifact'] {
  if (signingKeys?.length === 0) throw new Error('signingKeys is empty: name the keys that are trusted, or leave it out');
  if (signingKeys === undefined && refuseUnknownClasses !== true) return undefined;
  return {
    policy: refuseUnknownClasses === true ? { dangerous: 'refuse', unknown: 'refuse' } : undefined,
    signedBy: signingKeys?.map(({ keyArn }) => keyArn),
  };
}

/**
 * Of a bin that is shorter than what SageMaker publishes, CloudWatch has no count.
 *
 * @throws Error for such a bin
 * @internal
 */
export function requireCounts({ binSeconds }: WholePlan, { configuration, served }: HandedOver): void {
  const { MetricPublishFrequencyInSeconds: period = 60 } = (configuration.MetricsConfig ?? {}) as {
    MetricPublishFrequencyInSeconds?: number;
  };
  if (binSeconds >= period || binSeconds >= 60) return;
  throw new Error(
    `a bin of ${binSeconds} s needs counts as short: give ${served.endpointName} an enhancedMetricsPeriod of at most ${binSeconds} s, it has ${period} s`,
  );
}

/** The most time that a promotion may take, in seconds, turns of others not counted. */
export function longest(plan: WholePlan): number {
  const shadows = plan.steps.filter(({ kind }) => kind === 'shadow').reduce((sum, { bakeSeconds }) => sum + bakeSeconds, 0);
  const asks = plan.approval === 'manual' || plan.onDeadline === 'ask';
  const approval = asks ? plan.approvalSeconds : 0;
  return shadows + plan.deadlineSeconds + approval + plan.guardrail.waitSeconds + updatesOf(plan) * plan.updateSeconds;
}

/** The longest that an execution may last, in seconds: its turn, its way, and a way back that is tried for hours. */
export function longestExecution(plan: WholePlan): number {
  return longest(plan) + plan.deadlineSeconds + 12 * 3600;
}

function requireEndWithinAnHour(plan: WholePlan, approveOnDeploy: boolean): void {
  if (!approveOnDeploy) {
    throw new Error(
      'waitFor PROMOTED waits for the version that is deployed, which approveOnDeploy false leaves unapproved: leave one of the two out',
    );
  }
  const seconds = longest(plan);
  if (seconds <= STACK_PATIENCE) return;
  const minutes = (value: number) => `${Math.ceil(value / 60)} min`;
  throw new Error(
    `waitFor PROMOTED waits for as long as CloudFormation does, ${minutes(STACK_PATIENCE)}; this promotion may take ${minutes(seconds)}: ` +
      `${updatesOf(plan)} updates of ${minutes(plan.updateSeconds)}, a deadline of ${minutes(plan.deadlineSeconds)}, shadow, approval and bake. ` +
      `Shorten deadline and updateTimeout, or leave waitFor out and let fledge watch wait`,
  );
}
