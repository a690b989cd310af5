import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import { Resource } from 'aws-cdk-lib/core';
import type { aws_sagemaker as sagemakerRefs } from 'aws-cdk-lib/interfaces';
import type { CapacityKind } from './capacity-kind';
import { type EndpointMetricName, endpointMetric } from './endpoint-metrics';

/** A SageMaker endpoint, of this app or another. Metrics are those of its main production variant. */
export interface IModelEndpoint extends IEndpoint {
  /** The variant that serves. */
  readonly variantName: string;

  /** Any metric of the endpoint and its variant, in `AWS/SageMaker`. */
  metric(metricName: string, options?: MetricOptions): Metric;
  /** Requests; sum. Not of async endpoints. */
  metricInvocations(options?: MetricOptions): Metric;
  /** Requests an instance; sum. Of real-time instances. */
  metricInvocationsPerInstance(options?: MetricOptions): Metric;
  /** Requests answered 4xx, as a share from 0 to 1 (average). */
  metricInvocation4xxErrors(options?: MetricOptions): Metric;
  /** Requests answered 5xx, as a share from 0 to 1 (average). */
  metricInvocation5xxErrors(options?: MetricOptions): Metric;
  /** Requests that the model did not answer 2xx, as a share from 0 to 1 (average). Of real-time instances. */
  metricInvocationModelErrors(options?: MetricOptions): Metric;
  /** What the container took, in microseconds; average. */
  metricModelLatency(options?: MetricOptions): Metric;
  /** What SageMaker added, in microseconds; average. Not of async endpoints. */
  metricOverheadLatency(options?: MetricOptions): Metric;
  /** What a serverless endpoint took to start, in microseconds; average. */
  metricModelSetupTime(options?: MetricOptions): Metric;
  /** Requests under way; maximum. Of real-time instances. */
  metricConcurrentRequests(options?: MetricOptions): Metric;
  /** CPU as the sum over cores: 0 to 100 times the vCPUs. Not of serverless endpoints. */
  metricCpuUtilization(options?: MetricOptions): Metric;
  /** Memory, 0 to 100. */
  metricMemoryUtilization(options?: MetricOptions): Metric;
  /** Disk, 0 to 100. Not of serverless endpoints. */
  metricDiskUtilization(options?: MetricOptions): Metric;
  /** GPU as the sum over GPUs: 0 to 100 times the GPUs. */
  metricGpuUtilization(options?: MetricOptions): Metric;
  /** GPU memory as the sum over GPUs: 0 to 100 times the GPUs. */
  metricGpuMemoryUtilization(options?: MetricOptions): Metric;
  /** Requests that wait; maximum. Of async endpoints. */
  metricBacklogSize(options?: MetricOptions): Metric;
  /** Age of the oldest waiting request in seconds; maximum. Of async endpoints. */
  metricAgeOfOldestRequest(options?: MetricOptions): Metric;
}

/**
 * What every endpoint can do, imported or not.
 *
 * @internal
 */
export abstract class ModelEndpointBase extends Resource implements IModelEndpoint {
  public abstract readonly endpointArn: string;
  public abstract readonly endpointName: string;
  public abstract readonly variantName: string;
  /** @internal */
  protected abstract readonly _kind?: CapacityKind;

  public get endpointRef(): sagemakerRefs.EndpointReference {
    return { endpointArn: this.endpointArn };
  }

  /** Lets a principal ask the endpoint for answers; of an async endpoint also write its requests and read its answers. */
  public grantInvoke(grantee: IGrantable): Grant {
    const actions =
      this._kind === 'async'
        ? ['sagemaker:InvokeEndpointAsync']
        : [
            'sagemaker:InvokeEndpoint',
            'sagemaker:InvokeEndpointWithResponseStream',
            ...(this._kind === undefined ? ['sagemaker:InvokeEndpointAsync'] : []),
          ];
    return Grant.addToPrincipal({ grantee, actions, resourceArns: [this.endpointArn] });
  }

  public metric(metricName: string, options?: MetricOptions): Metric {
    return new Metric({
      namespace: 'AWS/SageMaker',
      metricName,
      dimensionsMap: { EndpointName: this.endpointName, VariantName: this.variantName },
      ...options,
    }).attachTo(this);
  }

  public metricInvocations(options?: MetricOptions): Metric {
    return this._metric('Invocations', options);
  }

  public metricInvocationsPerInstance(options?: MetricOptions): Metric {
    return this._metric('InvocationsPerInstance', options);
  }

  public metricInvocation4xxErrors(options?: MetricOptions): Metric {
    return this._metric('Invocation4XXErrors', options);
  }

  public metricInvocation5xxErrors(options?: MetricOptions): Metric {
    return this._metric('Invocation5XXErrors', options);
  }

  public metricInvocationModelErrors(options?: MetricOptions): Metric {
    return this._metric('InvocationModelErrors', options);
  }

  public metricModelLatency(options?: MetricOptions): Metric {
    return this._metric('ModelLatency', options);
  }

  public metricOverheadLatency(options?: MetricOptions): Metric {
    return this._metric('OverheadLatency', options);
  }

  public metricModelSetupTime(options?: MetricOptions): Metric {
    return this._metric('ModelSetupTime', options);
  }

  public metricConcurrentRequests(options?: MetricOptions): Metric {
    return this._metric('ConcurrentRequestsPerModel', options);
  }

  public metricCpuUtilization(options?: MetricOptions): Metric {
    return this._metric('CPUUtilization', options);
  }

  public metricMemoryUtilization(options?: MetricOptions): Metric {
    return this._metric('MemoryUtilization', options);
  }

  public metricDiskUtilization(options?: MetricOptions): Metric {
    return this._metric('DiskUtilization', options);
  }

  public metricGpuUtilization(options?: MetricOptions): Metric {
    return this._metric('GPUUtilization', options);
  }

  public metricGpuMemoryUtilization(options?: MetricOptions): Metric {
    return this._metric('GPUMemoryUtilization', options);
  }

  public metricBacklogSize(options?: MetricOptions): Metric {
    return this._metric('ApproximateBacklogSize', options);
  }

  public metricAgeOfOldestRequest(options?: MetricOptions): Metric {
    return this._metric('ApproximateAgeOfOldestRequest', options);
  }

  private _metric(name: EndpointMetricName, options?: MetricOptions): Metric {
    return endpointMetric(this, name, this.endpointName, this.variantName, this._kind, options);
  }
}
