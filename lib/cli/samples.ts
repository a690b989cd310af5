import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { UserError } from './exit-codes';

/** The recorded samples that lie in a model directory; undefined where none do. */
export function samplesOf(directory: string): string | undefined {
  const file = join(directory, 'samples.json');
  return existsSync(file) ? file : undefined;
}

/** Puts recorded samples where a stage looks for them. @returns their key @throws UserError where the file holds none; S3's errors */
export async function storeSamples(s3: S3Client, Bucket: string, file: string, digest: string): Promise<string> {
  const Key = `samples/${digest}.json`;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: samplesIn(file) }));
  return Key;
}

function samplesIn(file: string): Buffer {
  try {
    const bytes = readFileSync(file);
    if (Array.isArray((JSON.parse(bytes.toString()) as { samples?: unknown }).samples)) return bytes;
  } catch (error) {
    throw new UserError(`${file} cannot be read as recorded samples: ${(error as Error).message}`);
  }
  throw new UserError(`${file} holds no recorded samples: { "samples": [{ "inputs": { ... }, "outputs": { ... } }] }`);
}
