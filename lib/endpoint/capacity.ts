import type { CfnEndpointConfig } from 'aws-cdk-lib/aws-sagemaker';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { type Duration, Size, Token } from 'aws-cdk-lib/core';
import type { CapacityKind } from './capacity-kind';
import { instanceFamily } from './instance-type';
import { requireRange, requireWritten } from './range';

/** How SageMaker chooses the instance for a request. */
export enum RequestRouting {
  /** The one with the fewest requests under way: lower p99 wherever requests differ in cost. */
  LEAST_OUTSTANDING_REQUESTS = 'LEAST_OUTSTANDING_REQUESTS',
  /** Any, with equal chances: SageMaker's own default. */
  RANDOM = 'RANDOM',
}

/** Instances and how they start. */
export interface InstanceOptions {
  /** e.g. `ml.c7g.large`. Families with a `g` after the generation are Graviton: the image must be built for it. */
  readonly instanceType: string;

  /**
   * Space for the model and the container's scratch, 1-512 GiB. Not for families with local NVMe disks, which take no EBS volume
   * (https://github.com/aws/sagemaker-python-sdk/pull/4828).
   *
   * @default - what SageMaker gives the instance type
   */
  readonly volumeSize?: Size;

  /**
   * How long an instance may take to download and unpack the model, 60-3600 s.
   *
   * @default - SageMaker's own
   */
  readonly downloadTimeout?: Duration;

  /**
   * How long the container may take to answer its first /ping, 60-3600 s.
   *
   * @default - SageMaker's own: 4 minutes
   */
  readonly startupTimeout?: Duration;

  /**
   * Sets the customer key on the endpoint's configuration even though the instance family stores the model on local NVMe disks, which a
   * hardware module encrypts and the key does not. CreateEndpointConfig refused that until 2026-06-10, and CloudFormation's documentation
   * still says so; some organisations' policies demand the key nonetheless.
   *
   * @default false: on such families the key is left out, and the construct says so
   */
  readonly encryptionKeyOnLocalStorage?: boolean;

  /**
   * The machine image with its GPU driver, e.g. `al2023-ami-sagemaker-inference-gpu-4-1`.
   *
   * @default - SageMaker's own
   */
  readonly inferenceAmiVersion?: string;

  /**
   * A capacity reservation (training plan or ML reservation) to run in, and only there.
   *
   * @default - on demand
   */
  readonly capacityReservationArn?: string;
}

export interface InstanceCapacityOptions extends InstanceOptions {
  /**
   * The fewest instances, and those of the first deployment. SageMaker spreads two or more over availability zones.
   *
   * @default 2
   */
  readonly min?: number;

  /**
   * The most instances.
   *
   * @default - the same as min: no scaling
   */
  readonly max?: number;

  /**
   * How requests are spread over the instances.
   *
   * @default RequestRouting.LEAST_OUTSTANDING_REQUESTS
   */
  readonly routing?: RequestRouting;
}

export interface ServerlessCapacityOptions {
  /**
   * 1-6 GiB in whole GiB.
   *
   * @default Size.gibibytes(2)
   */
  readonly memory?: Size;

  /**
   * The most requests at one time, 1-200.
   *
   * @default 20
   */
  readonly maxConcurrency?: number;

  /**
   * How many of them are kept warm, 1 to maxConcurrency.
   *
   * @default - none: the first request after a pause waits for a start
   */
  readonly provisionedConcurrency?: number;

  /**
   * Up to how many are kept warm when Scaling.provisionedConcurrency asks, provisionedConcurrency to maxConcurrency.
   *
   * @default - the same as provisionedConcurrency: no scaling
   */
  readonly maxProvisionedConcurrency?: number;
}

export interface AsyncCapacityOptions extends InstanceOptions {
  /**
   * The fewest instances; 0 lets the endpoint sleep when its queue is empty. The first deployment starts with at least one.
   *
   * @default 0
   */
  readonly min?: number;

  /**
   * The most instances.
   *
   * @default - 1, or min where that is more
   */
  readonly max?: number;

  /**
   * Requests that an instance works on at a time, 1-1000.
   *
   * @default - SageMaker chooses
   */
  readonly maxConcurrentInvocationsPerInstance?: number;

  /**
   * Told of each answer written. It must let the endpoint's role publish.
   *
   * @default - none
   */
  readonly successTopic?: ITopic;

  /**
   * Told of each request that failed.
   *
   * @default - none; failures are alarmed on all the same
   */
  readonly errorTopic?: ITopic;

  /**
   * How long requests, answers and failures are kept.
   *
   * @default Duration.days(30)
   */
  readonly retention?: Duration;
}

/** How an endpoint's requests are borne. */
export abstract class Capacity {
  /**
   * Instances that answer at once: up to 60 s a request.
   *
   * @throws Error for a minimum of 0, a maximum below it, an `ml.t2` that should scale, or a size or timeout out of range
   */
  public static instances(options: InstanceCapacityOptions): Capacity {
    const min = options.min ?? 2;
    requireRange('min of a real-time variant', min, 1, 10_000, 'use Capacity.async, whose minimum may be 0, or Capacity.serverless');
    return new Instances('instances', options, min, options.max ?? min, options.routing ?? RequestRouting.LEAST_OUTSTANDING_REQUESTS);
  }

  /**
   * Capacity by the request, none between them. No GPU, VPC, network isolation, data capture, uncompressed model or second variant, and
   * an image of at most 10 GB. SageMaker refuses to turn a real-time endpoint into a serverless one: give it another name.
   *
   * @throws Error for a memory or concurrency that SageMaker does not have
   */
  public static serverless(options: ServerlessCapacityOptions = {}): Capacity {
    return new Serverless(options);
  }

