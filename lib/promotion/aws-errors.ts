/** What an AWS SDK error says of the call: whether to try again, and whether the thing is simply not there. */
interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: object;
  readonly code?: string;
}

const TRANSIENT_NAMES =
  /throttl|toomanyrequests|requestlimit|slowdown|timeout|internal|serviceunavailable|expiredtoken|resourceinuse|conflict/i;
const TRANSIENT_CODES = /^(ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|UND_ERR)/;

/** Throttles, faults of the service or the network, clashes with another call: the same call may succeed later. */
export function isTransient(error: unknown): boolean {
  const { name, message, code, $metadata, $retryable } = error as SdkError;
  const status = $metadata?.httpStatusCode ?? 0;
  if ($retryable !== undefined || status >= 500 || status === 429 || TRANSIENT_CODES.test(code ?? '')) return true;
  // An endpoint that SageMaker began to maintain between the look and the call answers `in-progress`.
  return TRANSIENT_NAMES.test(name) || /socket hang up|ECONNRESET|network|in-progress/i.test(message);
}

/** SageMaker answers a look at something that is not there with a ValidationException, S3 with NoSuchKey or NotFound. */
export function isMissing(error: unknown): boolean {
  const { name, message, $metadata } = error as SdkError;
  return (
    /^(NoSuchKey|NotFound|ResourceNotFound|ObjectNotFound)/.test(name) ||
    $metadata?.httpStatusCode === 404 ||
    /could not find|does not exist/i.test(message)
  );
}

/** A create whose first try was made although its answer was lost. */
export function isAlreadyThere(error: unknown): boolean {
  return /already exist|cannot create already/i.test((error as Error).message);
}

/** A conditional write that came second. One that met another under way (409) has to be tried again, as S3's documentation says. */
export function isPreconditionFailed(error: unknown): boolean {
  const { name, $metadata } = error as SdkError;
  return name === 'PreconditionFailed' || $metadata?.httpStatusCode === 412;
}

/** SageMaker may not see yet what it was just told to make (terraform-provider-aws#40048). */
export function isUnseen(error: unknown): boolean {
  return /could not find (endpoint configuration|model)\b/i.test((error as Error).message);
}

/** Error text for the record: one line, no stack. What the durable SDK wraps a failed step's error in says nothing of its own. */
export function saying(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'StepError') return cause instanceof Error ? saying(cause) : message;
  return name && name !== 'Error' ? `${name}: ${message}` : message;
}
