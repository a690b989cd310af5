import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { isMissing, isPreconditionFailed } from './aws-errors';
import type { Ports } from './ports';

/** A JSON document in the stage's bucket, with the tag that a conditional write compares. */
export interface Stored<T> {
  readonly value: T;
  readonly etag: string;
}

/** The stage's bucket: JSON documents, written under conditions. */
export class Store {
  /** @param folder below which its keys are, ending in `/` */
  constructor(
    private readonly ports: Pick<Ports, 's3'>,
    readonly bucket: string,
    private readonly folder = '',
  ) {}

  /** Undefined where there is none. */
  async read<T>(key: string): Promise<Stored<T> | undefined> {
    try {
      const object = await this.ports.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: this.folder + key }));
      return { value: JSON.parse(await object.Body!.transformToString()) as T, etag: object.ETag! };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Writes whatever stands there. */
  async write(key: string, value: unknown): Promise<void> {
    await this.put(key, value, {});
  }

  /** Writes where nothing stands. @returns whether it was written */
  async create(key: string, value: unknown): Promise<boolean> {
    return this.conditionally(() => this.put(key, value, { IfNoneMatch: '*' }));
  }

  /** Writes over the version with this tag. @returns whether it was written */
  async replace(key: string, value: unknown, etag: string): Promise<boolean> {
    return this.conditionally(() => this.put(key, value, { IfMatch: etag }));
  }

  /** Keys below a prefix, in their order. */
  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const Prefix = this.folder + prefix;
      const page = await this.ports.s3.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix, ContinuationToken: token }));
      for (const { Key } of page.Contents ?? []) keys.push(Key!.slice(this.folder.length));
      token = page.NextContinuationToken;
    } while (token);
    return keys;
  }

  /** Names of the folders right below a prefix that ends in `/`, in their order. */
  async folders(prefix: string): Promise<string[]> {
    const names: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.ports.s3.send(
        new ListObjectsV2Command({ Bucket: this.bucket, Prefix: this.folder + prefix, Delimiter: '/', ContinuationToken: token }),
      );
      for (const { Prefix } of page.CommonPrefixes ?? []) names.push(Prefix!.slice(this.folder.length + prefix.length, -1));
      token = page.NextContinuationToken;
    } while (token);
    return names;
  }

  private async put(key: string, value: unknown, condition: { IfNoneMatch?: string; IfMatch?: string }): Promise<void> {
    const body = `${JSON.stringify(value, null, 1)}\n`;
    await this.ports.s3.send(
      new PutObjectCommand({ Bucket: this.bucket, Key: this.folder + key, Body: body, ContentType: 'application/json', ...condition }),
    );
  }

  private async conditionally(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (isPreconditionFailed(error)) return false;
      throw error;
    }
  }
}
