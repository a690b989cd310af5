import { ServiceError } from '../../server';
import type { ObjectFacts } from './kept-objects';
import type { S3Request } from './request';

/** Status, headers and range of an answer to GET or HEAD. @throws ServiceError InvalidRange */
export function answerOf(s3: S3Request, facts: ObjectFacts) {
  const headers: Record<string, string> = {
    etag: facts.etag,
    'last-modified': new Date(facts.modified).toUTCString(),
    'content-type': facts.contentType ?? 'binary/octet-stream',
    'accept-ranges': 'bytes',
    ...Object.fromEntries(Object.entries(facts.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
  };
  if (s3.header('if-none-match')?.replaceAll('"', '') === facts.etag.replaceAll('"', '')) return { status: 304, headers };
  const range = rangeOf(s3.header('range'), facts.size);
  headers['content-length'] = String(range === undefined ? facts.size : range.end - range.start + 1);
  if (range === undefined) {
    if (s3.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') Object.assign(headers, checksumHeaders(facts));
    return { status: 200, headers };
  }
  headers['content-range'] = `bytes ${range.start}-${range.end}/${facts.size}`;
  return { status: 206, headers, range };
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
