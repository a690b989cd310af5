import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ObjectStore } from '../storage/objects';
import type { ModelDataPlace } from './place';
import { unpack } from './unpack';

/** An archive's key that says the content digest of what is in it. */
const CONTENT_NAME = /^([0-9a-f]{64})\.tar\.gz$/;

/** Models' files as directories, unpacked once and kept until the server ends. */
export class ModelFiles {
  private readonly opening = new Map<string, Promise<string>>();
  private directory: Promise<string> | undefined;

  constructor(private readonly objects: ObjectStore) {}

  /**
   * The directory with what a container finds in /opt/ml/model.
   *
   * @param place undefined for a container without a model: an empty directory
   * @throws Error in SageMaker's words where there is no such data; where it is damaged, not safe to unpack, or other than its name or ETag says
   */
  async open(place: ModelDataPlace | undefined): Promise<string> {
    if (place === undefined) return this.once('nothing', (directory) => mkdir(directory, { recursive: true }));
    if (place.bucket === undefined) return this.openLocal(place);
    const { bucket, key } = place;
    if (place.prefix) {
      const stats = await Promise.all(
        (await this.objects.list(bucket, key)).map(async (file) => `${file} ${(await this.objects.stat(bucket, file))?.etag}`),
      );
      return this.once(`${place.uri}\n${stats.join('\n')}`, (directory) => this.copyPrefix(bucket, key, directory));
    }
    const found = await this.objects.stat(bucket, key);
    if (found === undefined) throw new Error(missing(place.uri));
    if (place.etag !== undefined && place.etag.replaceAll('"', '') !== found.etag) {
      throw new Error(`The model data at ${place.uri} has the ETag ${found.etag}, and the model wants ${place.etag}.`);
    }
    return this.once(`${place.uri}\n${found.etag}`, async (directory) => {
      await checkedUnpack(await this.objects.read(bucket, key), directory, place.uri);
    });
  }

  /** Removes everything that was unpacked. */
  async close(): Promise<void> {
    await Promise.allSettled(this.opening.values());
    if (this.directory !== undefined) await rm(await this.directory, { recursive: true, force: true });
  }

  private async openLocal({ key, uri }: ModelDataPlace): Promise<string> {
    const found = await stat(key).catch(() => undefined);
    if (found === undefined) throw new Error(missing(uri));
    if (found.isDirectory()) return key;
    return this.once(`${uri}\n${found.size} ${found.mtimeMs}`, (directory) => checkedUnpack(createReadStream(key), directory, uri));
  }

  /** Makes a directory for what `identity` stands for, unless it is there or under way. */
  private once(identity: string, fill: (directory: string) => Promise<unknown>): Promise<string> {
    const known = this.opening.get(identity);
    if (known !== undefined) return known;
    const opening = this.fill(createHash('sha256').update(identity).digest('hex').slice(0, 24), fill);
    this.opening.set(identity, opening);
    opening.catch(() => this.opening.delete(identity));
    return opening;
  }

  private async fill(name: string, fill: (directory: string) => Promise<unknown>): Promise<string> {
    this.directory ??= mkdtemp(join(tmpdir(), 'fledge-models-'));
    const directory = join(await this.directory, name);
    const partial = `${directory}.${randomUUID()}`;
    try {
      await fill(partial);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
    await rename(partial, directory);
    return directory;
  }

  private async copyPrefix(bucket: string, prefix: string, directory: string): Promise<void> {
    const keys = await this.objects.list(bucket, prefix);
    if (keys.length === 0) throw new Error(missing(`s3://${bucket}/${prefix}`));
    for (const key of keys) {
      const path = key.slice(prefix.length).replace(/^\/+/, '');
      if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
        throw new Error(`the key ${key} is no path of a file`);
      const target = join(directory, path);
      await mkdir(dirname(target), { recursive: true });
      await pipeline(await this.objects.read(bucket, key), createWriteStream(target, { mode: 0o644 }));
    }
  }
}

async function checkedUnpack(archive: Parameters<typeof unpack>[0], directory: string, uri: string): Promise<void> {
  const digest = await unpack(archive, directory).catch((error: Error) => {
    throw new Error(
      `Failed to extract model data archive from URL "${uri}": ${error.message}. Please ensure that the object located at the URL is a valid tar.gz archive.`,
    );
  });
  const [, named] = CONTENT_NAME.exec(basename(uri)) ?? [];
  if (named !== undefined && named !== digest) {
    throw new Error(`The model data at ${uri} is not what its name says: the content digest of its files is ${digest}.`);
  }
}

function missing(uri: string): string {
  return `Failed to download model data from URL "${uri}". Please ensure that there is an object located at the URL and that the role passed to CreateModel has permissions to download the object.`;
}