  /**
   * Instances that work through a queue: requests and answers of up to 1 GB lie in S3, up to an hour a request.
   *
   * @throws Error as Capacity.instances does, but for a minimum of 0
   */
  public static async(options: AsyncCapacityOptions): Capacity {
    const min = options.min ?? 0;
    requireRange('min of an async variant', min, 0, 10_000);
    requireRange('maxConcurrentInvocationsPerInstance', options.maxConcurrentInvocationsPerInstance, 1, 1000);
    return new Instances('async', options, min, options.max ?? Math.max(1, min), undefined, options);
  }

  /** @internal */
  public abstract readonly _kind: CapacityKind;
  /** @internal */
  public abstract readonly _minCapacity: number;
  /** @internal */
  public abstract readonly _maxCapacity: number;
  /** @internal */
  public readonly _maxConcurrency?: number;
  /** @internal */
  public readonly _instance?: InstanceOptions;
  /** @internal */
  public readonly _async?: AsyncCapacityOptions;

  /** @internal */
  public abstract _bind(): Omit<CfnEndpointConfig.ProductionVariantProperty, 'variantName' | 'modelName' | 'initialVariantWeight'>;
}

class Instances extends Capacity {
  public readonly _instance: InstanceOptions;

  constructor(
    public readonly _kind: CapacityKind,
    options: InstanceOptions,
    public readonly _minCapacity: number,
    public readonly _maxCapacity: number,
    private readonly routing?: RequestRouting,
    public readonly _async?: AsyncCapacityOptions,
  ) {
    super();
    this._instance = options;
    const { instanceType, volumeSize, downloadTimeout, startupTimeout } = options;
    if (!Token.isUnresolved(instanceType) && !/^ml\.[a-z0-9-]+\.[a-z0-9-]+$/.test(instanceType)) {
      throw new Error(`a SageMaker instance type looks like ml.c7g.large, got '${instanceType}'`);
    }
    requireRange('max', _maxCapacity, Math.max(1, _minCapacity), 10_000, `min is ${_minCapacity}`);
    if (instanceType.startsWith('ml.t2.') && _maxCapacity > _minCapacity) {
      throw new Error(
        `${instanceType} cannot scale, got min ${_minCapacity} and max ${_maxCapacity}: make them equal, or take ml.m5.large`,
      );
    }
    requireRange('volumeSize in GiB', volumeSize?.toGibibytes(), 1, 512);
    if (volumeSize !== undefined && instanceFamily(instanceType)?.localStorage === true) {
      throw new Error(`${instanceType} has local NVMe disks and takes no EBS volume: leave volumeSize out`);
    }
    requireRange('downloadTimeout in seconds', downloadTimeout?.toSeconds(), 60, 3600);
    requireRange('startupTimeout in seconds', startupTimeout?.toSeconds(), 60, 3600);
  }

  /** @internal */
  public _bind() {
    const { instanceType, volumeSize, downloadTimeout, startupTimeout, inferenceAmiVersion, capacityReservationArn } = this._instance;
    return {
      instanceType,
      initialInstanceCount: Math.max(1, this._minCapacity),
      volumeSizeInGb: volumeSize?.toGibibytes(),
      modelDataDownloadTimeoutInSeconds: downloadTimeout?.toSeconds(),
      containerStartupHealthCheckTimeoutInSeconds: startupTimeout?.toSeconds(),
      inferenceAmiVersion,
      routingConfig: this.routing && { routingStrategy: this.routing },
      capacityReservationConfig: capacityReservationArn
        ? { capacityReservationPreference: 'capacity-reservations-only', mlReservationArn: capacityReservationArn }
        : undefined,
    };
  }
}

const SERVERLESS_MEMORY = [1024, 2048, 3072, 4096, 5120, 6144];

class Serverless extends Capacity {
  public readonly _kind = 'serverless';
  public readonly _minCapacity: number;
  public readonly _maxCapacity: number;
  private readonly memory: number;
  public readonly _maxConcurrency: number;

  constructor(private readonly options: ServerlessCapacityOptions) {
    super();
    const { provisionedConcurrency, maxProvisionedConcurrency } = options;
    this.memory = (options.memory ?? Size.gibibytes(2)).toMebibytes();
    this._maxConcurrency = options.maxConcurrency ?? 20;
    requireWritten('memory', this.memory);
    if (!SERVERLESS_MEMORY.includes(this.memory)) {
      throw new Error(`serverless memory is one of ${SERVERLESS_MEMORY.join(', ')} MiB, got ${this.memory} MiB`);
    }
    requireRange('maxConcurrency', this._maxConcurrency, 1, 200);
    requireRange('provisionedConcurrency', provisionedConcurrency, 1, this._maxConcurrency, `maxConcurrency is ${this._maxConcurrency}`);
    if (maxProvisionedConcurrency !== undefined && provisionedConcurrency === undefined) {
      throw new Error(`maxProvisionedConcurrency ${maxProvisionedConcurrency} needs a provisionedConcurrency to start from`);
    }
    requireRange('maxProvisionedConcurrency', maxProvisionedConcurrency, provisionedConcurrency ?? 1, this._maxConcurrency);
    this._minCapacity = provisionedConcurrency ?? 0;
    this._maxCapacity = maxProvisionedConcurrency ?? this._minCapacity;
  }

  /** @internal */
  public _bind() {
    return {
      serverlessConfig: {
        memorySizeInMb: this.memory,
        maxConcurrency: this._maxConcurrency,
        provisionedConcurrency: this.options.provisionedConcurrency,
      },
    };
  }
}
