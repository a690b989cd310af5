import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { isMissing, isPreconditionFailed } from './aws-errors';
import type { Ports } from './ports';

type Bucket = Pick<Ports, 's3'>;

/** Objects whose keys begin alike. */
export interface Folder {
  readonly bucket: string;
  readonly prefix: string;
}

interface Copy {
  readonly from: string;
  readonly size: number;
  readonly bucket: string;
  readonly key: string;
}

/** What S3 copies in one call, and the parts that it copies more in. */
const LARGEST = 5 * 2 ** 30;
const PART = 2 ** 29;
const AT_ONCE = 8;

/**
 * Copies what is not there yet, inside S3, without a byte coming by here.
 *
 * @returns how many objects there are
 */
export async function copyFolder(ports: Bucket, from: Folder, to: Folder, largest = LARGEST, part = PART): Promise<number> {
  let count = 0;
  let token: string | undefined;
  do {
    const page = await ports.s3.send(new ListObjectsV2Command({ Bucket: from.bucket, Prefix: from.prefix, ContinuationToken: token }));
    for (const { Key = '', Size = 0 } of page.Contents ?? []) {
      const key = to.prefix + Key.slice(from.prefix.length);
      const copy = { from: `${from.bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`, size: Size, bucket: to.bucket, key };
      if (!(await isThere(ports, copy))) await (Size > largest ? copyInParts(ports, copy, part) : copyWhole(ports, copy));
      count++;
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return count;
}

/** Names tell contents here: archives by their digest, entries of a record by their place in the story, and none is written over. */
async function isThere({ s3 }: Bucket, { bucket, key, size }: Copy): Promise<boolean> {
  try {
    const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return ContentLength === size;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function copyWhole({ s3 }: Bucket, { from, bucket, key }: Copy): Promise<void> {
  try {
    // Tags are not taken along: that would need another permission there.
    await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: key, CopySource: from, TaggingDirective: 'REPLACE' }));
  } catch (error) {
    if (!isPreconditionFailed(error)) throw error;
  }
}

async function copyInParts({ s3 }: Bucket, { from, size, bucket, key }: Copy, part: number): Promise<void> {
  const target = { Bucket: bucket, Key: key };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...target, ContentType: 'application/octet-stream' }));
  try {
    const Parts: { PartNumber: number; ETag?: string }[] = [];
    const numbers = Array.from({ length: Math.ceil(size / part) }, (_, i) => i + 1);
    for (let done = 0; done < numbers.length; done += AT_ONCE) {
      const copies = numbers.slice(done, done + AT_ONCE).map(async (PartNumber) => {
        const CopySourceRange = `bytes=${(PartNumber - 1) * part}-${Math.min(PartNumber * part, size) - 1}`;
        const { CopyPartResult } = await s3.send(
          new UploadPartCopyCommand({ ...target, UploadId, PartNumber, CopySource: from, CopySourceRange }),
        );
        return { PartNumber, ETag: CopyPartResult!.ETag };
      });
      Parts.push(...(await Promise.all(copies)));
    }
    await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
  } catch (error) {
    await s3.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined);
    throw error;
  }
}
