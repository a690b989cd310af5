import { instanceShape } from '../instance-type';
import { ALARM, CONFIG, ENDPOINT, MODEL, TARGET } from './rule';
import { at, list, number, type Properties, record, type TemplateResource, type Templates, text } from './template';

/** A production or shadow variant as an endpoint configuration has it. */
export interface Variant {
  readonly name?: string;
  readonly properties: Properties;
  /** e.g. `ml.m5.large`; undefined for serverless, and where it is not written out. */
  readonly instanceType?: string;
  readonly serverless: boolean;
}

export function variantsOf(config: TemplateResource, property = 'ProductionVariants'): Variant[] {
  return list(config.properties[property]).map((raw) => {
    const properties = record(raw);
    return {
      name: text(properties.VariantName),
      properties,
      instanceType: text(properties.InstanceType),
      serverless: properties.ServerlessConfig !== undefined,
    };
  });
}

export function configOf(endpoint: TemplateResource, app: Templates): TemplateResource | undefined {
  return configNamed(endpoint.properties.EndpointConfigName, endpoint, app);
}

export function configNamed(value: unknown, from: TemplateResource, app: Templates): TemplateResource | undefined {
  return app.meant(value, from, CONFIG, 'EndpointConfigName');
}

export function modelOf(variant: Variant, config: TemplateResource, app: Templates): TemplateResource | undefined {
  return app.meant(variant.properties.ModelName, config, MODEL, 'ModelName');
}

export function endpointOf(value: unknown, from: TemplateResource, app: Templates): TemplateResource | undefined {
  return app.meant(value, from, ENDPOINT, 'EndpointName');
}

/** What a configuration's endpoint is: `async` where it has a queue. */
export function kindOf(config: TemplateResource): 'async' | 'serverless' | 'instances' {
  if (config.properties.AsyncInferenceConfig !== undefined) return 'async';
  return variantsOf(config).some(({ serverless }) => serverless) ? 'serverless' : 'instances';
}

/** A metric that an alarm watches, by itself or within an expression. */
export interface Watched {
  readonly namespace?: string;
  readonly name?: string;
  readonly statistic?: string;
  readonly dimensions: Readonly<Record<string, unknown>>;
  readonly period?: number;
  /** Whether the alarm compares this very metric with its threshold. */
  readonly direct: boolean;
}

export function watchedBy({ properties }: TemplateResource): Watched[] {
  const watched = (metric: Properties, statistic: unknown, period: unknown, direct: boolean): Watched => ({
    namespace: text(metric.Namespace),
    name: text(metric.MetricName),
    statistic: text(statistic),
    dimensions: Object.fromEntries(list(metric.Dimensions).map((dimension) => [record(dimension).Name, record(dimension).Value])),
    period: number(period),
    direct,
  });
  if (properties.MetricName !== undefined) {
    return [watched(properties, properties.Statistic ?? properties.ExtendedStatistic, properties.Period, true)];
  }
  const queries = list(properties.Metrics).map(record);
  return queries.flatMap(({ MetricStat }) => {
    const { Metric, Stat, Period } = record(MetricStat);
    return MetricStat === undefined ? [] : [watched(record(Metric), Stat, Period, queries.length === 1)];
  });
}

/** The configuration of the endpoint that a metric is of, where this app has it. */
export function servedBy({ dimensions }: Watched, alarm: TemplateResource, app: Templates): TemplateResource | undefined {
  const endpoint = endpointOf(dimensions.EndpointName, alarm, app);
  return endpoint && configOf(endpoint, app);
}

/** The variant that a metric is of; the only one where the metric does not say. */
export function variantOf({ dimensions }: Watched, config: TemplateResource): Variant | undefined {
  const variants = variantsOf(config);
  const name = text(dimensions.VariantName);
  return name === undefined && variants.length === 1 ? variants[0] : variants.find((variant) => variant.name === name);
}

/** How far a metric can go: 100 for each core or GPU that it sums, 100 for a percentage, 1 for a rate. */
export function ceilingOf(name: string | undefined, variant: Variant | undefined): number | undefined {
  const shape = instanceShape(variant?.instanceType ?? '');
  switch (name) {
    case 'CPUUtilization':
      return shape && shape.vcpus * 100;
    case 'GPUUtilization':
    case 'GPUMemoryUtilization':
      return shape && shape.gpus * 100;
    case 'MemoryUtilization':
    case 'DiskUtilization':
      return 100;
    default:
      return undefined;
  }
}

/** What a scalable target scales. */
export interface Scaled {
  readonly endpoint?: TemplateResource;
  readonly variantName?: string;
  readonly dimension?: string;
}

/** `endpoint/<name>/variant/<name>`, also where the CDK joined it from references; undefined for a target of another service. */
export function scaledBy(target: TemplateResource, app: Templates): Scaled | undefined {
  const { ServiceNamespace, ResourceId, ScalableDimension } = target.properties;
  if (ServiceNamespace !== 'sagemaker') return undefined;
  const joined = list(record(ResourceId)['Fn::Join'])[1];
  const parts = list(joined ?? [ResourceId]).flatMap((part) =>
    typeof part === 'string' ? part.split('/').filter((word) => word !== '') : [part],
  );
  const [what, name, , variant] = parts;
  return {
    endpoint: what === 'endpoint' ? endpointOf(name, target, app) : undefined,
    variantName: text(variant),
    dimension: text(ScalableDimension),
  };
}

/** The fewest instances of each variant that serves: those that it starts with, or fewer where it may be scaled in. */
export function fleetsOf(endpoint: TemplateResource, app: Templates): number[] {
  const config = configOf(endpoint, app);
  const targets = targetsOf(endpoint, app);
  return (config === undefined ? [] : variantsOf(config)).flatMap(({ name, properties }) => {
    const initial = number(properties.InitialInstanceCount);
    const target = targets.find((one) => scaledBy(one, app)?.variantName === name);
    const scheduled = list(target?.properties.ScheduledActions).map((action) => at(action, 'ScalableTargetAction', 'MinCapacity'));
    const least = [target?.properties.MinCapacity, ...scheduled].map(number).filter((one) => one !== undefined && one > 0) as number[];
    return initial === undefined ? [] : [Math.min(initial, ...least)];
  });
}

export function targetsOf(endpoint: TemplateResource, app: Templates): TemplateResource[] {
  return app.ofType(TARGET).filter((target) => scaledBy(target, app)?.endpoint === endpoint);
}

/** The alarms that roll back an endpoint's update, as far as this app has them. */
export function rollbackAlarms(
  endpoint: TemplateResource,
  app: Templates,
): { readonly name: unknown; readonly alarm?: TemplateResource }[] {
  const config = record(record(endpoint.properties.DeploymentConfig).AutoRollbackConfiguration);
  return list(config.Alarms).map((alarm) => {
    const name = record(alarm).AlarmName;
    return { name, alarm: app.meant(name, endpoint, ALARM, 'AlarmName') };
  });
}
