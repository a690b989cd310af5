import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { CapacityKind } from './capacity-kind';

/** What CloudWatch knows an endpoint's metric by. */
interface MetricSource {
  readonly namespace: string;
  readonly statistic: string;
  /** In the reader's words, with its unit. */
  readonly label: string;
  /** Whether it is the endpoint's or the variant's. */
  readonly ofVariant: boolean;
  /** The kinds of endpoint that publish it. */
  readonly kinds: readonly CapacityKind[];
}

const INVOCATIONS = 'AWS/SageMaker';
const MACHINES = '/aws/sagemaker/Endpoints';

function request(label: string, statistic: string, kinds: readonly CapacityKind[] = ['instances', 'serverless']): MetricSource {
  return { namespace: INVOCATIONS, statistic, label, ofVariant: true, kinds };
}

function machine(label: string, kinds: readonly CapacityKind[] = ['instances', 'async']): MetricSource {
  return { namespace: MACHINES, statistic: Stats.AVERAGE, label, ofVariant: true, kinds };
}

function queue(label: string, statistic: string): MetricSource {
  return { namespace: INVOCATIONS, statistic, label, ofVariant: false, kinds: ['async'] };
}

const EVERY: readonly CapacityKind[] = ['instances', 'serverless', 'async'];

/**
 * The metrics of https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html, in their units.
 *
 * @internal
 */
export const ENDPOINT_METRICS = {
  Invocations: request('Requests', Stats.SUM),
  InvocationsPerInstance: request('Requests an instance', Stats.SUM, ['instances']),
  Invocation4XXErrors: request('Refused requests, 4xx (share)', Stats.AVERAGE, EVERY),
  Invocation5XXErrors: request('Failed requests, 5xx (share)', Stats.AVERAGE, EVERY),
  InvocationModelErrors: request('Requests the model failed (share)', Stats.AVERAGE, ['instances']),
  ModelLatency: request('Model latency (microseconds)', Stats.AVERAGE, EVERY),
  OverheadLatency: request("SageMaker's own latency (microseconds)", Stats.AVERAGE),
  ModelSetupTime: request('Cold start (microseconds)', Stats.AVERAGE, ['serverless']),
  ConcurrentRequestsPerModel: request('Requests under way', Stats.MAXIMUM, ['instances']),
  ServerlessConcurrentExecutionsUtilization: request('Concurrency in use (share)', Stats.MAXIMUM, ['serverless']),
  ServerlessProvisionedConcurrencyUtilization: request('Provisioned concurrency in use (share)', Stats.MAXIMUM, ['serverless']),
  InvocationsProcessed: request('Requests worked through', Stats.SUM, ['async']),
  InvocationFailures: request('Requests that failed', Stats.SUM, ['async']),
  CPUUtilization: machine('CPU (percent of one core, summed over cores)'),
  MemoryUtilization: machine('Memory (percent)', EVERY),
  DiskUtilization: machine('Disk (percent)'),
  GPUUtilization: machine('GPU (percent of one GPU, summed over GPUs)'),
  GPUMemoryUtilization: machine('GPU memory (percent of one GPU, summed over GPUs)'),
  ApproximateBacklogSize: queue('Requests that wait', Stats.MAXIMUM),
  ApproximateBacklogSizePerInstance: queue('Requests that wait, an instance', Stats.AVERAGE),
  ApproximateAgeOfOldestRequest: queue('Oldest waiting request (seconds)', Stats.MAXIMUM),
  HasBacklogWithoutCapacity: queue('Requests wait and no instance runs (1 is yes)', Stats.AVERAGE),
} as const satisfies Record<string, MetricSource>;

/** @internal */
export type EndpointMetricName = keyof typeof ENDPOINT_METRICS;

/**
 * A metric of an endpoint.
 *
 * @param kind where it is known, a metric that this kind of endpoint never publishes is refused
 * @throws Error for such a metric
 * @internal
 */
export function endpointMetric(
  scope: Construct,
  name: EndpointMetricName,
  endpointName: string,
  variantName: string,
  kind: CapacityKind | undefined,
  options?: MetricOptions,
): Metric {
  const { namespace, statistic, label, ofVariant, kinds }: MetricSource = ENDPOINT_METRICS[name];
  if (kind !== undefined && !kinds.includes(kind)) {
    throw new Error(`${endpointName} is of the kind '${kind}', which publishes no ${name}: only ${kinds.join(' and ')} do`);
  }
  return new Metric({
    namespace,
    metricName: name,
    dimensionsMap: { EndpointName: endpointName, ...(ofVariant && { VariantName: variantName }) },
    statistic,
    label,
    ...options,
  }).attachTo(scope);
}
