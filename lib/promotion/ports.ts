import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { SNSClient } from '@aws-sdk/client-sns';

/** All that a promotion touches. The clients find AWS, or a SageMaker on this machine, by the environment (`AWS_ENDPOINT_URL_SAGEMAKER` and its sisters). */
export interface Ports {
  readonly sagemaker: SageMakerClient;
  readonly runtime: SageMakerRuntimeClient;
  readonly cloudwatch: CloudWatchClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly s3: S3Client;
  readonly sns: SNSClient;
  readonly kms: KMSClient;
  /** Milliseconds since 1970, on the clock that the metrics are stamped with. */
  readonly now: () => number;
}

export function awsPorts(): Ports {
  const retries = { maxAttempts: 5 };
  return {
    sagemaker: new SageMakerClient(retries),
    runtime: new SageMakerRuntimeClient(retries),
    cloudwatch: new CloudWatchClient(retries),
    scaling: new ApplicationAutoScalingClient(retries),
    s3: new S3Client(retries),
    sns: new SNSClient(retries),
    kms: new KMSClient(retries),
    now: Date.now,
  };
}
