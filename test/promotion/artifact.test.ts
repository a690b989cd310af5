import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { CreateModelPackageCommandInput } from '@aws-sdk/client-sagemaker';
import type { ArchiveMode } from '../../lib/model';
import { localSigner, newLocalKey, signModel } from '../../lib/model/provenance';
import { publish, publishFiles } from '../../lib/model/publish';
import { type ArtifactDemand, checkRequest, PACKAGE_METADATA } from '../../lib/promotion';
import { artifactProblem } from '../../lib/promotion/candidate-check';
import { MODELS, PLAN, World } from './harness/world';

const folder = mkdtempSync(join(tmpdir(), 'artifact-test-'));
let on: World;
beforeAll(async () => {
  on = await World.create({ 1: 0, 2: 0 });
});
afterAll(async () => {
  await on.close();
  rmSync(folder, { recursive: true });
});

/** Python that would call `os.system('id')` when it is unpickled. */
const EVIL = Buffer.from('\x80\x02cos\nsystem\nU\x02id\x85R.', 'latin1');

let made = 0;
function directory(files: Record<string, string | Buffer>): string {
  const root = join(folder, `${++made}`);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    utimesSync(join(root, path), 1, 1);
  }
  return root;
}

const PLAIN = { 'model.safetensors': safetensors(), 'model.yaml': 'name: plain\n' };

/** One tensor of four bytes. */
function safetensors(value = 0): Buffer {
  const header = Buffer.from(JSON.stringify({ w: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }).padEnd(64));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.from([0, 0, 0, value])]);
}

interface Candidate {
  readonly url: string;
  readonly digest?: string;
}

/** What the check of version 2 says of model data at a place. */
function problem({ url, digest }: Candidate, demand: ArtifactDemand = {}): Promise<string> {
  return on.spared(async () => {
    await on.register('2', { data: url, CustomerMetadataProperties: digest ? { [PACKAGE_METADATA.digest]: digest } : undefined });
    return artifactProblem(on.ports, on.request('2', { plan: { ...PLAN, artifact: demand } }));
  });
}

const store = () => ({ client: on.ports.s3, bucket: MODELS, cacheDirectory: join(folder, 'cache') });

async function archived(
  files: Record<string, string | Buffer>,
  mode: ArchiveMode = 'size',
): Promise<Candidate & { key: string; digest: string }> {
  const { uri, key, digest } = await on.spared(() => publish(directory(files), { ...store(), mode, scan: false }));
  return { url: uri, key, digest };
}

/** An archive that something else packed, as it is. */
async function taken(files: Record<string, string | Buffer>): Promise<Candidate & { key: string; digest: string }> {
  const root = directory({ ...files, NOTICE: 'packed elsewhere\n' });
  execFileSync('tar', ['-C', root, '-czf', `${root}.tar.gz`, '.']);
  const { uri, key, digest } = await on.spared(() => publish(`${root}.tar.gz`, { ...store(), scan: false }));
  return { url: uri, key, digest };
}

async function unpacked(files: Record<string, string | Buffer>): Promise<Candidate & { key: string; digest: string }> {
  const { uri, digest } = await on.spared(() => publishFiles(directory(files), { ...store(), scan: false }));
  return { url: uri, key: `models/${digest}/`, digest };
}

const put = (key: string, body: string | Buffer) =>
  on.spared(() => on.ports.s3.send(new PutObjectCommand({ Bucket: MODELS, Key: key, Body: body })));

const remove = (Key: string) => on.spared(() => on.ports.s3.send(new DeleteObjectCommand({ Bucket: MODELS, Key })));
const get = (Key: string) =>
  on.spared(async () => (await on.ports.s3.send(new GetObjectCommand({ Bucket: MODELS, Key }))).Body!.transformToByteArray());

async function signed({ digest }: { digest: string }, signer = localSigner(newLocalKey())): Promise<string> {
  await put(`models/${digest}.attestation.json`, JSON.stringify(await signModel({ name: 'plain', digest }, signer)));
  return signer.trusted.publicKey;
}

