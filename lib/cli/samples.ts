import { readFileSync } from 'node:fs';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { withTree } from '../model/inspect/model-tree';
import { isObject } from '../serving/codec/layout';
import { UserError } from './exit-codes';

const SAMPLES = 'samples.json';
const FORM = '{ "samples": [{ "inputs": { ... }, "outputs": { ... } }] }';

/** The recorded samples in a model's directory or archive; undefined where it has none. @throws UserError where the file holds none */
export function samplesOf(model: string): Buffer | undefined {
  return withTree(model, ({ files }) => {
    const file = files.find(({ path }) => path === SAMPLES);
    return file && samplesIn(`${model}/${SAMPLES}`, () => file.open((bytes) => Buffer.from(bytes.read(0, bytes.size))));
  });
}

/** Recorded samples in a file. @throws UserError where it holds none */
export function readSamples(file: string): Buffer {
  return samplesIn(file, () => readFileSync(file));
}

/** Puts recorded samples where a stage looks for them. @returns their key @throws S3's errors */
export async function storeSamples(s3: S3Client, Bucket: string, samples: Buffer, digest: string): Promise<string> {
  const Key = `samples/${digest}.json`;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: samples }));
  return Key;
}

function samplesIn(name: string, read: () => Buffer): Buffer {
  try {
    const bytes = read();
    const samples: unknown = (JSON.parse(bytes.toString()) as { samples?: unknown } | null)?.samples;
    if (!Array.isArray(samples)) throw new UserError(`${name} holds no recorded samples: ${FORM}`);
    const odd = samples.findIndex((sample) => !(isObject(sample?.inputs) && isObject(sample.outputs)));
    if (odd >= 0) throw new UserError(`${name}, sample ${odd + 1} of ${samples.length}: has no "inputs" and "outputs" by name: ${FORM}`);
    return bytes;
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`${name} cannot be read as recorded samples: ${(error as Error).message}`);
  }
}
