import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { contentDigest, manifestText } from '../../lib/model/digest';
import { abortPublish, type PublishFilesOptions, type PublishFilesResult, publishFiles } from '../../lib/model/publish';
import { copyWithin } from '../../lib/model/publish/copy-within';
import { MultipartUploads } from '../../lib/model/publish/multipart-uploads';
import { StoreCalls } from '../../lib/model/publish/store-calls';
import { StoredObjects } from '../../lib/model/publish/stored-objects';
import { type TestStore, testStore, uploadOptions } from './publish-store';

const MIB = 2 ** 20;
const SHARDS = Array.from({ length: 4 }, () => randomBytes(6 * MIB));

let store: TestStore;
let folder: string;
let model: string;
let options: PublishFilesOptions;

beforeEach(async () => {
  store = await testStore();
  folder = mkdtempSync(join(tmpdir(), 'fledge-publish-files-'));
  model = join(folder, 'model');
  for (const [index, shard] of SHARDS.entries()) put(`shard-${index}.safetensors`, shard);
  put('config.json', '{"model_type": "llama"}');
  put('code/größe.txt', 'unicode');
  options = uploadOptions(store, folder);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function put(path: string, bytes: string | Uint8Array): void {
  mkdirSync(dirname(join(model, path)), { recursive: true });
  writeFileSync(join(model, path), bytes);
}

const manifest = () => contentDigest(model, options).manifest.filter(({ path }) => !path.endsWith('/'));

async function expectPublished({ digest, uri, mark }: PublishFilesResult): Promise<void> {
  expect(uri).toBe(`s3://models/models/${digest}/`);
  expect(mark).toBe(`models/${digest}.manifest`);
  const below = (await store.keys()).filter((key) => key.startsWith(`models/${digest}/`));
  expect(below.sort()).toEqual(
    manifest()
      .map(({ path }) => `models/${digest}/${path}`)
      .sort(),
  );
  for (const index of SHARDS.keys()) {
    expect((await store.bytes(`models/${digest}/shard-${index}.safetensors`)).equals(SHARDS[index]!)).toBe(true);
  }
  expect((await store.bytes(mark)).toString()).toBe(manifestText(contentDigest(model, options).manifest));
  expect(await store.unfinished()).toEqual([]);
}

describe('an uncompressed model', () => {
  test('goes up file by file below its digest, and its manifest last and outside', async () => {
    const result = await publishFiles(model, options);
    expect(result).toMatchObject({ digest: contentDigest(model, options).digest, reused: false, copied: 0, found: 0, omitted: [] });
    expect(result.sent).toBe(contentDigest(model, options).bytes);
    expect(store.operations().filter((operation) => operation === 'PutObject')).toHaveLength(3);
    await expectPublished(result);
  });

  test('is not sent again', async () => {
    const first = await publishFiles(model, options);
    store.operations();
    expect(await publishFiles(model, options)).toEqual({ ...first, sent: 0, reused: true });
    expect(store.operations()).toEqual(['ListObjectsV2']);
  });

  test('sends only what changed, and has the rest copied inside S3', async () => {
    const first = await publishFiles(model, options);
    const other = randomBytes(6 * MIB);
    put('shard-2.safetensors', other);
    put('renamed.json', '{"model_type": "llama"}');
    const second = await publishFiles(model, options);
    expect(second).toMatchObject({ sent: 6 * MIB, copied: 18 * MIB + 7 + 2 * 23, found: 0 });
    expect((await store.bytes(`models/${second.digest}/shard-2.safetensors`)).equals(other)).toBe(true);
    expect((await store.bytes(`models/${second.digest}/shard-1.safetensors`)).equals(SHARDS[1]!)).toBe(true);
    expect((await store.bytes(`models/${first.digest}/shard-2.safetensors`)).equals(SHARDS[2]!)).toBe(true);
  });

  test('does not copy what an earlier version has lost', async () => {
    const first = await publishFiles(model, options);
    put('shard-2.safetensors', randomBytes(6 * MIB));
    await store.client.send(new PutObjectCommand({ Bucket: 'models', Key: `models/${first.digest}/shard-0.safetensors`, Body: 'cut' }));
    expect(await publishFiles(model, options)).toMatchObject({ sent: 12 * MIB });
  });

  test('sends itself what an earlier version has with other bytes', async () => {
    const first = await publishFiles(model, options);
    put('shard-2.safetensors', randomBytes(6 * MIB));
    const Body = randomBytes(6 * MIB);
    await store.client.send(new PutObjectCommand({ Bucket: 'models', Key: `models/${first.digest}/shard-0.safetensors`, Body }));
    const second = await publishFiles(model, options);
    expect(second).toMatchObject({ sent: 12 * MIB });
    expect((await store.bytes(`models/${second.digest}/shard-0.safetensors`)).equals(SHARDS[0]!)).toBe(true);
  });

  test.each([
    ['no manifest', 'null\n'],
    ['cut off', '{"path":"a'],
    ['of other content', ''],
  ])('is published beside a manifest that is %s', async (_, Body) => {
    await publishFiles(model, options);
    await store.client.send(new PutObjectCommand({ Bucket: 'models', Key: `models/${'ab'.repeat(32)}.manifest`, Body }));
    put('shard-2.safetensors', randomBytes(6 * MIB));
    expect(await publishFiles(model, options)).toMatchObject({ sent: 6 * MIB });
  });

  test('leaves out empty directories, and says so', async () => {
    mkdirSync(join(model, 'assets'));
    const result = await publishFiles(model, options);
    expect(result.omitted).toEqual(['assets/']);
    await expectPublished(result);
  });

  test('is published once by two publishers at the same time', async () => {
    const [one] = await Promise.all([publishFiles(model, options), publishFiles(model, options)]);
    await expectPublished(one);
  });
});

describe('an uncompressed model that is interrupted', () => {
  test('at any call has no manifest, and is gone on with', async () => {
    let runs = 0;
    for (; ; runs++) {
      store.faults.clear();
      store.fault({ kind: 'dropped', nth: 4 + 3 * runs });
      const result = await publishFiles(model, { ...options, retry: { attempts: 1 } }).catch(() => undefined);
      store.faults.clear();
      if (result !== undefined) {
        await expectPublished(result);
        break;
      }
      const marks = (await store.keys()).filter((key) => key.endsWith('.manifest'));
      expect(marks).toEqual([]);
    }
    expect(runs).toBeGreaterThan(2);
  });

  test('sends only the rest', async () => {
    store.fault({ kind: 'error', operation: 'PutObject', nth: 3, code: 'InvalidRequest', status: 400 });
    await expect(publishFiles(model, options)).rejects.toMatchObject({ name: 'PublishError', code: 's3-error' });
    store.faults.clear();
    const result = await publishFiles(model, options);
    expect(result).toMatchObject({ sent: 0, found: contentDigest(model, options).bytes });
    await expectPublished(result);
  });

  test('is removed by abortPublish unless it is whole', async () => {
    store.fault({ kind: 'error', operation: 'CompleteMultipartUpload', nth: 2, code: 'InvalidRequest', status: 400 });
    await expect(publishFiles(model, options)).rejects.toMatchObject({ code: 's3-error' });
    store.faults.clear();
    const { digest } = contentDigest(model, options);
    expect(await abortPublish({ client: store.client, bucket: 'models', digest })).toEqual({ uploads: 1, files: 3 });
    expect([await store.keys(), await store.unfinished()]).toEqual([[], []]);

    const result = await publishFiles(model, options);
    expect(await abortPublish({ client: store.client, bucket: 'models', digest })).toEqual({ uploads: 0, files: 0 });
    await expectPublished(result);
  });
});

describe('an uncompressed model is refused', () => {
  test('when something else stands where its file goes', async () => {
    const { digest } = contentDigest(model, options);
    await store.client.send(new PutObjectCommand({ Bucket: 'models', Key: `models/${digest}/config.json`, Body: 'other' }));
    await expect(publishFiles(model, options)).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining(`config.json is there with 5 bytes, and this model's has 23`),
    });
  });

  test('when a path is too long for S3', async () => {
    put(`${'long/'.repeat(200)}x`, '');
    await expect(publishFiles(model, options)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('1024 bytes') });
    expect(store.operations()).toEqual([]);
  });

  test('when a file changes while it is sent', async () => {
    const onProgress = () => appendFileSync(join(model, 'shard-3.safetensors'), 'more');
    await expect(publishFiles(model, { ...options, onProgress })).rejects.toMatchObject({ code: 'changed-while-reading' });
    expect((await store.keys()).filter((key) => key.endsWith('.manifest'))).toEqual([]);
  });
});

