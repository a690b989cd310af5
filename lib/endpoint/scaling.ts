import type { CfnScalableTarget, CfnScalingPolicy } from 'aws-cdk-lib/aws-applicationautoscaling';
import { PredefinedMetric } from 'aws-cdk-lib/aws-applicationautoscaling';
import { Duration } from 'aws-cdk-lib/core';
import type { CapacityKind } from './capacity-kind';
import { instanceShape } from './instance-type';
import { requireWritten } from './range';
import type {
  BacklogScalingOptions,
  ConcurrencyScalingOptions,
  InvocationsScalingOptions,
  ScalingPace,
  ScheduleScalingOptions,
  UtilizationScalingOptions,
} from './scaling-options';
import type { ServedVariant } from './served-variant';

/** @internal */
export interface BoundScaling {
  readonly tracking?: CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty;
  readonly action?: Omit<CfnScalableTarget.ScheduledActionProperty, 'scheduledActionName'>;
}

/**
 * How the capacity of a variant follows its load, between the capacity's minimum and maximum. Several together: the one that asks for the
 * most capacity wins.
 *
 * SageMaker refuses to change the instance type of a variant that scales: deploy once with `scaling: []`, once with the new type, then with
 * scaling again. During an update nothing scales.
 */
export abstract class Scaling {
  /**
   * By requests: the target is `perSecond` x 60 x `safety` requests a minute for each instance. For instances.
   *
   * @throws Error for a number out of range
   */
  public static invocationsPerInstance(options: InvocationsScalingOptions): Scaling {
    const safety = options.safety ?? 0.5;
    requireOver0('perSecond', options.perSecond);
    requireOver0('safety', safety, 1);
    const target = options.perSecond * 60 * safety;
    return new Predefined(
      'InvocationsPerInstance',
      'instances',
      PredefinedMetric.SAGEMAKER_VARIANT_INVOCATIONS_PER_INSTANCE,
      target,
      options,
    );
  }

  /**
   * By requests under way, seen every 10 seconds: the fastest to follow a burst, and the one for slow or uneven requests. For instances.
   *
   * @throws Error for a number out of range
   */
  public static concurrency(options: ConcurrencyScalingOptions): Scaling {
    requireOver0('perInstance', options.perInstance);
    const metric = PredefinedMetric.SAGEMAKER_VARIANT_CONCURRENT_REQUESTS_PER_MODEL_HIGH_RESOLUTION;
    return new Predefined('Concurrency', 'instances', metric, options.perInstance, options);
  }

  /**
   * By CPU, as a percentage of all cores. CloudWatch has the sum over the cores: the target is multiplied by them. For instances and async.
   *
   * @throws Error for a number out of range; when bound, for an instance type whose cores are not known here
   */
  public static cpuUtilization(options: UtilizationScalingOptions): Scaling {
    return new Utilization('CpuUtilization', 'CPUUtilization', 'vcpus', options);
  }

  /**
   * By GPU, as a percentage of all GPUs. CloudWatch has the sum over the GPUs: the target is multiplied by them. For instances and async.
   *
   * @throws Error for a number out of range; when bound, for an instance type without GPUs
   */
  public static gpuUtilization(options: UtilizationScalingOptions): Scaling {
    return new Utilization('GpuUtilization', 'GPUUtilization', 'gpus', options);
  }

  /**
   * By the clock: another minimum or maximum from a time on. For every kind; of serverless capacity it moves the provisioned concurrency.
   *
   * @throws Error where neither min nor max is given, or the minimum is above the maximum
   */
  public static schedule(options: ScheduleScalingOptions): Scaling {
    return new Scheduled(options);
  }

  /**
   * By how much of the provisioned concurrency is in use. For serverless.
   *
   * @throws Error for a number out of range
   */
  public static provisionedConcurrency(options: UtilizationScalingOptions): Scaling {
    requirePercent(options.percent);
    const metric = PredefinedMetric.SAGEMAKER_VARIANT_PROVISIONED_CONCURRENCY_UTILIZATION;
    return new Predefined('ProvisionedConcurrency', 'serverless', metric, options.percent / 100, options);
  }

  /**
   * By the queue of an async endpoint. Where the minimum is 0, the endpoint also wakes from it: two minutes after a request waits with no
   * instance to take it, one is started, which takes some minutes more.
   *
   * @throws Error for a number out of range
   */
  public static backlog(options: BacklogScalingOptions = {}): Scaling {
    return new Backlog(options);
  }

  /**
   * Names the policy in the construct tree; two of one name would fight over one metric.
   *
   * @internal
   */
  public abstract readonly _name: string;
  /** @internal */
  public abstract readonly _kinds: readonly CapacityKind[];

  /** @internal */
  public readonly _bounds?: { readonly min?: number; readonly max?: number };

  /**
   * @throws Error where the variant cannot scale so
   * @internal
   */
  public abstract _bind(variant: ServedVariant): BoundScaling;
}

class Predefined extends Scaling {
  public readonly _kinds: readonly CapacityKind[];

  constructor(
    public readonly _name: string,
    kind: CapacityKind,
    private readonly metric: PredefinedMetric,
    private readonly target: number,
    private readonly pace: ScalingPace,
  ) {
    super();
    this._kinds = [kind];
  }

  /** @internal */
  public _bind(): BoundScaling {
    return tracking(this.pace, { targetValue: this.target, predefinedMetricSpecification: { predefinedMetricType: this.metric } });
  }
}

class Utilization extends Scaling {
  public readonly _kinds = ['instances', 'async'] as const;

