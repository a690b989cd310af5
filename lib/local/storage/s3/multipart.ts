import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../../server';
import { type Algorithm, compositeChecksum } from './checksum';
import { type Arrived, fill, type KeptObjects, type ObjectFacts } from './kept-objects';

/** S3's least size of a part that is not the last, in bytes. */
const LEAST_PART = 5 * 1024 * 1024;

/** An upload that was begun. */
export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly begun: number;
  readonly contentType?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly algorithm?: Algorithm;
  readonly checksumType: 'FULL_OBJECT' | 'COMPOSITE';
}

export interface Part extends Arrived {
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** What CompleteMultipartUpload names. */
export interface NamedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksum?: string;
}

/** Multipart uploads: each a folder of parts until it is completed or aborted. */
export class Multipart {
  constructor(private readonly kept: KeptObjects) {}

  async begin(upload: Omit<Upload, 'id'>): Promise<string> {
    const id = randomUUID();
    await mkdir(this.kept.uploadFolder(id), { recursive: true, mode: 0o700 });
    await writeFile(join(this.kept.uploadFolder(id), 'upload.json'), JSON.stringify({ ...upload, id }));
    return id;
  }

  /** @throws ServiceError NoSuchUpload */
  async find(bucket: string, key: string, id: string): Promise<Upload> {
    const text = /^[0-9a-f-]{36}$/.test(id)
      ? await readFile(join(this.kept.uploadFolder(id), 'upload.json'), 'utf8').catch(() => undefined)
      : undefined;
    const upload = text === undefined ? undefined : (JSON.parse(text) as Upload);
    if (upload?.bucket !== bucket || upload.key !== key) {
      throw new ServiceError(
        'NoSuchUpload',
        'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
        404,
      );
    }
    return upload;
  }

  async list(bucket: string): Promise<Upload[]> {
    const all = await Promise.all(
      (await this.kept.uploads()).map((id) => readFile(join(this.kept.uploadFolder(id), 'upload.json'), 'utf8').catch(() => undefined)),
    );
    return all.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as Upload])).filter((upload) => upload.bucket === bucket);
  }

  async put(upload: Upload, number: number, arrived: Arrived, draft: string, modified: number): Promise<void> {
    const folder = this.kept.uploadFolder(upload.id);
    await rename(draft, join(folder, `${number}.part`));
    await writeFile(join(folder, `${number}.json`), JSON.stringify({ ...arrived, number, modified } satisfies Part));
  }

  async parts(upload: Upload): Promise<Part[]> {
    const folder = this.kept.uploadFolder(upload.id);
    const names = (await readdir(folder)).filter((name) => /^\d+\.json$/.test(name));
    const parts = await Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Part));
    return parts.sort((a, b) => a.number - b.number);
  }

  async abort(upload: Upload): Promise<void> {
    await rm(this.kept.uploadFolder(upload.id), { recursive: true, force: true });
  }

  /**
   * Joins the named parts.
   *
   * @param expected checksum of the whole object, where the client gave one
   * @throws ServiceError InvalidPart, InvalidPartOrder, EntityTooSmall, BadDigest
   */
  async complete(
    upload: Upload,
    named: readonly NamedPart[],
    expected: string | undefined,
    modified: number,
  ): Promise<{ draft: string; facts: ObjectFacts }> {
    const have = new Map((await this.parts(upload)).map((part) => [part.number, part]));
    const parts = named.map(({ number, etag, checksum }, i) => {
      const part = have.get(number);
      if (part?.md5 !== etag.replaceAll('"', '') || (checksum !== undefined && checksum !== part.checksum)) {
        throw new ServiceError('InvalidPart', `One or more of the specified parts could not be found: part ${number} with ETag ${etag}`);
      }
      if (i > 0 && named[i - 1].number >= number)
        throw new ServiceError('InvalidPartOrder', 'The list of parts was not in ascending order.');
      if (i < named.length - 1 && part.size < LEAST_PART)
        throw new ServiceError(
          'EntityTooSmall',
          `Your proposed upload is smaller than the minimum allowed size: part ${number} has ${part.size} bytes`,
        );
      return part;
    });
    if (parts.length === 0) throw new ServiceError('MalformedXML', 'The list of parts is empty');
    const folder = this.kept.uploadFolder(upload.id);
    const draft = await this.kept.draft();
    const whole = await fill(
      draft,
      joined(parts.map((part) => join(folder, `${part.number}.part`))),
      upload.checksumType === 'FULL_OBJECT' ? upload.algorithm : undefined,
    );
    const composite =
      upload.algorithm && upload.checksumType === 'COMPOSITE'
        ? await compositeChecksum(
            upload.algorithm,
            parts.map((part) => part.checksum!),
          )
        : undefined;
    const checksum = whole.checksum ?? composite;
    if (expected !== undefined && expected !== checksum) {
      await rm(draft);
      throw new ServiceError('BadDigest', `The ${upload.algorithm} you specified did not match the calculated checksum.`);
    }
    const md5s = createHash('md5');
    for (const part of parts) md5s.update(Buffer.from(part.md5, 'hex'));
    const { contentType, metadata, headers, algorithm, checksumType } = upload;
    const facts: ObjectFacts = {
      size: whole.size,
      etag: `"${md5s.digest('hex')}-${parts.length}"`,
      modified,
      contentType,
      metadata,
      headers,
      algorithm,
      checksum,
      checksumType: algorithm && checksumType,
    };
    return { draft, facts };
  }
}

async function* joined(files: readonly string[]): AsyncIterable<Buffer> {
  for (const file of files) yield* createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
}
