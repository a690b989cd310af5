import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Duration } from 'aws-cdk-lib/core';
import type { EndpointAlarmOptions } from './alarms-options';
import type { DataCapture } from './data-capture';
import type { ModelStore } from './model-store';
import type { NetworkOptions } from './network';
import type { VariantOptions } from './production-variant';
import type { Rollout } from './rollout';

export interface ModelEndpointProps extends VariantOptions, NetworkOptions {
  /**
   * The endpoint's name: 1-63 letters, digits and inner hyphens, written out. It stays while everything behind it is replaced.
   *
   * @default - from the construct's path
   */
  readonly endpointName?: string;

  /**
   * The name of the variant that serves. SageMaker moves traffic only between configurations whose variants have equal names.
   *
   * @default 'live'
   */
  readonly variantName?: string;

  /**
   * Where archives of fromDirectory and fromArchive are kept, under the store's own key.
   *
   * @default - the CDK's asset bucket, of which the endpoint may read the one object
   */
  readonly modelStore?: ModelStore;

  /**
   * The customer key of volumes, logs, captured data, queued requests and alarm notices. The policy of an imported key is not changed: it
   * must let in the execution role, CloudWatch and CloudWatch Logs.
   *
   * @default - a new key, rotated yearly, kept when the stack goes
   */
  readonly encryptionKey?: IKey;

  /**
   * The role that SageMaker takes on. What the endpoint does is added to its permissions; a role imported as immutable must allow it already.
   *
   * @default - a new role, allowed exactly what this endpoint does
   */
  readonly executionRole?: IRole;

  /**
   * Whether the container gets no network at all, not even S3. Such a container cannot install `requirements.txt` at its start.
   *
   * @default - true for ServingImage.onnx() on instances, false for other images
   */
  readonly networkIsolation?: boolean;

  /**
   * Requests and answers written down. Not for serverless endpoints.
   *
   * @default - nothing is captured
   */
  readonly dataCapture?: DataCapture;

  /**
   * How a new version takes over from the one that serves.
   *
   * @default - Rollout.canary() of one instance where there are two or more, else Rollout.allAtOnce(); both rolled back by errors and
   * latency of the new fleet
   */
  readonly rollout?: Rollout;

  /**
   * When alarms go off, and who is told.
   *
   * @default - see each; a new topic, encrypted with the endpoint's key
   */
  readonly alarms?: EndpointAlarmOptions;

  /**
   * A page in CloudWatch that shows whether the endpoint is well, under the endpoint's name.
   *
   * @default true
   */
  readonly dashboard?: boolean;

  /**
   * Publishes metrics of each instance and container this often: 10, 30, 60, 120, 180, 240 or 300 s. CloudWatch bills them.
   *
   * @default - the standard metrics, every minute
   */
  readonly enhancedMetricsPeriod?: Duration;

  /**
   * How long the containers' logs are kept. The log group goes with the stack, so that a later endpoint may have the name again.
   *
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: RetentionDays;

  /**
   * Where accesses to the records bucket (captured data, async requests and answers) are logged; S3-managed encryption only.
   *
   * @default - a new bucket beside it
   */
  readonly accessLogsBucket?: IBucket;
}

/** An endpoint that was not created here. */
export interface ModelEndpointAttributes {
  /** The endpoint's name, as SageMaker has it. */
  readonly endpointName: string;

  /**
   * The variant whose metrics are meant.
   *
   * @default 'live'
   */
  readonly variantName?: string;
}
