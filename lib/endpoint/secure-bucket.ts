import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket, type LifecycleRule, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';

/** @internal */
export interface SecureBucketOptions {
  readonly encryptionKey: IKey;
  /** Where access is logged; a bucket of its own beside this one where none is given. */
  readonly accessLogs?: IBucket;
  readonly lifecycleRules: LifecycleRule[];
}

/** One year: what NIST and PCI auditors ask to find. */
const ACCESS_LOG_RETENTION = Duration.days(365);

/**
 * A bucket as a careful platform team makes it: one customer key, TLS only, nothing public, versioned, its access logged, kept when the
 * stack goes.
 *
 * @internal
 */
export function secureBucket(scope: Construct, id: string, options: SecureBucketOptions): Bucket {
  const room = new Construct(scope, id);
  // Without the flag aws-cdk-lib lets S3 write the log through an ACL, which buckets whose owner owns everything do not have.
  room.node.setContext('@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy', true);
  const bucket = new Bucket(room, 'Bucket', {
    encryption: BucketEncryption.KMS,
    encryptionKey: options.encryptionKey,
    bucketKeyEnabled: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    serverAccessLogsBucket: options.accessLogs ?? accessLogBucket(room, 'AccessLogs'),
    serverAccessLogsPrefix: `${id.toLowerCase()}/`,
    lifecycleRules: [{ id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) }, ...options.lifecycleRules],
    removalPolicy: RemovalPolicy.RETAIN,
  });
  acknowledge(
    bucket,
    'S3BucketReplicationEnabled',
    'archives can be published again from their source; records have a retention in one region',
  );
  acknowledge(
    bucket,
    'S3BucketDefaultLockEnabled',
    'versioned, and kept when the stack goes; a lock would bar erasing what has to be erased',
  );
  return bucket;
}

function accessLogBucket(scope: Construct, id: string): Bucket {
  const logs = new Bucket(scope, id, {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    lifecycleRules: [{ id: 'access-logs', expiration: ACCESS_LOG_RETENTION, noncurrentVersionExpiration: Duration.days(30) }],
    removalPolicy: RemovalPolicy.RETAIN,
  });
  acknowledge(logs, 'S3BucketReplicationEnabled', 'the access log of a bucket of this region');
  acknowledge(logs, 'S3BucketDefaultLockEnabled', 'access logs expire; S3 alone writes them');
  acknowledge(
    logs,
    'S3DefaultEncryptionKMS',
    'S3 delivers server access logs only to buckets with S3-managed encryption, not to a customer key',
  );
  const noLogOfLogs = 'the access log of the access log would feed itself';
  acknowledge(logs, 'S3BucketLoggingEnabled', noLogOfLogs);
  Validations.of(logs).acknowledge({ id: 'AwsSolutions-S1', reason: noLogOfLogs });
  return logs;
}
