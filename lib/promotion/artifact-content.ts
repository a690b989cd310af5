import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { type ManifestEntry, readManifest } from '../model/digest';
import type { Bytes } from '../model/formats/bytes';
import { MODEL_YAML, readModelYaml, type ScanPolicy } from '../model/inspect';
import { HIDDEN_MODEL_YAML } from '../model/inspect/model-yaml';
import { ModelError } from '../model/model-error';
import { receiveArchive, receiveFile, roomFor, tooLarge } from '../model/received';
import { DEFAULT_POLICY, enforce, type FileScan, reportOf, scanFile, scanTree } from '../model/scan';
import { type ArtifactDemand, LIMIT_BYTES } from './artifact-demand';
import { isMissing } from './aws-errors';
import type { Ports } from './ports';

/** Model data in S3. */
export interface StoredModel {
  readonly url: string;
  readonly bucket: string;
  /** Of an archive, or a prefix that ends in `/`. */
  readonly key: string;
  /** The content that was approved; undefined where nobody said. */
  readonly digest?: string;
}

/**
 * Reads what is in S3, holds it against the approved digest, and scans it. Archives are unpacked as they stream in; files below a prefix come
 * one after the other, and are held against their manifest.
 *
 * @returns the content digest; undefined for files that were published without a manifest
 * @throws ModelError that says what is wrong with it; `too-large` where it is beyond the demand's limit; S3's errors
 */
export async function readContent(ports: Ports, model: StoredModel, demand: ArtifactDemand): Promise<string | undefined> {
  return model.key.endsWith('/') ? readFiles(ports, model, demand) : readArchive(ports, model, demand);
}

async function readArchive(ports: Ports, model: StoredModel, demand: ArtifactDemand): Promise<string> {
  const { url, bucket, key, digest } = model;
  const room = roomFor(demand.limitBytes ?? LIMIT_BYTES);
  const { Body, ContentLength = 0 } = await ports.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key })).catch((error) => {
    throw isMissing(error) ? nothingAt(url) : error;
  });
  const received = await receiveArchive(url, whole(Body, ContentLength, url, room), room);
  try {
    if (digest !== undefined) mustBe(url, received.content.digest, digest);
    received.look((tree) => {
      const yaml = tree.files.find(({ path }) => isModelYaml(path));
      const policy = yaml?.open((bytes) => policyIn(bytes, url));
      enforce(scanTree(tree, scanLimits()), policyOf(demand, policy));
    });
    return received.content.digest;
  } finally {
    received.close();
  }
}

async function readFiles(ports: Ports, model: StoredModel, demand: ArtifactDemand): Promise<string | undefined> {
  const { url, bucket, key } = model;
  const files = await listFiles(ports, model);
  if (files.size === 0) throw nothingAt(url);
  const digest = model.digest ?? /([0-9a-f]{64})\/$/.exec(key)?.[1];
  const manifest = digest === undefined ? undefined : await readMark(ports, model, digest, files);
  const room = roomFor(demand.limitBytes ?? LIMIT_BYTES);
  const bytes = [...files.values()].reduce((sum, size) => sum + size, 0);
  if (bytes > room) throw tooLarge(url, bytes, room);

  let policy: ScanPolicy | undefined;
  const scans: FileScan[] = [];
  for (const [path, size] of files) {
    const name = `${url}${path}`;
    const { Body } = await ports.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key + path }));
    const scan = await receiveFile(name, whole(Body, size, name, room), room, (content, sha256) => {
      if (manifest !== undefined) mustBe(name, sha256, manifest.get(path)!.sha256);
      if (isModelYaml(path)) policy = policyIn(content, url);
      return scanFile(content, path, scanLimits());
    });
    scans.push(scan);
  }
  enforce(reportOf(url, 'directory', scans), policyOf(demand, policy));
  return digest;
}

/** Path below the prefix to bytes. */
async function listFiles(ports: Ports, { bucket, key }: StoredModel): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  let token: string | undefined;
  do {
    const page = await ports.s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, ContinuationToken: token }));
    for (const { Key, Size } of page.Contents ?? []) files.set(Key!.slice(key.length), Size ?? 0);
    token = page.NextContinuationToken;
  } while (token);
  return files;
}

/** The manifest beside the prefix: it must be the approved one, and name what is there. */
async function readMark(
  ports: Ports,
  { url, bucket, key }: StoredModel,
  digest: string,
  files: ReadonlyMap<string, number>,
): Promise<Map<string, ManifestEntry>> {
  const mark = `${key.slice(0, -1)}.manifest`;
  const text = await ports.s3.send(new GetObjectCommand({ Bucket: bucket, Key: mark })).then(
    ({ Body }) => Body!.transformToString(),
    (error) => {
      if (!isMissing(error)) throw error;
      throw new ModelError('not-published', url, `the manifest of ${url} is missing: publish it to its end (fledge publish --prefix)`);
    },
  );
  mustBe(`the manifest of ${url}`, createHash('sha256').update(text).digest('hex'), digest);
  const manifest = readManifest(text);
  const named = manifest.filter(({ path }) => !path.endsWith('/'));
  const wrong = named.find(({ path, size }) => files.get(path) !== size)?.path;
  const stray = [...files.keys()].find((path) => !named.some((entry) => entry.path === path));
  if (wrong !== undefined || stray !== undefined)
    throw new ModelError('other-content', url, `${url}${wrong ?? stray} is not as the approved manifest says: publish the model again`);
  return new Map(named.map((entry) => [entry.path, entry]));
}

const nothingAt = (url: string): ModelError => new ModelError('not-found', url, `there is no model data at ${url}`);

function mustBe(what: string, found: string, approved: string): void {
  if (found !== approved) throw new ModelError('other-content', what, `${what} holds the content ${found}, and ${approved} was approved`);
}

/** The body of an answer, to its end: a connection that ends early is an error that passes. */
async function* whole(body: unknown, length: number, name: string, room: number): AsyncGenerator<Uint8Array> {
  if (length > room) throw tooLarge(name, length, room);
  let received = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    received += chunk.length;
    yield chunk;
  }
  if (received < length)
    throw Object.assign(new Error(`reading ${name} broke off after ${received} of ${length} bytes`), { code: 'ECONNRESET' });
}

/** One that is longer is refused, whatever comes after. */
const LONGEST_YAML = 2 * 2 ** 20;
const isModelYaml = (path: string): boolean => path === MODEL_YAML || path === HIDDEN_MODEL_YAML;

function policyIn(yaml: Bytes, url: string): ScanPolicy | undefined {
  return readModelYaml(yaml.read(0, LONGEST_YAML).toString('utf8'), `${url}!${MODEL_YAML}`).yaml.scan;
}

function policyOf({ policy }: ArtifactDemand, own: ScanPolicy | undefined): ScanPolicy {
  return policy === undefined ? (own ?? DEFAULT_POLICY) : { ...DEFAULT_POLICY, ...policy };
}

/** What is expanded is held in memory: a quarter of a Lambda function's. */
function scanLimits() {
  const megabytes = Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 0);
  return megabytes > 0 ? { limits: { expandedBytes: (megabytes / 4) * 2 ** 20 } } : {};
}
