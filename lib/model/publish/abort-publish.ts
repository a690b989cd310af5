import { MultipartUploads } from './multipart-uploads';
import { markKey } from './publish-files';
import { type BucketOptions, StoreCalls } from './store-calls';
import { StoredObjects } from './stored-objects';

export interface AbortPublishOptions extends BucketOptions {
  /** What stands before the digest in the keys. @default 'models/' */
  readonly prefix?: string;
  /** Only what was left of this model. @default - of every model below the prefix, but then no files of uncompressed versions */
  readonly digest?: string;
}

/** What was removed. */
export interface AbortPublishResult {
  /** Unfinished multipart uploads. */
  readonly uploads: number;
  /** Files of an uncompressed version that never got its manifest. */
  readonly files: number;
}

/** Removes what unfinished publishes left in S3 and would be paid for. What is published stays. */
export async function abortPublish(options: AbortPublishOptions): Promise<AbortPublishResult> {
  const { prefix = 'models/', digest } = options;
  const calls = new StoreCalls(options);
  const objects = new StoredObjects(calls);
  const uploads = new MultipartUploads(calls, objects);
  const left = await uploads.below(`${prefix}${digest ?? ''}`);
  for (const { key, id } of left) await uploads.abort(key, id);
  if (digest === undefined || (await objects.find(markKey(digest, prefix))) !== undefined) return { uploads: left.length, files: 0 };
  const files = await objects.list(`${prefix}${digest}/`);
  for (const { key } of files) await objects.remove(key);
  return { uploads: left.length, files: files.length };
}
