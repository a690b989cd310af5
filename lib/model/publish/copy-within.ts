import type { MultipartUploads } from './multipart-uploads';
import type { StoredObject } from './stored-objects';

/** Bytes that S3 copies in one call. */
const COPY_PART = 2 ** 30;

/** Copies an object that is too large for one call, inside S3, part by part. A copy that fails is removed. */
export async function copyWithin(
  from: StoredObject,
  key: string,
  uploads: MultipartUploads,
  atOnce: number,
  part = COPY_PART,
): Promise<void> {
  const upload = await uploads.begin(key, 'application/octet-stream');
  try {
    const starts = Array.from({ length: Math.ceil(from.size / part) }, (_, index) => index * part);
    const parts = [];
    for (let first = 0; first < starts.length; first += atOnce) {
      const copies = starts.slice(first, first + atOnce).map((start, index) => {
        const end = Math.min(start + part, from.size);
        return uploads.copyPart(key, upload, first + index + 1, from, start, end);
      });
      parts.push(...(await Promise.all(copies)));
    }
    await uploads.complete(key, upload, parts);
  } catch (error) {
    await uploads.abort(key, upload.id).catch(() => {});
    throw error;
  }
}
