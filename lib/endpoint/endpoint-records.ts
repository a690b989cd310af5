import { Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import type { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { allowRecords } from './encryption';
import type { ExecutionRole } from './execution-role';
import { requireRange } from './range';
import { secureBucket } from './secure-bucket';

/**
 * What an endpoint writes down: captured requests, the queue and answers of an async endpoint. One bucket, a prefix each, each with its own
 * retention.
 *
 * @internal
 */
export class EndpointRecords extends Construct {
  public readonly bucket: Bucket;

  constructor(
    scope: Construct,
    id: string,
    private readonly encryptionKey: IKey,
    role: ExecutionRole,
    accessLogs?: IBucket,
  ) {
    super(scope, id);
    this.bucket = secureBucket(this, 'Records', { encryptionKey, accessLogs, lifecycleRules: [] });
    allowRecords(encryptionKey, this, role.role);
    role.allow(
      new PolicyStatement({
        sid: 'EncryptRecords',
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [encryptionKey.keyArn],
      }),
    );
  }

  /** Keeps what is below the prefix for so long. */
  public retain(prefix: string, retention: Duration): void {
    requireRange(`retention of ${prefix} in days`, retention.toDays({ integral: false }), 1, 36_500);
    this.bucket.addLifecycleRule({ id: prefix.replace(/\/$/, ''), prefix, expiration: retention, noncurrentVersionExpiration: retention });
  }

  /** Lets a client put requests into the queue and take answers out. */
  public grantQueue(grantee: IGrantable): Grant {
    const objects = (prefix: string) => this.bucket.arnForObjects(`${prefix}/*`);
    const put = Grant.addToPrincipal({ grantee, actions: ['s3:PutObject'], resourceArns: [objects('async-requests')] });
    const get = Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetObject'],
      resourceArns: [objects('async-answers'), objects('async-failures')],
    });
    const encrypt = Grant.addToPrincipal({
      grantee,
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resourceArns: [this.encryptionKey.keyArn],
    });
    return put.combine(get).combine(encrypt);
  }
}
