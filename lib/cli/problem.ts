import { isRegionMissing, NO_REGION } from '../model/publish/publish-error';

interface Failure extends Error {
  readonly code?: string;
  readonly path?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
  readonly $fault?: string;
}

/**
 * What an error of AWS, of the network or of the file system means to a user, in one line; undefined for an error that is ours.
 *
 * @param answering whoever was asked: an endpoint's URL. @default - AWS_ENDPOINT_URL, else AWS
 */
export function problemOf(error: unknown, answering = process.env.AWS_ENDPOINT_URL ?? 'AWS'): string | undefined {
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined;
  const failure = error as Failure;
  return awsProblem(failure, answering) ?? systemProblem(failure) ?? problemOf(failure.cause, answering);
}

function awsProblem({ name, message, $fault }: Failure, answering: string): string | undefined {
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return `no AWS credentials (${message}): sign in with aws sso login or aws configure, or set AWS_PROFILE`;
  if (isRegionMissing(message)) return NO_REGION;
  if (/^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch)/.test(name))
    return `AWS does not take these credentials (${message}): sign in again`;
  if (/^(AccessDenied|NotAuthorized|UnauthorizedOperation|Forbidden)/.test(name))
    return `AWS does not let these credentials do that: ${message}`;
  if (/^\s*Deserialization error/m.test(message)) return 'what answers there is not AWS: look at AWS_ENDPOINT_URL and its sisters';
  if (name === 'NoSuchBucket') return `there is no such bucket: ${message}`;
  return $fault === undefined ? undefined : `${answering} answered ${name}: ${message}`;
}

const SYSTEM: Readonly<Record<string, (failure: Failure) => string>> = {
  ECONNREFUSED: ({ address, port }) =>
    `nothing answers${address ? ` at ${address}:${port}` : ''}: if AWS_ENDPOINT_URL names a SageMaker on this machine, start fledge local there`,
  ENOTFOUND: ({ message }) => `the network does not find AWS: ${message}`,
  EADDRINUSE: ({ address, port }) => `port ${port} of ${address} is taken: name another with --port, or 0 for a free one`,
  EACCES: ({ message, path }) => (path === undefined ? message : `${path}: permission denied`),
  EPERM: ({ message, path }) => (path === undefined ? message : `${path}: permission denied`),
  ENOENT: ({ message, path, syscall }) => {
    if (path === undefined) return message;
    return syscall === 'mkdir' ? `${path}: no folder can be made there` : `${path}: there is no such file or folder`;
  },
  ENOTDIR: ({ message, path }) => (path === undefined ? message : `${path}: a part of it is no folder`),
  EISDIR: ({ message, path }) => (path === undefined ? message : `${path} is a folder, not a file`),
  EEXIST: ({ message, path, syscall }) =>
    path === undefined ? message : `${path} is there already${syscall === 'mkdir' ? ', and is not a directory' : ''}`,
  ENOSPC: ({ path }) => `no space left on the disk${path === undefined ? '' : `, writing ${path}`}`,
  EROFS: ({ path }) => `the file system is read-only${path === undefined ? '' : `: ${path}`}`,
};

const systemProblem = (failure: Failure): string | undefined => SYSTEM[failure.code ?? '']?.(failure);
