import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';

/** A file that is no gzip archive of one member. The message continues "<file> ...". */
export class GzipError extends Error {}

/** Header of a gzip member at most, in bytes: names and comments are short. */
const LONGEST_HEADER = 1 << 16;
const TRAILER = 8;
const CHUNK = 1 << 20;
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

/**
 * Reads a gzip file of one member to its end and checks its CRC-32 and length.
 *
 * @param chunks the file's bytes in order
 * @param onData gets the uncompressed bytes in order
 * @returns the SHA-256 of the file itself, hexadecimal
 * @throws GzipError, and what `chunks` or `onData` throws
 */
export async function readGzip(
  chunks: AsyncIterable<Uint8Array>,
  onData: (bytes: Buffer) => void,
): Promise<{ sha256: string; bytes: number }> {
  const sha256 = createHash('sha256');
  const inflate = createInflateRaw({ chunkSize: CHUNK });
  let crc = 0;
  let length = 0;
  let bytes = 0;
  let tail = Buffer.alloc(0);
  let start = -1;

  const compressed = async function* () {
    let head: Uint8Array = Buffer.alloc(0);
    for await (const chunk of chunks) {
      sha256.update(chunk);
      bytes += chunk.length;
      tail = Buffer.concat([tail, chunk.subarray(-TRAILER)]).subarray(-TRAILER);
      if (start >= 0) yield chunk;
      else {
        head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
        if (head.length >= LONGEST_HEADER) yield body(head);
      }
    }
    if (start < 0) yield body(head);
  };
  const body = (head: Uint8Array) => {
    start = gzipHeaderLength(Buffer.from(head.buffer, head.byteOffset, head.length));
    return head.subarray(start);
  };
  const check = new Writable({
    highWaterMark: CHUNK,
    write(chunk: Buffer, _encoding, done) {
      crc = crc32(chunk, crc);
      length += chunk.length;
      try {
        onData(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  try {
    await pipeline(compressed, inflate, check);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'Z_BUF_ERROR') throw new GzipError('is cut short: its compressed data does not end');
    if (code.startsWith('Z_')) throw new GzipError(`is damaged: its compressed data breaks off (${(error as Error).message})`);
    throw error;
  }
  const end = start + inflate.bytesWritten + TRAILER;
  if (end > bytes) throw new GzipError('is cut short: its checksum is missing');
  if (end < bytes) {
    throw new GzipError(`goes on for ${bytes - end} bytes after its first gzip member, which Python's streaming reader would not see`);
  }
  if (tail.readUInt32LE(0) !== crc || tail.readUInt32LE(4) !== length % 2 ** 32)
    throw new GzipError('is damaged: its checksum does not match its content');
  return { sha256: sha256.digest('hex'), bytes };
}

function gzipHeaderLength(head: Buffer): number {
  if (head.length < 2 || head[0] !== 0x1f || head[1] !== 0x8b) throw new GzipError(`is not a gzip archive: ${whatItIs(head)}`);
  if (head.length < 18) throw new GzipError('is cut short: it is shorter than any gzip archive');
  const flags = head[3]!;
  let at = 10;
  if (flags & FLAG.extra) at += 2 + head.readUInt16LE(at);
  for (const flag of [FLAG.name, FLAG.comment]) {
    if ((flags & flag) === 0) continue;
    const end = head.indexOf(0, at);
    if (end < 0) throw new GzipError('is damaged: its gzip header does not end');
    at = end + 1;
  }
  return flags & FLAG.headerCrc ? at + 2 : at;
}

/** What a file is that should have been a gzip archive. */
function whatItIs(head: Buffer): string {
  const start = head.toString('latin1', 0, 512);
  if (head.length === 0) return 'it is empty';
  if (start.startsWith('version https://git-lfs')) return 'it is a Git LFS pointer, so fetch the file itself (git lfs pull)';
  if (start.startsWith('PK')) return 'it is a zip';
  if (start.startsWith('BZh')) return 'it is bzip2';
  if (start.startsWith('\xfd7zXZ')) return 'it is xz';
  if (start.startsWith('(\xb5/\xfd')) return 'it is Zstandard';
  if (start.slice(257, 262) === 'ustar') return 'it is a tar that is not compressed';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: text has no control characters but white space
  if (!/[\x00-\x08\x0e-\x1f]/.test(start)) return `it is text that starts with ${JSON.stringify(start.slice(0, 40))}`;
  return `it starts with the bytes ${head.toString('hex', 0, 4)}, not with 1f8b`;
}
