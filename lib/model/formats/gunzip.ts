import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Up to here starting a process takes longer than expanding on the caller's thread, in bytes before and after. */
const SMALL = 1024 * 1024;
const SMALL_EXPANDED = 8 * SMALL;

/**
 * Expands a small gzip file in memory; undefined where it is not small, or larger than the limit.
 *
 * @throws Error in zlib's words when it is no gzip, damaged, or cut short
 */
export function gunzipSmall(source: string, limit: number): Buffer | undefined {
  if (statSync(source).size > SMALL) return undefined;
  try {
    return gunzipSync(readFileSync(source), { maxOutputLength: Math.min(limit, SMALL_EXPANDED) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw error;
  }
}

/** Node has no synchronous gunzip of bounded memory, and a construct cannot wait: so a second Node does it. */
const PROGRAM = `
const { createReadStream, createWriteStream } = require('node:fs');
const { Transform } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { createGunzip } = require('node:zlib');
const [source, target, limit] = process.argv.slice(1);
let written = 0;
const bounded = new Transform({
  transform(piece, _, done) {
    written += piece.length;
    done(written > Number(limit) ? new Error('it expands to more than ' + limit + ' bytes') : null, piece);
  },
});
pipeline(createReadStream(source), createGunzip(), bounded, createWriteStream(target, { flags: 'wx', mode: 0o600 })).catch((error) => {
  process.stderr.write(error.message);
  process.exitCode = 1;
});
`;

/**
 * Expands a gzip file into a new file, in bounded memory, and returns when it is done.
 *
 * @param limit bytes after which to give up
 * @throws Error in zlib's words when it is no gzip, damaged, cut short, or larger than the limit
 */
export function gunzipFile(source: string, target: string, limit: number): void {
  const { error, status, stderr } = spawnSync(process.execPath, ['-e', PROGRAM, source, target, String(limit)], {
    encoding: 'utf8',
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim() === '' ? `the expansion ended with status ${status}` : stderr.trim());
}

export function startsLikeGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 0x08;
}
