import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { type IBucket, StorageClass } from 'aws-cdk-lib/aws-s3';
import { Duration, RemovalPolicy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { requireKey } from './encryption';
import { requireRange } from './range';
import { secureBucket } from './secure-bucket';

export interface ModelStoreProps {
  /**
   * The customer key that encrypts the archives.
   *
   * @default - a new key, rotated yearly, kept when the stack goes
   */
  readonly encryptionKey?: IKey;

  /**
   * Where accesses are logged. It must use S3-managed encryption: S3 delivers access logs to no other.
   *
   * @default - a new bucket; logs expire after 365 days
   */
  readonly accessLogsBucket?: IBucket;

  /**
   * When noncurrent versions (an archive deleted or overwritten by hand) are gone for good: 1 to 36500 days.
   *
   * @default Duration.days(90)
   */
  readonly noncurrentVersionExpiration?: Duration;
}

/**
 * A bucket of model archives, each named by its content: `models/<digest>.tar.gz`.
 *
 * Encrypted with one customer key, versioned, TLS only, not public, access logged, and kept when the stack goes. Archives are never
 * overwritten or expired: SageMaker reads an endpoint's archive again whenever it scales out or patches an instance.
 */
export class ModelStore extends Construct {
  public readonly bucket: IBucket;
  public readonly encryptionKey: IKey;

  /** @throws Error for a key that the store cannot use, or a time out of range */
  constructor(scope: Construct, id: string, props: ModelStoreProps = {}) {
    super(scope, id);
    this.encryptionKey =
      requireKey(this, props.encryptionKey) ??
      new Key(this, 'Key', {
        description: `model archives of ${this.node.path}`,
        enableKeyRotation: true,
        removalPolicy: RemovalPolicy.RETAIN,
      });
    const noncurrent = props.noncurrentVersionExpiration ?? Duration.days(90);
    requireRange('noncurrentVersionExpiration in days', noncurrent.toDays({ integral: false }), 1, 36_500);
    this.bucket = secureBucket(this, 'Models', {
      encryptionKey: this.encryptionKey,
      accessLogs: props.accessLogsBucket,
      lifecycleRules: [
        { id: 'noncurrent-versions', noncurrentVersionExpiration: noncurrent },
        {
          id: 'cool-storage-by-use',
          transitions: [{ storageClass: StorageClass.INTELLIGENT_TIERING, transitionAfter: Duration.days(30) }],
        },
      ],
    });
  }

  /**
   * The key of the archive with this content.
   *
   * @param digest the content digest that `fledge package` prints: 64 hexadecimal digits
   * @throws Error when it is no digest
   */
  public archiveKey(digest: string): string {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new Error(`a content digest is 64 hexadecimal digits, got '${digest}'`);
    return `models/${digest}.tar.gz`;
  }

  /** Lets a pipeline or a person publish archives, and nothing else: no reading, no deleting. */
  public grantPublish(grantee: IGrantable): Grant {
    const objects = this.bucket.arnForObjects('models/*');
    return Grant.addToPrincipal({
      grantee,
      actions: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      resourceArns: [objects],
    }).combine(
      Grant.addToPrincipal({ grantee, actions: ['kms:GenerateDataKey', 'kms:Decrypt'], resourceArns: [this.encryptionKey.keyArn] }),
    );
  }
}
