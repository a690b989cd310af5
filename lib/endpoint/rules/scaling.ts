import { ENDPOINT, findIf, POLICY, type Rule, TARGET } from './rule';
import { ceilingOf, configOf, kindOf, type Scaled, scaledBy, targetsOf, variantsOf, watchedBy } from './serving';
import { at, flag, list, number, record, type TemplateResource, type Templates, text } from './template';

const VARIANT_SCALING = 'https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html';
const PREDEFINED = 'https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html';
const ASYNC_SCALING = 'https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html';

const INSTANCES = 'sagemaker:variant:DesiredInstanceCount';
const WARM = 'sagemaker:variant:DesiredProvisionedConcurrency';
const COPIES = 'sagemaker:inference-component:DesiredCopyCount';

/** Which dimension a predefined metric scales. */
const PAIRS: Readonly<Record<string, string>> = {
  SageMakerVariantInvocationsPerInstance: INSTANCES,
  SageMakerVariantConcurrentRequestsPerModelHighResolution: INSTANCES,
  SageMakerVariantProvisionedConcurrencyUtilization: WARM,
  SageMakerInferenceComponentInvocationsPerCopy: COPIES,
  SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution: COPIES,
};

const TRACKING = 'TargetTrackingScalingPolicyConfiguration';

function configScaledBy(target: TemplateResource, app: Templates): { scaled?: Scaled; config?: TemplateResource } {
  const scaled = scaledBy(target, app);
  return { scaled, config: scaled?.endpoint && configOf(scaled.endpoint, app) };
}

function targetOf(policy: TemplateResource, app: Templates): TemplateResource | undefined {
  return app.meant(policy.properties.ScalingTargetId, policy, TARGET, 'ScalingTargetId');
}

function variantScaledBy(target: TemplateResource, app: Templates) {
  const { scaled, config } = configScaledBy(target, app);
  return config && variantsOf(config).find(({ name }) => name === scaled?.variantName);
}

