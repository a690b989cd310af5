import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { LocalClock } from '../../lib/local/clock';
import { Faults } from '../../lib/local/faults';
import { Dispatch, InProcessHandler, Listener, type LocalRequest, type LocalResponse } from '../../lib/local/server';
import { DirectoryObjects } from '../../lib/local/storage/directory-objects';
import { fill } from '../../lib/local/storage/s3/kept-objects';
import { S3Service } from '../../lib/local/storage/s3/s3-service';

const folder = mkdtempSync(join(tmpdir(), 's3-test-'));
const clock = new LocalClock();
let objects: DirectoryObjects;
let listener: Listener;
let s3: S3Client;
const Bucket = 'models';

beforeAll(async () => {
  objects = await DirectoryObjects.open(folder);
  listener = await Listener.open(new Dispatch([new S3Service({ clock }, objects)], new Faults([], 1), clock), 0);
  s3 = new S3Client({
    endpoint: listener.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  s3.destroy();
  await listener.close();
  clock.close();
  rmSync(folder, { recursive: true });
});

const text = async (Key: string, Range?: string) => (await s3.send(new GetObjectCommand({ Bucket, Key, Range }))).Body!.transformToString();
const put = (Key: string, Body: string | Buffer, over: object = {}) => s3.send(new PutObjectCommand({ Bucket, Key, Body, ...over }));

describe('an object', () => {
  test('is read whole, with the tag of what was read, while others write it', async () => {
    let isOver = false;
    const writing = (async () => {
      for (let i = 0; i < 40; i++) await put('busy', `${i} `.repeat(1 + (i % 7) * 300));
      isOver = true;
    })();
    await put('busy', 'first');
    const read = async () => {
      while (!isOver) {
        const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket, Key: 'busy' }));
        const bytes = await Body!.transformToByteArray();
        expect(ETag).toBe(`"${createHash('md5').update(bytes).digest('hex')}"`);
      }
    };
    await Promise.all([writing, read(), read(), read()]);
  });
  test('comes back as it went, with its type and its metadata', async () => {
    await put('a/b.json', '{"x":1}', { ContentType: 'application/json', Metadata: { digest: 'abc' } });
    const found = await s3.send(new GetObjectCommand({ Bucket, Key: 'a/b.json' }));
    expect(await found.Body!.transformToString()).toBe('{"x":1}');
    expect(found).toMatchObject({ ContentType: 'application/json', ContentLength: 7, Metadata: { digest: 'abc' } });
  });
  test('is read in part', async () => {
    await put('range', '0123456789');
    expect(await text('range', 'bytes=2-4')).toBe('234');
    expect(await text('range', 'bytes=-3')).toBe('789');
    await expect(text('range', 'bytes=20-')).rejects.toMatchObject({ name: 'InvalidRange' });
  });
  test('may be empty, and may be streamed', async () => {
    await put('empty', '');
    expect(await text('empty')).toBe('');
    const bytes = randomBytes(300_000);
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'stream',
        Body: Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]),
        ContentLength: bytes.length,
      }),
    );
    const found = await (
      await s3.send(new GetObjectCommand({ Bucket, Key: 'stream', ChecksumMode: 'ENABLED' }))
    ).Body!.transformToByteArray();
    expect(Buffer.from(found).equals(bytes)).toBe(true);
  });
  test('that is not there is NoSuchKey, in a bucket that is not there NoSuchBucket', async () => {
    await expect(text('nothing')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(s3.send(new GetObjectCommand({ Bucket: 'nobody', Key: 'x' }))).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
  test('whose bytes do not fit their checksum is refused and not kept', async () => {
    await expect(put('wrong', 'bytes', { ChecksumCRC32: 'AAAAAA==' })).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(text('wrong')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
  test('whose client goes away on the way leaves nothing, and the server whole', async () => {
    const file = join(folder, 'broken');
    const broken = async function* (looks: number) {
      yield randomBytes(1000);
      // Meanwhile the file is opened, and written to.
      for (let i = 0; i < looks; i++) await stat(folder);
      throw new Error('the client went away');
    };
    for (let i = 0; i < 40; i++) await expect(fill(file, broken(i % 4))).rejects.toThrow('the client went away');
    expect(existsSync(file)).toBe(false);
  });

  test('is copied with its metadata and deleted', async () => {
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/a/b.json` }));
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy' }))).Metadata).toEqual({ digest: 'abc' });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'copy' }));
    await expect(text('copy')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
  test('keeps its headers, and a copy has its own where they are to be replaced', async () => {
    const given = { CacheControl: 'no-cache', ContentEncoding: 'gzip', ContentDisposition: 'attachment' };
    await put('headed', 'bytes', { ...given, Metadata: { a: '1' } });
    const head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(await head('headed')).toMatchObject(given);
    const CopySource = `${Bucket}/headed`;
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'same', CopySource }));
    expect(await head('same')).toMatchObject({ ...given, Metadata: { a: '1' } });
    const other = { MetadataDirective: 'REPLACE', Metadata: { b: '2' }, ContentType: 'text/csv' } as const;
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'other', CopySource, ...other }));
    const replaced = await head('other');
    expect(replaced).toMatchObject({ Metadata: { b: '2' }, ContentType: 'text/csv' });
    expect(replaced.CacheControl).toBeUndefined();
  });
  test('may have the name of a folder whose objects are gone, and be told where it cannot', async () => {
    await put('folder/deep/object', '1');
    await expect(put('folder', '2')).rejects.toMatchObject({ name: 'InvalidRequest' });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'folder/deep/object' }));
    await put('folder', '2');
    expect(await text('folder')).toBe('2');
    await expect(put('folder/object', '3')).rejects.toMatchObject({ name: 'InvalidRequest' });
    await expect(put('x'.repeat(201), '')).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });
  test('is not lost to the deletion of its neighbours', async () => {
    const all = Array.from({ length: 30 }, (_, i) => `crowd/${i}`);
    for (let round = 0; round < 3; round++) {
      await Promise.all(
        all.map((key, i) => (i % 2 === round % 2 ? put(key, 'kept') : s3.send(new DeleteObjectCommand({ Bucket, Key: key })))),
      );
      for (const [i, key] of all.entries()) if (i % 2 === round % 2) expect(await text(key)).toBe('kept');
    }
  });
  test('is deleted by exactly its key', async () => {
    for (const key of ['near', 'near ', ' near', 'line\nbreak']) await put(key, key);
    const Objects = [{ Key: 'near ' }, { Key: 'line\nbreak' }];
    expect((await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))).Deleted ?? []).toEqual([]);
    expect(await text('near')).toBe('near');
    expect(await text(' near')).toBe(' near');
    for (const { Key } of Objects) await expect(text(Key)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
  test('is copied with the sum that is asked for, and only while it is what it was', async () => {
    const { ETag } = await put('source', 'some bytes');
    const copy = { Bucket, Key: 'summed', CopySource: `${Bucket}/source`, ChecksumAlgorithm: 'SHA256' } as const;
    const { CopyObjectResult } = await s3.send(new CopyObjectCommand({ ...copy, CopySourceIfMatch: ETag }));
    expect(CopyObjectResult!.ChecksumSHA256).toBe(createHash('sha256').update('some bytes').digest('base64'));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'summed', ChecksumMode: 'ENABLED' }));
    expect(head.ChecksumSHA256).toBe(CopyObjectResult!.ChecksumSHA256);
    await put('source', 'other bytes');
    await expect(s3.send(new CopyObjectCommand({ ...copy, CopySourceIfMatch: ETag }))).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
  });
  test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)('keeps its %s and gives it back', async (ChecksumAlgorithm) => {
    const answer = await put(`sum-${ChecksumAlgorithm}`, 'some bytes', { ChecksumAlgorithm });
    const member = `Checksum${ChecksumAlgorithm}` as const;
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: `sum-${ChecksumAlgorithm}`, ChecksumMode: 'ENABLED' }));
    expect(head[member]).toBeTruthy();
    expect(head[member]).toBe(answer[member]);
  });
});

describe('an operation that is not here', () => {
  test('is refused, and never taken for its namesake without the parameter', async () => {
    await put('tagged', 'the bytes');
    const Key = 'tagged';
    const refused = { name: 'NotImplemented', $metadata: { httpStatusCode: 501 } };
    await expect(s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: [] } }))).rejects.toMatchObject(refused);
    await expect(s3.send(new DeleteObjectTaggingCommand({ Bucket, Key }))).rejects.toMatchObject(refused);
    expect(await text(Key)).toBe('the bytes');
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual([]);
    await s3.send(new CreateBucketCommand({ Bucket: 'still-there' }));
    await expect(s3.send(new DeleteBucketPolicyCommand({ Bucket: 'still-there' }))).rejects.toMatchObject(refused);
    await s3.send(new HeadBucketCommand({ Bucket: 'still-there' }));
    const versioning = new PutBucketVersioningCommand({ Bucket: 'never-made', VersioningConfiguration: { Status: 'Enabled' } });
    await expect(s3.send(versioning)).rejects.toMatchObject(refused);
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'never-made' }))).rejects.toMatchObject({ name: 'NotFound' });
  });
  test('on a version that is not there does nothing', async () => {
    await put('only', 'one');
    await expect(s3.send(new DeleteObjectCommand({ Bucket, Key: 'only', VersionId: 'v7' }))).rejects.toMatchObject({
      name: 'NoSuchVersion',
    });
    expect(await text('only')).toBe('one');
  });
});

describe('an address', () => {
  const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x' };
  const ask = (path: string, more: Record<string, string> = headers, method = 'GET') =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const asked = request(`${listener.url}${path}`, { method, headers: more }, async (answer) => {
        resolve({ status: answer.statusCode!, body: Buffer.concat(await answer.toArray()).toString() });
      });
      asked.on('error', reject).end();
    });

  test('leads to no file beside the buckets', async () => {
    const beside = mkdtempSync(join(tmpdir(), 's3-beside-'));
    writeFileSync(join(beside, 'secret'), 'mine');
    for (const path of [
      `/..%2F${basename(beside)}/secret`,
      `/..%2F${basename(beside)}`,
      '/.facts-models',
      `/${Bucket}/..%2F..%2F${basename(beside)}/secret`,
    ]) {
      const { status, body } = await ask(path);
      expect({ status, secret: body.includes('mine') || body.includes('<Contents>') }).toEqual({ status: 404, secret: false });
    }
    expect((await ask(`/..%2F${basename(beside)}/new`, headers, 'PUT')).status).toBe(404);
    expect(existsSync(join(beside, 'new'))).toBe(false);
    rmSync(beside, { recursive: true });
  });
  test('that is no encoding is refused', async () => {
    expect(await ask(`/${Bucket}/%zz`)).toMatchObject({ status: 400, body: expect.stringContaining('<Code>InvalidURI</Code>') });
  });
  test('may be presigned by version 2, and have its bucket in the host', async () => {
    await put('shared', 'for all', { ContentType: 'text/plain' });
    const presigned = `/${Bucket}/shared?AWSAccessKeyId=x&Signature=x&Expires=1&response-content-type=text%2Fcsv`;
    expect(await ask(presigned, {})).toEqual({ status: 200, body: 'for all' });
    expect(await ask('/shared', { ...headers, host: `${Bucket}.localhost` })).toEqual({ status: 200, body: 'for all' });
  });
  test('with nothing there is answered by an error without a namespace, which boto3 looks for', async () => {
    expect((await ask(`/${Bucket}/nothing`)).body).toContain('<Error><Code>NoSuchKey</Code>');
  });
});

test('a body that breaks off in the middle holds up no other request of its client', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const signed = { authorization: 'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x' };
  const ask = (method: string, more: Record<string, string>, body: Buffer) =>
    new Promise<number>((resolve, reject) => {
      const asked = request(`${listener.url}/${Bucket}/broken-off`, { method, agent, headers: { ...signed, ...more } }, (answer) => {
        answer.resume().once('close', () => resolve(answer.statusCode!));
      });
      asked.once('error', reject).end(body);
    });
  const broken = Buffer.concat([Buffer.from('no size\r\n'), Buffer.alloc(3_000_000)]);
  // The client may see its connection end before it sees the answer.
  const first = await ask('PUT', { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }, broken).catch(() => 500);
  expect(first).toBe(500);
  const late = new Promise((resolve) => setTimeout(resolve, 3000, 'held up').unref());
  expect(await Promise.race([ask('GET', {}, Buffer.alloc(0)), late])).toBe(404);
  agent.destroy();
});

describe('a conditional read', () => {
  test('gives the object only where it is the one that is meant, or a newer one', async () => {
    const { ETag } = await put('read', '1');
    const get = (over: object) => s3.send(new GetObjectCommand({ Bucket, Key: 'read', ...over }));
    const failed = { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } };
    const unchanged = { $metadata: { httpStatusCode: 304 } };
    const before = new Date(Date.now() - 60_000);
    const after = new Date(Date.now() + 60_000);
    expect((await get({ IfMatch: ETag, IfUnmodifiedSince: before })).$metadata.httpStatusCode).toBe(200);
    await expect(get({ IfMatch: '"other"' })).rejects.toMatchObject(failed);
    await expect(get({ IfUnmodifiedSince: before })).rejects.toMatchObject(failed);
    await expect(get({ IfNoneMatch: ETag })).rejects.toMatchObject(unchanged);
    await expect(get({ IfModifiedSince: after })).rejects.toMatchObject(unchanged);
    expect((await get({ IfModifiedSince: before })).$metadata.httpStatusCode).toBe(200);
    await expect(s3.send(new DeleteObjectCommand({ Bucket, Key: 'read', IfMatch: '"other"' }))).rejects.toMatchObject(failed);
    expect(await text('read')).toBe('1');
  });
});

describe('a conditional write', () => {
  test('makes an object only where none stands', async () => {
    await put('once', '1', { IfNoneMatch: '*' });
    await expect(put('once', '2', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(await text('once')).toBe('1');
  });
  test('replaces only the version that it has seen', async () => {
    const { ETag } = await put('lock', '1');
    await put('lock', '2', { IfMatch: ETag });
    await expect(put('lock', '3', { IfMatch: ETag })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(put('nolock', '3', { IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
  test('is won by one of many', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => put('race', String(i), { IfNoneMatch: '*' })));
    expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a listing', () => {
  test('pages through the keys below a prefix, and folds them at a delimiter', async () => {
    for (const key of ['l/1', 'l/2', 'l/d/3', 'l/d/4', 'l/e/5']) await put(key, '');
    const first = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'l/', MaxKeys: 2 }));
    expect(first.Contents!.map((one) => one.Key)).toEqual(['l/1', 'l/2']);
    const second = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'l/', MaxKeys: 10, ContinuationToken: first.NextContinuationToken }),
    );
    expect(second.Contents!.map((one) => one.Key)).toEqual(['l/d/3', 'l/d/4', 'l/e/5']);
    const folded = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'l/', Delimiter: '/' }));
    expect(folded.CommonPrefixes!.map((one) => one.Prefix)).toEqual(['l/d/', 'l/e/']);
  });
  test('of version 1 goes on from its marker, and past a folder that was its last row', async () => {
    const list = (over: object) => s3.send(new ListObjectsCommand({ Bucket, Prefix: 'l/', ...over }));
    const first = await list({ MaxKeys: 2 });
    expect(first).toMatchObject({ IsTruncated: true, Marker: '' });
    expect((await list({ Marker: 'l/2' })).Contents!.map((one) => one.Key)).toEqual(['l/d/3', 'l/d/4', 'l/e/5']);
    const folded = await list({ Delimiter: '/', MaxKeys: 3 });
    expect(folded).toMatchObject({ IsTruncated: true, NextMarker: 'l/d/' });
    expect((await list({ Delimiter: '/', Marker: folded.NextMarker })).CommonPrefixes!.map((one) => one.Prefix)).toEqual(['l/e/']);
  });
  test('starts within a folder, and of no rows is no part of a listing', async () => {
    const list = (over: object) => s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'l/', Delimiter: '/', ...over }));
    expect((await list({ StartAfter: 'l/d/3' })).CommonPrefixes!.map((one) => one.Prefix)).toEqual(['l/d/', 'l/e/']);
    expect(await list({ MaxKeys: 0 })).toMatchObject({ IsTruncated: false, KeyCount: 0 });
  });
  test('of a bucket that is emptied lets the bucket go', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'gone' }));
    await s3.send(new PutObjectCommand({ Bucket: 'gone', Key: 'x&<y', Body: '' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'gone' }))).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    await s3.send(new DeleteObjectsCommand({ Bucket: 'gone', Delete: { Objects: [{ Key: 'x&<y' }] } }));
    await s3.send(new DeleteBucketCommand({ Bucket: 'gone' }));
  });
});

describe('a multipart upload', () => {
  const parts = [randomBytes(5 * 1024 * 1024), randomBytes(5 * 1024 * 1024), randomBytes(1000)];
  const begin = async (Key: string, over: object = {}) =>
    (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...over }))).UploadId!;
  const send = async (Key: string, UploadId: string, over: object = {}) =>
    Promise.all(
      parts.map(async (Body, i) => ({
        PartNumber: i + 1,
        ...(await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: i + 1, Body, ...over }))),
      })),
    );

  test('joins its parts, checked by a CRC32 of the whole', async () => {
    const UploadId = await begin('big', { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
    const Parts = await send('big', UploadId, { ChecksumAlgorithm: 'CRC32' });
    expect((await s3.send(new ListPartsCommand({ Bucket, Key: 'big', UploadId }))).Parts!.map((part) => part.Size)).toEqual(
      parts.map((part) => part.length),
    );
    const done = await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'big', UploadId, MultipartUpload: { Parts } }));
    expect(done).toMatchObject({ ChecksumType: 'FULL_OBJECT', ETag: expect.stringMatching(/-3"$/) });
    const found = Buffer.from(await (await s3.send(new GetObjectCommand({ Bucket, Key: 'big' }))).Body!.transformToByteArray());
    expect(found.equals(Buffer.concat(parts))).toBe(true);
    await expect(s3.send(new ListPartsCommand({ Bucket, Key: 'big', UploadId }))).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });
  test('with a wrong checksum of the whole becomes no object', async () => {
    const UploadId = await begin('bad', { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
    const Parts = await send('bad', UploadId, { ChecksumAlgorithm: 'CRC32' });
    const complete = new CompleteMultipartUploadCommand({
      Bucket,
      Key: 'bad',
      UploadId,
      MultipartUpload: { Parts },
      ChecksumCRC32: 'AAAAAA==',
    });
    await expect(s3.send(complete)).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(text('bad')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
  test('does not overwrite where it must not', async () => {
    await put('kept', 'first');
    const UploadId = await begin('kept');
    const Parts = await send('kept', UploadId);
    const complete = new CompleteMultipartUploadCommand({ Bucket, Key: 'kept', UploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' });
    await expect(s3.send(complete)).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(await text('kept')).toBe('first');
  });
  test('takes parts from another object', async () => {
    const UploadId = await begin('joined');
    const copied = await s3.send(
      new UploadPartCopyCommand({
        Bucket,
        Key: 'joined',
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/big`,
        CopySourceRange: 'bytes=0-5242879',
      }),
    );
    const Parts = [{ PartNumber: 1, ETag: copied.CopyPartResult!.ETag }];
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'joined', UploadId, MultipartUpload: { Parts } }));
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'joined' }))).ContentLength).toBe(5_242_880);
  });
  test('is listed until it is aborted', async () => {
    const UploadId = await begin('left');
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'left' }))).Uploads!.map((one) => one.UploadId)).toEqual([
      UploadId,
    ]);
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'left', UploadId }));
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'left' }))).Uploads ?? []).toEqual([]);
  });
});

test('an answer that is lost keeps no file open', async () => {
  await put('lost', 'bytes');
  const bodies: unknown[] = [];
  class Watched extends S3Service {
    override async handle(request: LocalRequest): Promise<LocalResponse> {
      const answer = await super.handle(request);
      bodies.push(answer.body);
      return answer;
    }
  }
  const faults = new Faults([{ operation: 'GetObject', kind: 'lost answer' }], 1);
  const requestHandler = new InProcessHandler(new Dispatch([new Watched({ clock }, objects)], faults, clock));
  const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
  const cut = new S3Client({ requestHandler, endpoint: 'http://127.0.0.1:1', region: 'us-east-1', credentials, maxAttempts: 1 });
  await expect(cut.send(new GetObjectCommand({ Bucket, Key: 'lost' }))).rejects.toThrow('socket hang up');
  expect(bodies).toMatchObject([{ destroyed: true }]);
});
