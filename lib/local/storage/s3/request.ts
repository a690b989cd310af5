import { rm } from 'node:fs/promises';
import type { LocalRequest } from '../../server';
import { PayloadTooLarge, ServiceError } from '../../server';
import { type ChunkedBody, readChunked } from './aws-chunked';
import { ALGORITHMS, type Algorithm } from './checksum';
import { type Arrived, fill, type KeptObjects, type ObjectFacts } from './kept-objects';

/** A request to S3: `/bucket/key?query`, or `/key?query` at the host `bucket.localhost`. */
export interface S3Request {
  readonly request: LocalRequest;
  readonly method: string;
  /** Empty for the service itself. */
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
}

export function parseS3(request: LocalRequest): S3Request {
  const [, inHost] = /^(.+)\.localhost(?::\d+)?$/i.exec(request.headers.host ?? '') ?? [];
  const parts = request.path.split('/').map(decoded);
  const [bucket = '', ...rest] = inHost === undefined ? parts.slice(1) : [inHost, ...parts.slice(1)];
  return {
    request,
    method: request.method,
    bucket,
    key: rest.join('/'),
    query: new URLSearchParams(request.query),
    header: (name) => request.headers[name]?.toString(),
  };
}

/** A part of a path; one that is no valid encoding stands for itself until the request is refused for it. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * Writes the request's body to a draft and checks it against the checksums that came with it.
 *
 * @param fallback algorithm to sum with where the client names none
 * @throws ServiceError BadDigest; the draft is removed then
 */
export async function receive(kept: KeptObjects, s3: S3Request, fallback?: Algorithm): Promise<{ draft: string; arrived: Arrived }> {
  const chunked = /^STREAMING-/.test(s3.header('x-amz-content-sha256') ?? '') || /aws-chunked/.test(s3.header('content-encoding') ?? '');
  const body: ChunkedBody | undefined = chunked ? readChunked(s3.request.body) : undefined;
  const promised = s3.header('x-amz-trailer')?.toLowerCase();
  const given = ALGORITHMS.find(
    (algorithm) => s3.header(`x-amz-checksum-${algorithm}`) !== undefined || promised === `x-amz-checksum-${algorithm}`,
  );
  const draft = await kept.draft();
  const arrived = await fill(draft, body?.content ?? s3.request.body, given ?? fallback);
  const expected = given && (s3.header(`x-amz-checksum-${given}`) ?? body?.trailers.get(`x-amz-checksum-${given}`));
  const md5 = s3.header('content-md5');
  if (given && expected !== arrived.checksum) throw await badDigest(draft, given);
  if (md5 && Buffer.from(md5, 'base64').toString('hex') !== arrived.md5) throw await badDigest(draft, 'Content-MD5');
  return { draft, arrived };
}

async function badDigest(draft: string, what: string): Promise<ServiceError> {
  await rm(draft, { force: true });
  return new ServiceError('BadDigest', `The ${what} you specified did not match the calculated checksum.`);
}

/** A body small enough to be read at once: the XML of CompleteMultipartUpload and DeleteObjects. */
export async function readSmall(s3: S3Request): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  const chunked = /^STREAMING-/.test(s3.header('x-amz-content-sha256') ?? '');
  for await (const part of (chunked ? readChunked(s3.request.body).content : s3.request.body) as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > 4 * 1024 * 1024) throw new PayloadTooLarge(4 * 1024 * 1024);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

const KEPT_HEADERS = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires'] as const;

/** What a request says of the object that it brings: type, metadata, and the headers that answers repeat. */
export function describedBy(s3: S3Request): Pick<ObjectFacts, 'contentType' | 'metadata' | 'headers'> {
  const given = KEPT_HEADERS.flatMap((name): [string, string][] => {
    const value = name === 'content-encoding' ? codingOf(s3.header(name)) : s3.header(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { contentType: s3.header('content-type'), metadata: metadataOf(s3), headers: Object.fromEntries(given) };
}

/** `aws-chunked` is how the body came, and no property of the object. */
function codingOf(header: string | undefined): string | undefined {
  const codings = (header ?? '').split(',').map((coding) => coding.trim());
  return codings.filter((coding) => coding !== '' && coding !== 'aws-chunked').join(',') || undefined;
}

/** The user's metadata among the headers. */
function metadataOf(s3: S3Request): Record<string, string> {
  const names = Object.keys(s3.request.headers).filter((name) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(names.map((name) => [name.slice('x-amz-meta-'.length), s3.header(name)!]));
}
