import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';

/** S3's checksum algorithms, by the last part of their header's name. */
export const ALGORITHMS = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** A checksum that grows with its bytes; `digest` is in base64, as S3 writes it. */
export interface Checksum {
  update(bytes: Buffer): void;
  digest(): Promise<string>;
}

export function checksum(algorithm: Algorithm): Checksum {
  switch (algorithm) {
    case 'crc32': {
      let value = 0;
      return {
        update: (bytes) => {
          value = crc32(bytes, value);
        },
        digest: async () => {
          const bytes = Buffer.alloc(4);
          bytes.writeUInt32BE(value);
          return bytes.toString('base64');
        },
      };
    }
    case 'crc32c':
    case 'crc64nvme': {
      const crc = algorithm === 'crc32c' ? new Crc32c() : new Crc64Nvme();
      return { update: (bytes) => crc.update(bytes), digest: async () => Buffer.from(await crc.digest()).toString('base64') };
    }
    default: {
      const hash = createHash(algorithm);
      return { update: (bytes) => void hash.update(bytes), digest: async () => hash.digest('base64') };
    }
  }
}

/** A checksum of the parts' checksums, as S3 answers for a multipart upload whose checksum is COMPOSITE: with the number of parts behind it. */
export async function compositeChecksum(algorithm: Algorithm, parts: readonly string[]): Promise<string> {
  const sum = checksum(algorithm);
  for (const part of parts) sum.update(Buffer.from(part, 'base64'));
  return `${await sum.digest()}-${parts.length}`;
}
