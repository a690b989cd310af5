import { availableParallelism } from 'node:os';
import type { ContentDigest, TreeEntry } from '../digest';
import { Assembly } from './assembly';
import type { BlockDone } from './block-worker';
import type { ArchiveMode } from './choose-method';
import { Crew, type CrewSlot } from './crew';
import { GZIP_HEADER, storedPieces } from './gzip';
import { packSync } from './pack-sync';
import { BLOCK, type PlannedBlock, planBlocks, tarBytes } from './plan';

/** Takes the archive's bytes in order. The views are good until the promise resolves; a next write may come before. */
export type Sink = (pieces: readonly Uint8Array[]) => Promise<void>;

export interface PackOptions {
  readonly mode: ArchiveMode;
  /** Threads that compress. @default - the processors that Node may use, at most 8; in mode `stored`, 1 */
  readonly workers?: number;
  /** Called after each block with the bytes of files that are packed. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
  /** The files' hashes, where they are known: then they are not made again. */
  readonly known?: ContentDigest;
}

/** Bytes up to which no threads are started, unless asked for. */
const SMALL = 16 * 2 ** 20;
const MOST_WORKERS = 8;
const MOST_WORKERS_ASKED = 64;

/**
 * Packs files on worker threads. Memory is a few blocks a worker, whatever the files' sizes; the bytes are the same for any
 * number of workers.
 *
 * @throws what reading or `sink` throws, and `signal.reason` when it is aborted; then all workers have ended
 */
export async function pack(entries: readonly TreeEntry[], sink: Sink, options: PackOptions): Promise<ContentDigest> {
  const { mode, workers, known, signal } = options;
  signal?.throwIfAborted();
  if (workers === undefined && tarBytes(entries) <= SMALL) return packHere(entries, sink, options);
  const crew = new Crew(Math.min(workerCount(workers, mode), Math.ceil(tarBytes(entries) / BLOCK)), mode, known === undefined);
  const stop = () => crew.fail(signal!.reason);
  signal?.addEventListener('abort', stop);
  try {
    return await packWith(crew, entries, sink, options);
  } finally {
    signal?.removeEventListener('abort', stop);
    await crew.end();
  }
}

/** Packs on this thread, in less time than others need to start. */
async function packHere(entries: readonly TreeEntry[], sink: Sink, { mode, known, onProgress }: PackOptions): Promise<ContentDigest> {
  const packed: Buffer[] = [];
  const content = packSync(entries, mode, (pieces) => packed.push(Buffer.concat(pieces)), known);
  await sink(packed);
  onProgress?.(content.bytes);
  return content;
}

function workerCount(asked: number | undefined, mode: ArchiveMode): number {
  // One thread reads faster than another hashes.
  if (asked === undefined) return mode === 'stored' ? 1 : Math.min(availableParallelism(), MOST_WORKERS);
  if (Number.isInteger(asked) && asked >= 1 && asked <= MOST_WORKERS_ASKED) return asked;
  throw new RangeError(`workers must be a whole number from 1 to ${MOST_WORKERS_ASKED}, not ${asked}`);
}

async function packWith(crew: Crew, entries: readonly TreeEntry[], sink: Sink, { known, onProgress }: PackOptions): Promise<ContentDigest> {
  const assembly = new Assembly(entries);
  const blocks = planBlocks(entries);
  const underWay: { readonly block: PlannedBlock; readonly result: Promise<BlockDone> }[] = [];
  const leaving = new Set<Promise<void>>();

  await sink([GZIP_HEADER]);
  for (let planned = blocks.next(); !planned.done || underWay.length > 0; ) {
    for (; !planned.done && crew.hasRoom(); planned = blocks.next()) {
      underWay.push({ block: planned.value, result: crew.pack(planned.value) });
    }
    const first = underWay.shift();
    if (first === undefined) await Promise.race(leaving);
    else passOn(first.block, await first.result);
  }
  await Promise.all(leaving);
  await sink([assembly.gzipEnd()]);
  return known ?? assembly.content();

  /** Lets a block be written and hashed; then its slot is free. */
  function passOn(block: PlannedBlock, { slot, crc, length }: BlockDone): void {
    const written = sink(piecesOf(crew.slot(slot), block.length, length));
    const hashed = crew.hash(slot, assembly.add(block, crc));
    const left: Promise<void> = Promise.all([hashed, written]).then(([files]) => {
      assembly.hashed(files);
      leaving.delete(left);
      crew.free(slot);
    });
    // What failed stays in `leaving`, where the next wait finds it.
    left.catch(() => {});
    leaving.add(left);
    onProgress?.(assembly.fileBytes);
  }
}

/** @param packed bytes in the slot's output; 0 when the block's `length` bytes are stored */
function piecesOf({ input, output, stored }: CrewSlot, length: number, packed: number): readonly Uint8Array[] {
  if (packed > 0) return [output.subarray(0, packed)];
  return length === BLOCK ? stored : storedPieces(input.subarray(0, length));
}
