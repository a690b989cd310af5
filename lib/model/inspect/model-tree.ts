import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type FileStat, listTree, readError, sortByPath } from '../digest';
import { BufferBytes, type Bytes, FileBytes, withFile } from '../formats/bytes';
import { gunzipFile, gunzipSmall, startsLikeGzip } from '../formats/gunzip';
import { tarEntries } from '../formats/tar';
import { ModelError } from '../model-error';
import type { ModelFile } from './inspection';

/** A model's files, wherever they stand: in a directory, or in an archive. */
export interface ModelTree {
  /** As the caller named it, for messages. */
  readonly given: string;
  readonly directory: string;
  readonly source: 'directory' | 'archive';
  readonly files: readonly TreeFile[];
  close(): void;
}

export interface TreeFile extends ModelFile {
  /** What the file system says of it; undefined in an archive. */
  readonly stat?: FileStat;
  /** Opens the bytes for the time of `use`. @throws ModelError `unreadable` */
  open<T>(use: (bytes: Bytes) => T): T;
}

/** Bytes that an archive may expand to, unless it is said. */
export const LARGEST_ARCHIVE = 64 * 1024 ** 3;

/** Opens a model for the time of `use`. @throws as `openTree` does; what `use` throws */
export function withTree<T>(given: string, use: (tree: ModelTree) => T, largestArchive?: number): T {
  const tree = openTree(withoutSlashes(given), largestArchive);
  try {
    return use(tree);
  } finally {
    tree.close();
  }
}

/** Without slashes at the end, which messages would repeat. */
function withoutSlashes(path: string): string {
  return path.replace(/(?<=.)[/\\]+$/, '');
}

/**
 * Opens a model's directory, or its .tar.gz.
 *
 * @param largestArchive bytes that an archive may expand to
 * @throws ModelError `not-found`, `not-a-directory`, `not-an-archive`, `unsafe-archive`, and what `listTree` throws
 */
export function openTree(given: string, largestArchive = LARGEST_ARCHIVE): ModelTree {
  const path = resolve(given);
  let isFile: boolean;
  try {
    isFile = statSync(path).isFile();
  } catch (error) {
    throw readError(given, error);
  }
  if (!isFile) return directoryTree(given, path);
  if (/\.(tar\.gz|tgz|tar)$/i.test(path) || withFile(path, (bytes) => startsLikeGzip(bytes.read(0, 4))))
    return archiveTree(given, path, largestArchive);
  throw new ModelError(
    'not-a-directory',
    given,
    `${given} is a file, not a directory: give the directory that holds the model (${join(given, '..')}), or a .tar.gz archive of it`,
  );
}

function directoryTree(given: string, directory: string): ModelTree {
  const files = listTree(given)
    .filter(({ path }) => !path.endsWith('/'))
    .map(({ path, size, mode, source, stat }) => ({
      path,
      size,
      mode,
      stat,
      open: <T>(use: (bytes: Bytes) => T) => openFile(source, use),
    }));
  const only = files.length === 1 ? files[0] : undefined;
  if (only !== undefined && /\.(tar\.gz|tgz)$/i.test(only.path)) {
    throw new ModelError(
      'archive-in-directory',
      given,
      `${given} holds nothing but ${only.path}: ${only.open((bytes) => archiveFault(bytes)) ?? 'give the archive itself, or unpack it'}`,
    );
  }
  return { given, directory, source: 'directory', files, close: () => undefined };
}

function openFile<T>(source: string, use: (bytes: Bytes) => T): T {
  let file: FileBytes;
  try {
    file = new FileBytes(source);
  } catch (error) {
    throw readError(source, error);
  }
  try {
    return use(file);
  } finally {
    file.close();
  }
}

/** Expands the archive, in memory or beside nothing of the user's, and reads the files from within the tar. */
function archiveTree(given: string, path: string, largest: number): ModelTree {
  const fault = openFile(path, archiveFault);
  if (fault !== undefined) throw new ModelError('not-an-archive', given, `${given} is no archive: ${fault}`);
  try {
    const small = gunzipSmall(path, largest);
    return small === undefined ? unpackedTree(given, path, largest) : { ...treeOfTar(given, new BufferBytes(small)), directory: path };
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(
      'not-an-archive',
      given,
      `${given} cannot be unpacked: ${(error as Error).message}; make it again (tar czf, or fledge package)`,
    );
  }
}

function unpackedTree(given: string, path: string, largest: number): ModelTree {
  const folder = mkdtempSync(join(tmpdir(), 'fledge-'));
  const tar = join(folder, 'model.tar');
  let bytes: FileBytes | undefined;
  const close = () => {
    bytes?.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    gunzipFile(path, tar, largest);
    bytes = new FileBytes(tar);
    // What is open needs no name: a process that is killed leaves nothing.
    rmSync(folder, { recursive: true, force: true });
    return { ...treeOfTar(given, bytes), directory: path, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Why the bytes are no gzip archive, in words; undefined when they are one. */
function archiveFault(bytes: Bytes): string | undefined {
  const head = bytes.read(0, 512);
  if (startsLikeGzip(head)) return undefined;
  if (head.length === 0) return 'it is empty; make it again (tar czf, or fledge package)';
  if (head.subarray(0, 200).every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d))
    return `it is text (${JSON.stringify(head.toString('utf8', 0, 40))}), whatever its name says; make it again (tar czf, or fledge package)`;
  return `it starts with ${head.toString('hex', 0, 4)}, not with gzip's 1f8b; make it again (tar czf, or fledge package)`;
}

/** The files in a tar, which stay where they are. @throws ModelError `unsafe-archive`, `empty-directory`; Error where it is damaged */
export function treeOfTar(given: string, bytes: Bytes): ModelTree {
  return { given, directory: given, source: 'archive', files: tarFiles(given, bytes), close: () => undefined };
}

function tarFiles(given: string, bytes: Bytes): TreeFile[] {
  const unsafe = (what: string) =>
    new ModelError('unsafe-archive', given, `${given} is not safe to unpack: ${what}; make it again without it`);
  const files = new Map<string, TreeFile>();
  for (const { path, kind, size, mode, target, offset } of tarEntries(bytes)) {
    if (kind === 'directory') continue;
    if (kind === 'symlink' || kind === 'hardlink') throw unsafe(`${path} is a link to ${target}, which SageMaker does not take`);
    if (kind === 'other') throw unsafe(`${path} is neither a file nor a directory`);
    const name = path.replace(/^(\.\/)+/, '');
    if (name.startsWith('/') || name.split('/').includes('..')) throw unsafe(`${path} leads out of it`);
    files.set(name, { path: name, size, mode: mode & 0o777, open: (use) => use(bytes.slice(offset, size)) });
  }
  if (files.size === 0) throw new ModelError('empty-directory', given, `${basename(given)} holds no files: it needs at least the model`);
  return sortByPath([...files.values()]);
}
