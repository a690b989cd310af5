/** Why a model was not published, as a stable word for programs. */
export type PublishProblem =
  | 'credentials'
  | 'region'
  | 'access-denied'
  | 'no-bucket'
  | 'throttled'
  | 'unreachable'
  | 's3-error'
  | 'integrity'
  | 'gone'
  | 'invalid';

/** A model was not published. Nothing of it is visible in the bucket; what is up already is used by the next try. */
export class PublishError extends Error {
  constructor(
    readonly code: PublishProblem,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'PublishError';
  }
}

export const NO_REGION = 'no AWS region: set AWS_REGION, or a region in the profile';

/** Whether the SDK says by `message` that it was told no region. */
export const isRegionMissing = (message: string): boolean => /^region is missing/i.test(message);

/** What an SDK's error has besides its message. */
interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: { readonly throttling?: boolean };
}

const CREDENTIALS =
  /ExpiredToken|TokenRefreshRequired|CredentialsProvider|InvalidAccessKeyId|SignatureDoesNotMatch|RequestExpired|InvalidToken|NoCredential/;
/** Two conditional writes of one key at once, of which S3 lets one go first. */
const CONFLICT = /ConditionalRequestConflict|OperationAborted/;
const THROTTLED = /SlowDown|Throttl|TooManyRequests|RequestLimitExceeded|BandwidthLimitExceeded/;
const UNREACHABLE =
  /ECONN|ENOTFOUND|EAI_AGAIN|EPIPE|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|TimeoutError|socket hang up|NetworkingError|RequestTimeout|AbortError/;
/** The bytes were damaged on their way; S3 threw them away. */
const DAMAGED = /BadDigest|XAmzContentSHA256Mismatch|XAmzContentChecksumMismatch|InvalidDigest|IncompleteBody/;

/** The name by which S3 or the SDK calls an error: `NoSuchUpload`, `PreconditionFailed`, ... */
export function errorName(error: unknown): string {
  const { name, code } = error as SdkError;
  return `${code ?? ''}` === '' ? name : `${name} ${code}`;
}

export function statusOf(error: unknown): number | undefined {
  return (error as SdkError).$metadata?.httpStatusCode;
}

/** Whether the same call may well succeed a little later. */
export function isPassing(error: unknown): boolean {
  const name = errorName(error);
  if (CREDENTIALS.test(name)) return false;
  return (
    THROTTLED.test(name) ||
    UNREACHABLE.test(`${name} ${(error as Error).message}`) ||
    DAMAGED.test(name) ||
    CONFLICT.test(name) ||
    (statusOf(error) ?? 0) >= 500
  );
}

/**
 * An error in words that say what to do.
 *
 * @param doing what was being done: `sending part 3`
 * @param uri where to: `s3://bucket/key`
 */
export function explained(error: unknown, doing: string, uri: string): Error {
  if (error instanceof PublishError) return error;
  const name = errorName(error);
  const said = `${name}: ${(error as Error).message}`;
  const again = 'run the same command again, and it goes on where it stopped';
  const problem = (code: PublishProblem, message: string) =>
    new PublishError(code, `${message} (${doing}, ${uri}; ${said})`, { cause: error });
  if (CREDENTIALS.test(name))
    return problem('credentials', `the AWS credentials are missing, wrong or expired: get new ones, then ${again}`);
  if (isRegionMissing((error as Error).message)) return new PublishError('region', NO_REGION, { cause: error });
  if (/NoSuchBucket/.test(name)) return problem('no-bucket', 'there is no such bucket in this region: check its name and the region');
  if (THROTTLED.test(name)) return problem('throttled', `S3 asked to slow down for too long: ${again}`);
  if (UNREACHABLE.test(`${name} ${(error as Error).message}`))
    return problem('unreachable', `S3 could not be reached: check the connection, then ${again}`);
  if (statusOf(error) === 403)
    return problem(
      'access-denied',
      'AWS does not allow this: publishing takes s3:PutObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on the objects, s3:ListBucket and s3:ListBucketMultipartUploads on the bucket, kms:GenerateDataKey and kms:Decrypt on its key; an uncompressed model s3:GetObject too',
    );
  return problem('s3-error', `S3 did not take it: ${again}`);
}
