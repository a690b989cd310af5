import { createHash } from 'node:crypto';
import { contentDigest, listTree, manifestText } from '../digest';
import { copyWithin } from './copy-within';
import { EarlierVersions } from './earlier-versions';
import { MultipartUploads } from './multipart-uploads';
import { type PartOptions, partSize, partsAtOnce } from './part-size';
import { Pace, type PublishProgress } from './progress';
import { PublishError } from './publish-error';
import { sendFile } from './send-file';
import { type BucketOptions, StoreCalls } from './store-calls';
import { StoredObjects } from './stored-objects';

export interface PublishFilesOptions extends BucketOptions, PartOptions {
  /** What stands before the digest in the keys. @default 'models/', as ModelStore has it */
  readonly prefix?: string;
  /** Where hashes of unchanged files are remembered. @default - `$XDG_CACHE_HOME/cdk-fledge`, else `~/.cache/cdk-fledge` */
  readonly cacheDirectory?: string;
  /** How many earlier versions, the latest first, are looked through for files that need not go up again. @default 10 */
  readonly earlierVersions?: number;
  readonly onProgress?: (progress: PublishProgress) => void;
}

export interface PublishFilesResult {
  /** The content digest of the directory. */
  readonly digest: string;
  readonly bucket: string;
  /** `s3://<bucket>/<prefix><digest>/`: what SageMaker takes as an `S3Prefix` without compression. */
  readonly uri: string;
  /** Key of the manifest, outside that prefix. It is written last: a version without it is not published. */
  readonly mark: string;
  /** Bytes that went over the network in this run. */
  readonly sent: number;
  /** Bytes that were copied inside S3 from earlier versions. */
  readonly copied: number;
  /** Bytes that an earlier run of the same publish had brought there. */
  readonly found: number;
  /** Empty directories, which S3 does not have: the container will not see them. */
  readonly omitted: readonly string[];
  /** Whether the version was there already, whole. */
  readonly reused: boolean;
}

const LONGEST_KEY = 1024;
const EARLIER_VERSIONS = 10;
/** S3 copies no more in one call. */
const LARGEST_COPY = 5 * 2 ** 30;

/**
 * Publishes a model directory file by file, as SageMaker loads large models without unpacking them: below `<prefix><digest>/`, a new prefix a
 * version. A file that an earlier version has is copied inside S3, the others go up, and the manifest outside the prefix says at last that
 * the version is whole. Run again, it goes on where it stopped.
 *
 * @throws ModelError as `contentDigest` does; PublishError; `signal.reason`
 */
export async function publishFiles(directory: string, options: PublishFilesOptions): Promise<PublishFilesResult> {
  const concurrency = partsAtOnce(options);
  const { prefix = 'models/' } = options;
  const entries = listTree(directory);
  const content = contentDigest(directory, options);
  const below = `${prefix}${content.digest}/`;
  const mark = markKey(content.digest, prefix);
  const calls = new StoreCalls(options);
  const objects = new StoredObjects(calls);
  const uploads = new MultipartUploads(calls, objects);
  const files = entries.map((entry, index) => ({ entry, ...content.manifest[index]! })).filter(({ path }) => !path.endsWith('/'));
  const omitted = entries.map(({ path }) => path).filter((path) => path.endsWith('/'));
  for (const { path } of files) mustFit(below + path);
  const counts = { sent: 0, copied: 0, found: 0 };
  const result = (reused: boolean): PublishFilesResult => ({
    digest: content.digest,
    bucket: options.bucket,
    uri: calls.uri(below),
    mark,
    ...counts,
    omitted,
    reused,
  });
  if ((await objects.find(mark)) !== undefined) return result(true);

  const there = new Map((await objects.list(below)).map(({ key, size }) => [key, size]));
  const earlier = await EarlierVersions.read(objects, prefix, options.earlierVersions ?? EARLIER_VERSIONS);
  const pace = new Pace(content.bytes);
  const count = (what: keyof typeof counts, bytes: number) => {
    counts[what] += bytes;
    options.onProgress?.(pace.at(counts.sent + counts.copied + counts.found, counts.sent));
  };

  const copies: (() => Promise<void>)[] = [];
  const sends: (() => Promise<void>)[] = [];
  const largeSends: (() => Promise<void>)[] = [];
  for (const { entry, path, size, sha256 } of files) {
    const key = below + path;
    const standing = there.get(key);
    if (standing !== undefined && standing !== size) throw strange(calls.uri(key), standing, size);
    const source = standing === undefined ? await earlier.find(sha256, size) : undefined;
    const part = partSize(size, options);
    if (standing !== undefined) count('found', size);
    else if (source !== undefined) {
      copies.push(async () => {
        if (size <= LARGEST_COPY) await objects.copy(source, key, Buffer.from(sha256, 'hex').toString('base64'));
        else await copyWithin(source, key, uploads, concurrency);
        count('copied', size);
      });
    } else {
      const onPart = (bytes: number, before: boolean) => count(before ? 'found' : 'sent', bytes);
      const send = { key, sha256, partSize: part, concurrency, onPart };
      (size > part ? largeSends : sends).push(() => sendFile(entry, objects, uploads, send));
    }
  }
  await inParallel([...copies, ...sends], concurrency);
  // A large file goes up in parallel parts by itself.
  await inParallel(largeSends, 1);
  await uploads.tidy(() => uploads.below(below));
  const text = Buffer.from(manifestText(content.manifest));
  await objects.put(mark, text, 'application/jsonl', { sha256: createHash('sha256').update(text).digest('base64') });
  return result(false);
}

/** The key of the manifest that marks a version as published. */
export function markKey(digest: string, prefix = 'models/'): string {
  return `${prefix}${digest}.manifest`;
}

async function inParallel(tasks: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const left = tasks.values();
  const failed: unknown[] = [];
  const worker = async () => {
    for (const task of left) {
      if (failed.length > 0) return;
      await task().catch((error) => failed.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failed.length > 0) throw failed[0];
}

function mustFit(key: string): void {
  if (Buffer.byteLength(key) <= LONGEST_KEY) return;
  throw new PublishError(
    'invalid',
    `S3 takes keys of ${LONGEST_KEY} bytes, and ${key} has ${Buffer.byteLength(key)}: shorten the file's path`,
  );
}

function strange(uri: string, standing: number, size: number): PublishError {
  return new PublishError(
    'integrity',
    `${uri} is there with ${standing} bytes, and this model's has ${size}: somebody else wrote it; remove it, then try again`,
  );
}
