import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { makeDirectory } from '../make-directory';
import type { FileStat } from './tree';

const RACY_NANOSECONDS = 2_000_000_000n;
const FORGOTTEN_AFTER_MILLISECONDS = 90 * 24 * 3600 * 1000;

/** Size, inode, modified, changed, and what was learned of the file then. */
type Row = readonly [size: string, inode: string, modified: string, changed: string, learned: string];

/**
 * Remembers what was learned of each file of one directory, its SHA-256 say, by what the file system says of it, so that an unchanged file is
 * not read again.
 *
 * It only saves time: one that is missing, damaged, half written or not writable is as good as empty. Two processes may
 * write at once: each writes a file of its own and renames it. A file that was touched within two seconds before it was
 * read is not remembered, because a later change could leave the same times behind.
 */
export class StatCache {
  private readonly rows: Map<string, Row>;
  private readonly file: string;
  private dirty = false;

  /**
   * @param subject the directory or archive whose files are remembered
   * @param cacheDirectory where; @default - `$XDG_CACHE_HOME/cdk-fledge`, else `~/.cache/cdk-fledge`
   * @param what is remembered, where it is not the SHA-256
   */
  constructor(
    subject: string,
    private readonly cacheDirectory: string = defaultCacheDirectory(),
    what?: string,
  ) {
    const about = what === undefined ? realpathSync(subject) : `${realpathSync(subject)}\n${what}`;
    const name = createHash('sha256').update(about).digest('hex');
    this.file = join(cacheDirectory, 'digests-1', name);
    this.rows = read(this.file);
  }

  /** What was learned of a file whose stat is as it was when it was read; else undefined. */
  get(path: string, stat: FileStat): string | undefined {
    const row = this.rows.get(path);
    if (row === undefined) return undefined;
    const same = key(stat).every((part, index) => part === row[index]);
    return same ? row[4] : undefined;
  }

  /** @param readAt when reading began, nanoseconds since 1970 */
  set(path: string, stat: FileStat, learned: string, readAt: bigint): void {
    const settled = readAt - RACY_NANOSECONDS;
    if (stat.modified > settled || stat.changed > settled) return;
    this.rows.set(path, [...key(stat), learned]);
    this.dirty = true;
  }

  /** Writes what was learned, and forgets the paths that are not among `paths`. Failing to write is no failure. */
  save(paths: Iterable<string>): void {
    const keep = new Set(paths);
    for (const path of this.rows.keys()) {
      if (!keep.has(path)) this.dirty = this.rows.delete(path);
    }
    try {
      if (this.dirty) write(this.file, this.rows);
      else utimesSync(this.file, new Date(), new Date());
      if (this.dirty) forgetUnused(join(this.cacheDirectory, 'digests-1'));
      this.dirty = false;
    } catch {
      // A read-only or full disk costs the next run time, nothing else.
    }
  }
}

export function defaultCacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME ?? '';
  // The XDG specification has an empty or relative value ignored.
  return join(isAbsolute(base) ? base : join(homedir(), '.cache'), 'cdk-fledge');
}

function key(stat: FileStat): [string, string, string, string] {
  return [`${stat.size}`, `${stat.inode}`, `${stat.modified}`, `${stat.changed}`];
}

function read(file: string): Map<string, Row> {
  try {
    const text = readFileSync(file, 'utf8');
    const end = text.indexOf('\n');
    const rows = text.slice(end + 1);
    if (text.slice(0, end) === checksum(rows)) return new Map(JSON.parse(rows) as [string, Row][]);
  } catch {
    // Missing or unreadable: start empty.
  }
  return new Map();
}

function write(file: string, rows: Map<string, Row>): void {
  makeDirectory(join(file, '..'), 0o700);
  const text = JSON.stringify([...rows]);
  const own = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(own, `${checksum(text)}\n${text}`, { mode: 0o600 });
    renameSync(own, file);
  } catch (error) {
    rmSync(own, { force: true });
    throw error;
  }
}

function forgetUnused(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (Date.now() - statSync(file).mtimeMs > FORGOTTEN_AFTER_MILLISECONDS) rmSync(file, { force: true });
  }
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
