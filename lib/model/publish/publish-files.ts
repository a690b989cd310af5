import { createHash } from 'node:crypto';
import { listTree, manifestText, readDigest, type TreeEntry } from '../digest';
import { mustBeSafe, type SafetyOptions } from '../inspect/must-be-safe';
import { copyWithin } from './copy-within';
import { EarlierVersions } from './earlier-versions';
import { MultipartUploads } from './multipart-uploads';
import { type PartOptions, partSize, partsAtOnce } from './part-size';
import { Pace, type PublishProgress } from './progress';
import { PublishError } from './publish-error';
import { sendFile } from './send-file';
import { type BucketOptions, StoreCalls } from './store-calls';
import { StoredObjects } from './stored-objects';

export interface PublishFilesOptions extends BucketOptions, PartOptions, SafetyOptions {
  /** What stands before the digest in the keys. @default 'models/', as ModelStore has it */
  readonly prefix?: string;
  /** How many earlier versions, the latest first, are looked through for files that need not go up again. @default 10 */
  readonly earlierVersions?: number;
  /** Called with the bytes that are hashed, before anything is sent. */
  readonly onRead?: (bytes: number) => void;
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
 * @throws ModelError as `contentDigest` does, `scan-refused`; PublishError; `signal.reason`
 */
export async function publishFiles(directory: string, options: PublishFilesOptions): Promise<PublishFilesResult> {
  const concurrency = partsAtOnce(options);
  const { prefix = 'models/', bucket } = options;
  const entries = listTree(directory);
  mustBeSafe(directory, options);
  const content = await readDigest(directory, { ...options, onProgress: options.onRead });
  const { digest } = content;
  const below = `${prefix}${digest}/`;
  const mark = markKey(digest, prefix);
  const calls = new StoreCalls(options);
  const objects = new StoredObjects(calls);
  const uploads = new MultipartUploads(calls, objects);
  const [directories, files] = split(
    entries.map((entry, index) => ({ entry, key: below + entry.path, sha256: content.manifest[index]!.sha256 })),
  );
  for (const { key } of files) mustFit(key);

  const bytes = { sent: 0, copied: 0, found: 0 };
  const named = { digest, bucket, uri: calls.uri(below), mark, omitted: directories.map(({ entry }) => entry.path) };
  if ((await objects.find(mark)) !== undefined) return { ...named, ...bytes, reused: true };

  const pace = new Pace(content.bytes);
  const count = (what: keyof typeof bytes, more: number) => {
    bytes[what] += more;
    options.onProgress?.(pace.at(bytes.sent + bytes.copied + bytes.found, bytes.sent));
  };
  const there = new Map((await objects.list(below)).map(({ key, size }) => [key, size]));
  const earlier = await EarlierVersions.read(objects, prefix, options.earlierVersions ?? EARLIER_VERSIONS);
  const parallel: Task[] = [];
  const large: Task[] = [];
  for (const { entry, key, sha256 } of files) {
    const { size } = entry;
    const standing = there.get(key);
    if (standing !== undefined && standing !== size) throw strange(calls.uri(key), standing, size);
    const source = standing === undefined ? await earlier.find(sha256, size) : undefined;
    const part = partSize(size, options);
    const onPart = (more: number, before: boolean) => count(before ? 'found' : 'sent', more);
    const send = () => sendFile(entry, objects, uploads, { key, sha256, partSize: part, concurrency, onPart });
    if (standing !== undefined) count('found', size);
    else if (source !== undefined) {
      parallel.push(async () => {
        if (size > LARGEST_COPY) await copyWithin(source, key, uploads, concurrency);
        else if (!(await objects.copy(source, key, Buffer.from(sha256, 'hex').toString('base64')))) return send();
        count('copied', size);
      });
    } else {
      (size > part ? large : parallel).push(send);
    }
  }
  await inParallel(parallel, concurrency);
  // A large file goes up in parallel parts by itself.
  await inParallel(large, 1);
  await uploads.tidy(() => uploads.below(below));
  const text = Buffer.from(manifestText(content.manifest));
  await objects.put(mark, text, 'application/jsonl', { sha256: createHash('sha256').update(text).digest('base64') });
  return { ...named, ...bytes, reused: false };
}

/** The key of the manifest that marks a version as published. */
export function markKey(digest: string, prefix = 'models/'): string {
  return `${prefix}${digest}.manifest`;
}

type Task = () => Promise<void>;

async function inParallel(tasks: readonly Task[], atOnce: number): Promise<void> {
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

/** Empty directories, and files. */
function split<T extends { readonly entry: TreeEntry }>(all: readonly T[]): [T[], T[]] {
  const isDirectory = ({ entry }: T) => entry.path.endsWith('/');
  return [all.filter(isDirectory), all.filter((one) => !isDirectory(one))];
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