  constructor(
    public readonly _name: string,
    private readonly metricName: string,
    private readonly unit: 'vcpus' | 'gpus',
    private readonly options: UtilizationScalingOptions,
  ) {
    super();
    requirePercent(options.percent);
  }

  /** @internal */
  public _bind({ endpointName, variantName, instanceType }: ServedVariant): BoundScaling {
    const count = instanceShape(instanceType ?? '')?.[this.unit];
    if (count === undefined) {
      throw new Error(
        `${this.metricName} is a sum over ${this.unit}, and those of ${instanceType} are not known here: use Scaling.invocationsPerInstance or Scaling.concurrency`,
      );
    }
    if (count === 0) {
      throw new Error(
        `${instanceType} has no GPU that CloudWatch can see: use Scaling.cpuUtilization, or an instance type of another family`,
      );
    }
    return tracking(this.options, {
      targetValue: this.options.percent * count,
      customizedMetricSpecification: {
        namespace: '/aws/sagemaker/Endpoints',
        metricName: this.metricName,
        statistic: 'Average',
        dimensions: [
          { name: 'EndpointName', value: endpointName },
          { name: 'VariantName', value: variantName },
        ],
      },
    });
  }
}

class Backlog extends Scaling {
  public readonly _name = 'Backlog';
  public readonly _kinds = ['async'] as const;
  private readonly perInstance: number;

  constructor(private readonly options: BacklogScalingOptions) {
    super();
    this.perInstance = options.perInstance ?? 5;
    requireOver0('perInstance', this.perInstance);
  }

  /** @internal */
  public _bind({ endpointName }: ServedVariant): BoundScaling {
    return tracking(this.options, {
      targetValue: this.perInstance,
      customizedMetricSpecification: {
        namespace: 'AWS/SageMaker',
        metricName: 'ApproximateBacklogSizePerInstance',
        statistic: 'Average',
        // The queue is the endpoint's: CloudWatch has no VariantName here.
        dimensions: [{ name: 'EndpointName', value: endpointName }],
      },
    });
  }
}

class Scheduled extends Scaling {
  public readonly _name = 'Schedule';
  public readonly _kinds = ['instances', 'serverless', 'async'] as const;

  public readonly _bounds: { readonly min?: number; readonly max?: number };

  constructor(private readonly options: ScheduleScalingOptions) {
    super();
    this._bounds = { min: options.min, max: options.max };
    if (options.min === undefined && options.max === undefined) throw new Error('a schedule moves min, max or both, got neither');
  }

  /** @internal */
  public _bind({ kind, minCapacity, maxCapacity, maxConcurrency }: ServedVariant): BoundScaling {
    const { schedule, min, max, start, end, timeZone } = this.options;
    const least = kind === 'async' ? 0 : 1;
    for (const [name, value] of Object.entries({ min, max })) {
      if (value === undefined) continue;
      requireWritten(`${name} of a schedule`, value);
      if (!Number.isInteger(value) || value < least) {
        throw new Error(`${name} of a scheduled ${kind} variant is a whole number of at least ${least}, got ${value}`);
      }
    }
    const [newMin, newMax] = [min ?? minCapacity, max ?? maxCapacity];
    if (newMin > newMax) {
      throw new Error(
        `a schedule would set the minimum to ${newMin} and the maximum to ${newMax}: give the schedule a min and a max that fit`,
      );
    }
    if (maxConcurrency !== undefined && newMax > maxConcurrency) {
      throw new Error(
        `a schedule would keep up to ${newMax} warm, and maxConcurrency is ${maxConcurrency}: give the schedule a max of at most that, or the capacity more`,
      );
    }
    return {
      action: {
        schedule: schedule.expressionString,
        startTime: start,
        endTime: end,
        timezone: timeZone?.timezoneName,
        scalableTargetAction: { minCapacity: min, maxCapacity: max },
      },
    };
  }
}

/**
 * The least and the most that schedules set.
 *
 * @internal
 */
export function scheduledBounds(scalings: Scaling[]): Pick<ServedVariant, 'scheduledMin' | 'scheduledMax'> {
  const mins = scalings.flatMap(({ _bounds }) => _bounds?.min ?? []);
  const maxes = scalings.flatMap(({ _bounds }) => _bounds?.max ?? []);
  return {
    scheduledMin: mins.length === 0 ? undefined : Math.min(...mins),
    scheduledMax: maxes.length === 0 ? undefined : Math.max(...maxes),
  };
}

function tracking(
  { scaleOutCooldown, scaleInCooldown, disableScaleIn }: ScalingPace,
  what: Omit<CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty, 'scaleInCooldown' | 'scaleOutCooldown' | 'disableScaleIn'>,
): BoundScaling {
  return {
    tracking: {
      ...what,
      scaleOutCooldown: (scaleOutCooldown ?? Duration.minutes(1)).toSeconds(),
      scaleInCooldown: (scaleInCooldown ?? Duration.minutes(5)).toSeconds(),
      disableScaleIn,
    },
  };
}

function requireOver0(what: string, value: number, most?: number): void {
  requireWritten(what, value);
  if (value > 0 && value <= (most ?? Number.MAX_VALUE)) return;
  throw new Error(`${what} is more than 0${most === undefined ? '' : ` and at most ${most}`}, got ${value}`);
}

function requirePercent(percent: number): void {
  requireWritten('percent of a scaling', percent);
  if (percent > 0 && percent < 100) return;
  throw new Error(`percent is more than 0 and less than 100, got ${percent}: use is at most 100, so at 100 nothing would ever be added`);
}
