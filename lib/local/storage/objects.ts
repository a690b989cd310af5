import type { Readable } from 'node:stream';

/** The objects of S3, as the other services read and write them. */
export interface ObjectStore {
  /** @throws NoSuchObject */
  read(bucket: string, key: string): Promise<Readable>;
  /** @throws NoSuchObject where the bucket does not exist */
  write(bucket: string, key: string, body: Buffer | AsyncIterable<Uint8Array>, contentType?: string): Promise<void>;
  /** undefined where there is no such object. `etag` is the MD5 of the bytes in hex, or another value that changes with them. */
  stat(bucket: string, key: string): Promise<{ readonly size: number; readonly etag: string } | undefined>;
  /** Keys below a prefix, in order of their UTF-8 bytes. */
  list(bucket: string, prefix: string): Promise<readonly string[]>;
}

export class NoSuchObject extends Error {
  constructor(bucket: string, key: string) {
    super(`there is no object s3://${bucket}/${key}`);
    this.name = 'NoSuchObject';
  }
}

/** `s3://bucket/key` in its parts; undefined for anything else. */
export function parseS3Uri(uri: string): { readonly bucket: string; readonly key: string } | undefined {
  const parts = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri);
  return parts === null ? undefined : { bucket: parts[1], key: parts[2] };
}
