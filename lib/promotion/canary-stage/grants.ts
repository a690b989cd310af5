import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { ModelStore } from '../../endpoint';
import { sageMakerArn } from '../../endpoint/sagemaker-arn';
import { stemOf } from '../names';
import { endpointPrefix, promotionPrefix } from '../record';
import { keysOf } from './records';

/**
 * What people and pipelines may do with a stage.
 *
 * @internal
 */
export class StageGrants {
  /** ARN of every version of the group. */
  public readonly versionsArn: string;
  private readonly groupArn: string;

  constructor(
    private readonly scope: Construct,
    private readonly endpointName: string,
    groupName: string,
    private readonly records: IBucket,
    private readonly key: IKey,
    private readonly store: ModelStore,
  ) {
    this.groupArn = sageMakerArn(scope, 'model-package-group', groupName);
    this.versionsArn = sageMakerArn(scope, 'model-package', `${groupName}/*`);
  }

  public publish(grantee: IGrantable): Grant {
    return this.store
      .grantPublish(grantee)
      .combine(this.add(grantee, ['sagemaker:CreateModelPackage', 'sagemaker:DescribeModelPackage'], [this.groupArn, this.versionsArn]));
  }

  public approve(grantee: IGrantable): Grant {
    return this.add(grantee, ['sagemaker:UpdateModelPackage'], [this.versionsArn]).combine(this.watch(grantee));
  }

  public watch(grantee: IGrantable): Grant {
    const { endpointName, records } = this;
    const own = `${stemOf(endpointName)}-*`;
    const record = keysOf(endpointName).map((key) => records.arnForObjects(key));
    const arn = (resource: string, name: string) => sageMakerArn(this.scope, resource, name);
    // CloudWatch knows no narrower permission to read metrics.
    const metrics = this.add(grantee, ['cloudwatch:GetMetricData'], ['*']);
    return this.add(grantee, ['sagemaker:DescribeEndpoint', 'sagemaker:ListTags'], [arn('endpoint', endpointName)])
      .combine(
        this.add(
          grantee,
          ['sagemaker:DescribeEndpointConfig', 'sagemaker:DescribeModel'],
          [arn('endpoint-config', own), arn('model', own)],
        ),
      )
      .combine(this.add(grantee, ['sagemaker:DescribeModelPackage', 'sagemaker:ListModelPackages'], [this.groupArn, this.versionsArn]))
      .combine(this.add(grantee, ['s3:GetObject'], record))
      .combine(
        this.add(grantee, ['s3:ListBucket'], [records.bucketArn], { StringLike: { 's3:prefix': `${endpointPrefix(endpointName)}*` } }),
      )
      .combine(this.add(grantee, ['kms:Decrypt'], [this.key.keyArn]))
      .combine(metrics);
  }

  public control(grantee: IGrantable): Grant {
    const controls = this.records.arnForObjects(`${promotionPrefix(this.endpointName, '*')}controls/*`);
    return this.add(grantee, ['s3:PutObject'], [controls])
      .combine(this.add(grantee, ['kms:GenerateDataKey'], [this.key.keyArn]))
      .combine(this.watch(grantee));
  }

  private add(grantee: IGrantable, actions: string[], resourceArns: string[], conditions?: Record<string, Record<string, unknown>>): Grant {
    return Grant.addToPrincipal({ grantee, actions, resourceArns, conditions });
  }
}
