import { closeSync, openSync, writevSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type ContentDigest, listTree, now, rememberDigest, rememberedDigest, type TreeEntry } from '../digest';
import { mustBeSafe, type SafetyOptions } from '../inspect/must-be-safe';
import { isInside } from '../is-inside';
import { makeDirectory } from '../make-directory';
import { ModelError } from '../model-error';
import type { ArchiveMode } from './choose-method';
import { archivePath, discard, existing, keep, partialPath } from './output';
import { pack, type Sink } from './pack';
import { packSync } from './pack-sync';
import { runSync } from './sync-process';

export interface ArchiveSyncOptions extends SafetyOptions {
  /** The directory that the archive is written into; made where it does not exist. */
  readonly output: string;
  /**
   * `size`: compress what becomes at least 1 % smaller; `speed`: at least 10 %; `stored`: nothing, the fastest to make and to unpack.
   * @default 'size'
   */
  readonly mode?: ArchiveMode;
  /** Threads that compress. @default - the processors that Node may use, at most 8; in mode `stored`, 1 */
  readonly workers?: number;
}

export interface ArchiveOptions extends ArchiveSyncOptions {
  /** Called as the archive grows. */
  readonly onProgress?: (progress: ArchiveProgress) => void;
  /** Ends the work; nothing is left in the output directory. */
  readonly signal?: AbortSignal;
}

export interface ArchiveProgress {
  /** Bytes of the model's files that are packed. */
  readonly done: number;
  /** Bytes of the model's files. */
  readonly total: number;
}

export interface ArchiveResult {
  /** The archive: `<output>/<digest>.tar.gz`. */
  readonly path: string;
  /** The content digest of the directory (`contentDigest`). */
  readonly digest: string;
  /** Bytes of the archive. */
  readonly bytes: number;
  /** How many files it holds. */
  readonly files: number;
  /** Whether it was there already, and nothing was written. */
  readonly reused: boolean;
}

/** Up to here starting a process takes longer than packing on the caller's thread, in bytes. */
const SMALL = 32 * 2 ** 20;

/**
 * Packs a model directory as it stands, without junk (`isJunk`), into a `.tar.gz` that is named by its content. The bytes are the same
 * whatever the files' dates, owner and order and the number of workers. Where an archive of equal files is there already, in whatever mode
 * it was made, nothing is written. The name appears only when the archive is whole.
 *
 * @throws ModelError as `listTree` does, `output-inside`, `scan-refused`, `changed-while-reading`; the file system's error when `output` cannot be written; `signal.reason`
 */
export async function archive(directory: string, options: ArchiveOptions): Promise<ArchiveResult> {
  const job = prepare(directory, options);
  if (job.reused !== undefined) return job.reused;
  const { entries, known } = job;
  const total = entries.reduce((sum, entry) => sum + entry.size, 0);
  const { onProgress, workers, signal, mode = 'size' } = options;
  const partial = partialPath(options.output);
  const file = await open(partial, 'wx');
  try {
    const progress = onProgress && ((done: number) => onProgress({ done, total }));
    const content = await pack(entries, fileSink(file, options.output), { mode, workers, signal, known, onProgress: progress });
    await file.close();
    return finish(job, content, partial);
  } catch (error) {
    await file.close();
    discard(partial);
    throw error;
  }
}

/**
 * `archive` for callers that cannot wait, such as constructs: small directories on this thread, larger ones in a process of their own with
 * its workers.
 *
 * @throws as `archive` does
 */
export function archiveSync(directory: string, options: ArchiveSyncOptions): ArchiveResult {
  const job = prepare(directory, options);
  if (job.reused !== undefined) return job.reused;
  const { entries, known } = job;
  if (entries.reduce((sum, entry) => sum + entry.size, 0) > SMALL)
    return runSync<ArchiveResult>({ task: 'archive', path: directory, options: { ...options, scan: false } });

  const partial = partialPath(options.output);
  const descriptor = openSync(partial, 'wx');
  try {
    const content = packSync(entries, options.mode ?? 'size', (pieces) => writeAll(descriptor, pieces), known);
    return finish(job, content, partial);
  } catch (error) {
    discard(partial);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** What is known before a file is read. */
interface Job {
  readonly directory: string;
  readonly options: ArchiveSyncOptions;
  readonly entries: readonly TreeEntry[];
  /** Nanoseconds since 1970. */
  readonly readAt: bigint;
  /** The directory's digest, where no file needs to be read for it. */
  readonly known?: ContentDigest;
  /** The archive that is there already. */
  readonly reused?: ArchiveResult;
}

function prepare(directory: string, options: ArchiveSyncOptions): Job {
  const readAt = now();
  const entries = listTree(directory);
  if (isInside(options.output, directory)) throw outputInside(directory, options.output);
  mustBeSafe(directory, options);
  makeDirectory(options.output);
  const known = rememberedDigest(directory, entries, options.cacheDirectory);
  const bytes = known && existing(archivePath(options.output, known.digest), entries);
  const reused = known && bytes !== undefined ? result(known, bytes, true, options) : undefined;
  return { directory, options, entries, readAt, known, reused };
}

function outputInside(directory: string, output: string): ModelError {
  return new ModelError(
    'output-inside',
    output,
    `${output} is in the model's directory ${directory}, and the archive would become a part of the model: name an output outside of it`,
  );
}

function finish({ directory, options, entries, readAt, known }: Job, content: ContentDigest, partial: string): ArchiveResult {
  if (known === undefined) rememberDigest(directory, entries, content, readAt, options.cacheDirectory);
  const path = archivePath(options.output, content.digest);
  const before = existing(path, entries);
  if (before === undefined) return result(content, keep(partial, path), false, options);
  discard(partial);
  return result(content, before, true, options);
}

function result({ digest, files }: ContentDigest, bytes: number, reused: boolean, { output }: ArchiveSyncOptions): ArchiveResult {
  return { path: archivePath(output, digest), digest, bytes, files, reused };
}

/** @param place what an error names: a write by descriptor knows no path */
function fileSink(file: FileHandle, place: string): Sink {
  const write = async (pieces: readonly Uint8Array[]) => {
    for (let left = pieces; left.length > 0; ) {
      const { bytesWritten } = await file.writev(left).catch((error) => {
        throw Object.assign(error, { path: place });
      });
      left = without(left, bytesWritten);
    }
  };
  // The file system lets one write a file at a time: a second would only wait for its lock, on a processor.
  let last = Promise.resolve();
  return (pieces) => {
    last = last.then(() => write(pieces));
    return last;
  };
}

function writeAll(descriptor: number, pieces: readonly Uint8Array[]): void {
  for (let left = pieces; left.length > 0; ) left = without(left, writevSync(descriptor, left));
}

/** What is left of `pieces` when their first `bytes` bytes are gone. */
function without(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let gone = bytes;
  let index = 0;
  while (index < pieces.length && gone >= pieces[index]!.length) gone -= pieces[index++]!.length;
  return gone === 0 ? pieces.slice(index) : [pieces[index]!.subarray(gone), ...pieces.slice(index + 1)];
}
