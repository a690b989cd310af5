import type { KeptObjects } from './kept-objects';
import type { S3Request } from './request';

/** One page of ListObjectsV2: keys below the prefix, those with a further delimiter folded into common prefixes. */
export async function listObjects(kept: KeptObjects, { bucket, query }: S3Request): Promise<Record<string, unknown>> {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const most = Math.min(1000, Number(query.get('max-keys') ?? 1000));
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : (text: string) => text;
  const contents: string[] = [];
  const folders = new Set<string>();
  let last = '';
  let more = false;
  for (const key of await kept.keys(bucket, prefix)) {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const shown = end < 0 ? key : key.slice(0, end + delimiter.length);
    if (shown <= after || folders.has(shown)) continue;
    if (contents.length + folders.size === most) {
      more = true;
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
    KeyCount: contents.length + folders.size,
    EncodingType: query.get('encoding-type') ?? undefined,
    IsTruncated: more,
    NextContinuationToken: more ? Buffer.from(last).toString('base64url') : undefined,
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
