import { createHash } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { errorName, explained, PublishError } from './publish-error';
import { type RetryOptions, withRetries } from './retry';

/** Where models go, and how. */
export interface BucketOptions {
  /** @default - a new one, of the environment's region and credentials */
  readonly client?: S3Client;
  readonly bucket: string;
  /** The account that must own the bucket, twelve digits; another's is refused. @default - any */
  readonly bucketOwner?: string;
  /** The KMS key that objects are encrypted with: ARN, id or alias. @default - the bucket's own encryption */
  readonly kmsKey?: string;
  readonly signal?: AbortSignal;
  readonly retry?: RetryOptions;
}

function encryptionOf({ kmsKey }: BucketOptions) {
  return kmsKey === undefined ? {} : { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKey, BucketKeyEnabled: true };
}

/** Somebody else completed or removed the upload, or put other parts in it. */
export class UploadGone extends PublishError {
  constructor(uri: string, cause: unknown) {
    super('gone', `somebody else ended or removed the upload of ${uri}: run the same command again`, { cause });
  }
}

/** How every call to the model store is made: retried, its errors explained, its answer checked, to be stopped at any time. */
export class StoreCalls {
  readonly client: S3Client;
  /** What every request says. */
  readonly common: { readonly Bucket: string; readonly ExpectedBucketOwner?: string };
  /** What every request that makes an object says besides. */
  readonly encryption: ReturnType<typeof encryptionOf>;

  constructor(private readonly options: BucketOptions) {
    this.client = options.client ?? new S3Client({});
    this.encryption = encryptionOf(options);
    this.common = { Bucket: options.bucket, ExpectedBucketOwner: options.bucketOwner };
  }

  uri(key: string): string {
    return `s3://${this.options.bucket}/${key}`;
  }

  /** How `CopyObject` and `UploadPartCopy` name an object of this bucket. */
  copySource(key: string): string {
    return encodeURIComponent(`${this.options.bucket}/${key}`);
  }

  /** @throws PublishError `integrity` when the store answers with another checksum than the one sent */
  verify(answered: string | undefined, sent: string, what: string): void {
    if (answered === sent) return;
    const said = answered === undefined ? 'no checksum' : `checksum ${answered}`;
    throw new PublishError(
      'integrity',
      `S3 answered ${said} for ${what}, and ${sent} was sent: do not use it, and tell who runs the store`,
    );
  }

  /**
   * Like `verify`, also for stores that answer no checksum, as some emulators of S3 do: their ETag is the MD5 of the bytes.
   *
   * @param answered what the store said of `bytes`
   */
  verifyBytes(bytes: Buffer, answered: { readonly checksum?: string; readonly etag?: string }, sent: string, what: string): void {
    const { checksum, etag } = answered;
    const isMd5 = checksum === undefined && etag?.replaceAll('"', '') === createHash('md5').update(bytes).digest('hex');
    if (!isMd5) this.verify(checksum, sent, what);
  }

  /**
   * @param doing for messages: `sending part 3`
   * @throws PublishError; UploadGone; `signal.reason`
   */
  async call<T>(doing: string, key: string, send: (abortSignal?: AbortSignal) => Promise<T>): Promise<T> {
    const { retry, signal } = this.options;
    try {
      return await withRetries(() => send(signal), retry, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (/NoSuchUpload|InvalidPart/.test(errorName(error))) throw new UploadGone(this.uri(key), error);
      throw explained(error, doing, this.uri(key));
    }
  }

  /** @throws `signal.reason` when the publish is stopped */
  stopped(): void {
    this.options.signal?.throwIfAborted();
  }
}
