import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { makeDirectory } from '../../model/make-directory';
import { NoSuchObject, type ObjectStore } from './objects';

/** Longest part of a key that becomes one file's name: file systems take 255 bytes. */
const LONGEST_NAME = 200;

const EMPTY_PART = '%00';

/**
 * Objects as files below a directory, `<bucket>/<key>`. A part of a key that is no plain file name (empty, `.`, `..`, a leading `%`, too long) is
 * written percent-encoded.
 */
export class DirectoryObjects implements ObjectStore {
  private constructor(
    readonly directory: string,
    private readonly temporary: boolean,
  ) {}

  /** @param directory a temporary one, removed on close, where none is given */
  static async open(directory?: string): Promise<DirectoryObjects> {
    if (directory === undefined) return new DirectoryObjects(await mkdtemp(join(tmpdir(), 'fledge-s3-')), true);
    makeDirectory(directory, 0o700);
    return new DirectoryObjects(directory, false);
  }

  async close(): Promise<void> {
    if (this.temporary) await rm(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }

  async read(bucket: string, key: string): Promise<Readable> {
    if ((await this.stat(bucket, key)) === undefined) throw new NoSuchObject(bucket, key);
    return createReadStream(this.pathOf(bucket, key));
  }

  async write(bucket: string, key: string, body: Buffer | AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.pathOf(bucket, key);
    const partial = join(this.directory, `.${basename(path)}.${process.hrtime.bigint()}`);
    const file = await open(partial, 'w', 0o600);
    try {
      if (Buffer.isBuffer(body)) await file.writeFile(body);
      else for await (const part of body) await file.write(part);
      await moveIn(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  }

  /** Removes an object, and the folders that were only there for it: else none could be called as they are. */
  async remove(bucket: string, key: string): Promise<void> {
    const path = this.pathOf(bucket, key);
    await rm(path, { force: true }).catch((error: NodeJS.ErrnoException) => {
      // A folder, or below a file: no object has this key.
      if (!['ERR_FS_EISDIR', 'EISDIR', 'ENOTDIR'].includes(error.code!)) throw error;
    });
    const root = join(this.directory, encoded(bucket));
    try {
      for (let folder = dirname(path); folder.length > root.length; folder = dirname(folder)) await rmdir(folder);
    } catch {
      // It holds other objects, or is gone.
    }
  }

  async stat(bucket: string, key: string): Promise<{ readonly size: number; readonly etag: string } | undefined> {
    const found = await stat(this.pathOf(bucket, key)).catch(() => undefined);
    if (!found?.isFile()) return undefined;
    const etag = createHash('md5').update(`${found.size}:${found.mtimeMs}:${found.ino}`).digest('hex');
    return { size: found.size, etag };
  }

  async list(bucket: string, prefix: string): Promise<readonly string[]> {
    const entries = await readdir(join(this.directory, bucket), { recursive: true, withFileTypes: true }).catch(() => []);
    const root = join(this.directory, bucket);
    const keys = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .map((path) => path.split('/').map(decoded).join('/'))
      .filter((key) => key.startsWith(prefix));
    return keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  }

  /** Where an object's bytes are, whether it exists or not. */
  pathOf(bucket: string, key: string): string {
    return join(this.directory, encoded(bucket), ...key.split('/').map(encoded));
  }
}

/** What moving in says where a deletion takes a folder away meanwhile; a file that stands in the way says the last two as well. */
const TAKEN_AWAY = ['ENOENT', 'EEXIST', 'ENOTDIR'];
const MOST_TRIES = 50;

/** Moves a file to an object's place, and makes its folders, again where a deletion takes them away meanwhile. */
export async function moveIn(file: string, path: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await mkdir(dirname(path), { recursive: true });
      return await rename(file, path);
    } catch (error) {
      if (!TAKEN_AWAY.includes((error as NodeJS.ErrnoException).code!) || tries === MOST_TRIES) throw error;
    }
  }
}

function encoded(part: string): string {
  if (part === '' || part === '.' || part === '..') return part === '' ? EMPTY_PART : part.replaceAll('.', '%2E');
  const name = part.replaceAll('%', '%25').replaceAll('\\', '%5C').replaceAll('/', '%2F');
  if (Buffer.byteLength(name) > LONGEST_NAME) throw new Error(`a part of the object's key is longer than ${LONGEST_NAME} bytes: ${part}`);
  return name;
}

function decoded(name: string): string {
  return name === EMPTY_PART ? '' : decodeURIComponent(name);
}
