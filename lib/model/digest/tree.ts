import { type BigIntStats, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { ModelError } from '../model-error';

/** A file, or a directory without anything in it, as it will stand in the archive. */
export interface TreeEntry {
  /** Path below the directory, with `/`; an empty directory's ends in `/`. */
  readonly path: string;
  /** Where its bytes are on this machine, symbolic links resolved. */
  readonly source: string;
  /** Bytes; 0 for a directory. */
  readonly size: number;
  /** 0o755 for a directory and for a file that its owner may run, else 0o644. */
  readonly mode: number;
  readonly stat: FileStat;
}

/** What the file system says of a file without reading it: if all of it is as before, so are the bytes. */
export interface FileStat {
  readonly size: bigint;
  readonly inode: bigint;
  /** Nanoseconds since 1970. */
  readonly modified: bigint;
  /** Nanoseconds since 1970; unlike `modified`, no program can set it back. */
  readonly changed: bigint;
}

/** What editors, version control and Python leave behind, and no container wants. */
const JUNK = new Set([
  '.DS_Store',
  'Thumbs.db',
  'desktop.ini',
  '__MACOSX',
  '__pycache__',
  '.ipynb_checkpoints',
  '.pytest_cache',
  '.git',
  '.hg',
  '.svn',
]);

/** Whether a file or directory of this name is left out of digests and archives: `.DS_Store`, `__pycache__`, `.git` and their like. */
export function isJunk(name: string): boolean {
  return JUNK.has(name) || name.startsWith('._') || name.endsWith('.pyc');
}

/** How often entries of directories may be listed once more, since links lead there: a few links that lead to directories of links make billions. */
const MOST_LISTED_AGAIN = 100_000;

/**
 * Lists what belongs to a model directory, sorted by the bytes of its path. Junk is left out (`isJunk`); a symbolic link that stays
 * inside the directory counts as what it leads to. Reads no file.
 *
 * @throws ModelError `not-found`, `not-a-directory`, `empty-directory`, `link-outside`, `link-broken`, `link-loop`, `links-multiply`,
 *   `special-file`, `unreadable`, `name-not-utf8`
 */
export function listTree(directory: string): TreeEntry[] {
  const root = realDirectory(directory);
  const entries: TreeEntry[] = [];
  const listed = new Set<string>();
  let listedAgain = 0;
  walk(root, '', [root]);
  if (!entries.some((entry) => !entry.path.endsWith('/'))) {
    throw new ModelError('empty-directory', directory, `${directory} holds no files: a model's directory needs at least the model`);
  }
  return sortByPath(entries);

  function walk(folder: string, prefix: string, above: readonly string[]): void {
    let kept = 0;
    const children = attempt(folder, () => readdirSync(folder, { withFileTypes: true }));
    if (listed.has(folder)) listedAgain += children.length;
    if (listedAgain > MOST_LISTED_AGAIN) {
      throw new ModelError(
        'links-multiply',
        folder,
        `links lead to ${folder} and others so often that ${directory} holds more than ${MOST_LISTED_AGAIN} files twice: remove the links`,
      );
    }
    listed.add(folder);
    for (const child of children) {
      if (isJunk(child.name)) continue;
      kept++;
      const path = prefix + child.name;
      if (child.name.includes('\ufffd')) {
        throw new ModelError('name-not-utf8', folder, `${folder} holds a file whose name is not valid UTF-8 (${path}): rename it`);
      }
      const source = child.isSymbolicLink() ? follow(join(folder, child.name), root) : join(folder, child.name);
      const stats = attempt(source, () => statSync(source, { bigint: true }));
      if (stats.isDirectory()) {
        if (above.includes(source)) {
          throw new ModelError('link-loop', source, `${join(folder, child.name)} leads to ${source}, which holds it: remove the link`);
        }
        walk(source, `${path}/`, [...above, source]);
      } else if (stats.isFile()) {
        entries.push({ path, source, size: Number(stats.size), mode: stats.mode & 0o100n ? 0o755 : 0o644, stat: fileStat(stats) });
      } else {
        throw new ModelError('special-file', source, `${source} is neither a file nor a directory (${kindOf(stats)}): remove it`);
      }
    }
    if (kept === 0 && prefix !== '') {
      const stats = statSync(folder, { bigint: true });
      entries.push({ path: prefix, source: folder, size: 0, mode: 0o755, stat: fileStat(stats) });
    }
  }
}

/** Bytes that the files of a directory hold together, from their sizes alone. @throws ModelError as `listTree` does */
export function directorySize(directory: string): number {
  return listTree(directory).reduce((sum, entry) => sum + entry.size, 0);
}

export function fileStat(stats: BigIntStats): FileStat {
  return { size: stats.size, inode: stats.ino, modified: stats.mtimeNs, changed: stats.ctimeNs };
}

export function sameStat(a: FileStat, b: FileStat): boolean {
  return a.size === b.size && a.inode === b.inode && a.modified === b.modified && a.changed === b.changed;
}

/** The error for a file whose bytes moved under the reader. */
export function changedWhileReading(path: string): ModelError {
  return new ModelError('changed-while-reading', path, `${path} changed while it was read: wait until it is written, then try again`);
}

/** Sorts by the UTF-8 bytes of the path, which no locale changes. */
export function sortByPath<T extends { readonly path: string }>(entries: readonly T[]): T[] {
  return entries
    .map((entry) => ({ entry, key: Buffer.from(entry.path) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry);
}

function realDirectory(directory: string): string {
  const real = attempt(directory, () => realpathSync(resolve(directory)));
  if (attempt(directory, () => statSync(real)).isDirectory()) return real;
  throw new ModelError('not-a-directory', directory, `${directory} is not a directory: give the directory that holds the model's files`);
}

function follow(link: string, root: string): string {
  let target: string;
  try {
    target = realpathSync(link);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ELOOP') throw new ModelError('link-loop', link, `${link} leads back to itself: remove the link`);
    throw new ModelError('link-broken', link, `${link} leads nowhere (${code}): remove the link, or put back what it led to`);
  }
  if (target.startsWith(root + sep) || target === root) return target;
  throw new ModelError(
    'link-outside',
    link,
    `${link} leads out of the model's directory, to ${target}: copy the file in (cp -rL copies a whole directory with what its links lead to)`,
  );
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw readError(path, error);
  }
}

/** A file system's error in words. */
export function readError(path: string, error: unknown): ModelError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return new ModelError('not-found', path, `${path} does not exist`, { cause: error });
  return new ModelError('unreadable', path, `${path} cannot be read (${code ?? error}): check its permissions`, { cause: error });
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}
