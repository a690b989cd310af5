import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { CustomResource, Duration } from 'aws-cdk-lib/core';
import { Construct, type IDependable } from 'constructs';
import type { HandedOver } from '../../endpoint/owner';
import { sageMakerArn } from '../../endpoint/sagemaker-arn';
import { stemOf } from '../names';
import { endpointPrefix } from '../record';
import { StageFunction } from './stage-function';

/** @internal */
export interface AwaitedPromotionProps {
  readonly handed: HandedOver;
  readonly modelPackageArn: string;
  readonly bucket: IBucket;
  readonly encryptionKey: IKey;
  readonly functionName: string;
  /** What must stand before a promotion can be waited for. */
  readonly after: IDependable[];
}

/**
 * Makes CloudFormation wait until the version that the template deploys is live, and fail where it was rolled back or held.
 *
 * @internal
 */
export class AwaitedPromotion extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { handed, modelPackageArn, bucket, encryptionKey, functionName, after }: AwaitedPromotionProps,
  ) {
    super(scope, id);
    const { endpointName } = handed.served;
    const waiter = new StageFunction(this, 'Function', {
      bundle: 'await-promotion',
      functionName,
      description: `waits until a version is live on the SageMaker endpoint ${endpointName}`,
      encryptionKey,
      timeout: Duration.minutes(1),
      memoryMebibytes: 256,
      executionTimeout: Duration.hours(1),
    });
    const own = ['endpoint-config', 'model'].map((resource) => sageMakerArn(this, resource, `${stemOf(endpointName)}-*`));
    const record = `${endpointPrefix(endpointName)}*`;
    waiter.allow('LookWhatServes', ['sagemaker:DescribeEndpoint'], [sageMakerArn(this, 'endpoint', endpointName)]);
    waiter.allow(
      'ReadWhatServes',
      ['sagemaker:DescribeEndpointConfig', 'sagemaker:DescribeModel'],
      own,
      undefined,
      "the models and configurations of one endpoint's stage",
    );
    waiter.allow('ReadRecord', ['s3:GetObject'], [bucket.arnForObjects(record)], undefined, "one endpoint's record");
    waiter.allow('ListRecord', ['s3:ListBucket'], [bucket.bucketArn], { StringLike: { 's3:prefix': record } });
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::AwaitedPromotion',
      serviceToken: waiter.publish().functionArn,
      serviceTimeout: Duration.hours(1),
      properties: { EndpointName: endpointName, Bucket: bucket.bucketName, ModelPackageArn: modelPackageArn },
    });
    resource.node.addDependency(handed.resource, ...after);
  }
}
