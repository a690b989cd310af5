import { ServiceError } from '../../server';
import type { KeptObjects } from './kept-objects';
import type { S3Request } from './request';

/** One page of ListObjects or ListObjectsV2: keys below the prefix, those with a further delimiter folded into common prefixes. */
export async function listObjects(kept: KeptObjects, { bucket, query }: S3Request): Promise<Record<string, unknown>> {
  const second = query.get('list-type') === '2';
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const most = Math.min(1000, Number(query.get('max-keys') ?? 1000));
  if (!(Number.isInteger(most) && most >= 0))
    throw new ServiceError('InvalidArgument', 'Argument max-keys must be an integer between 0 and 2147483647');
  const token = second ? query.get('continuation-token') : null;
  const start = (second ? query.get('start-after') : query.get('marker')) ?? '';
  const after = token === null ? start : Buffer.from(token, 'base64url').toString();
  // A page's last row may have been a common prefix: it is not shown again, while what a reader starts after may lie within one.
  const folded = delimiter !== '' && after.endsWith(delimiter) && (token !== null || !second) ? after : undefined;
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : (text: string) => text;
  const contents: string[] = [];
  const folders = new Set<string>();
  let last = '';
  let more = false;
  for (const key of await kept.keys(bucket, prefix)) {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const shown = end < 0 ? key : key.slice(0, end + delimiter.length);
    if (!isBehind(key, after) || shown === folded || folders.has(shown)) continue;
    if (contents.length + folders.size === most) {
      more = most > 0;
      break;
    }
    if (end < 0) contents.push(key);
    else folders.add(shown);
    last = shown;
  }
  const facts = await Promise.all(contents.map((key) => kept.facts(bucket, key)));
  return {
    Name: bucket,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    MaxKeys: most,
    ...(second
      ? {
          KeyCount: contents.length + folders.size,
          StartAfter: start === '' ? undefined : encode(start),
          ContinuationToken: token ?? undefined,
          NextContinuationToken: more ? Buffer.from(last).toString('base64url') : undefined,
        }
      : { Marker: encode(start), NextMarker: more && delimiter !== '' ? encode(last) : undefined }),
    EncodingType: query.get('encoding-type') ?? undefined,
    IsTruncated: more,
    Contents: contents.flatMap((key, i) => {
      const found = facts[i];
      return found
        ? [
            {
              Key: encode(key),
              LastModified: new Date(found.modified).toISOString(),
              ETag: found.etag,
              Size: found.size,
              StorageClass: 'STANDARD',
            },
          ]
        : [];
    }),
    CommonPrefixes: [...folders].map((folder) => ({ Prefix: encode(folder) })),
  };
}

/** In the order of UTF-8 bytes, as S3 lists. */
const isBehind = (key: string, other: string): boolean => Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