describe.each([
  ['an archive', archived],
  ['an archive that existed', taken],
  ['a prefix', unpacked],
])('model data as %s', (kind, published) => {
  test('passes when it holds what was approved', async () => {
    expect(await problem(await published(PLAIN))).toBe('');
  });

  test('is refused when it would run code, with the call', async () => {
    const evil = await published({ ...PLAIN, 'tokenizer.bin': EVIL });
    expect(await problem(evil)).toMatch(/is not safe to load: tokenizer\.bin at byte \d+ .*os\.system\('id'\)/);
  });

  test('is judged by its own model.yaml, unless the stage has a policy', async () => {
    const warned = await published({ ...PLAIN, 'tokenizer.bin': EVIL, 'model.yaml': 'name: plain\nscan:\n  dangerous: warn\n' });
    expect(await problem(warned)).toBe('');
    expect(await problem(warned, { policy: {} })).toMatch(/os\.system/);
    const sha256 = /sha256: ([0-9a-f]{64})/.exec(await problem(warned, { policy: {} }))![1];
    expect(await problem(warned, { policy: { allow: [{ sha256, reason: 'read by two of us' }] } })).toBe('');
  });

  test('is refused when unknown classes are, by the stage', async () => {
    const odd = await published({ ...PLAIN, 'features.pkl': Buffer.from('\x80\x02cour_features\nEncoder\n)\x81.', 'latin1') });
    expect(await problem(odd)).toBe('');
    expect(await problem(odd, { policy: { unknown: 'refuse' } })).toMatch(/features\.pkl .*our_features\.Encoder/);
  });

  test('passes by a signature of a trusted key only', async () => {
    const candidate = await published({ ...PLAIN, 'README.md': `signed as ${kind}\n` });
    const other = localSigner(newLocalKey()).trusted.publicKey;
    expect(await problem(candidate, { signedBy: [other] })).toMatch(/is not signed: sign it \(fledge sign\)/);
    const key = await signed(candidate);
    expect(await problem(candidate, { signedBy: [other, key] })).toBe('');
    expect(await problem(candidate, { signedBy: [other] })).toMatch(/is signed by sha256:[0-9a-f]{64}, and none of that is trusted here/);
    await put(`models/${candidate.digest}.attestation.json`, 'x');
    expect(await problem(candidate, { signedBy: [key] })).toMatch(/is no DSSE envelope/);
  });

  test('is not looked into above the limit: then a signature must do', async () => {
    const candidate = await published({ ...PLAIN, 'weights.bin': Buffer.alloc(100_000) });
    expect(await problem(candidate, { limitBytes: 50_000 })).toMatch(
      /holds 0\.1 MiB or more, .*: sign it .* or raise artifact\.limitBytes/,
    );
    expect(await problem(candidate, { limitBytes: 50_000, signedBy: [await signed(candidate)] })).toBe('');
  });

  test('is refused when there is none', async () => {
    const { url } = await published(PLAIN);
    expect(await problem({ url: url.replace(/[0-9a-f]{64}/, '0'.repeat(64)) })).toMatch(/there is no model data at s3:/);
  });
});

describe('an archive in S3', () => {
  test('of other content by the approved name is refused', async () => {
    const approved = await archived(PLAIN);
    const other = await archived({ ...PLAIN, 'model.safetensors': safetensors(1) });
    await put(approved.key, Buffer.from(await get(other.key)));
    expect(await problem(approved)).toMatch(new RegExp(`holds the content ${other.digest}, and ${approved.digest} was approved`));
    await put(approved.key, 'version https://git-lfs.github.com/spec/v1\n');
    expect(await problem(approved)).toMatch(/is not a gzip archive: it is a Git LFS pointer/);
  });

  test('that expands without end is given up at the limit', async () => {
    await put('bomb.tar.gz', gzipSync(Buffer.concat([tarHeader(50_000_000), Buffer.alloc(50_000_000)])));
    expect(await problem({ url: `s3://${MODELS}/bomb.tar.gz` }, { limitBytes: 20_000_000 })).toMatch(/holds 20\.0 MiB or more/);
  });

  test('that was made elsewhere is looked into all the same', async () => {
    await put('trained.tar.gz', readFileSync(join(__dirname, '../../model-artifacts/README.md')));
    expect(await problem({ url: `s3://${MODELS}/trained.tar.gz` })).toMatch(/is not a gzip archive: it is text/);
  });

  test('that S3 does not hand over now is asked for again', async () => {
    const candidate = await archived({ ...PLAIN, 'weights.bin': randomBytes(1000) });
    await on.spared(() => on.register('2', { data: candidate.url }));
    on.strike({ operation: 'GetObject', kind: 'throttle', times: 1 });
    const check = () =>
      on.process(
        () => true,
        () => artifactProblem(on.ports, on.request('2')),
      );
    await expect(check()).rejects.toThrow(/slow|rate/i);
    expect(await check()).toBe('');
  });
});

describe('a prefix in S3', () => {
  test('without its manifest was not published to its end', async () => {
    const { url, digest } = await unpacked({ ...PLAIN, 'README.md': 'no mark\n' });
    await remove(`models/${digest}.manifest`);
    expect(await problem({ url, digest })).toMatch(/the manifest of .* is missing: publish it to its end \(fledge publish --prefix\)/);
  });

  test('with a file that is not in the manifest, or is another, is refused', async () => {
    const candidate = await unpacked({ ...PLAIN, 'README.md': 'strays\n' });
    await put(`${candidate.key}stray.bin`, 'x');
    expect(await problem(candidate)).toMatch(/stray\.bin is not as the approved manifest says/);
    await remove(`${candidate.key}stray.bin`);
    await put(`${candidate.key}README.md`, 'STRAYS\n');
    expect(await problem(candidate)).toMatch(/README\.md holds the content [0-9a-f]{64}, and [0-9a-f]{64} was approved/);
    await put(`${candidate.key}README.md`, 'longer than before\n');
    expect(await problem(candidate)).toMatch(/README\.md is not as the approved manifest says/);
  });

  test('with another manifest than was approved is refused', async () => {
    const candidate = await unpacked({ ...PLAIN, 'README.md': 'manifest\n' });
    await put(`models/${candidate.digest}.manifest`, '{}\n');
    expect(await problem(candidate)).toMatch(/the manifest of .* holds the content [0-9a-f]{64}, and [0-9a-f]{64} was approved/);
  });

  test('that a training job wrote is scanned without a manifest, and cannot be signed', async () => {
    await put('job/output/model.safetensors', safetensors());
    expect(await problem({ url: `s3://${MODELS}/job/output/` })).toBe('');
    const { publicKey } = localSigner(newLocalKey()).trusted;
    expect(await problem({ url: `s3://${MODELS}/job/output/` }, { signedBy: [publicKey] })).toMatch(/has no digest that could be signed/);
    await put('job/output/state.pkl', EVIL);
    expect(await problem({ url: `s3://${MODELS}/job/output/` })).toMatch(/os\.system/);
  });
});

