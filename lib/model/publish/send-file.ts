import { type FileHandle, open, stat } from 'node:fs/promises';
import { changedWhileReading, fileStat, readError, sameStat, type TreeEntry } from '../digest';
import type { MultipartUploads } from './multipart-uploads';
import { ObjectUpload } from './object-upload';
import { UploadGone } from './store-calls';
import type { StoredObjects } from './stored-objects';

export interface SendFile {
  readonly key: string;
  /** Of the file, hexadecimal. */
  readonly sha256: string;
  readonly partSize: number;
  readonly concurrency: number;
  /** As ObjectUpload calls it. */
  readonly onPart: (bytes: number, before: boolean) => void;
}

const CONTENT_TYPE = 'application/octet-stream';
const CHUNK = 2 ** 20;

/**
 * Sends one file as it is: in one call, for which S3 checks the SHA-256 of the manifest, or in parts.
 *
 * @throws ModelError `changed-while-reading` when it is not as it was when the tree was listed; PublishError
 */
export async function sendFile(entry: TreeEntry, objects: StoredObjects, uploads: MultipartUploads, send: SendFile): Promise<void> {
  const { key, sha256, partSize, onPart } = send;
  if (entry.size <= partSize) {
    const body = await whole(entry);
    await objects.put(key, body, CONTENT_TYPE, { sha256: Buffer.from(sha256, 'hex').toString('base64') });
    return onPart(body.length, false);
  }
  try {
    await sendParts(entry, objects, uploads, send, true);
  } catch (error) {
    // Another publisher of the same version shared this upload, and ended it.
    if (!(error instanceof UploadGone)) throw error;
    if ((await objects.find(key)) === undefined) await sendParts(entry, objects, uploads, send, false);
  }
}

async function sendParts(
  entry: TreeEntry,
  objects: StoredObjects,
  uploads: MultipartUploads,
  send: SendFile,
  resume: boolean,
): Promise<void> {
  const { key, partSize, concurrency, onPart } = send;
  const upload = new ObjectUpload(objects, uploads, { key, contentType: CONTENT_TYPE, partSize, concurrency, resume, onPart });
  try {
    await readUnchanged(entry, (bytes) => upload.write(bytes));
    await upload.end();
  } finally {
    await upload.settle();
  }
}

async function whole(entry: TreeEntry): Promise<Buffer> {
  const parts: Buffer[] = [];
  await readUnchanged(entry, async (bytes) => {
    parts.push(Buffer.from(bytes));
  });
  return Buffer.concat(parts);
}

/**
 * Reads a file that must be as it was when its stat was taken; the bytes are good until `use` resolves.
 *
 * @throws ModelError `changed-while-reading`, `not-found`, `unreadable`
 */
export async function readUnchanged(
  entry: Pick<TreeEntry, 'source' | 'size' | 'stat'>,
  use: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(entry.source);
  } catch (error) {
    throw readError(entry.source, error);
  }
  try {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    for (let left = entry.size; left > 0; ) {
      const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK, left));
      if (bytesRead === 0) throw changedWhileReading(entry.source);
      await use(chunk.subarray(0, bytesRead));
      left -= bytesRead;
    }
    if (!sameStat(entry.stat, fileStat(await stat(entry.source, { bigint: true })))) throw changedWhileReading(entry.source);
  } finally {
    await file.close();
  }
}
