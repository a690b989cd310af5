import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { CHUNK, type ContentDigestOptions, now } from './content-digest';
import { type ContentDigest, digestOf, EMPTY_SHA256, type ManifestEntry } from './manifest';
import { StatCache } from './stat-cache';
import { changedWhileReading, fileStat, listTree, readError, sameStat, type TreeEntry } from './tree';

export interface ReadDigestOptions extends ContentDigestOptions {
  /** Called as files are read, with the bytes of all that are done or remembered. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * `contentDigest` for callers that can wait: it can be stopped, and says how far it is.
 *
 * @throws ModelError as `contentDigest` does; `signal.reason`
 */
export async function readDigest(directory: string, options: ReadDigestOptions = {}): Promise<ContentDigest> {
  const { signal, onProgress } = options;
  const entries = listTree(directory);
  const cache = new StatCache(directory, options.cacheDirectory);
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  const manifest: ManifestEntry[] = [];
  let done = 0;
  const count = (bytes: number) => {
    done += bytes;
    onProgress?.(done);
  };
  for (const entry of entries) {
    const { path, mode, size } = entry;
    const known = path.endsWith('/') ? EMPTY_SHA256 : cache.get(path, entry.stat);
    if (known !== undefined) count(size);
    manifest.push({ path, mode, size, sha256: known ?? (await hash(entry)) });
  }
  cache.save(entries.map(({ path }) => path));
  return digestOf(manifest);

  async function hash(entry: TreeEntry): Promise<string> {
    const readAt = now();
    const sha256 = await hashFile(entry, buffer, (bytes) => {
      signal?.throwIfAborted();
      count(bytes);
    });
    cache.set(entry.path, entry.stat, sha256, readAt);
    return sha256;
  }
}

async function hashFile({ source, stat: before }: TreeEntry, buffer: Buffer, onRead: (bytes: number) => void): Promise<string> {
  let file: FileHandle;
  try {
    file = await open(source);
  } catch (error) {
    throw readError(source, error);
  }
  try {
    const sha256 = createHash('sha256');
    for (let length = -1; length !== 0; ) {
      ({ bytesRead: length } = await file.read(buffer, 0, CHUNK, null));
      sha256.update(buffer.subarray(0, length));
      onRead(length);
    }
    if (!sameStat(before, fileStat(await stat(source, { bigint: true })))) throw changedWhileReading(source);
    return sha256.digest('hex');
  } finally {
    await file.close();
  }
}
