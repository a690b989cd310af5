import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { contentDigest } from '../../lib/model/digest';
import { abortPublish, type PublishOptions, type PublishProgress, publish } from '../../lib/model/publish';
import { type TestStore, testStore, uploadOptions } from './publish-store';

const MIB = 2 ** 20;
/** Does not compress: 3 parts of 5 MiB. */
const NOISE = randomBytes(11 * MIB);
const EVIL = Buffer.from('\x80\x02cos\nsystem\nU\x02id\x85R.', 'latin1');

let store: TestStore;
let folder: string;
let model: string;
let file: string;
let options: PublishOptions;

beforeEach(async () => {
  store = await testStore();
  folder = mkdtempSync(join(tmpdir(), 'fledge-publish-existing-'));
  model = join(folder, 'model');
  file = join(folder, 'model.tar.gz');
  mkdirSync(join(model, 'code'), { recursive: true });
  writeFileSync(join(model, 'model.bin'), NOISE);
  writeFileSync(join(model, 'code', 'inference.py'), 'def model_fn(): ...');
  options = uploadOptions(store, folder);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const tar = (...names: string[]) => execFileSync('tar', ['-C', model, '-czf', file, ...names]);
const parts = () => store.operations().filter((operation) => operation === 'UploadPart').length;

async function expectPublished(): Promise<void> {
  const { digest } = contentDigest(model, options);
  expect(await store.keys()).toEqual([`models/${digest}.tar.gz`]);
  expect((await store.bytes(`models/${digest}.tar.gz`)).equals(readFileSync(file))).toBe(true);
  expect(await store.unfinished()).toEqual([]);
}

describe('an archive that exists', () => {
  beforeEach(() => tar('.'));

  test('goes up as it is, in parts, under the digest that its directory has', async () => {
    const { digest, key, bytes, sent, reused } = await publish(file, options);
    expect([digest, key]).toEqual([contentDigest(model, options).digest, `models/${digest}.tar.gz`]);
    const { length } = readFileSync(file);
    expect([bytes, sent, reused]).toEqual([length, length, false]);
    expect(parts()).toBe(3);
    await expectPublished();
  });

  test('goes up in one call when it is small', async () => {
    writeFileSync(join(model, 'model.bin'), 'weights');
    tar('.');
    await publish(file, options);
    expect(store.operations()).toEqual(['ListObjectsV2', 'PutObject']);
    await expectPublished();
  });

  test('is not sent again, nor its directory after it', async () => {
    const first = await publish(file, options);
    store.operations();
    expect(await publish(file, options)).toEqual({ ...first, sent: 0, reused: true });
    expect(await publish(model, options)).toEqual({ ...first, sent: 0, reused: true });
    expect(store.operations()).toEqual(['ListObjectsV2', 'ListObjectsV2']);
    await expectPublished();
  });

  test('is published once by two publishers at the same time', async () => {
    await Promise.all([publish(file, options), publish(file, options)]);
    await expectPublished();
  });

  test('tells how far it is', async () => {
    const read: number[] = [];
    const said: PublishProgress[] = [];
    const { bytes } = await publish(file, {
      ...options,
      concurrency: 1,
      onRead: (count) => read.push(count),
      onProgress: (progress) => said.push(progress),
    });
    expect(read.at(-1)).toBe(bytes);
    expect(said.map(({ done, total, sent }) => [done, total, sent])).toEqual([
      [5 * MIB, bytes, 5 * MIB],
      [10 * MIB, bytes, 10 * MIB],
      [bytes, bytes, bytes],
    ]);
  });

  test('is gone on with when it failed', async () => {
    store.fault({ kind: 'error', operation: 'UploadPart', nth: 2, code: 'ExpiredToken', status: 400 });
    await expect(publish(file, { ...options, concurrency: 1 })).rejects.toMatchObject({ code: 'credentials' });
    expect(await store.keys()).toEqual([]);
    store.faults.clear();
    store.operations();
    const { bytes, sent } = await publish(file, options);
    expect([sent, parts()]).toEqual([bytes - 5 * MIB, 2]);
    await expectPublished();
  });

  test('goes on in an upload of its directory, whose parts are others', async () => {
    store.fault({ kind: 'error', operation: 'CompleteMultipartUpload', code: 'InvalidRequest', status: 400 });
    await expect(publish(model, options)).rejects.toMatchObject({ code: 's3-error' });
    store.faults.clear();
    const { bytes, sent } = await publish(file, options);
    expect(sent).toBe(bytes);
    await expectPublished();
  });

  test('is removed by abortPublish when it failed', async () => {
    store.fault({ kind: 'error', operation: 'CompleteMultipartUpload', code: 'InvalidRequest', status: 400 });
    await expect(publish(file, options)).rejects.toMatchObject({ code: 's3-error' });
    const { digest } = contentDigest(model, options);
    expect(await abortPublish({ client: store.client, bucket: 'models', digest })).toEqual({ uploads: 1, files: 0 });
    expect(await store.unfinished()).toEqual([]);
  });

  test('is stopped while it is read', async () => {
    const stop = new AbortController();
    const stopped = publish(file, { ...options, signal: stop.signal, onRead: () => stop.abort(new Error('enough')) });
    await expect(stopped).rejects.toThrow('enough');
    expect(store.operations()).toEqual([]);
  });

  test.each<[string, () => void]>([
    ['grows', () => appendFileSync(file, 'more')],
    [
      'changes in its place',
      () => {
        const descriptor = openSync(file, 'r+');
        writeSync(descriptor, Buffer.alloc(100), 0, 100, 6 * MIB);
        closeSync(descriptor);
      },
    ],
    [
      'becomes another',
      () => {
        rmSync(file);
        cpSync(join(model, 'model.bin'), file);
      },
    ],
  ])('is not visible when it %s while it is sent', async (_, change) => {
    const sending = publish(file, { ...options, concurrency: 1, onProgress: ({ sent }) => sent === 5 * MIB && change() });
    await expect(sending).rejects.toMatchObject({
      code: 'changed-while-reading',
      message: expect.stringContaining('model.tar.gz changed while it was read'),
    });
    expect(await store.keys()).toEqual([]);
  });
});

describe('an archive is refused before anything is sent', () => {
  const small = () => writeFileSync(join(model, 'model.bin'), 'weights');

  test.each<[string, string, RegExp, () => unknown]>([
    ['text by that name', 'not-an-archive', /is not a gzip archive: it is text/, () => writeFileSync(file, 'a model, honestly')],
    ['gzip without tar', 'not-an-archive', /is not a tar archive/, () => writeFileSync(file, gzipSync('text'.repeat(1000)))],
    [
      'cut short',
      'not-an-archive',
      /is cut short/,
      () => {
        tar('.');
        writeFileSync(file, readFileSync(file).subarray(0, -9));
      },
    ],
    [
      'followed by other bytes',
      'not-an-archive',
      /goes on for 4 bytes/,
      () => {
        tar('.');
        appendFileSync(file, 'more');
      },
    ],
    [
      'with a link',
      'unsafe-archive',
      /passwd is a link/,
      () => {
        execFileSync('ln', ['-s', '/etc/passwd', join(model, 'passwd')]);
        tar('.');
      },
    ],
    ['that readers understand in two ways', 'unsafe-archive', /can be read in two ways/, () => tar('model.bin', 'code//inference.py')],
    [
      'with code that would do harm',
      'scan-refused',
      /extra\.pkl at byte 18 would call os\.system\('id'\)/,
      () => {
        writeFileSync(join(model, 'extra.pkl'), EVIL);
        tar('.');
      },
    ],
  ])('%s', async (_, code, message, make) => {
    small();
    make();
    await expect(publish(file, options)).rejects.toMatchObject({ name: 'ModelError', code, message: expect.stringMatching(message) });
    expect(store.operations()).toEqual([]);
  });

  test('and taken where its own model.yaml lets it in', async () => {
    small();
    writeFileSync(join(model, 'extra.pkl'), EVIL);
    writeFileSync(join(model, 'model.yaml'), 'name: plain\nscan:\n  dangerous: warn\n');
    tar('.');
    await publish(file, options);
    await expectPublished();
  });

  test('with a mode, which is for a directory', async () => {
    tar('.');
    await expect(publish(file, { ...options, mode: 'stored' })).rejects.toMatchObject({
      code: 'invalid',
      message: `a mode is for a directory that is packed, and ${file} goes up as it is: leave it out`,
    });
  });
});
