import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeEntry } from '../digest';
import { tarBytes } from './plan';

/** An archive grows under a name of its own and gets its true name when it is whole. */

const PARTIAL = /^\.\d+-[0-9a-f]{8}\.partial$/;
/** A partial file of this age belongs to a process that was killed. */
const ABANDONED_AFTER_MILLISECONDS = 24 * 3600 * 1000;

export function archivePath(output: string, digest: string): string {
  return join(output, `${digest}.tar.gz`);
}

/** A new name for an archive that is being made; removes what killed processes left behind a day ago or earlier. */
export function partialPath(output: string): string {
  for (const name of readdirSync(output)) {
    const path = join(output, name);
    if (!PARTIAL.test(name)) continue;
    // Another process may have given its archive its true name in the meantime.
    const { mtimeMs = Date.now() } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MILLISECONDS) discard(path);
  }
  return join(output, `.${process.pid}-${randomBytes(4).toString('hex')}.partial`);
}

export function discard(partial: string): void {
  rmSync(partial, { force: true });
}

/** Gives a whole archive its name; its bytes. */
export function keep(partial: string, path: string): number {
  renameSync(partial, path);
  return statSync(path).size;
}

/**
 * The bytes of an archive that is there and whole, else undefined. Whole is one whose last four bytes, the uncompressed length modulo 2^32,
 * are what these files give: what a crash or a full disk cut short ends otherwise.
 */
export function existing(path: string, entries: readonly TreeEntry[]): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = statSync(path);
    const end = Buffer.alloc(4);
    if (size < end.length || readSync(descriptor, end, 0, 4, size - 4) < 4) return undefined;
    return end.readUInt32LE() === tarBytes(entries) % 2 ** 32 ? size : undefined;
  } finally {
    closeSync(descriptor);
  }
}
