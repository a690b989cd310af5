import { archiveSource, type SourceOptions } from './archive-source';
import { MultipartUploads } from './multipart-uploads';
import { ObjectUpload, type Uploaded } from './object-upload';
import { type PartOptions, partSize, partsAtOnce } from './part-size';
import { Pace, type PublishProgress } from './progress';
import { PublishError } from './publish-error';
import { type BucketOptions, StoreCalls, UploadGone } from './store-calls';
import { StoredObjects } from './stored-objects';

export interface PublishOptions extends BucketOptions, PartOptions, SourceOptions {
  /** What stands before the digest in the key. @default 'models/', as ModelStore has it */
  readonly prefix?: string;
  readonly onProgress?: (progress: PublishProgress) => void;
}

export interface PublishResult {
  /** The content digest: a directory's and its archive's are equal. */
  readonly digest: string;
  readonly bucket: string;
  readonly key: string;
  /** `s3://<bucket>/<key>` */
  readonly uri: string;
  /** Bytes of the archive in S3. */
  readonly bytes: number;
  /** Bytes that went over the network in this run. */
  readonly sent: number;
  /** Whether it was there already, whole. */
  readonly reused: boolean;
}

/**
 * Packs a model directory straight into the model store, as `<prefix><digest>.tar.gz`: no file in between, parts in parallel, each and the
 * whole checked by S3 against a CRC-32. An existing `.tar.gz` goes up as it is once checked. What is there already, the same files packed in
 * another way too, is not sent again.
 *
 * A run that ended in any way is gone on with by the next: S3 lists the parts that it has. `abortPublish` removes them instead.
 *
 * @param model a directory, or a `.tar.gz`
 * @throws ModelError as `archive` does, and for a file as `archiveDigest` does; PublishError; `signal.reason`
 */
export async function publish(model: string, options: PublishOptions): Promise<PublishResult> {
  const concurrency = partsAtOnce(options);
  const source = await archiveSource(model, options);
  const key = archiveKey(source.digest, options.prefix);
  const calls = new StoreCalls(options);
  const objects = new StoredObjects(calls);
  const result = { digest: source.digest, bucket: options.bucket, key, uri: calls.uri(key) };

  const there = await objects.find(key);
  if (there !== undefined) return { ...result, bytes: there.size, sent: 0, reused: true };

  const pace = new Pace(source.bytes);
  let sent = 0;
  const run = async (resume: boolean): Promise<Uploaded> => {
    let packed = 0;
    let produced = 0;
    let stored = 0;
    const upload = new ObjectUpload(objects, new MultipartUploads(calls, objects), {
      key,
      contentType: 'application/gzip',
      partSize: partSize(source.archiveBytes, options),
      concurrency,
      resume,
      onPart: (bytes, before) => {
        stored += bytes;
        if (!before) sent += bytes;
        // How far the files are follows from how far the archive is: what is packed ahead of S3 does not count.
        options.onProgress?.(pace.at(Math.round(packed * Math.min(1, stored / produced)), sent));
      },
    });
    let written = Promise.resolve();
    const sink = (pieces: readonly Uint8Array[]) => {
      written = written.then(async () => {
        for (const piece of pieces) {
          produced += piece.length;
          await upload.write(piece);
        }
      });
      return written;
    };
    try {
      await source.write(sink, (bytes) => (packed = bytes));
      return await upload.end();
    } finally {
      await upload.settle();
    }
  };

  const { bytes, taken } = await runTwice(run, async () => {
    const other = await objects.find(key);
    return other && { bytes: other.size, taken: true };
  });
  return { ...result, bytes, sent, reused: taken && sent === 0 };
}

/** The key of the archive with this content. @throws PublishError `invalid` */
export function archiveKey(digest: string, prefix = 'models/'): string {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new PublishError('invalid', `a content digest is 64 hexadecimal digits, got '${digest}'`);
  return `${prefix}${digest}.tar.gz`;
}

/** Runs once more, on its own, when somebody else finished, removed or spoiled the upload that was shared. */
async function runTwice(run: (resume: boolean) => Promise<Uploaded>, other: () => Promise<Uploaded | undefined>): Promise<Uploaded> {
  try {
    return await run(true);
  } catch (error) {
    if (!(error instanceof UploadGone)) throw error;
  }
  return (await other()) ?? run(false);
}
