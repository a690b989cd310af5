import { availableParallelism } from 'node:os';
import type { ContentDigest, TreeEntry } from '../digest';
import { Assembly } from './assembly';
import type { BlockDone } from './block-worker';
import type { ArchiveMode } from './choose-method';
import { Crew } from './crew';
import { GZIP_HEADER, storedPieces } from './gzip';
import { BLOCK, type PlannedBlock, planBlocks, tarBytes } from './plan';

/** Takes the archive's bytes in order. The views are good until the promise resolves; a next write may come before. */
export type Sink = (pieces: readonly Uint8Array[]) => Promise<void>;

export interface PackOptions {
  readonly mode: ArchiveMode;
  /** Threads that compress. @default - the processors that Node may use, at most 8 */
  readonly workers?: number;
  /** Called after each block with the bytes of files that are packed. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
  /** The files' hashes, where they are known: then they are not made again. */
  readonly known?: ContentDigest;
}

const MOST_WORKERS = 8;
const MOST_WORKERS_ASKED = 64;

/**
 * Packs files on worker threads. Memory is a few blocks a worker, whatever the files' sizes; the bytes are the same for any
 * number of workers.
 *
 * @throws what reading or `sink` throws, and `signal.reason` when it is aborted; then all workers have ended
 */
export async function pack(entries: readonly TreeEntry[], sink: Sink, options: PackOptions): Promise<ContentDigest> {
  options.signal?.throwIfAborted();
  const crew = new Crew(Math.min(workerCount(options.workers), Math.ceil(tarBytes(entries) / BLOCK)), options.mode);
  const stop = () => crew.fail(options.signal!.reason);
  options.signal?.addEventListener('abort', stop);
  try {
    return await packWith(crew, entries, sink, options);
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await crew.end();
  }
}

function workerCount(asked?: number): number {
  if (asked === undefined) return Math.min(availableParallelism(), MOST_WORKERS);
  if (Number.isInteger(asked) && asked >= 1 && asked <= MOST_WORKERS_ASKED) return asked;
  throw new RangeError(`workers must be a whole number from 1 to ${MOST_WORKERS_ASKED}, not ${asked}`);
}

async function packWith(crew: Crew, entries: readonly TreeEntry[], sink: Sink, { known, onProgress }: PackOptions): Promise<ContentDigest> {
  const assembly = new Assembly(entries, known);
  const blocks = planBlocks(entries);
  const underWay: { readonly block: PlannedBlock; readonly result: Promise<BlockDone> }[] = [];
  const writing = new Set<Promise<void>>();

  await sink([GZIP_HEADER]);
  for (let planned = blocks.next(); !planned.done || underWay.length > 0; ) {
    for (; !planned.done && crew.hasRoom(); planned = blocks.next()) {
      underWay.push({ block: planned.value, result: crew.start(planned.value) });
    }
    const first = underWay.shift();
    if (first === undefined) await Promise.race(writing);
    else await passOn(first.block, await first.result);
  }
  await Promise.all(writing);
  await sink([assembly.gzipEnd()]);
  return assembly.content();

  async function passOn(block: PlannedBlock, { slot, crc, length }: BlockDone): Promise<void> {
    const { input, output } = crew.slot(slot);
    const raw = input.subarray(0, block.length);
    const written: Promise<void> = sink(length === 0 ? storedPieces(raw) : [output.subarray(0, length)]).then(() => {
      writing.delete(written);
      crew.free(slot);
    });
    // A failed write stays in `writing`, where the next wait finds it.
    written.catch(() => {});
    writing.add(written);
    assembly.add(block, raw, crc);
    onProgress?.(assembly.fileBytes);
  }
}