describe('a package that deploys more than its model data', () => {
  const S3 = (S3Uri: string, S3DataType: 'S3Object' | 'S3Prefix', more = {}) => ({
    S3DataSource: { S3Uri, S3DataType, CompressionType: 'None' as const, ...more },
  });
  type Container = NonNullable<NonNullable<CreateModelPackageCommandInput['InferenceSpecification']>['Containers']>[number];

  test.each<[string, (good: string) => readonly Partial<Container>[], RegExp]>([
    [
      'a second container',
      (good) => [{ ModelDataUrl: good }, { ModelDataUrl: `s3://${MODELS}/unseen.tar.gz` }],
      /^the model package has 2 containers, and only the data of one can be checked: put the model into one archive/,
    ],
    [
      'an additional data source',
      (good) => [{ ModelDataUrl: good, AdditionalS3DataSource: { S3DataType: 'S3Object', S3Uri: `s3://${MODELS}/unseen.tar.gz` } }],
      /^the model package's container has AdditionalS3DataSource, which is not checked: put it into the model data/,
    ],
    [
      'additional model data',
      (good) => [
        { ModelDataUrl: good, AdditionalModelDataSources: [{ ChannelName: 'adapter', ...S3(`s3://${MODELS}/unseen/`, 'S3Prefix') }] },
      ],
      /has AdditionalModelDataSources, which is not checked/,
    ],
    [
      'model data in two places',
      (good) => [{ ModelDataUrl: good, ModelDataSource: S3(`s3://${MODELS}/unseen/`, 'S3Prefix') }],
      /has model data in both ModelDataUrl and ModelDataSource/,
    ],
    [
      'a list of files elsewhere',
      () => [{ ModelDataSource: S3(`s3://${MODELS}/job/`, 'S3Prefix', { ManifestS3Uri: `s3://${MODELS}/list.json` }) }],
      /has ManifestS3Uri, which is not checked/,
    ],
    [
      'all that begins like its archive',
      (good) => [{ ModelDataSource: S3(good, 'S3Prefix') }],
      /^the model data at .*\.tar\.gz is an S3Prefix, and names no folder: end it in \/, or make it an S3Object$/,
    ],
    [
      'one object, where a folder is looked into',
      () => [{ ModelDataSource: S3(`s3://${MODELS}/job/`, 'S3Object') }],
      /^the model data at .*\/job\/ is an S3Object, and names a folder: /,
    ],
  ])('%s: refused', async (_, containers, said) => {
    const { url } = await archived(PLAIN);
    await put('job/model.safetensors', safetensors());
    await put('unseen.tar.gz', 'this is no archive');
    const Containers = containers(url).map((container) => ({ Image: 'local/onnx:1', ...container }));
    await on.spared(() => on.register('2', { InferenceSpecification: { Containers } }));
    expect(await on.spared(() => artifactProblem(on.ports, on.request('2')))).toMatch(said);
  });

  test('none of that: passes', async () => {
    await put('whole/model.safetensors', safetensors());
    const Containers = [{ Image: 'local/onnx:1', ModelDataSource: S3(`s3://${MODELS}/whole/`, 'S3Prefix') }];
    await on.spared(() => on.register('2', { InferenceSpecification: { Containers } }));
    expect(await on.spared(() => artifactProblem(on.ports, on.request('2')))).toBe('');
  });
});

test.each<[ArtifactDemand, RegExp]>([
  [{ signedBy: [] }, /plan\.artifact\.signedBy is empty/],
  [{ limitBytes: 0 }, /plan\.artifact\.limitBytes must be above 0, got 0/],
])('a demand that could not be met is refused: %j', (artifact, said) => {
  expect(() => checkRequest(on.request('2', { plan: { ...PLAN, artifact } }))).toThrow(said);
});

test('a key that is none is said to be none', async () => {
  const none = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----';
  expect(await problem(await unpacked(PLAIN), { signedBy: [none] })).toMatch(
    /a key of plan\.artifact\.signedBy cannot be used for signatures/,
  );
});

function tarHeader(size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write('weights.bin', 0);
  header.write('0000644\0', 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write('0ustar\x0000', 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
