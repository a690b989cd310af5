/** A stage in an account: every later version of an endpoint through a judged canary. */
export { CanaryStage } from './canary-stage';
export { CanaryJudge, type CanaryJudgeOptions, type CountedRequestsOptions, JudgedMetric } from './judge';
export {
  Approval,
  GoLive,
  type GoLiveCanaryOptions,
  type GoLiveOptions,
  type ManualApprovalOptions,
  OnDeadline,
  WaitFor,
  WhenBusy,
} from './policy';
export type { CanaryStageProps } from './props';
export { CanaryStep, type ShadowStepOptions, type StepOptions } from './step';
