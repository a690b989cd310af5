import { unzipSync } from 'node:zlib';
import type { Bytes } from './bytes';
import { expandBzip2 } from './bzip2';
import { type Expanded, inflateRaw } from './inflate';
import { expandLz4 } from './lz4';
import { expandLzma } from './lzma';
import { BrokenStream, LimitReached, Output } from './output';
import { expandXz } from './xz';

/** The compressions that joblib writes, by their names there. */
export type Compression = 'zlib' | 'gzip' | 'bz2' | 'xz' | 'lzma' | 'lz4';

/** Tells a compressed stream by its first bytes. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (head.length < 6) return undefined;
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head[0] === 0x78 && head.readUInt16BE() % 31 === 0) return 'zlib';
  if (/^BZh[1-9]$/.test(head.toString('latin1', 0, 4))) return 'bz2';
  if (head.toString('latin1', 0, 6) === '\xfd7zXZ\0') return 'xz';
  if (head.readUInt32LE() === 0x184d2204) return 'lz4';
  if (head[0] === 0x5d && head.readUInt16LE(1) === 0 && head[4] === 0) return 'lzma';
  return undefined;
}

/**
 * Expands a stream to at most `limit` bytes, keeping what comes before a fault.
 *
 * @param until time in `performance.now()`'s milliseconds, met like the limit
 */
export function decompress(bytes: Bytes, compression: Compression, limit: number, until = Number.POSITIVE_INFINITY): Expanded {
  const input = bytes.read(0, bytes.size);
  if (compression === 'zlib' || compression === 'gzip') return deflated(input, compression, limit, until);
  const output = new Output(limit, Math.max(1024, input.length * 4), until);
  try {
    return { consumed: EXPANDERS[compression](input, output), output: output.bytes(), stopped: 'end' };
  } catch (error) {
    if (!(error instanceof LimitReached || error instanceof BrokenStream)) throw error;
    return { consumed: input.length, output: output.bytes(), stopped: error instanceof LimitReached ? 'limit' : 'broken' };
  }
}

const EXPANDERS = { bz2: expandBzip2, xz: expandXz, lzma: expandLzma, lz4: expandLz4 };

function deflated(input: Buffer, compression: 'zlib' | 'gzip', limit: number, until: number): Expanded {
  try {
    return { output: unzipSync(input, { maxOutputLength: limit }), consumed: input.length, stopped: 'end' };
  } catch {
    return inflateRaw(input.subarray(compression === 'zlib' ? 2 : gzipHeader(input)), limit, until);
  }
}

/** The length of a gzip member's header (RFC 1952). */
function gzipHeader(input: Buffer): number {
  const flags = input[3] ?? 0;
  let at = 10;
  if (flags & 4) at += 2 + (at + 2 <= input.length ? input.readUInt16LE(at) : 0);
  for (const flag of [8, 16]) if (flags & flag) at = input.indexOf(0, at) + 1 || input.length;
  return flags & 2 ? at + 2 : at;
}
