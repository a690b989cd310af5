import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ServiceError } from '../../server';
import { type DirectoryObjects, moveIn } from '../directory-objects';
import { type Algorithm, type Checksum, checksum } from './checksum';

/** What is kept of an object beside its bytes. */
export interface ObjectFacts {
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
  /** Milliseconds since 1970, by the local clock. */
  readonly modified: number;
  readonly contentType?: string;
  /** `x-amz-meta-*`, without the prefix. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Cache-Control and the like, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly algorithm?: Algorithm;
  readonly checksum?: string;
  readonly checksumType?: 'FULL_OBJECT' | 'COMPOSITE';
}

/** What came with an object or a part. */
export interface Arrived {
  readonly size: number;
  /** MD5 in hex. */
  readonly md5: string;
  readonly algorithm?: Algorithm;
  readonly checksum?: string;
}

/** S3's rule for a bucket's name; what keeps to it leads to no other directory. */
export const isBucketName = (name: string): boolean => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);

/** Objects with their facts, below the directory of the local S3: bytes as plain files, facts in files of their own beside the buckets. */
export class KeptObjects {
  private readonly busy = new Map<string, Promise<unknown>>();

  constructor(private readonly objects: DirectoryObjects) {}

  /** Runs one change of an object after the other: what makes a conditional write one. */
  async alone<T>(bucket: string, key: string, action: () => Promise<T>): Promise<T> {
    const name = `${bucket}/${key}`;
    const before = this.busy.get(name) ?? Promise.resolve();
    const mine = before.then(action, action);
    this.busy.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.busy.get(name) === mine) this.busy.delete(name);
    }
  }

  async hasBucket(bucket: string): Promise<boolean> {
    if (!isBucketName(bucket)) return false;
    const found = await stat(join(this.objects.directory, bucket)).catch(() => undefined);
    return found?.isDirectory() ?? false;
  }

  async createBucket(bucket: string): Promise<void> {
    await mkdir(join(this.objects.directory, bucket), { recursive: true, mode: 0o700 });
  }

  async deleteBucket(bucket: string): Promise<void> {
    if ((await this.objects.list(bucket, '')).length > 0)
      throw new ServiceError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
    await rm(join(this.objects.directory, bucket), { recursive: true });
    await rm(join(this.objects.directory, `.facts-${bucket}`), { recursive: true, force: true });
  }

  async buckets(): Promise<string[]> {
    const entries = await readdir(this.objects.directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name);
  }

  /** Undefined where there is no such object. What another service wrote has no facts beside it but those of its file. */
  async facts(bucket: string, key: string): Promise<ObjectFacts | undefined> {
    const found = await this.objects.stat(bucket, key);
    if (!found) return undefined;
    const kept = await readFile(this.factsPath(bucket, key), 'utf8').catch(() => undefined);
    if (kept) {
      const { stamp, facts } = JSON.parse(kept) as { stamp: string; facts: ObjectFacts };
      if (stamp === found.etag) return facts;
    }
    const { mtimeMs } = await stat(this.objects.pathOf(bucket, key));
    return { size: found.size, etag: `"${found.etag}"`, modified: mtimeMs, metadata: {} };
  }

  /** Facts and bytes that belong together, whoever writes meanwhile; undefined where there is no such object. The file is the caller's to close, or to read to its end. */
  open(bucket: string, key: string): Promise<{ readonly facts: ObjectFacts; readonly file: FileHandle } | undefined> {
    return this.alone(bucket, key, async () => {
      const facts = await this.facts(bucket, key);
      return facts && { facts, file: await open(this.objects.pathOf(bucket, key)) };
    });
  }

  read(bucket: string, key: string, range?: { start: number; end: number }): Readable {
    return createReadStream(this.objects.pathOf(bucket, key), { ...range, highWaterMark: 1 << 20 });
  }

  keys(bucket: string, prefix: string): Promise<readonly string[]> {
    return this.objects.list(bucket, prefix);
  }

  /** @throws ServiceError KeyTooLongError where a part of the key cannot be a file's name */
  checkKey(bucket: string, key: string): void {
    try {
      this.objects.pathOf(bucket, key);
    } catch (error) {
      throw new ServiceError('KeyTooLongError', (error as Error).message);
    }
  }

  /** A file that is nowhere yet, to be filled and then moved in. */
  async draft(): Promise<string> {
    const folder = join(this.objects.directory, '.drafts');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return join(folder, randomUUID());
  }

  /** Moves a filled draft in as an object. */
  async adopt(draft: string, bucket: string, key: string, facts: ObjectFacts): Promise<void> {
    await moveIn(draft, this.objects.pathOf(bucket, key)).catch(async (error: NodeJS.ErrnoException) => {
      await rm(draft, { force: true });
      if (!['ENOTDIR', 'EEXIST', 'EISDIR'].includes(error.code!)) throw error;
      throw new ServiceError('InvalidRequest', `The local S3 keeps objects as files: ${key} and an object below it cannot both be there.`);
    });
    const stamp = (await this.objects.stat(bucket, key))!.etag;
    const beside = this.factsPath(bucket, key);
    await mkdir(dirname(beside), { recursive: true });
    await writeFile(beside, JSON.stringify({ stamp, facts }));
  }

  async delete(bucket: string, key: string): Promise<void> {
    await rm(this.factsPath(bucket, key), { force: true });
    await this.objects.remove(bucket, key);
  }

  /** The folder of a multipart upload's parts. */
  uploadFolder(id: string): string {
    return join(this.objects.directory, '.uploads', id);
  }

  async uploads(): Promise<string[]> {
    return readdir(join(this.objects.directory, '.uploads')).catch(() => []);
  }

  private factsPath(bucket: string, key: string): string {
    return `${this.objects.pathOf(`.facts-${bucket}`, key)}.json`;
  }
}

/**
 * Writes a body to a file, counting and summing on the way.
 *
 * @throws whatever the body throws; the file is removed then
 */
export async function fill(file: string, body: AsyncIterable<Uint8Array>, algorithm?: Algorithm): Promise<Arrived> {
  const md5 = createHash('md5');
  const sum: Checksum | undefined = algorithm && checksum(algorithm);
  let size = 0;
  const counted = async function* () {
    for await (const part of body) {
      const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
      size += bytes.length;
      md5.update(bytes);
      sum?.update(bytes);
      yield bytes;
    }
  };
  try {
    await pipeline(counted, createWriteStream(file, { mode: 0o600 }));
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  return { size, md5: md5.digest('hex'), algorithm, checksum: await sum?.digest() };
}
