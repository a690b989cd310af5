import { createHash } from 'node:crypto';
import { closeSync, constants, copyFileSync, existsSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileStat, now, StatCache } from '../model/digest';

/** Bytes a read. */
const CHUNK = 1 << 20;

/**
 * Puts an existing archive into a directory under the name that its bytes give it: `<SHA-256>.tar.gz`. An archive that did not change since
 * is not read again.
 *
 * @internal
 */
export function takeArchive(archive: string, output: string): { readonly path: string; readonly digest: string } {
  const cache = new StatCache(archive);
  const stat = fileStat(statSync(archive, { bigint: true }));
  const readAt = now();
  const digest = cache.get('', stat) ?? sha256(archive);
  cache.set('', stat, digest, readAt);
  cache.save(['']);
  const path = join(output, `${digest}.tar.gz`);
  if (!existsSync(path)) copyWhole(archive, path);
  return { path, digest };
}

function sha256(file: string): string {
  const buffer = Buffer.allocUnsafe(CHUNK);
  const hash = createHash('sha256');
  const descriptor = openSync(file, 'r');
  try {
    for (let length = -1; length !== 0; ) {
      length = readSync(descriptor, buffer, 0, CHUNK, null);
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}

/** A copy that appears whole or not at all; on file systems that can, without its bytes being copied. A link would follow a later edit. */
function copyWhole(from: string, to: string): void {
  const partial = `${to}.${process.pid}`;
  copyFileSync(from, partial, constants.COPYFILE_FICLONE);
  renameSync(partial, to);
}
