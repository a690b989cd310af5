import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { isMissing, isPreconditionFailed } from './aws-errors';
import type { Ports } from './ports';

/** A JSON document in the stage's bucket, with the tag that a conditional write compares. */
export interface Stored<T> {
  readonly value: T;
  readonly etag: string;
}

interface Condition {
  readonly IfNoneMatch?: string;
  readonly IfMatch?: string;
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
    const found = await this.get(key);
    return found && { value: JSON.parse(found.text) as T, etag: found.etag };
  }

  /** Writes whatever stands there. */
  async write(key: string, value: unknown): Promise<void> {
    await this.put(key, bodyOf(value), {});
  }

  /** Writes where nothing stands. @returns whether it was written */
  async create(key: string, value: unknown): Promise<boolean> {
    return this.conditionally(key, value, { IfNoneMatch: '*' });
  }

  /** Writes over the version with this tag. @returns whether it was written */
  async replace(key: string, value: unknown, etag: string): Promise<boolean> {
    return this.conditionally(key, value, { IfMatch: etag });
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

  private async get(key: string): Promise<{ text: string; etag: string } | undefined> {
    try {
      const object = await this.ports.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: this.folder + key }));
      return { text: await object.Body!.transformToString(), etag: object.ETag! };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  private async put(key: string, Body: string, condition: Condition): Promise<void> {
    await this.ports.s3.send(
      new PutObjectCommand({ Bucket: this.bucket, Key: this.folder + key, Body, ContentType: 'application/json', ...condition }),
    );
  }

  private async conditionally(key: string, value: unknown, condition: Condition): Promise<boolean> {
    const body = bodyOf(value);
    try {
      await this.put(key, body, condition);
      return true;
    } catch (error) {
      if (!isPreconditionFailed(error)) throw error;
      // A client that did not hear that it had written writes again, and then finds its own document there.
      return (await this.get(key))?.text === body;
    }
  }
}

const bodyOf = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;
