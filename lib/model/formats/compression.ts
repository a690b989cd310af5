import type { Bytes } from './bytes';
import { expandBzip2 } from './bzip2';
import { type Expanded, inflateRaw } from './inflate';
import { expandLz4 } from './lz4';
import { expandLzma, startsLikeLzma } from './lzma';
import { BrokenStream, LimitReached, Output } from './output';
import { expandXz, startsLikeXz } from './xz';

/** The compressions that joblib writes, by their names there; `zfile` is that of joblib before 0.10. */
export type Compression = 'zlib' | 'gzip' | 'bz2' | 'xz' | 'lzma' | 'lz4' | 'zfile';

/** Tells a compressed stream by its first bytes. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (head.length < 6) return undefined;
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (startsLikeZlib(head, 0)) return 'zlib';
  if (/^BZh[1-9]$/.test(head.toString('latin1', 0, 4))) return 'bz2';
  if (startsLikeXz(head, 0)) return 'xz';
  if (isLz4(head, 0)) return 'lz4';
  if (head[0] === 0x5d && head[1] === 0 && startsLikeLzma(head, 0)) return 'lzma';
  if (/^ZF0x[0-9a-f]/.test(head.toString('latin1', 0, 5))) return 'zfile';
  return undefined;
}

/** Without a dictionary of its own, which nothing that loads a model has. */
function startsLikeZlib(input: Buffer, at: number): boolean {
  return at + 2 <= input.length && input[at] === 0x78 && input.readUInt16BE(at) % 31 === 0 && (input[at + 1]! & 0x20) === 0;
}

function isLz4(input: Buffer, at: number): boolean {
  return at + 4 <= input.length && input.readUInt32LE(at) === 0x184d2204;
}

/**
 * Expands a stream, and those that follow it, to at most `limit` bytes, keeping what comes before a fault.
 *
 * @param until time in `performance.now()`'s milliseconds, met like the limit
 */
export function decompress(bytes: Bytes, compression: Compression, limit: number, until = Number.POSITIVE_INFINITY): Expanded {
  const input = bytes.read(0, bytes.size);
  const outputs: Buffer[] = [];
  let left = limit;
  let stopped: Expanded['stopped'] = 'end';
  let at = compression === 'zfile' ? zfileHeader(input) : 0;
  for (
    let next: Expander | undefined = FIRST[compression];
    next !== undefined && stopped === 'end';
    next = following(input, at, compression)
  ) {
    if (outputs.length > 0 && (performance.now() > until || outputs.length >= MOST_STREAMS)) {
      stopped = 'limit';
      break;
    }
    const expanded: Expanded = next(input, at, left, until);
    outputs.push(expanded.output);
    left -= expanded.output.length;
    stopped = expanded.stopped;
    at = afterPadding(input, at + expanded.consumed);
  }
  return { output: outputs.length === 1 ? outputs[0]! : Buffer.concat(outputs), consumed: stopped === 'end' ? at : input.length, stopped };
}

const MOST_STREAMS = 10_000;

/** Expands one stream that begins at `at`. */
type Expander = (input: Buffer, at: number, limit: number, until: number) => Expanded;

const zlib: Expander = (input, at, limit, until) => deflated(input, at, 2, 4, limit, until);
const gzip: Expander = (input, at, limit, until) => deflated(input, at, gzipHeader(input.subarray(at)), 8, limit, until);
const bz2 = written(expandBzip2);
const xz = written(expandXz);
const lzma = written(expandLzma);
const lz4 = written(expandLz4);

const FIRST: Readonly<Record<Compression, Expander>> = { zlib, zfile: zlib, gzip, bz2, xz, lzma, lz4 };

/** What stands behind a stream, as readers go on with it: of its own kind, and of xz and lzma either one (Python's LZMAFile). */
function following(input: Buffer, at: number, compression: Compression): Expander | undefined {
  if (compression === 'gzip') return input[at] === 0x1f && input[at + 1] === 0x8b ? gzip : undefined;
  if (compression === 'zlib') return startsLikeZlib(input, at) ? zlib : undefined;
  if (compression !== 'xz' && compression !== 'lzma') return undefined;
  return startsLikeXz(input, at) ? xz : startsLikeLzma(input, at) ? lzma : undefined;
}

/** Zeros between streams and at the end, which readers pass over. */
function afterPadding(input: Buffer, from: number): number {
  let at = Math.min(from, input.length);
  while (at < input.length && input[at] === 0) at++;
  return at;
}

function deflated(input: Buffer, at: number, header: number, trailer: number, limit: number, until: number): Expanded {
  const { output, consumed, stopped } = inflateRaw(input.subarray(at + header), limit, until);
  return { output, consumed: header + consumed + trailer, stopped };
}

/** An expander of a format that is written into an output. */
function written(expand: (input: Buffer, output: Output) => number): Expander {
  return (input, at, limit, until) => {
    const rest = input.subarray(at);
    const output = new Output(limit, Math.max(1024, rest.length * 4), until);
    try {
      return { consumed: expand(rest, output), output: output.bytes(), stopped: 'end' };
    } catch (error) {
      if (!(error instanceof LimitReached || error instanceof BrokenStream)) throw error;
      return { consumed: rest.length, output: output.bytes(), stopped: error instanceof LimitReached ? 'limit' : 'broken' };
    }
  };
}

/** The length of a gzip member's header (RFC 1952). */
function gzipHeader(input: Buffer): number {
  const flags = input[3] ?? 0;
  let at = 10;
  if (flags & 4) at += 2 + (at + 2 <= input.length ? input.readUInt16LE(at) : 0);
  for (const flag of [8, 16]) if (flags & flag) at = input.indexOf(0, at) + 1 || input.length;
  return flags & 2 ? at + 2 : at;
}

/** `ZF`, the length in 19 characters of hexadecimal, or 20 by Python 2, then zlib's stream. */
function zfileHeader(input: Buffer): number {
  return input[21] === 0x20 ? 22 : 21;
}
