interface Failure extends Error {
  readonly code?: string;
  readonly path?: string;
  readonly address?: string;
  readonly port?: number;
  readonly $fault?: string;
}

/** What an error of AWS, of the network or of the file system means to a user, in one line; undefined for an error that is ours. */
export function problemOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined;
  const failure = error as Failure;
  return awsProblem(failure) ?? systemProblem(failure) ?? problemOf(failure.cause);
}

function awsProblem({ name, message, $fault }: Failure): string | undefined {
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return `no AWS credentials (${message}): sign in with aws sso login or aws configure, or set AWS_PROFILE`;
  if (/^region is missing/i.test(message)) return 'no AWS region: set AWS_REGION, or a region in the profile';
  if (/^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch)/.test(name))
    return `AWS does not take these credentials (${message}): sign in again`;
  if (/^(AccessDenied|NotAuthorized|UnauthorizedOperation|Forbidden)/.test(name))
    return `AWS does not let these credentials do that: ${message}`;
  if (/^\s*Deserialization error/m.test(message)) return 'what answers there is not AWS: look at AWS_ENDPOINT_URL and its sisters';
  if (name === 'NoSuchBucket') return `there is no such bucket: ${message}`;
  return $fault === undefined ? undefined : `AWS answered ${name}: ${message}`;
}

const SYSTEM: Readonly<Record<string, (failure: Failure) => string>> = {
  ECONNREFUSED: ({ address, port }) =>
    `nothing answers${address ? ` at ${address}:${port}` : ''}: if AWS_ENDPOINT_URL names a SageMaker on this machine, start fledge local there`,
  ENOTFOUND: ({ message }) => `the network does not find AWS: ${message}`,
  EADDRINUSE: ({ address, port }) => `port ${port} of ${address} is taken: name another with --port, or 0 for a free one`,
  EACCES: ({ message, path }) => (path === undefined ? message : `${path}: permission denied`),
  EPERM: ({ message, path }) => (path === undefined ? message : `${path}: permission denied`),
  ENOENT: ({ message, path }) => (path === undefined ? message : `${path}: there is no such file or folder`),
  ENOTDIR: ({ message, path }) => (path === undefined ? message : `${path}: a part of it is no folder`),
  EISDIR: ({ message, path }) => (path === undefined ? message : `${path} is a folder, not a file`),
  EEXIST: ({ message, path }) => (path === undefined ? message : `${path} is there already`),
  ENOSPC: ({ path }) => `no space left on the disk${path === undefined ? '' : `, writing ${path}`}`,
  EROFS: ({ path }) => `the file system is read-only${path === undefined ? '' : `: ${path}`}`,
};

const systemProblem = (failure: Failure): string | undefined => SYSTEM[failure.code ?? '']?.(failure);
