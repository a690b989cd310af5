import { createHash, type Hash } from 'node:crypto';
import type { PlannedBlock } from './plan';

/** Some bytes of a block that belong to one file. */
export interface FileSpan {
  readonly entry: number;
  /** Where in the block. */
  readonly start: number;
  readonly length: number;
  /** Whether the file goes on in a later block. */
  readonly goesOn: boolean;
}

export interface HashedFile {
  readonly entry: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Which files a block holds parts of. */
export function fileSpans({ segments }: PlannedBlock, sizeOf: (entry: number) => number): FileSpan[] {
  const spans: FileSpan[] = [];
  let start = 0;
  for (const segment of segments) {
    if (segment.bytes === undefined) {
      const goesOn = segment.offset + segment.length < sizeOf(segment.entry);
      spans.push({ entry: segment.entry, start, length: segment.length, goesOn });
    }
    start += segment.length;
  }
  return spans;
}

/** Hashes the files whose bytes go by, block after block. */
export class FileHasher {
  private hash: Hash = createHash('sha256');

  /** The files that end in this block. */
  add(raw: Uint8Array, spans: readonly FileSpan[]): HashedFile[] {
    const ended: HashedFile[] = [];
    for (const { entry, start, length, goesOn } of spans) {
      this.hash.update(raw.subarray(start, start + length));
      if (goesOn) continue;
      ended.push({ entry, sha256: this.hash.digest('hex') });
      this.hash = createHash('sha256');
    }
    return ended;
  }
}
