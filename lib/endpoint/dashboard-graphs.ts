import { GraphWidget, type GraphWidgetProps, type IMetric, type IWidget, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { EndpointAlarms } from './alarms';
import { type EndpointMetricName, endpointMetric } from './endpoint-metrics';
import { instanceShape } from './instance-type';
import type { ServedVariant } from './served-variant';

const PERIOD = Duration.minutes(1);

/**
 * The graphs of one variant, in the reader's words and units, each with the line at which its alarm goes off.
 *
 * @internal
 */
export class VariantGraphs {
  constructor(
    private readonly scope: Construct,
    private readonly variant: ServedVariant,
    private readonly alarms: EndpointAlarms,
  ) {}

  public traffic(): IWidget {
    const { kind } = this.variant;
    const counts = kind === 'async' ? [this.metric('InvocationsProcessed', 'worked through')] : [this.metric('Invocations', 'requests')];
    return this.graph('Requests (a minute)', { left: counts });
  }

  public errors(): IWidget {
    const rates: IMetric[] = [
      this.scaled('Invocation5XXErrors', '* 100', '5xx (%)'),
      this.scaled('Invocation4XXErrors', '* 100', '4xx (%)'),
    ];
    if (this.variant.kind === 'instances') rates.push(this.scaled('InvocationModelErrors', '* 100', 'failed by the model (%)'));
    const failures = this.variant.kind === 'async' ? [this.metric('InvocationFailures', 'failures (count)')] : undefined;
    return this.graph('Errors (% of requests)', { left: rates, right: failures, leftAnnotations: this.alarms._lineAt('5xx-percent') });
  }

  public latency(): IWidget {
    return this.graph('Model latency (ms)', {
      left: [
        this.scaled('ModelLatency', '/ 1000', 'p50 (ms)', Stats.p(50)),
        this.scaled('ModelLatency', '/ 1000', 'p99 (ms)', Stats.p(99)),
      ],
      leftAnnotations: this.alarms._lineAt('p99-latency-ms'),
    });
  }

  /** SageMaker publishes no count of instances: it follows from what they publish. */
  public instances(): IWidget {
    const count =
      this.variant.kind === 'async'
        ? // Each instance says once a minute how busy it is.
          this.metric('CPUUtilization', 'instances', Stats.SAMPLE_COUNT)
        : new MathExpression({
            expression: 'requests / each',
            usingMetrics: { requests: this.metric('Invocations', ''), each: this.metric('InvocationsPerInstance', '') },
            label: 'instances, while there are requests',
            period: PERIOD,
          });
    return this.graph('Instances (count)', { left: [count] });
  }

  public queue(): IWidget {
    return this.graph('Queue (requests; oldest in seconds)', {
      left: [this.metric('ApproximateBacklogSize', 'waiting or worked on (requests)')],
      right: [this.metric('ApproximateAgeOfOldestRequest', 'oldest (s)')],
      rightAnnotations: this.alarms._lineAt('oldest-request-seconds'),
    });
  }

  public coldStarts(): IWidget {
    return this.graph('Cold starts (ms)', {
      left: [
        this.scaled('ModelSetupTime', '/ 1000', 'average (ms)', Stats.AVERAGE),
        this.scaled('ModelSetupTime', '/ 1000', 'longest (ms)', Stats.MAXIMUM),
      ],
    });
  }

  /** All that can run out, on one scale. */
  public use(): IWidget {
    const { kind, instanceType = '', maxCapacity } = this.variant;
    const used: IMetric[] = [this.metric('MemoryUtilization', 'memory (%)')];
    if (kind === 'serverless') {
      used.push(this.scaled('ServerlessConcurrentExecutionsUtilization', '* 100', 'concurrency (%)'));
      if (maxCapacity > 0) used.push(this.scaled('ServerlessProvisionedConcurrencyUtilization', '* 100', 'provisioned concurrency (%)'));
      return this.graph('Use (%)', { left: used, leftYAxis: { min: 0, max: 100, showUnits: false } });
    }
    used.push(this.metric('DiskUtilization', 'disk (%)'));
    const shape = instanceShape(instanceType);
    if (shape !== undefined) used.unshift(this.scaled('CPUUtilization', `/ ${shape.vcpus}`, 'CPU (%)'));
    if (shape !== undefined && shape.gpus > 0) {
      used.push(this.scaled('GPUUtilization', `/ ${shape.gpus}`, 'GPU (%)'));
      used.push(this.scaled('GPUMemoryUtilization', `/ ${shape.gpus}`, 'GPU memory (%)'));
    }
    return this.graph('Use (%)', { left: used, leftYAxis: { min: 0, max: 100, showUnits: false } });
  }

  /** One line for each configuration that answers: two while an update runs. */
  public fleets(): IWidget {
    const { endpointName, variantName, kind } = this.variant;
    // Async endpoints publish no Invocations; each request leaves a latency.
    const [metric, statistic] = kind === 'async' ? ['ModelLatency', Stats.SAMPLE_COUNT] : ['Invocations', Stats.SUM];
    const filter = `{AWS/SageMaker,EndpointConfigName,EndpointName,VariantName} MetricName="${metric}" EndpointName="${endpointName}" VariantName="${variantName}"`;
    const lines = new MathExpression({
      expression: `SEARCH('${filter}', '${statistic}', ${PERIOD.toSeconds()})`,
      usingMetrics: {},
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudWatch fills it in
      label: "${PROP('Dim.EndpointConfigName')}",
      period: PERIOD,
    });
    return this.graph('Requests by fleet (a minute): two while an update runs', { left: [lines] });
  }

  private graph(title: string, props: GraphWidgetProps): IWidget {
    return new GraphWidget({
      title,
      width: 6,
      height: 6,
      leftYAxis: { min: 0, showUnits: false },
      rightYAxis: { min: 0, showUnits: false },
      period: PERIOD,
      ...props,
    });
  }

  private metric(name: EndpointMetricName, label: string, statistic?: string): IMetric {
    const { endpointName, variantName, kind } = this.variant;
    return endpointMetric(this.scope, name, endpointName, variantName, kind, {
      label,
      period: PERIOD,
      ...(statistic !== undefined && { statistic }),
    });
  }

  private scaled(name: EndpointMetricName, scale: string, label: string, statistic?: string): IMetric {
    // An id must be the only one in its graph, and begin in lower case.
    const raw = `raw${name}${statistic ?? ''}`;
    return new MathExpression({
      expression: `${raw} ${scale}`,
      usingMetrics: { [raw]: this.metric(name, label, statistic) },
      label,
      period: PERIOD,
    });
  }
}
