import type { TreeEntry } from '../digest';
import { padding, TAR_END, tarHeader } from './tar';

/** Bytes of the tar stream that are compressed by themselves, and so by any worker: the last block is shorter. */
export const BLOCK = 1 << 21;

/** Where some bytes of a block come from: a part of a file, or bytes at hand. */
export type Segment =
  | { readonly entry: number; readonly source: string; readonly offset: number; readonly length: number; readonly bytes?: undefined }
  | { readonly bytes: Uint8Array; readonly length: number };

export interface PlannedBlock {
  readonly index: number;
  readonly length: number;
  readonly segments: readonly Segment[];
}

/** Cuts the tar stream of some files into blocks, without reading the files: where a block starts depends on names and sizes alone. */
export function* planBlocks(entries: readonly TreeEntry[]): Generator<PlannedBlock> {
  let index = 0;
  let length = 0;
  let segments: Segment[] = [];
  for (const segment of tarSegments(entries)) {
    for (let taken = 0; taken < segment.length; ) {
      const part = Math.min(segment.length - taken, BLOCK - length);
      segments.push(cut(segment, taken, part));
      taken += part;
      length += part;
      if (length === BLOCK) {
        yield { index: index++, length, segments };
        length = 0;
        segments = [];
      }
    }
  }
  if (length > 0) yield { index, length, segments };
}

/** Bytes of the tar stream. */
export function tarBytes(entries: readonly TreeEntry[]): number {
  let bytes = 0;
  for (const segment of tarSegments(entries)) bytes += segment.length;
  return bytes;
}

function* tarSegments(entries: readonly TreeEntry[]): Generator<Segment> {
  for (const [entry, { path, mode, size, source }] of entries.entries()) {
    yield atHand(tarHeader({ path, mode, size }));
    if (size > 0) yield { entry, source, offset: 0, length: size };
    if (padding(size) > 0) yield atHand(Buffer.alloc(padding(size)));
  }
  yield atHand(TAR_END);
}

function atHand(bytes: Uint8Array): Segment {
  return { bytes, length: bytes.length };
}

function cut(segment: Segment, start: number, length: number): Segment {
  if (segment.bytes === undefined) return { ...segment, offset: segment.offset + start, length };
  return atHand(segment.bytes.subarray(start, start + length));
}
