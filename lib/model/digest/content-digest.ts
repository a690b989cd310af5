import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type ContentDigest, digestOf, EMPTY_SHA256, type ManifestEntry } from './manifest';
import { StatCache } from './stat-cache';
import { changedWhileReading, fileStat, listTree, readError, sameStat, type TreeEntry } from './tree';

export interface ContentDigestOptions {
  /** Where hashes of unchanged files are remembered. @default - `$XDG_CACHE_HOME/cdk-fledge`, else `~/.cache/cdk-fledge` */
  readonly cacheDirectory?: string;
}

/** Nanoseconds since 1970. */
export function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** Bytes a read: long enough that the calls cost nothing beside the hashing. */
export const CHUNK = 1 << 20;

/**
 * The digest of a model directory: equal files give an equal digest whatever their dates, owner, order and place. It is the SHA-256 of a
 * manifest that names each file with its mode (0o644 or 0o755), size and SHA-256.
 *
 * Synchronous, for constructs. Files whose size, inode and times are as they were when last read are not read again.
 *
 * @throws ModelError as `listTree` does, and `changed-while-reading`
 */
export function contentDigest(directory: string, options: ContentDigestOptions = {}): ContentDigest {
  const entries = listTree(directory);
  const cache = new StatCache(directory, options.cacheDirectory);
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  const manifest = entries.map((entry): ManifestEntry => {
    const { path, mode, size } = entry;
    return { path, mode, size, sha256: path.endsWith('/') ? EMPTY_SHA256 : (cache.get(path, entry.stat) ?? hash(entry)) };
  });
  cache.save(entries.map((entry) => entry.path));
  return digestOf(manifest);

  function hash(entry: TreeEntry): string {
    const readAt = now();
    const sha256 = hashFile(entry, buffer);
    cache.set(entry.path, entry.stat, sha256, readAt);
    return sha256;
  }
}

/** The digest of a directory of which no file needs to be read, or undefined where one does. */
export function rememberedDigest(directory: string, entries: readonly TreeEntry[], cacheDirectory?: string): ContentDigest | undefined {
  const cache = new StatCache(directory, cacheDirectory);
  const manifest: ManifestEntry[] = [];
  for (const { path, mode, size, stat } of entries) {
    const sha256 = path.endsWith('/') ? EMPTY_SHA256 : cache.get(path, stat);
    if (sha256 === undefined) return undefined;
    manifest.push({ path, mode, size, sha256 });
  }
  return digestOf(manifest);
}

/** Remembers hashes that were made while the files were read for something else, from `readAt` (nanoseconds since 1970) on. */
export function rememberDigest(
  directory: string,
  entries: readonly TreeEntry[],
  content: ContentDigest,
  readAt: bigint,
  cacheDirectory?: string,
): void {
  const cache = new StatCache(directory, cacheDirectory);
  for (const [index, { path, stat }] of entries.entries()) cache.set(path, stat, content.manifest[index]!.sha256, readAt);
  cache.save(entries.map((entry) => entry.path));
}

function hashFile(entry: TreeEntry, buffer: Buffer): string {
  let descriptor: number;
  try {
    descriptor = openSync(entry.source, 'r');
  } catch (error) {
    throw readError(entry.source, error);
  }
  try {
    const sha256 = createHash('sha256');
    for (let length = -1; length !== 0; ) {
      length = readSync(descriptor, buffer, 0, CHUNK, null);
      sha256.update(buffer.subarray(0, length));
    }
    if (!sameStat(entry.stat, fileStat(fstatSync(descriptor, { bigint: true })))) throw changedWhileReading(entry.source);
    return sha256.digest('hex');
  } finally {
    closeSync(descriptor);
  }
}
