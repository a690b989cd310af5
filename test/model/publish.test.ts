import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateMultipartUploadCommand, HeadObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import type { FaultKind } from '../../lib/local/faults';
import { archiveSync } from '../../lib/model/archive';
import { abortPublish, archiveKey, type PublishOptions, type PublishProgress, publish } from '../../lib/model/publish';
import { type TestStore, testStore, uploadOptions } from './publish-store';

const MIB = 2 ** 20;
/** Does not compress: 3 parts of 5 MiB. */
const NOISE = randomBytes(11 * MIB);

let store: TestStore;
let folder: string;
let model: string;
let options: PublishOptions;

beforeEach(async () => {
  store = await testStore();
  folder = mkdtempSync(join(tmpdir(), 'fledge-publish-'));
  model = join(folder, 'model');
  mkdirSync(model);
  writeFileSync(join(model, 'model.bin'), NOISE);
  options = uploadOptions(store, folder);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const archived = () => readFileSync(archiveSync(model, { output: join(folder, 'out'), cacheDirectory: join(folder, 'cache') }).path);
const count = (operations: string[], name: string) => operations.filter((operation) => operation === name).length;

async function expectPublished(key: string): Promise<void> {
  expect(await store.keys()).toEqual([key]);
  expect((await store.bytes(key)).equals(archived())).toBe(true);
  expect(await store.unfinished()).toEqual([]);
}

/** Lets the store answer something else than it did. */
function answers(command: string, members: object): void {
  store.client.middlewareStack.add(
    (next, context) => async (args) => {
      const answer = await next(args);
      return context.commandName === command ? { ...answer, output: { ...answer.output, ...members } } : answer;
    },
    { step: 'initialize' },
  );
}

describe('a model', () => {
  test('goes up in parts, under the name of its content, as the archive that is made on disk', async () => {
    const { key, digest, bytes, sent, reused, uri } = await publish(model, options);
    expect([key, uri]).toEqual([`models/${digest}.tar.gz`, `s3://models/models/${digest}.tar.gz`]);
    expect([bytes, sent, reused]).toEqual([archived().length, archived().length, false]);
    const operations = store.operations();
    expect([count(operations, 'UploadPart'), count(operations, 'CompleteMultipartUpload'), count(operations, 'PutObject')]).toEqual([
      3, 1, 0,
    ]);
    await expectPublished(key);
    const head = await store.client.send(new HeadObjectCommand({ Bucket: 'models', Key: key, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ContentType: 'application/gzip', ChecksumType: 'FULL_OBJECT', ChecksumCRC32: expect.any(String) });
  });

  test('goes up in one call when it is small', async () => {
    writeFileSync(join(model, 'model.bin'), 'weights');
    const { key } = await publish(model, options);
    expect(store.operations()).toEqual(['ListObjectsV2', 'PutObject']);
    await expectPublished(key);
  });

  test('is not sent again, however often it is published', async () => {
    const first = await publish(model, options);
    store.operations();
    expect(await publish(model, { ...options, mode: 'stored' })).toEqual({ ...first, sent: 0, reused: true });
    expect(store.operations()).toEqual(['ListObjectsV2']);
  });

  test('is published once by two publishers at the same time', async () => {
    const results = await Promise.all([publish(model, options), publish(model, options)]);
    expect(results[0]!.digest).toBe(results[1]!.digest);
    await expectPublished(results[0]!.key);
  });

  test('is whole when two publishers at the same time pack it differently', async () => {
    writeFileSync(join(model, 'zeros.bin'), Buffer.alloc(12 * MIB));
    const [one] = await Promise.all([publish(model, options), publish(model, { ...options, mode: 'stored' })]);
    const stored = archiveSync(model, { output: join(folder, 'stored'), cacheDirectory: join(folder, 'cache'), mode: 'stored' });
    const published = await store.bytes(one.key);
    expect(published.equals(archived()) || published.equals(readFileSync(stored.path))).toBe(true);
    expect(await store.unfinished()).toEqual([]);
  });

  test('tells how far it is', async () => {
    const said: PublishProgress[] = [];
    await publish(model, { ...options, concurrency: 1, onProgress: (progress) => said.push(progress) });
    expect(said.map(({ sent }) => sent)).toEqual([5 * MIB, 10 * MIB, archived().length]);
    expect(said.every(({ done, total, rate }, index) => total === NOISE.length && rate > 0 && done >= (said[index - 1]?.done ?? 0))).toBe(
      true,
    );
    expect(said.at(-1)).toMatchObject({ done: NOISE.length, secondsLeft: 0 });
  });
});

describe('a store that knows less than S3', () => {
  test('is content with ETags that are MD5s, and with checksums of parts', async () => {
    answers('CreateMultipartUploadCommand', { ChecksumType: 'COMPOSITE' });
    answers('UploadPartCommand', { ChecksumCRC32: undefined });
    answers('CompleteMultipartUploadCommand', { ChecksumCRC32: undefined });
    const { key } = await publish(model, options);
    await expectPublished(key);
  });
});

describe('one fault', () => {
  const calls = ['ListObjectsV2', 'ListMultipartUploads', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'];
  const kinds: FaultKind[] = ['throttle', 'error', 'dropped', 'lost answer'];

  test.each(calls.flatMap((operation) => kinds.map((kind) => [kind, operation] as const)))(
    '(%s at %s) is overcome',
    async (kind, operation) => {
      store.fault({ kind, operation, nth: operation === 'UploadPart' ? 2 : 1, times: 1 });
      const { key } = await publish(model, options);
      await expectPublished(key);
    },
  );

  test.each(kinds)('(%s at PutObject) is overcome', async (kind) => {
    writeFileSync(join(model, 'model.bin'), 'weights');
    store.fault({ kind, operation: 'PutObject', times: 1 });
    const { key } = await publish(model, options);
    await expectPublished(key);
  });

  test('in every fifth call is overcome', async () => {
    store.fault({ kind: 'error', probability: 0.2 });
    const { key } = await publish(model, options);
    store.faults.clear();
    await expectPublished(key);
  });
});

describe('a publish that fails', () => {
  test.each([
    ['credentials', 'ExpiredToken', 400, 'credentials are missing, wrong or expired'],
    ['access-denied', 'AccessDenied', 403, 's3:PutObject'],
    ['no-bucket', 'NoSuchBucket', 404, 'no such bucket'],
    ['s3-error', 'InvalidRequest', 400, 'run the same command again'],
    ['s3-error', 'InternalError', 500, 'run the same command again'],
  ])('says why (%s), shows nothing, and is gone on with', async (code, name, status, words) => {
    store.fault({ kind: 'error', operation: 'UploadPart', nth: 2, code: name, status });
    const failed = publish(model, { ...options, concurrency: 1, retry: { attempts: 2, firstWait: 0.01 } });
    await expect(failed).rejects.toMatchObject({ name: 'PublishError', code, message: expect.stringContaining(words) });
    await expect(failed).rejects.toThrow(/part 2.*s3:\/\/models\/models\/[0-9a-f]{64}\.tar\.gz/);
    expect(await store.keys()).toEqual([]);
    store.faults.clear();
    store.operations();
    const { key, sent, bytes } = await publish(model, options);
    expect([sent, count(store.operations(), 'UploadPart')]).toEqual([bytes - 5 * MIB, 2]);
    await expectPublished(key);
  });

  test('because S3 cannot be reached says so', async () => {
    store.fault({ kind: 'dropped' });
    await expect(publish(model, { ...options, retry: { attempts: 2, firstWait: 0.01 } })).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('because it is stopped leaves what is up for the next run', async () => {
    const stop = new AbortController();
    const stopped = publish(model, { ...options, concurrency: 1, signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
    await expect(stopped).rejects.toThrow('enough');
    expect(await store.keys()).toEqual([]);
    const { sent, bytes, key } = await publish(model, options);
    expect(sent).toBeLessThan(bytes);
    await expectPublished(key);
  });

  test('because S3 answers with another checksum shows nothing', async () => {
    answers('UploadPartCommand', { ChecksumCRC32: 'AAAAAA==' });
    await expect(publish(model, options)).rejects.toMatchObject({ code: 'integrity', message: expect.stringContaining('AAAAAA==') });
    expect(await store.keys()).toEqual([]);
  });

  test('because S3 answers no checksum and an ETag of other bytes shows nothing', async () => {
    answers('UploadPartCommand', { ChecksumCRC32: undefined, ETag: '"d41d8cd98f00b204e9800998ecf8427e"' });
    await expect(publish(model, options)).rejects.toMatchObject({ code: 'integrity', message: expect.stringContaining('no checksum') });
    expect(await store.keys()).toEqual([]);
  });

  test('is removed by abortPublish, and what is published stays', async () => {
    const { digest } = await publish(model, options);
    writeFileSync(join(model, 'new.bin'), NOISE);
    store.fault({ kind: 'error', operation: 'CompleteMultipartUpload', code: 'InvalidRequest', status: 400 });
    await expect(publish(model, options)).rejects.toMatchObject({ code: 's3-error' });
    expect(await store.unfinished()).toHaveLength(1);
    expect(await abortPublish({ client: store.client, bucket: 'models', digest })).toEqual({ uploads: 0, files: 0 });
    expect(await abortPublish({ client: store.client, bucket: 'models' })).toEqual({ uploads: 1, files: 0 });
    expect(await store.unfinished()).toEqual([]);
    expect(await store.keys()).toEqual([archiveKey(digest)]);
  });

  test.each([
    [{ partSize: MIB }, 'a part is 5 MiB to 5 GiB (5242880 to 5368709120 bytes), got 1048576'],
    [{ concurrency: 0 }, 'concurrency is a whole number from 1 to 64, got 0'],
    [{ workers: 1000 }, 'workers must be a whole number from 1 to 64, not 1000'],
  ])('because of %j says what would do', async (wrong, message) => {
    await expect(publish(model, { ...options, ...wrong })).rejects.toThrow(message);
  });
});

describe('an unfinished upload', () => {
  async function leftover(key: string, parts: readonly Buffer[]): Promise<void> {
    const upload = { Bucket: 'models', Key: key, ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;
    const { UploadId } = await store.client.send(new CreateMultipartUploadCommand(upload));
    for (const [index, Body] of parts.entries()) {
      await store.client.send(
        new UploadPartCommand({ Bucket: 'models', Key: key, UploadId, PartNumber: index + 1, Body, ChecksumAlgorithm: 'CRC32' }),
      );
    }
    store.operations();
  }

  test('with a part that differs is put right', async () => {
    const bytes = archived();
    const { digest } = archiveSync(model, { output: join(folder, 'out'), cacheDirectory: join(folder, 'cache') });
    const spoiled = Buffer.from(bytes.subarray(5 * MIB, 10 * MIB));
    spoiled[1000]! ^= 1;
    await leftover(archiveKey(digest), [bytes.subarray(0, 5 * MIB), spoiled]);
    const { key, sent } = await publish(model, options);
    expect(sent).toBe(bytes.length - 5 * MIB);
    await expectPublished(key);
  });

  test('whose parts somebody changes at the last moment is left for a new one', async () => {
    store.fault({ kind: 'error', operation: 'CompleteMultipartUpload', code: 'InvalidPart', status: 400, times: 1 });
    const { key } = await publish(model, options);
    expect(count(store.operations(), 'CreateMultipartUpload')).toBe(2);
    await expectPublished(key);
  });

  test('that somebody removes under way is left for a new one', async () => {
    store.fault({ kind: 'error', operation: 'UploadPart', code: 'NoSuchUpload', status: 404, nth: 2, times: 1 });
    const { key } = await publish(model, options);
    await expectPublished(key);
  });

  test('of a killed process is gone on with', async () => {
    store.fault({ kind: 'late', operation: 'UploadPart', seconds: 0.5 });
    const program = join(__dirname, 'publish-program.ts');
    const child = spawn(process.execPath, ['--require', 'tsx/cjs', program, store.url, model, join(folder, 'cache')], { stdio: 'inherit' });
    // One part at a time: when the second is asked for, S3 has the first.
    for (let parts = 0; parts < 2; parts += count(store.operations(), 'UploadPart')) await sleep(5);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await store.keys()).toEqual([]);
    expect(await store.unfinished()).toHaveLength(1);
    store.faults.clear();
    const { key, sent, bytes } = await publish(model, options);
    expect(sent).toBeLessThanOrEqual(bytes - 5 * MIB);
    await expectPublished(key);
  });
});
