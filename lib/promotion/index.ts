/** A verdict moves traffic: one candidate's way from an approved model package to live, or back, on any SageMaker that the SDK clients find. */

export { type ApprovalEvent, requestedBy, type StageSetup } from './approval-event';
export type { ArtifactDemand } from './artifact-demand';
export type { RecordedSamples } from './candidate-check';
export { checkRequest } from './checked-request';
export { type Command, type Control, heard, say, words } from './controls';
export { baselineQuantiles } from './counts';
export { type Lock, lockKey } from './lock';
export { PROMOTION_METRICS, type PublishedMetric } from './metrics';
export { CANDIDATE } from './names';
export type { ApprovalWanted, News, Notice } from './notices';
export { PACKAGE_METADATA } from './package-metadata';
export { awsPorts, type Ports } from './ports';
export {
  type Entry,
  endpointPrefix,
  history,
  outcomeKey,
  type Progress,
  progressKey,
  promotionPrefix,
  recordKey,
  recordPrefix,
  type Start,
  story,
} from './record';
export * from './request';
export { STAGE_TAGS } from './stage-tags';
export { Store } from './store';
export { promotion } from './workflow';
