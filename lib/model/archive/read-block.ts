import { closeSync, openSync, readSync } from 'node:fs';
import { changedWhileReading, readError } from '../digest';
import type { Segment } from './plan';

/** Fills blocks from files; keeps the last file open, since most blocks go on where the one before ended. */
export class BlockReader {
  private source: string | undefined;
  private descriptor = -1;

  /** @throws ModelError `unreadable`, `not-found`; `changed-while-reading` when a file is shorter than it was */
  fill(target: Uint8Array, segments: readonly Segment[]): void {
    let at = 0;
    for (const segment of segments) {
      if (segment.bytes !== undefined) target.set(segment.bytes, at);
      else this.read(target.subarray(at, at + segment.length), segment.source, segment.offset);
      at += segment.length;
    }
  }

  close(): void {
    if (this.source !== undefined) closeSync(this.descriptor);
    this.source = undefined;
  }

  private read(target: Uint8Array, source: string, offset: number): void {
    this.open(source);
    for (let filled = 0; filled < target.length; ) {
      const count = readSync(this.descriptor, target, filled, target.length - filled, offset + filled);
      if (count === 0) throw changedWhileReading(source);
      filled += count;
    }
  }

  private open(source: string): void {
    if (this.source === source) return;
    this.close();
    try {
      this.descriptor = openSync(source, 'r');
    } catch (error) {
      throw readError(source, error);
    }
    this.source = source;
  }
}
