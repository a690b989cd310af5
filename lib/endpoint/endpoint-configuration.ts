import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnEndpointConfig, type CfnEndpointConfigProps } from 'aws-cdk-lib/aws-sagemaker';
import { Annotations, type Duration, Lazy, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import type { DataCapture } from './data-capture';
import { encryptVolumes } from './encryption';
import type { EndpointRecords } from './endpoint-records';
import type { ExecutionRole } from './execution-role';
import { instanceFamily } from './instance-type';
import type { ProductionVariant } from './production-variant';

/** @internal */
export interface EndpointConfigurationProps {
  /** The first variant; others may join. */
  readonly live: ProductionVariant;
  readonly role: ExecutionRole;
  readonly encryptionKey: IKey;
  /** Whether the user chose the key, and so wants to hear where it is not used. */
  readonly keyGiven: boolean;
  readonly records?: EndpointRecords;
  readonly dataCapture?: DataCapture;
  readonly enhancedMetricsPeriod?: Duration;
}

interface Rendered {
  readonly ProductionVariants: readonly Record<string, unknown>[];
  readonly [property: string]: unknown;
}

/** The configuration in the template. */
class ConfigurationEntry extends CfnEndpointConfig {
  /** As the API names its properties. Tokens stay tokens: what lies in another stack is imported by whoever writes them out. */
  public inApiNames(properties: CfnEndpointConfigProps): Rendered {
    return super.renderProperties({ ...properties }) as Rendered;
  }
}

const METRIC_PERIODS = [10, 30, 60, 120, 180, 240, 300];

/**
 * What an endpoint serves: never named, as any change of it makes another.
 *
 * @internal
 */
export class EndpointConfiguration extends Construct {
  public readonly configName: string;
  private readonly resource: ConfigurationEntry;
  private readonly properties: Omit<CfnEndpointConfigProps, 'productionVariants' | 'kmsKeyId'>;
  /** Name of one that somebody else makes in this one's stead. */
  private given?: string;
  private readonly variants: ProductionVariant[] = [];
  private encrypted = false;
  private keyless = false;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: EndpointConfigurationProps,
  ) {
    super(scope, id);
    const { live, records } = props;
    this.properties = {
      dataCaptureConfig: records && props.dataCapture && this.capture(records, props.dataCapture),
      asyncInferenceConfig: records && this.queue(records),
      metricsConfig: enhancedMetrics(props.enhancedMetricsPeriod),
    };
    this.resource = new ConfigurationEntry(this, 'Resource', {
      ...this.properties,
      productionVariants: Lazy.any({ produce: () => this.variants.map((variant) => variant.render()) }),
      kmsKeyId: Lazy.string({ produce: () => this.volumeKeyArn }),
    });
    this.configName = Lazy.string({ produce: () => this.given ?? this.resource.attrEndpointConfigName });
    this.add(live);
  }

  /**
   * Takes the configuration out of the template.
   *
   * @returns its properties as the API names them, without the name of a model
   */
  public handOver(configName: string): Record<string, unknown> {
    this.given = configName;
    const { ProductionVariants, ...rest } = this.resource.inApiNames({
      ...this.properties,
      productionVariants: this.variants.map((variant) => variant.render()),
      kmsKeyId: this.volumeKeyArn,
    });
    this.node.tryRemoveChild('Resource');
    return { ...rest, ProductionVariants: ProductionVariants.map(({ ModelName: _, ...variant }) => variant) };
  }

  private get volumeKeyArn(): string | undefined {
    return this.keyless ? undefined : this.props.encryptionKey.keyArn;
  }

  /** Takes up another variant: the key is left out as soon as one of them keeps its model on local disks. */
  public add(variant: ProductionVariant): void {
    if (this.variants.length > 0) refuseOwnQueue(variant);
    this.variants.push(variant);
    const { encryptionKey, keyGiven, role } = this.props;
    const rule = 'SageMakerEndpointConfigurationKMSKeyConfigured';
    const instance = variant.capacity._instance;
    if (instance === undefined) {
      this.keyless = true;
      acknowledge(this, rule, 'a serverless endpoint has no volume to encrypt');
      return;
    }
    const family = instanceFamily(instance.instanceType);
    if (family?.localStorage === true && instance.encryptionKeyOnLocalStorage !== true) {
      this.keyless = true;
      const reason = `${instance.instanceType} keeps the model on local NVMe disks, which a hardware module encrypts: the customer key would not be used there. Set encryptionKeyOnLocalStorage to name it all the same`;
      acknowledge(this, rule, reason);
      if (keyGiven) Annotations.of(this).addWarningV2('cdk-fledge:keyNotUsedOnLocalStorage', reason);
      else Annotations.of(this).addInfo(reason);
      return;
    }
    if (family === undefined) {
      Annotations.of(this).addWarningV2(
        'cdk-fledge:unknownInstanceFamily',
        `nothing is known of the disks of ${instance.instanceType}: if they are local, the customer key does not encrypt them`,
      );
    }
    if (family?.localStorage === true) {
      Validations.of(this).acknowledge({ id: 'cdk-fledge::key-on-local-storage', reason: 'asked for by encryptionKeyOnLocalStorage' });
    }
    if (this.encrypted) return;
    this.encrypted = true;
    for (const statement of encryptVolumes(encryptionKey)) role.allow(statement);
  }

  private capture(records: EndpointRecords, capture: DataCapture): CfnEndpointConfig.DataCaptureConfigProperty {
    const { role, encryptionKey } = this.props;
    records.retain('capture/', capture._retention);
    role.allow(
      new PolicyStatement({
        sid: 'WriteCapturedData',
        actions: ['s3:PutObject'],
        resources: [records.bucket.arnForObjects('capture/*')],
      }),
      'one prefix; SageMaker names the objects below it by variant and hour',
    );
    return capture._bind(records.bucket.s3UrlForObject('capture'), encryptionKey.keyArn);
  }

  private queue(records: EndpointRecords): CfnEndpointConfig.AsyncInferenceConfigProperty | undefined {
    const { role, encryptionKey, live } = this.props;
    const options = live.capacity._async;
    if (options === undefined) return undefined;
    const why = 'one prefix each; clients name the requests, SageMaker the answers';
    role.allow(
      new PolicyStatement({
        sid: 'ReadAsyncRequests',
        actions: ['s3:GetObject'],
        resources: [records.bucket.arnForObjects('async-requests/*')],
      }),
      why,
    );
    role.allow(
      new PolicyStatement({
        sid: 'WriteAsyncAnswers',
        actions: ['s3:AbortMultipartUpload', 's3:PutObject'],
        resources: [records.bucket.arnForObjects('async-answers/*'), records.bucket.arnForObjects('async-failures/*')],
      }),
      why,
    );
    const topics = [options.successTopic, options.errorTopic].filter((topic) => topic !== undefined);
    if (topics.length > 0) {
      role.allow(
        new PolicyStatement({ sid: 'NotifyOfAnswers', actions: ['sns:Publish'], resources: topics.map(({ topicArn }) => topicArn) }),
      );
      const keys = [...new Set(topics.flatMap(({ masterKey }) => masterKey?.keyArn ?? []))];
      if (keys.length > 0) {
        role.allow(new PolicyStatement({ sid: 'EncryptNotices', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: keys }));
      }
    }
    return {
      outputConfig: {
        s3OutputPath: records.bucket.s3UrlForObject('async-answers'),
        s3FailurePath: records.bucket.s3UrlForObject('async-failures'),
        kmsKeyId: encryptionKey.keyArn,
        notificationConfig:
          topics.length === 0 ? undefined : { successTopic: options.successTopic?.topicArn, errorTopic: options.errorTopic?.topicArn },
      },
      clientConfig:
        options.maxConcurrentInvocationsPerInstance === undefined
          ? undefined
          : { maxConcurrentInvocationsPerInstance: options.maxConcurrentInvocationsPerInstance },
    };
  }
}

/** The queue, its topics and its bucket are the endpoint's. */
function refuseOwnQueue({ variantName, capacity }: ProductionVariant): void {
  const { successTopic, errorTopic, retention, maxConcurrentInvocationsPerInstance } = capacity._async ?? {};
  const all = { successTopic, errorTopic, retention, maxConcurrentInvocationsPerInstance };
  const own = Object.entries(all).find(([, value]) => value !== undefined)?.[0];
  if (own === undefined) return;
  throw new Error(
    `an async endpoint has one queue for all its variants: give ${own} to the capacity of the endpoint itself, not to that of '${variantName}'`,
  );
}

function enhancedMetrics(period?: Duration): CfnEndpointConfig.MetricsConfigProperty | undefined {
  if (period === undefined) return undefined;
  const seconds = period.toSeconds();
  if (!METRIC_PERIODS.includes(seconds)) {
    throw new Error(`enhancedMetricsPeriod is one of ${METRIC_PERIODS.join(', ')} seconds, got ${seconds}`);
  }
  return { enableEnhancedMetrics: true, metricPublishFrequencyInSeconds: seconds };
}
