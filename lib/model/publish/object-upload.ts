import { crc32 } from 'node:zlib';
import { crc32Combine } from '../archive/gzip';
import type { MultipartUploads, OpenUpload, StoredPart, UnfinishedUpload } from './multipart-uploads';
import type { StoredObjects } from './stored-objects';

export interface ObjectUploadOptions {
  readonly key: string;
  readonly contentType: string;
  /** Bytes a part. */
  readonly partSize: number;
  /** Parts on their way at once; so many and one more are held in memory. */
  readonly concurrency: number;
  /** Whether to go on with an upload of this key that somebody left unfinished. */
  readonly resume: boolean;
  /** Called with the bytes of each part when S3 has it, and with whether it had it before. */
  readonly onPart?: (bytes: number, before: boolean) => void;
}

/** How an object came to be. */
export interface Uploaded {
  /** Bytes of the object. */
  readonly bytes: number;
  /** Whether it was there before this upload ended: another publisher was first, or the answer to our own last call was lost. */
  readonly taken: boolean;
}

/**
 * Writes one object whose length is not known before its end: in one call when it is shorter than a part, else part by part.
 *
 * There is no state on this machine. S3 lists which parts of an unfinished upload it has; as the same model makes the same bytes, a part that
 * it has with the size and CRC-32 of ours needs not go up again.
 */
export class ObjectUpload {
  private readonly parts: Promise<StoredPart>[] = [];
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly idle: Buffer[] = [];
  private part: Buffer;
  private filled = 0;
  private bytes = 0;
  private crc = 0;
  private begun: Promise<OpenUpload> | undefined;

  constructor(
    private readonly objects: StoredObjects,
    private readonly uploads: MultipartUploads,
    private readonly options: ObjectUploadOptions,
  ) {
    this.part = Buffer.allocUnsafeSlow(options.partSize);
  }

  /** Takes the next bytes; they may be reused when it resolves. Await each call before the next. @throws PublishError; UploadGone */
  async write(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length; ) {
      // A full part waits for more: only the object's last part may be short, and a single one needs no multipart upload.
      if (this.filled === this.part.length) await this.send();
      const piece = bytes.subarray(taken, taken + this.part.length - this.filled);
      this.part.set(piece, this.filled);
      this.filled += piece.length;
      taken += piece.length;
    }
  }

  /** Ends the object, which appears now. @throws PublishError; UploadGone */
  async end(): Promise<Uploaded> {
    const { key, contentType, onPart } = this.options;
    if (this.parts.length === 0) {
      const body = this.part.subarray(0, this.filled);
      const written = await this.objects.put(key, body, contentType, { crc32: base64(crc32(body)) });
      onPart?.(body.length, !written);
      return { bytes: body.length, taken: !written };
    }
    await this.send();
    const parts = await Promise.all(this.parts);
    const written = await this.uploads.complete(key, await this.begun!, parts, base64(this.crc));
    // Now that the object is there, unfinished uploads of it only cost: our own where another publisher was first, too.
    await this.uploads.tidy(() => this.unfinished());
    return { bytes: this.bytes, taken: !written };
  }

  /** Waits until nothing is on its way any more, whatever becomes of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  private async send(): Promise<void> {
    const body = this.part.subarray(0, this.filled);
    const number = this.parts.length + 1;
    const crc = crc32(body);
    this.crc = crc32Combine(this.crc, crc, body.length);
    this.bytes += body.length;
    const sent = this.sendPart(number, body, base64(crc));
    this.parts.push(sent);
    const done = sent.then(() => {
      this.idle.push(body);
      this.underWay.delete(done);
    });
    // A part that failed stays among those under way, where the next wait meets its error.
    done.catch(() => {});
    sent.catch(() => {});
    this.underWay.add(done);
    if (this.underWay.size > this.options.concurrency - 1) await Promise.race(this.underWay);
    const reusable = this.idle.pop();
    this.part = reusable?.length === this.options.partSize ? reusable : Buffer.allocUnsafeSlow(this.options.partSize);
    this.filled = 0;
  }

  private async sendPart(number: number, body: Buffer, crc: string): Promise<StoredPart> {
    const { key, onPart } = this.options;
    this.begun ??= this.begin();
    const upload = await this.begun;
    const known = upload.parts.find((part) => part.number === number);
    const isUp = known !== undefined && known.size === body.length && known.crc32 === crc;
    const part = isUp ? known : await this.uploads.putPart(key, upload, number, body, crc);
    onPart?.(body.length, isUp);
    return part;
  }

  private async begin(): Promise<OpenUpload> {
    const { key, contentType, resume } = this.options;
    const [left] = resume ? await this.unfinished() : [];
    return left === undefined ? this.uploads.begin(key, contentType) : this.uploads.reopen(key, left.id);
  }

  private async unfinished(): Promise<UnfinishedUpload[]> {
    return (await this.uploads.below(this.options.key)).filter(({ key }) => key === this.options.key);
  }
}

function base64(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}
