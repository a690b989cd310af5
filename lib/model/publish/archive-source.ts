import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import type { ArchiveMode } from '../archive';
import { pack, type Sink } from '../archive/pack';
import { tarBytes } from '../archive/plan';
import { changedWhileReading, fileStat, listTree, readDigest, readError } from '../digest';
import { LARGEST_ARCHIVE } from '../inspect/model-tree';
import { checkTree, mustBeSafe, type SafetyOptions } from '../inspect/must-be-safe';
import { isFile } from '../is-file';
import { type ReceivedArchive, receiveArchive, roomFor } from '../received';
import { enforce } from '../scan';
import { PublishError } from './publish-error';
import { readUnchanged } from './send-file';

export interface SourceOptions extends SafetyOptions {
  /** How a directory is packed. @default 'size' */
  readonly mode?: ArchiveMode;
  /** Threads that compress. @default - the processors that Node may use, at most 8; in mode `stored`, 1 */
  readonly workers?: number;
  /** Called with the bytes that are read, before anything is sent. */
  readonly onRead?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** The bytes of an archive that goes up: they can be written again, and are the same each time. */
export interface ArchiveSource {
  /** The content digest. */
  readonly digest: string;
  /** What progress counts: bytes of the directory's files, or of the archive that exists. */
  readonly bytes: number;
  /** About how many bytes the archive has, from which the size of its parts follows. */
  readonly archiveBytes: number;
  /** @param onProgress gets how many of `bytes` are written */
  write(sink: Sink, onProgress: (bytes: number) => void): Promise<unknown>;
}

/** A directory, packed as it is sent; or an archive that exists, as it is once checked. @throws as `publish` does */
export function archiveSource(model: string, options: SourceOptions): Promise<ArchiveSource> {
  return isFile(model) ? existingArchive(model, options) : packedDirectory(model, options);
}

async function packedDirectory(directory: string, options: SourceOptions): Promise<ArchiveSource> {
  const { mode = 'size', workers, signal, onRead } = options;
  const entries = listTree(directory);
  mustBeSafe(directory, options);
  const content = await readDigest(directory, { ...options, onProgress: onRead });
  return {
    digest: content.digest,
    bytes: content.bytes,
    archiveBytes: tarBytes(entries),
    write: (sink, onProgress) => pack(entries, sink, { mode, workers, signal, known: content, onProgress }),
  };
}

/** What a stage would refuse is refused here: it is read, unpacked and scanned as a stage does it. */
async function existingArchive(file: string, options: SourceOptions): Promise<ArchiveSource> {
  if (options.mode !== undefined)
    throw new PublishError('invalid', `a mode is for a directory that is packed, and ${file} goes up as it is: leave it out`);
  const stats = statSync(file, { bigint: true });
  const entry = { source: file, size: Number(stats.size), stat: fileStat(stats) };
  const { digest, sha256 } = await checked(file, options);
  const write = async (sink: Sink, onProgress: (bytes: number) => void) => {
    const sent = createHash('sha256');
    let written = 0;
    await readUnchanged(entry, async (bytes) => {
      sent.update(bytes);
      written += bytes.length;
      onProgress(written);
      await sink([bytes]);
    });
    if (sent.digest('hex') !== sha256) throw changedWhileReading(file);
  };
  return { digest, bytes: entry.size, archiveBytes: entry.size, write };
}

async function checked(file: string, options: SourceOptions): Promise<ReceivedArchive['content']> {
  const received = await receiveArchive(file, chunksOf(file, options), roomFor(LARGEST_ARCHIVE));
  try {
    received.look((tree) => {
      if (options.scan === false) return;
      const { report, policy } = checkTree(tree);
      enforce(report, policy);
    });
    return received.content;
  } finally {
    received.close();
  }
}

async function* chunksOf(file: string, { onRead, signal }: SourceOptions): AsyncGenerator<Buffer> {
  let read = 0;
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) {
      signal?.throwIfAborted();
      read += chunk.length;
      onRead?.(read);
      yield chunk;
    }
  } catch (error) {
    throw signal?.aborted ? error : readError(file, error);
  }
}
