import { createHash, type Hash } from 'node:crypto';
import { statSync } from 'node:fs';
import {
  type ContentDigest,
  changedWhileReading,
  digestOf,
  EMPTY_SHA256,
  fileStat,
  type ManifestEntry,
  sameStat,
  type TreeEntry,
} from '../digest';
import { crc32Combine, gzipEnd } from './gzip';
import type { PlannedBlock } from './plan';

/** What is only known when every block has gone by, in order: each file's SHA-256, the digest, the end of the gzip member. */
export class Assembly {
  private readonly sha256: string[] = [];
  private hash: Hash = createHash('sha256');
  private crc = 0;
  private bytes = 0;

  /** @param known the files' hashes, where they are known: then they are not made again */
  constructor(
    private readonly entries: readonly TreeEntry[],
    private readonly known?: ContentDigest,
  ) {}

  /** Bytes of files that have gone by. */
  fileBytes = 0;

  /** @throws ModelError `changed-while-reading` when a file that ends here is not as it was when the tree was listed */
  add(block: PlannedBlock, raw: Uint8Array, crc: number): void {
    this.crc = crc32Combine(this.crc, crc, block.length);
    this.bytes += block.length;
    let at = 0;
    for (const segment of block.segments) {
      if (segment.bytes === undefined) {
        if (this.known === undefined) this.hash.update(raw.subarray(at, at + segment.length));
        this.fileBytes += segment.length;
        const entry = this.entries[segment.entry]!;
        if (segment.offset + segment.length === entry.size) this.endFile(entry, segment.entry);
      }
      at += segment.length;
    }
  }

  gzipEnd(): Buffer {
    return gzipEnd(this.crc, this.bytes);
  }

  content(): ContentDigest {
    if (this.known !== undefined) return this.known;
    return digestOf(
      this.entries.map(({ path, mode, size }, index): ManifestEntry => ({ path, mode, size, sha256: this.sha256[index] ?? EMPTY_SHA256 })),
    );
  }

  private endFile(entry: TreeEntry, index: number): void {
    if (!sameStat(entry.stat, fileStat(statSync(entry.source, { bigint: true })))) throw changedWhileReading(entry.source);
    if (this.known !== undefined) return;
    this.sha256[index] = this.hash.digest('hex');
    this.hash = createHash('sha256');
  }
}
