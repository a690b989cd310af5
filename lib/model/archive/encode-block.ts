import { constants, deflateRawSync } from 'node:zlib';

/** What an archive is made for: few bytes, a fast way up, or a fast way out again. */
export type ArchiveMode = 'size' | 'speed' | 'stored';

/**
 * Compresses one block into `out` as a piece (gzip.ts).
 *
 * @returns how many bytes, or 0 when the block is better stored as it is
 */
export function encodeBlock(raw: Uint8Array, out: Uint8Array, mode: ArchiveMode): number {
  if (mode === 'stored') return 0;
  const deflated = deflateRawSync(raw, { level: 1, finishFlush: constants.Z_SYNC_FLUSH });
  if (deflated.length > raw.length * 0.99) return 0;
  out.set(deflated);
  return deflated.length;
}
