import { crc32 } from 'node:zlib';
import type { ContentDigest, TreeEntry } from '../digest';
import { Assembly } from './assembly';
import { BlockEncoder } from './block-encoder';
import type { ArchiveMode } from './choose-method';
import { FileHasher } from './file-hasher';
import { GZIP_HEADER, storedPieces } from './gzip';
import { planBlocks } from './plan';
import { BlockReader } from './read-block';
import { blockMemory } from './slots';

/**
 * Packs files on the calling thread, one block after the other.
 *
 * @param write gets views that are good until it returns
 * @param known the files' hashes, where they are known
 */
export function packSync(
  entries: readonly TreeEntry[],
  mode: ArchiveMode,
  write: (pieces: readonly Uint8Array[]) => void,
  known?: ContentDigest,
): ContentDigest {
  const memory = blockMemory(1, 1);
  const slot = memory.slot(0);
  const encoder = new BlockEncoder(memory, 0, mode);
  const reader = new BlockReader();
  const assembly = new Assembly(entries);
  const hasher = new FileHasher();
  try {
    write([GZIP_HEADER]);
    for (const block of planBlocks(entries)) {
      const raw = slot.input.subarray(0, block.length);
      reader.fill(raw, block.segments);
      const spans = assembly.add(block, crc32(raw));
      if (known === undefined) assembly.hashed(hasher.add(raw, spans));
      const length = encoder.encode(slot, block.length);
      write(length === 0 ? storedPieces(raw) : [slot.output.subarray(0, length)]);
    }
    write([assembly.gzipEnd()]);
    return known ?? assembly.content();
  } finally {
    reader.close();
  }
}
