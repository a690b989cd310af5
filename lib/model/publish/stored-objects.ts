import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { statusOf } from './publish-error';
import { type StoreCalls, UploadGone } from './store-calls';

export interface StoredObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly modified: Date;
}

/** The objects of the model store. None is ever overwritten. */
export class StoredObjects {
  constructor(private readonly calls: StoreCalls) {}

  async find(key: string): Promise<StoredObject | undefined> {
    return (await this.page({ Prefix: key, MaxKeys: 1 })).objects.find((object) => object.key === key);
  }

  /** @param delimiter `/` leaves out what has a further one behind the prefix */
  async list(prefix: string, delimiter?: string): Promise<StoredObject[]> {
    const all: StoredObject[] = [];
    for (let token: string | undefined, more = true; more; more = token !== undefined) {
      const page = await this.page({ Prefix: prefix, Delimiter: delimiter, ContinuationToken: token });
      all.push(...page.objects);
      token = page.next;
    }
    return all;
  }

  /** A small object as text. */
  async read(key: string): Promise<string> {
    return this.calls.call(`reading ${key}`, key, async (abortSignal) => {
      const { Body } = await this.calls.client.send(new GetObjectCommand({ ...this.calls.common, Key: key }), { abortSignal });
      return Body!.transformToString();
    });
  }

  /**
   * Writes an object that is not there yet.
   *
   * @param checksum of the bytes, base64: S3 refuses other bytes, and must answer with the same
   * @returns false when there is one already
   */
  async put(key: string, body: Buffer, contentType: string, checksum: { crc32: string } | { sha256: string }): Promise<boolean> {
    const sum = 'crc32' in checksum ? { ChecksumCRC32: checksum.crc32 } : { ChecksumSHA256: checksum.sha256 };
    try {
      await this.calls.call('sending it', key, async (abortSignal) => {
        const answer = await this.calls.client.send(
          new PutObjectCommand({
            ...this.calls.common,
            ...this.calls.encryption,
            ...sum,
            Key: key,
            Body: body,
            ContentType: contentType,
            IfNoneMatch: '*',
          }),
          { abortSignal },
        );
        for (const [name, sent] of Object.entries(sum)) {
          this.calls.verifyBytes(body, { checksum: answer[name as 'ChecksumCRC32'], etag: answer.ETag }, sent, this.calls.uri(key));
        }
      });
      return true;
    } catch (error) {
      if (await this.isTaken(error, key)) return false;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await this.calls.call('removing it', key, (abortSignal) =>
      this.calls.client.send(new DeleteObjectCommand({ ...this.calls.common, Key: key }), { abortSignal }),
    );
  }

  /**
   * Copies an object inside the bucket; one that is there already stays.
   *
   * @returns false when the copy has other bytes than it should: then it is removed
   */
  async copy(from: StoredObject, key: string, sha256: string): Promise<boolean> {
    let answered: string | undefined;
    try {
      await this.calls.call(`copying ${from.key}`, key, async (abortSignal) => {
        const { CopyObjectResult } = await this.calls.client.send(
          new CopyObjectCommand({
            ...this.calls.common,
            ...this.calls.encryption,
            CopySource: this.calls.copySource(from.key),
            CopySourceIfMatch: from.etag,
            Key: key,
            ChecksumAlgorithm: 'SHA256',
            IfNoneMatch: '*',
          }),
          { abortSignal },
        );
        answered = CopyObjectResult?.ChecksumSHA256;
      });
    } catch (error) {
      if (await this.isTaken(error, key)) return true;
      throw error;
    }
    if (answered === undefined || answered === sha256) return true;
    await this.remove(key);
    return false;
  }

  /** Whether a conditional write failed because the object is there: our own write, of which the answer was lost, or another's. */
  async isTaken(error: unknown, key: string): Promise<boolean> {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const conditional = statusOf(cause) === 412 || statusOf(cause) === 409 || error instanceof UploadGone;
    return conditional && (await this.find(key)) !== undefined;
  }

  private async page(asked: Omit<ListObjectsV2CommandInput, 'Bucket'>): Promise<{ objects: StoredObject[]; next?: string }> {
    return this.calls.call('looking what is there', asked.Prefix!, async (abortSignal) => {
      const { Contents, NextContinuationToken } = await this.calls.client.send(
        new ListObjectsV2Command({ ...this.calls.common, ...asked }),
        { abortSignal },
      );
      const objects = (Contents ?? []).map(({ Key, Size, ETag, LastModified }) => ({
        key: Key!,
        size: Size ?? 0,
        etag: ETag ?? '',
        modified: LastModified ?? new Date(0),
      }));
      return { objects, next: NextContinuationToken };
    });
  }
}
