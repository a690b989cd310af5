import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  UploadPartCommand,
  UploadPartCopyCommand,
  type ListMultipartUploadsCommandOutput as UploadsPage,
} from '@aws-sdk/client-s3';
import { PublishError } from './publish-error';
import { type StoreCalls, UploadGone } from './store-calls';
import type { StoredObject, StoredObjects } from './stored-objects';

/** A part as S3 has it. */
export interface StoredPart {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  /** CRC-32, base64. */
  readonly crc32?: string;
}

/** An upload that takes parts. */
export interface OpenUpload {
  readonly id: string;
  /** Whether the store checks the bytes of all parts together: S3 does, some that speak its language do not. */
  readonly wholeChecksum: boolean;
  /** What it has already. */
  readonly parts: readonly StoredPart[];
}

/** An upload that was begun and neither ended nor removed. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly begun: number;
}

/** Objects of the model store that grow part by part, and appear when they are whole. */
export class MultipartUploads {
  constructor(
    private readonly calls: StoreCalls,
    private readonly objects: StoredObjects,
  ) {}

  /** Begins a multipart upload whose bytes are checked by a CRC-32 of the whole, where the store has such. */
  async begin(key: string, contentType: string): Promise<OpenUpload> {
    return this.calls.call('beginning an upload', key, async (abortSignal) => {
      const { UploadId, ChecksumType } = await this.calls.client.send(
        new CreateMultipartUploadCommand({
          ...this.calls.common,
          ...this.calls.encryption,
          Key: key,
          ContentType: contentType,
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'FULL_OBJECT',
        }),
        { abortSignal },
      );
      return { id: UploadId!, wholeChecksum: ChecksumType !== 'COMPOSITE', parts: [] };
    });
  }

  /** Uploads under way whose key starts with `prefix`, the newest first. */
  async below(prefix: string): Promise<UnfinishedUpload[]> {
    return this.calls.call('listing unfinished uploads', prefix, async (abortSignal) => {
      const found: UnfinishedUpload[] = [];
      for (let marker: Pick<UploadsPage, 'NextKeyMarker' | 'NextUploadIdMarker'> | undefined = {}; marker !== undefined; ) {
        const page: UploadsPage = await this.calls.client.send(
          new ListMultipartUploadsCommand({
            ...this.calls.common,
            Prefix: prefix,
            KeyMarker: marker.NextKeyMarker,
            UploadIdMarker: marker.NextUploadIdMarker,
          }),
          { abortSignal },
        );
        for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
          found.push({ key: Key!, id: UploadId!, begun: Initiated?.getTime() ?? 0 });
        }
        marker = page.IsTruncated ? page : undefined;
      }
      return found.sort((a, b) => b.begun - a.begun);
    });
  }

  /** Goes on with an upload that was begun before. @throws UploadGone */
  async reopen(key: string, id: string): Promise<OpenUpload> {
    return this.calls.call('listing the parts that are up', key, async (abortSignal) => {
      const parts: StoredPart[] = [];
      let wholeChecksum = true;
      for (let marker: string | undefined, more = true; more; ) {
        const page: ListPartsCommandOutput = await this.calls.client.send(
          new ListPartsCommand({ ...this.calls.common, Key: key, UploadId: id, PartNumberMarker: marker }),
          { abortSignal },
        );
        for (const { PartNumber, Size, ETag, ChecksumCRC32 } of page.Parts ?? []) {
          parts.push({ number: PartNumber!, size: Size ?? 0, etag: ETag!, crc32: ChecksumCRC32 });
        }
        wholeChecksum = page.ChecksumAlgorithm === 'CRC32' && page.ChecksumType !== 'COMPOSITE';
        marker = page.NextPartNumberMarker;
        more = page.IsTruncated ?? false;
      }
      return { id, wholeChecksum, parts };
    });
  }

  /** @throws UploadGone */
  async putPart(key: string, { id }: OpenUpload, number: number, body: Buffer, crc32: string): Promise<StoredPart> {
    return this.calls.call(`sending part ${number}`, key, async (abortSignal) => {
      const { ETag, ChecksumCRC32 } = await this.calls.client.send(
        new UploadPartCommand({ ...this.calls.common, Key: key, UploadId: id, PartNumber: number, Body: body, ChecksumCRC32: crc32 }),
        { abortSignal },
      );
      this.calls.verifyBytes(body, { checksum: ChecksumCRC32, etag: ETag }, crc32, `part ${number} of ${this.calls.uri(key)}`);
      return { number, size: body.length, etag: ETag!, crc32 };
    });
  }

  /** Copies bytes `start` to `end` (not included) of another object in as a part. @throws UploadGone */
  async copyPart(key: string, { id }: OpenUpload, number: number, from: StoredObject, start: number, end: number): Promise<StoredPart> {
    return this.calls.call(`copying part ${number} of ${from.key}`, key, async (abortSignal) => {
      const { CopyPartResult } = await this.calls.client.send(
        new UploadPartCopyCommand({
          ...this.calls.common,
          CopySource: this.calls.copySource(from.key),
          CopySourceIfMatch: from.etag,
          Key: key,
          UploadId: id,
          PartNumber: number,
          CopySourceRange: `bytes=${start}-${end - 1}`,
        }),
        { abortSignal },
      );
      return { number, size: end - start, etag: CopyPartResult!.ETag!, crc32: CopyPartResult!.ChecksumCRC32 };
    });
  }

  /**
   * Joins the parts into the object, if it is not there yet.
   *
   * @param crc32 of all bytes, base64; undefined when they never passed through here
   * @returns false when the object was there already
   * @throws UploadGone
   */
  async complete(key: string, { id, wholeChecksum }: OpenUpload, parts: readonly StoredPart[], crc32?: string): Promise<boolean> {
    const sum = wholeChecksum ? crc32 : undefined;
    try {
      await this.calls.call('joining the parts', key, async (abortSignal) => {
        const { ChecksumCRC32 } = await this.calls.client.send(
          new CompleteMultipartUploadCommand({
            ...this.calls.common,
            Key: key,
            UploadId: id,
            IfNoneMatch: '*',
            ChecksumType: sum === undefined ? undefined : 'FULL_OBJECT',
            ChecksumCRC32: sum,
            MpuObjectSize: parts.reduce((bytes, part) => bytes + part.size, 0),
            MultipartUpload: {
              Parts: parts.map((part) => ({ PartNumber: part.number, ETag: part.etag, ChecksumCRC32: part.crc32 })),
            },
          }),
          { abortSignal },
        );
        if (ChecksumCRC32 !== undefined && sum !== undefined) this.calls.verify(ChecksumCRC32, sum, this.calls.uri(key));
      });
      return true;
    } catch (error) {
      if (await this.objects.isTaken(error, key)) return false;
      throw error;
    }
  }

  /** Removes an upload with its parts; one that is gone is no error. */
  async abort(key: string, id: string): Promise<void> {
    try {
      await this.calls.call('removing an unfinished upload', key, (abortSignal) =>
        this.calls.client.send(new AbortMultipartUploadCommand({ ...this.calls.common, Key: key, UploadId: id }), { abortSignal }),
      );
    } catch (error) {
      if (!(error instanceof UploadGone)) throw error;
    }
  }

  /** Removes uploads that nobody needs any more. What cannot be removed now is left to the bucket's lifecycle rule. */
  async tidy(find: () => Promise<readonly UnfinishedUpload[]>): Promise<void> {
    try {
      for (const { key, id } of await find()) await this.abort(key, id);
    } catch (error) {
      this.calls.stopped();
      if (!(error instanceof PublishError)) throw error;
    }
  }
}
