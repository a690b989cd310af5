/** An archive becomes a managed endpoint. */
export { EndpointAlarms } from './alarms';
export type { EndpointAlarmOptions } from './alarms-options';
export {
  type AsyncCapacityOptions,
  Capacity,
  type InstanceCapacityOptions,
  type InstanceOptions,
  RequestRouting,
  type ServerlessCapacityOptions,
} from './capacity';
export { EndpointDashboard } from './dashboard';
export { DataCapture, type DataCaptureOptions } from './data-capture';
export { DeploymentJudge } from './deployment-judge';
export { type DirectoryOptions, ModelArtifact, type ModelPackageOptions } from './model-artifact';
export { ModelEndpoint } from './model-endpoint';
export type { IModelEndpoint } from './model-endpoint-base';
export type { ModelEndpointAttributes, ModelEndpointProps } from './model-endpoint-props';
export { ModelStore, type ModelStoreProps } from './model-store';
export type { NetworkOptions } from './network';
export type { VariantOptions } from './production-variant';
export { Rollout } from './rollout';
export type { BlueGreenOptions, CanaryOptions, LinearOptions, RollingOptions, RolloutOptions } from './rollout-options';
export { FledgeRules } from './rules';
export { Scaling } from './scaling';
export type {
  BacklogScalingOptions,
  ConcurrencyScalingOptions,
  InvocationsScalingOptions,
  ScalingPace,
  ScheduleScalingOptions,
  UtilizationScalingOptions,
} from './scaling-options';
export { type ImageBuildOptions, ServingImage } from './serving-image';
