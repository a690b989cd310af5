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
import { type FileSpan, fileSpans, type HashedFile } from './file-hasher';
import { crc32Combine, gzipEnd } from './gzip';
import type { PlannedBlock } from './plan';

/** What is only known when every block has gone by, in order: the end of the gzip member, each file's SHA-256, the digest. */
export class Assembly {
  private readonly sha256: string[] = [];
  private crc = 0;
  private bytes = 0;

  /** Bytes of files that have gone by. */
  fileBytes = 0;

  constructor(private readonly entries: readonly TreeEntry[]) {}

  /**
   * @returns which parts of the block belong to files
   * @throws ModelError `changed-while-reading` when a file that ends here is not as it was when the tree was listed
   */
  add(block: PlannedBlock, crc: number): FileSpan[] {
    this.crc = crc32Combine(this.crc, crc, block.length);
    this.bytes += block.length;
    const spans = fileSpans(block, (entry) => this.entries[entry]!.size);
    for (const { entry, length, goesOn } of spans) {
      this.fileBytes += length;
      if (!goesOn) mustBeUnchanged(this.entries[entry]!);
    }
    return spans;
  }

  hashed(files: readonly HashedFile[]): void {
    for (const { entry, sha256 } of files) this.sha256[entry] = sha256;
  }

  gzipEnd(): Buffer {
    return gzipEnd(this.crc, this.bytes);
  }

  /** What was packed. Every file that has bytes must have been hashed. */
  content(): ContentDigest {
    return digestOf(
      this.entries.map(({ path, mode, size }, index): ManifestEntry => {
        const sha256 = size === 0 ? EMPTY_SHA256 : this.sha256[index]!;
        return { path, mode, size, sha256 };
      }),
    );
  }
}

function mustBeUnchanged({ source, stat }: TreeEntry): void {
  if (!sameStat(stat, fileStat(statSync(source, { bigint: true })))) throw changedWhileReading(source);
}
