import { createHash } from 'node:crypto';
import type { Bytes } from '../formats/bytes';
import { KeptBytes } from './kept-bytes';

/**
 * Reads one file that streams in.
 *
 * @param room bytes that may be kept
 * @param use gets the bytes, and their SHA-256 in hexadecimal
 * @throws ModelError `too-large`; what `chunks` or `use` throws
 */
export async function receiveFile<T>(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  room: number,
  use: (bytes: Bytes, sha256: string) => T,
): Promise<T> {
  const kept = new KeptBytes(name, room);
  const hash = createHash('sha256');
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      kept.write(chunk);
    }
    const sha256 = hash.digest('hex');
    return kept.open((bytes) => use(bytes, sha256));
  } finally {
    kept.close();
  }
}