/** What Application Auto Scaling refuses for SageMaker, and what scales never or only once. */
export const scalingRules: Rule[] = [
  {
    id: 'scaling-bounds-are-invalid',
    says: 'The minimum is above the maximum, or 0 where a variant cannot be 0: only async endpoints can.',
    remedy: 'Use a minimum of at least 1 for real-time and serverless variants, and at most the maximum.',
    source: VARIANT_SCALING,
    severity: 'error',
    types: [TARGET],
    check: (target, app) => {
      const { scaled, config } = configScaledBy(target, app);
      if (scaled === undefined) return [];
      const [min, max] = [number(target.properties.MinCapacity), number(target.properties.MaxCapacity)];
      const awake = scaled.dimension === WARM || (scaled.dimension === INSTANCES && config !== undefined && kindOf(config) === 'instances');
      return [
        ...findIf(min !== undefined && max !== undefined && min > max, 'MinCapacity', `${min} to ${max}`),
        ...findIf(min === 0 && awake, 'MinCapacity', 0),
      ];
    },
  },
  {
    id: 'instance-type-cannot-scale',
    says: 'An ml.t2 variant is a scalable target: SageMaker does not scale these.',
    remedy: 'Take another family, or leave the scaling out.',
    source: VARIANT_SCALING,
    severity: 'error',
    types: [TARGET],
    check: (target, app) => {
      const type = variantScaledBy(target, app)?.instanceType;
      return findIf(type?.startsWith('ml.t2.') === true, 'ResourceId', type);
    },
  },
  {
    id: 'scaled-variant-does-not-exist',
    says: 'A scalable target names a variant that its endpoint does not have: nothing scales.',
    remedy: 'Name one of the endpoint’s variants.',
    source: VARIANT_SCALING,
    severity: 'error',
    types: [TARGET],
    check: (target, app) => {
      const { scaled, config } = configScaledBy(target, app);
      if (config === undefined || scaled?.variantName === undefined || scaled.dimension === COPIES) return [];
      const names = variantsOf(config).flatMap(({ name }) => name ?? []);
      return findIf(names.length === variantsOf(config).length && !names.includes(scaled.variantName), 'ResourceId', scaled.variantName);
    },
  },
  {
    id: 'scaling-metric-of-other-dimension',
    says: 'The predefined metric does not go with what is scaled: Application Auto Scaling refuses the pair.',
    remedy: 'Use the metrics of variants for instance counts, of provisioned concurrency for it, and of inference components for copies.',
    source: PREDEFINED,
    severity: 'error',
    types: [POLICY],
    check: (policy, app) => {
      const location = `${TRACKING}.PredefinedMetricSpecification.PredefinedMetricType`;
      const metric = text(at(policy.properties, ...location.split('.')));
      const target = targetOf(policy, app);
      const dimension = text(policy.properties.ScalableDimension) ?? (target && scaledBy(target, app)?.dimension);
      const wanted = PAIRS[metric ?? ''];
      return findIf(wanted !== undefined && dimension !== undefined && wanted !== dimension, location, `${metric} for ${dimension}`);
    },
  },
  {
    id: 'scaling-metric-never-published',
    says: 'An async variant scales by requests, or a real-time one by a queue: the metric is never published, and nothing scales.',
    remedy: 'Scale async endpoints by ApproximateBacklogSizePerInstance, real-time ones by requests, concurrency or CPU.',
    source: ASYNC_SCALING,
    severity: 'error',
    types: [POLICY],
    check: (policy, app) => {
      const target = targetOf(policy, app);
      const config = target && configScaledBy(target, app).config;
      if (config === undefined) return [];
      const tracking = record(policy.properties[TRACKING]);
      const metric =
        text(at(tracking, 'PredefinedMetricSpecification', 'PredefinedMetricType')) ??
        text(at(tracking, 'CustomizedMetricSpecification', 'MetricName')) ??
        '';
      const queue = /Backlog|AgeOfOldestRequest/.test(metric);
      const requests = /Invocations|ConcurrentRequests/.test(metric);
      const wrong = kindOf(config) === 'async' ? requests : queue;
      return findIf(wrong, TRACKING, `${metric} of an endpoint of the kind ${kindOf(config)}`);
    },
  },
  {
    id: 'scaling-target-never-reached',
    says: 'The metric never reaches the target value: nothing is ever added. CPU and GPU are sums over cores and GPUs.',
    remedy: 'Use less than 100 for each core or GPU; on a family without GPUs, scale by CPU.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html',
    severity: 'error',
    types: [POLICY],
    check: (policy, app) => {
      const target = targetOf(policy, app);
      const name = text(at(policy.properties, TRACKING, 'CustomizedMetricSpecification', 'MetricName'));
      const value = number(at(policy.properties, TRACKING, 'TargetValue'));
      const ceiling = target && ceilingOf(name, variantScaledBy(target, app));
      return findIf(
        ceiling !== undefined && value !== undefined && value >= ceiling,
        `${TRACKING}.TargetValue`,
        `${value} of at most ${ceiling}`,
      );
    },
  },
  {
    id: 'update-resets-scaling',
    says: 'A variant scales, and an update of its endpoint puts it back to the count it started with, in the middle of the day.',
    remedy: 'Set RetainAllVariantProperties, and exclude DesiredWeight where the template owns the weights.',
    source: 'https://github.com/aws/aws-cdk/issues/23151',
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint, app) => {
      const retained = endpoint.properties.RetainAllVariantProperties;
      const reset = retained === undefined || flag(retained) === false;
      return findIf(reset && targetsOf(endpoint, app).length > 0, 'RetainAllVariantProperties', retained ?? 'none');
    },
  },
  {
    id: 'async-never-wakes',
    says: 'An async variant may go to 0 instances, and no alarm on HasBacklogWithoutCapacity brings it back: target tracking cannot.',
    remedy: 'Add a step scaling policy, and an alarm on HasBacklogWithoutCapacity >= 1 that runs it.',
    source: ASYNC_SCALING,
    severity: 'error',
    types: [TARGET],
    check: (target, app) => {
      const { scaled, config } = configScaledBy(target, app);
      if (config === undefined || kindOf(config) !== 'async' || number(target.properties.MinCapacity) !== 0) return [];
      const wakes = app
        .ofType('AWS::CloudWatch::Alarm')
        .some((alarm) =>
          watchedBy(alarm).some(
            ({ name, dimensions }) =>
              name === 'HasBacklogWithoutCapacity' &&
              app.meant(dimensions.EndpointName, alarm, ENDPOINT, 'EndpointName') === scaled?.endpoint,
          ),
        );
      return findIf(!wakes && list(target.properties.ScheduledActions).length === 0, 'MinCapacity', 0);
    },
  },
];
