import { createReadStream, realpathSync, statSync } from 'node:fs';
import { type ContentDigest, changedWhileReading, digestOf, type FileStat, fileStat, now, readError, StatCache, sameStat } from '../digest';
import { ModelError } from '../model-error';
import { GzipError, readGzip } from './gzip-reader';
import { Listing } from './listing';
import { runSync } from './sync-process';
import { TarError, TarReader } from './tar-reader';

export interface ArchiveDigestOptions {
  /** Where the digest of an unchanged archive is remembered. @default - `$XDG_CACHE_HOME/cdk-fledge`, else `~/.cache/cdk-fledge` */
  readonly cacheDirectory?: string;
}

/** What a `.tar.gz` holds, and which bytes it is. */
export interface ArchiveContent extends ContentDigest {
  /** SHA-256 of the archive's own bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Bytes of the archive itself. */
  readonly archiveBytes: number;
}

/**
 * Reads a `.tar.gz` that somebody else made, to its end, and says what it holds; its `digest` is that of a directory with the same files.
 * Nothing is unpacked, and an unchanged archive is not read again.
 *
 * Taken is one gzip member with regular files and directories. Refused is what readers would understand differently, or unpack elsewhere.
 *
 * @throws ModelError `not-found`, `unreadable`, `not-an-archive` (no gzip, no tar, damaged, cut short, several gzip members), `unsafe-archive`
 *   (absolute names, `..`, links, devices, one name twice), `empty-directory`, `changed-while-reading`
 */
export async function archiveDigest(path: string, options: ArchiveDigestOptions = {}): Promise<ArchiveContent> {
  const { stat, cache, remembered } = recall(path, options);
  if (remembered !== undefined) return remembered;
  const readAt = now();
  const content = await readArchive(path);
  if (!sameStat(stat, statOf(path))) throw changedWhileReading(path);
  cache.set(SELF, stat, JSON.stringify(content), readAt);
  cache.save([SELF]);
  return content;
}

/** `archiveDigest` for callers that cannot wait: a process of its own reads the archive. @throws as `archiveDigest` does */
export function archiveDigestSync(path: string, options: ArchiveDigestOptions = {}): ArchiveContent {
  return recall(path, options).remembered ?? runSync<ArchiveContent>({ task: 'digest', path, options });
}

const SELF = '.';
const CHUNK = 1 << 20;

function recall(path: string, options: ArchiveDigestOptions) {
  const stat = statOf(path);
  const cache = new StatCache(realpathSync(path), options.cacheDirectory);
  const text = cache.get(SELF, stat);
  return { stat, cache, remembered: text === undefined ? undefined : (JSON.parse(text) as ArchiveContent) };
}

function statOf(path: string): FileStat {
  try {
    const stats = statSync(path, { bigint: true });
    if (stats.isFile()) return fileStat(stats);
  } catch (error) {
    throw readError(path, error);
  }
  throw new ModelError('not-an-archive', path, `${path} is not a file: give a .tar.gz, or use the directory as it is`);
}

async function readArchive(path: string): Promise<ArchiveContent> {
  try {
    return await readArchiveStream(path, createReadStream(path, { highWaterMark: CHUNK }));
  } catch (error) {
    throw error instanceof ModelError ? error : readError(path, error);
  }
}

/**
 * `archiveDigest` of bytes that come from elsewhere.
 *
 * @param name for messages
 * @param onTar gets the tar stream's bytes, which are good until it returns
 * @throws ModelError `not-an-archive`, `unsafe-archive`, `empty-directory`; what `chunks` or `onTar` throws
 */
export async function readArchiveStream(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  onTar: (bytes: Buffer) => void = () => undefined,
): Promise<ArchiveContent> {
  const listing = new Listing(name);
  const tar = new TarReader(listing);
  try {
    const { sha256, bytes } = await readGzip(chunks, (data) => {
      tar.write(data);
      onTar(data);
    });
    tar.end();
    return { ...digestOf(listing.manifest()), sha256, archiveBytes: bytes };
  } catch (error) {
    if (!(error instanceof GzipError || error instanceof TarError)) throw error;
    throw new ModelError('not-an-archive', name, `${name} ${error.message}; make it again (fledge package, or tar czf)`);
  }
}
