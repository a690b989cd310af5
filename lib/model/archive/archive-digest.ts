import { createHash, type Hash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import {
  type ContentDigest,
  changedWhileReading,
  digestOf,
  EMPTY_SHA256,
  type FileStat,
  fileStat,
  type ManifestEntry,
  now,
  readError,
  StatCache,
  sameStat,
  sortByPath,
} from '../digest';
import { ModelError } from '../model-error';
import { GzipError, readGzip } from './gzip-reader';
import { runSync } from './sync-process';
import { TarError, type TarHeader, TarReader, type TarVisitor } from './tar-reader';

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
  const listing = new Listing(path);
  const tar = new TarReader(listing);
  try {
    const { sha256, bytes } = await readGzip(path, (data) => tar.write(data));
    tar.end();
    return { ...digestOf(listing.manifest()), sha256, archiveBytes: bytes };
  } catch (error) {
    if (error instanceof GzipError || error instanceof TarError) {
      throw new ModelError('not-an-archive', path, `${path} ${error.message}; make it again (fledge package, or tar czf)`);
    }
    if (error instanceof ModelError) throw error;
    throw readError(path, error);
  }
}

/** Collects a manifest from a tar stream, and refuses what is not safe to unpack. */
class Listing implements TarVisitor {
  private readonly files = new Map<string, ManifestEntry>();
  private readonly directories = new Set<string>();
  private current: { readonly path: string; readonly header: TarHeader; readonly hash: Hash } | undefined;

  constructor(private readonly archive: string) {}

  member(header: TarHeader): void {
    const path = this.safeName(header.path);
    if (header.type === 'link') throw this.unsafe(`${header.path} is a link: pack what it leads to (tar -czh --hard-dereference)`);
    if (header.type === 'other') throw this.unsafe(`${header.path} is neither a file nor a directory`);
    if (this.files.has(path) || (header.type === 'file' && this.directories.has(path))) throw this.unsafe(`${path} is in it twice`);
    for (const parent of parents(path)) {
      if (this.files.has(parent)) throw this.unsafe(`${parent} is in it as a file and as a directory`);
      this.directories.add(parent);
    }
    if (header.type === 'directory') this.directories.add(path);
    else this.current = { path, header, hash: createHash('sha256') };
  }

  data(bytes: Buffer): void {
    this.current?.hash.update(bytes);
  }

  memberEnd(): void {
    if (this.current === undefined) return;
    const { path, header, hash } = this.current;
    this.files.set(path, { path, mode: header.mode & 0o100 ? 0o755 : 0o644, size: header.size, sha256: hash.digest('hex') });
    this.current = undefined;
  }

  /** @throws ModelError `empty-directory` */
  manifest(): ManifestEntry[] {
    if (this.files.size === 0)
      throw new ModelError('empty-directory', this.archive, `${this.archive} holds no files: it needs at least the model`);
    const full = new Set([...this.files.keys(), ...this.directories].flatMap(parents));
    const empty = [...this.directories].filter((directory) => directory !== '' && !full.has(directory));
    return sortByPath([...this.files.values(), ...empty.map((path) => ({ path: `${path}/`, mode: 0o755, size: 0, sha256: EMPTY_SHA256 }))]);
  }

  /** The name below the archive's root, without `./` and a closing `/`. */
  private safeName(name: string): string {
    if (name.startsWith('/')) throw this.unsafe(`${name} starts at the root of the file system`);
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw this.unsafe(`${name} leads out of it`);
    if (name.includes('\0') || name.includes('\ufffd')) throw this.unsafe(`the name ${JSON.stringify(name)} is not valid UTF-8`);
    return parts.join('/');
  }

  private unsafe(what: string): ModelError {
    return new ModelError('unsafe-archive', this.archive, `${this.archive} is not safe to unpack: ${what}; make it again without that`);
  }
}

/** The directories above a path, without the root. */
function parents(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