describe('an object too large for one copy', () => {
  test('is copied in parts', async () => {
    const body = randomBytes(17 * MIB);
    await store.client.send(new PutObjectCommand({ Bucket: 'models', Key: 'from', Body: body }));
    const calls = new StoreCalls(options);
    const objects = new StoredObjects(calls);
    await copyWithin((await objects.find('from'))!, 'to', new MultipartUploads(calls, objects), 2, 5 * MIB);
    expect((await store.bytes('to')).equals(body)).toBe(true);
    expect(store.operations().filter((operation) => operation === 'UploadPartCopy')).toHaveLength(4);
  });

  test('leaves nothing when it fails', async () => {
    await store.client.send(new PutObjectCommand({ Bucket: 'models', Key: 'from', Body: randomBytes(12 * MIB) }));
    const calls = new StoreCalls(options);
    const objects = new StoredObjects(calls);
    const from = (await objects.find('from'))!;
    store.fault({ kind: 'error', operation: 'UploadPartCopy', nth: 2, code: 'AccessDenied', status: 403 });
    await expect(copyWithin(from, 'to', new MultipartUploads(calls, objects), 1, 5 * MIB)).rejects.toMatchObject({ code: 'access-denied' });
    expect(await store.unfinished()).toEqual([]);
  });
});
