import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

/**
 * Reading one archive, or everything below a prefix, and decrypting it.
 *
 * `Bucket.grantRead` would give GetObject*, GetBucket* and List*.
 *
 * @internal
 */
export function readStatements(scope: Construct, bucket: IBucket, key: string): PolicyStatement[] {
  const statements = key.endsWith('/')
    ? [
        new PolicyStatement({ sid: 'ReadModel', actions: ['s3:GetObject'], resources: [bucket.arnForObjects(`${key}*`)] }),
        new PolicyStatement({
          sid: 'ListModel',
          actions: ['s3:ListBucket'],
          resources: [bucket.bucketArn],
          conditions: { StringLike: { 's3:prefix': [key, `${key}*`] } },
        }),
      ]
    : [readObject(scope, bucket.bucketName, key)];
  return bucket.encryptionKey === undefined ? statements : [...statements, decryptModel(bucket.encryptionKey)];
}

/** @internal */
export function readObject(scope: Construct, bucketName: string, objectKey: string): PolicyStatement {
  const resource = `arn:${Stack.of(scope).partition}:s3:::${bucketName}/${objectKey}`;
  return new PolicyStatement({ sid: 'ReadModel', actions: ['s3:GetObject'], resources: [resource] });
}

/** @internal */
export function decryptModel(key: IKey): PolicyStatement {
  return new PolicyStatement({ sid: 'DecryptModel', actions: ['kms:Decrypt'], resources: [key.keyArn] });
}
