import { ServiceError } from '../../server';
import type { ObjectFacts } from './kept-objects';
import type { S3Request } from './request';

/** Parameters by which a reader overrides a header of the answer. */
const OVERRIDES = /^response-(content-type|content-language|expires|cache-control|content-disposition|content-encoding)$/;

/** Status, headers and range of an answer to GET or HEAD. @throws ServiceError InvalidRange, PreconditionFailed */
export function answerOf(s3: S3Request, facts: ObjectFacts) {
  const headers: Record<string, string> = {
    etag: facts.etag,
    'last-modified': new Date(facts.modified).toUTCString(),
    'content-type': facts.contentType ?? 'binary/octet-stream',
    'accept-ranges': 'bytes',
    ...facts.headers,
    ...Object.fromEntries(Object.entries(facts.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
  };
  for (const [name, value] of s3.query) {
    const header = OVERRIDES.exec(name)?.[1];
    if (header !== undefined) headers[header] = value;
  }
  if (isUnwanted(s3, facts)) return { status: 304, headers };
  const range = rangeOf(s3.header('range'), facts.size);
  headers['content-length'] = String(range === undefined ? facts.size : range.end - range.start + 1);
  if (range === undefined) {
    if (s3.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') Object.assign(headers, checksumHeaders(facts));
    return { status: 200, headers };
  }
  headers['content-range'] = `bytes ${range.start}-${range.end}/${facts.size}`;
  return { status: 206, headers, range };
}

/** @returns whether the reader has it already @throws ServiceError where it is not what the reader wants (S3 API reference, GetObject) */
function isUnwanted({ header }: S3Request, facts: ObjectFacts): boolean {
  const changed = Math.floor(facts.modified / 1000) * 1000;
  const [match, noneMatch] = [header('if-match'), header('if-none-match')];
  const [unmodified, modified] = [header('if-unmodified-since'), header('if-modified-since')];
  if (match !== undefined ? !isTag(match, facts) : unmodified !== undefined && changed > Date.parse(unmodified)) throw preconditionFailed();
  if (noneMatch !== undefined) return isTag(noneMatch, facts);
  return modified !== undefined && changed <= Date.parse(modified);
}

export const preconditionFailed = (): ServiceError =>
  new ServiceError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);

/** Whether a condition's tags, a list or `*`, have the object's among them. */
export function isTag(given: string, { etag }: ObjectFacts): boolean {
  const plain = (tag: string) => tag.trim().replace(/^W\//, '').replaceAll('"', '');
  return given.split(',').some((tag) => tag.trim() === '*' || plain(tag) === plain(etag));
}

export function checksumHeaders({ algorithm, checksum, checksumType }: ObjectFacts): Record<string, string> {
  return algorithm && checksum && checksumType ? { [`x-amz-checksum-${algorithm}`]: checksum, 'x-amz-checksum-type': checksumType } : {};
}

/** Bytes of a Range header, both ends included; undefined for the whole. @throws ServiceError InvalidRange */
export function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined || (from === '' && to === '')) return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(size - 1, Number(to));
  if (start >= size || start > end) throw new ServiceError('InvalidRange', 'The requested range is not satisfiable', 416);
  return { start, end };
}
