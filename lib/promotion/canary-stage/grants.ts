import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { ModelStore } from '../../endpoint';
import { stemOf } from '../names';

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
    this.groupArn = this.arn('model-package-group', groupName);
    this.versionsArn = this.arn('model-package', `${groupName}/*`);
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
    const record = [`promotions/${endpointName}/*`, `locks/${endpointName}.json`].map((key) => records.arnForObjects(key));
    return this.add(grantee, ['sagemaker:DescribeEndpoint', 'sagemaker:ListTags'], [this.arn('endpoint', endpointName)])
      .combine(
        this.add(
          grantee,
          ['sagemaker:DescribeEndpointConfig', 'sagemaker:DescribeModel'],
          [this.arn('endpoint-config', own), this.arn('model', own)],
        ),
      )
      .combine(this.add(grantee, ['sagemaker:DescribeModelPackage', 'sagemaker:ListModelPackages'], [this.groupArn, this.versionsArn]))
      .combine(this.add(grantee, ['s3:GetObject'], record))
      .combine(this.add(grantee, ['s3:ListBucket'], [records.bucketArn], { StringLike: { 's3:prefix': `promotions/${endpointName}/*` } }))
      .combine(this.add(grantee, ['kms:Decrypt'], [this.key.keyArn]));
  }

  public control(grantee: IGrantable): Grant {
    const controls = this.records.arnForObjects(`promotions/${this.endpointName}/*/controls/*`);
    return this.add(grantee, ['s3:PutObject'], [controls])
      .combine(this.add(grantee, ['kms:GenerateDataKey'], [this.key.keyArn]))
      .combine(this.watch(grantee));
  }

  private add(grantee: IGrantable, actions: string[], resourceArns: string[], conditions?: Record<string, Record<string, unknown>>): Grant {
    return Grant.addToPrincipal({ grantee, actions, resourceArns, conditions });
  }

  /** SageMaker writes names in its ARNs in lower case. */
  private arn(resource: string, resourceName: string): string {
    return Stack.of(this.scope).formatArn({ service: 'sagemaker', resource, resourceName: resourceName.toLowerCase() });
  }
}
