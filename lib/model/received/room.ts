import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ModelError } from '../model-error';

/** Left free for whatever else wants to write. */
const SPARE = 64 * 2 ** 20;

/** How many bytes may be received: `limit`, or what the disk of the temporary directory has room for. */
export function roomFor(limit: number): number {
  const { bavail, bsize } = statfsSync(tmpdir());
  return Math.max(0, Math.min(limit, bavail * bsize - SPARE));
}

/** @param bytes unpacked, or more */
export function tooLarge(name: string, bytes: number, room: number): ModelError {
  return new ModelError('too-large', name, `${name} holds ${inWords(bytes)} or more, and there is room for ${inWords(room)}`);
}

function inWords(bytes: number): string {
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
