import type {
  DeployedImage,
  DescribeEndpointOutput,
  EndpointSummary,
  PendingProductionVariantSummary,
  ProductionVariantStatus,
  ProductionVariantSummary,
} from '@aws-sdk/client-sagemaker';
import type { Endpoint } from './endpoint';
import type { Fleet, FleetVariant, VariantPhase } from './fleet';

export function describeEndpoint(endpoint: Endpoint): DescribeEndpointOutput {
  const { live } = endpoint;
  const pending = endpoint.status === 'Failed' ? undefined : endpoint.pending;
  const config = (live ?? endpoint.pending!.fleet).config.input;
  return {
    EndpointName: endpoint.name,
    EndpointArn: endpoint.arn,
    EndpointConfigName: endpoint.configName,
    ProductionVariants: live?.production.map((variant) => summaryOf(variant, live)),
    ShadowProductionVariants: optional(live?.shadows.map((variant) => summaryOf(variant, live))),
    DataCaptureConfig: dataCaptureOf(endpoint),
    EndpointStatus: endpoint.status,
    FailureReason: endpoint.failureReason,
    CreationTime: new Date(endpoint.created),
    LastModifiedTime: new Date(endpoint.modified),
    LastDeploymentConfig: endpoint.lastDeployment,
    AsyncInferenceConfig: config.AsyncInferenceConfig,
    ExplainerConfig: config.ExplainerConfig,
    MetricsConfig: config.MetricsConfig,
    PendingDeploymentSummary: pending && {
      EndpointConfigName: pending.fleet.config.name,
      ProductionVariants: pending.fleet.production.map((variant) => pendingSummaryOf(variant, pending.fleet)),
      ShadowProductionVariants: optional(pending.fleet.shadows.map((variant) => pendingSummaryOf(variant, pending.fleet))),
      StartTime: new Date(pending.started),
    },
  };
}

export function summariseEndpoint({ name, arn, status, created, modified }: Endpoint): EndpointSummary {
  return {
    EndpointName: name,
    EndpointArn: arn,
    EndpointStatus: status,
    CreationTime: new Date(created),
    LastModifiedTime: new Date(modified),
  };
}

function summaryOf(variant: FleetVariant, fleet: Fleet): ProductionVariantSummary {
  const counts = variant.isServerless ? {} : { CurrentInstanceCount: variant.currentCount, DesiredInstanceCount: variant.desiredCount };
  return {
    VariantName: variant.name,
    DeployedImages: imagesOf(variant, fleet),
    CurrentWeight: variant.currentWeight,
    DesiredWeight: variant.desiredWeight,
    ...counts,
    VariantStatus: statusOf(variant.phase),
    CurrentServerlessConfig: variant.serverless,
    DesiredServerlessConfig: variant.serverless,
    ManagedInstanceScaling: variant.spec.ManagedInstanceScaling,
    RoutingConfig: variant.spec.RoutingConfig,
  };
}

/** SageMaker counts as current those of a new fleet's instances that get traffic. */
function pendingSummaryOf(variant: FleetVariant, fleet: Fleet): PendingProductionVariantSummary {
  const { spec } = variant;
  const active = Math.round(variant.active * variant.desiredCount);
  const counts = variant.isServerless
    ? {}
    : { CurrentInstanceCount: Math.min(variant.currentCount, active), DesiredInstanceCount: variant.desiredCount };
  return {
    VariantName: variant.name,
    DeployedImages: imagesOf(variant, fleet),
    CurrentWeight: variant.currentWeight,
    DesiredWeight: variant.desiredWeight,
    ...counts,
    InstanceType: spec.InstanceType,
    VariantStatus: statusOf(variant.phase),
    CurrentServerlessConfig: variant.serverless,
    DesiredServerlessConfig: variant.serverless,
    ManagedInstanceScaling: spec.ManagedInstanceScaling,
    RoutingConfig: spec.RoutingConfig,
  };
}

function statusOf(phase: VariantPhase | undefined): ProductionVariantStatus[] | undefined {
  return phase && [{ Status: phase.status, StatusMessage: phase.message, StartTime: new Date(phase.since) }];
}

function imagesOf({ model }: FleetVariant, { config }: Fleet): DeployedImage[] {
  const { Image } = model.container;
  return [{ SpecifiedImage: Image, ResolvedImage: Image, ResolutionTime: new Date(config.created) }];
}

function dataCaptureOf({ live }: Endpoint): DescribeEndpointOutput['DataCaptureConfig'] {
  const capture = live?.config.input.DataCaptureConfig;
  if (capture === undefined) return undefined;
  return {
    EnableCapture: capture.EnableCapture,
    // Requests are not captured here, and this says so.
    CaptureStatus: 'Stopped',
    CurrentSamplingPercentage: capture.InitialSamplingPercentage,
    DestinationS3Uri: capture.DestinationS3Uri,
    KmsKeyId: capture.KmsKeyId,
  } as DescribeEndpointOutput['DataCaptureConfig'];
}

function optional<T>(list: T[] | undefined): T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}
