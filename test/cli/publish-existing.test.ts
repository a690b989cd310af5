import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DescribeModelPackageCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { newLocalKey, publicKey } from '../../lib/model';
import { contentDigest } from '../../lib/model/digest';
import { PACKAGE_METADATA } from '../../lib/promotion';
import { fledge } from './fledge';
import { type ModelStore, modelStore } from './model-store';

const FLIGHTS = join(__dirname, '..', '..', 'model-artifacts', 'flight-delay');
const MIB = 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), 'publish-existing-'));
let store: ModelStore;

beforeAll(async () => {
  store = await modelStore(folder);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** An archive of version 2 and something else, as a training job would make it. */
function packed(name: string, content: string | Buffer): { directory: string; file: string; key: string; digest: string } {
  const directory = join(folder, name);
  const file = `${directory}.tar.gz`;
  cpSync(join(FLIGHTS, '2'), directory, { recursive: true });
  writeFileSync(join(directory, name), content);
  execFileSync('tar', ['-C', directory, '-czf', file, '.']);
  const { digest } = contentDigest(directory);
  return { directory, file, digest, key: `models/${digest}.tar.gz` };
}

const publish = (...argv: string[]) => fledge('publish', ...argv, '--bucket', 'store');

async function keys(): Promise<string[]> {
  const { Contents = [] } = await store.s3.send(new ListObjectsV2Command({ Bucket: 'store' }));
  return Contents.map(({ Key }) => Key!);
}

async function stored(Key: string): Promise<Buffer> {
  const { Body } = await store.s3.send(new GetObjectCommand({ Bucket: 'store', Key }));
  return Buffer.from(await Body!.transformToByteArray());
}

async function unfinished(): Promise<string[]> {
  const { Uploads = [] } = await store.s3.send(new ListMultipartUploadsCommand({ Bucket: 'store' }));
  return Uploads.map(({ Key }) => Key!);
}

describe('fledge publish takes an archive that exists', () => {
  test('as it is, once, and prints what to pin', async () => {
    const { file, directory, key, digest } = packed('README.md', 'trained elsewhere\n');
    const first = await publish(file);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toMatch(`published: s3://store/${key}, `);
    expect(first.out).toMatch(`in a stack ModelArtifact.fromBucket(bucket, '${key}', '${digest}')`);
    expect((await stored(key)).equals(readFileSync(file))).toBe(true);
    expect((await publish(file)).out).toMatch(`there already: s3://store/${key}, 0.0 kB sent`);
    expect((await publish(directory)).out).toMatch(`there already: s3://store/${key}, 0.0 kB sent`);
  });

  test('on from where a run failed, or removes what that left', async () => {
    const { file, key } = packed('noise.bin', randomBytes(11 * MIB));
    const argv = [file, '--part-size', '5', '--concurrency', '1'];
    const failed = async () => {
      const fault = store.local.faults.add({ kind: 'error', operation: 'UploadPart', nth: 2, code: 'ExpiredToken', status: 400 });
      expect(await publish(...argv)).toMatchObject({ code: 1, err: expect.stringMatching(/^error: the AWS credentials are .* expired/) });
      fault.remove();
      expect(await keys()).not.toContain(key);
      expect(await unfinished()).toEqual([key]);
    };
    await failed();
    expect((await publish(file, '--abort')).out).toBe('removed: 1 unfinished upload, 0 files of an unfinished version\n');
    await failed();
    const { bytes, sent, reused } = JSON.parse((await publish(...argv, '--json')).out) as { bytes: number; sent: number; reused: boolean };
    expect({ bytes, sent, reused }).toEqual({ bytes: readFileSync(file).length, sent: bytes - 5 * MIB, reused: false });
    expect((await stored(key)).equals(readFileSync(file))).toBe(true);
    expect(await unfinished()).toEqual([]);
  });

  test('into the registry, signed, with the samples that are in it', async () => {
    const { file, directory, digest } = packed('NOTICE', 'signed\n');
    const signingKey = join(folder, 'key.pem');
    const trusted = join(folder, 'trusted.pem');
    writeFileSync(signingKey, newLocalKey());
    writeFileSync(trusted, publicKey(readFileSync(signingKey, 'utf8')).publicKey);
    const { code, out } = await publish(file, '--group', 'flights', '--image', 'x/onnx:1', '--sign-with', signingKey, '--json');
    expect(code).toBe(0);
    const described = await new SageMakerClient({}).send(
      new DescribeModelPackageCommand({ ModelPackageName: (JSON.parse(out) as { modelPackage: string }).modelPackage }),
    );
    expect(described.CustomerMetadataProperties).toMatchObject({
      [PACKAGE_METADATA.digest]: digest,
      [PACKAGE_METADATA.samples]: `samples/${digest}.json`,
    });
    expect((await stored(`samples/${digest}.json`)).equals(readFileSync(join(directory, 'samples.json')))).toBe(true);
    for (const model of [file, directory])
      expect(await fledge('verify', model, '--key', trusted, '--bucket', 'store')).toMatchObject({ code: 0 });
  });

  test.each<[string, () => string[], number, RegExp]>([
    [
      'text by that name',
      () => {
        writeFileSync(join(folder, 'text.tar.gz'), 'a model, honestly');
        return [join(folder, 'text.tar.gz')];
      },
      1,
      /^error: .*text\.tar\.gz is no archive: it is text \("a model, honestly"\), .*\n$/,
    ],
    [
      'an archive with code that would do harm',
      () => [packed('extra.pkl', Buffer.from('\x80\x02cos\nsystem\nU\x02id\x85R.', 'latin1')).file],
      5,
      /^error: .*extra\.pkl\.tar\.gz is not safe to load: extra\.pkl at byte 18 would call os\.system\('id'\).*\n$/,
    ],
    [
      'samples that are none',
      () => [packed('samples.json', '[]').file, '--group', 'g', '--image', 'x'],
      1,
      /samples\.json holds no recorded/,
    ],
    ['a prefix', () => [packed('a', '').file, '--prefix'], 2, /^error: --prefix is for a directory, and .*a\.tar\.gz goes up as it is/],
    ['a mode', () => [packed('a', '').file, '--mode', 'speed'], 2, /^error: --mode is for a directory, and .* goes up as it is/],
    ['an uplink', () => [packed('a', '').file, '--uplink', '100'], 2, /^error: --uplink is for a directory, and .* goes up as it is/],
  ])('but not %s', async (_, argv, exit, said) => {
    const { code, err } = await publish(...argv());
    expect(err).toMatch(said);
    expect(code).toBe(exit);
  });
});

test('fledge package says who takes an archive that exists', async () => {
  const { file } = packed('a', '');
  expect(await fledge('package', file, '--output', folder)).toEqual({
    code: 1,
    out: '',
    err: `error: ${file} is packed already: fledge publish and ModelArtifact.fromArchive take it as it is\n`,
  });
});
