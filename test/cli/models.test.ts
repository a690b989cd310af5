import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DescribeModelPackageCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Size, Stack } from 'aws-cdk-lib/core';
import { ModelArtifact, ModelEndpoint, ServingImage } from '../../lib';
import { modeForUplink, newLocalKey, publicKey } from '../../lib/model';
import { PACKAGE_METADATA } from '../../lib/promotion';
import { fledge } from './fledge';
import { type ModelStore, modelStore } from './model-store';

const FLIGHTS = join(__dirname, '..', '..', 'model-artifacts', 'flight-delay');
const folder = mkdtempSync(join(tmpdir(), 'models-test-'));
let store: ModelStore;

beforeAll(async () => {
  store = await modelStore(folder);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const key = join(folder, 'key.pem');
const trusted = join(folder, 'trusted.pem');
writeFileSync(key, newLocalKey());
writeFileSync(trusted, publicKey(readFileSync(key, 'utf8')).publicKey);

const evil = join(folder, 'evil');
cpSync(join(FLIGHTS, '2'), evil, { recursive: true });
writeFileSync(join(evil, 'extra.pkl'), Buffer.from('\x80\x02cos\nsystem\nU\x02id\x85R.', 'latin1'));

const odd = join(folder, 'odd');
cpSync(join(FLIGHTS, '2'), odd, { recursive: true });
writeFileSync(join(odd, 'extra.pkl'), Buffer.from('\x80\x02cour_features\nEncoder\n)\x81.', 'latin1'));

const halfSampled = join(folder, 'half.json');
const [sample] = JSON.parse(readFileSync(join(FLIGHTS, '1', 'samples.json'), 'utf8')).samples;
writeFileSync(halfSampled, JSON.stringify({ samples: [sample, { inputs: sample.inputs, output: sample.outputs }] }));

async function keys(): Promise<string[]> {
  const { Contents = [] } = await store.s3.send(new ListObjectsV2Command({ Bucket: 'store' }));
  return Contents.map(({ Key }) => Key!);
}

interface Published {
  readonly digest: string;
  readonly key: string;
  readonly uri: string;
  readonly sent: number;
  readonly reused: boolean;
  readonly modelPackage: string | null;
  readonly attestation: string | null;
}

async function published(...argv: string[]): Promise<Published> {
  const { code, out, err } = await fledge('publish', ...argv, '--bucket', 'store', '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Published;
}

describe('fledge publish', () => {
  test('puts a model into the store once, and prints what to pin', async () => {
    const first = await fledge('publish', join(FLIGHTS, '1'), '--bucket', 'store');
    expect(first.code).toBe(0);
    const [, pinned, digest] = /in a stack ModelArtifact\.fromBucket\(bucket, '(.*)', '([0-9a-f]{64})'\)/.exec(first.out)!;
    expect(pinned).toBe(`models/${digest}.tar.gz`);
    expect(await keys()).toContain(pinned);
    expect(await published(join(FLIGHTS, '1'))).toMatchObject({ digest, reused: true, sent: 0 });
  });

  test('puts it file by file below a prefix', async () => {
    const { key: prefix, digest } = await published(join(FLIGHTS, '1'), '--prefix');
    expect(prefix).toBe(`models/${digest}/`);
    expect(await keys()).toEqual(expect.arrayContaining([`${prefix}model.onnx`, `models/${digest}.manifest`]));
  });

  test('registers the version, approved and signed, with its recorded samples', async () => {
    const image = '111122223333.dkr.ecr.eu-west-1.amazonaws.com/onnx:1';
    const version = [join(FLIGHTS, '2'), '--group', 'flights', '--approve', '--sign-with', key];
    const first = await published(...version, '--image', image);
    const described = await new SageMakerClient({}).send(new DescribeModelPackageCommand({ ModelPackageName: first.modelPackage! }));
    expect(described).toMatchObject({
      ModelApprovalStatus: 'Approved',
      InferenceSpecification: { Containers: [{ Image: image, ModelDataUrl: first.uri }] },
      CustomerMetadataProperties: { [PACKAGE_METADATA.digest]: first.digest, [PACKAGE_METADATA.samples]: `samples/${first.digest}.json` },
    });
    const samples = await store.s3.send(new GetObjectCommand({ Bucket: 'store', Key: `samples/${first.digest}.json` }));
    expect(await samples.Body!.transformToString()).toBe(readFileSync(join(FLIGHTS, '2', 'samples.json'), 'utf8'));
    expect(await fledge('verify', join(FLIGHTS, '2'), '--key', trusted, '--bucket', 'store')).toMatchObject({ code: 0 });
    // Once more: the same version; another model: the group's image.
    expect((await published(...version)).modelPackage).toBe(first.modelPackage);
    expect((await published(join(FLIGHTS, '3'), '--group', 'flights')).modelPackage).toMatch(/flights\/2$/);
  });

  test.each([
    ['no directory', [], 2, /error: give the model to publish: its directory, or a \.tar\.gz of it/],
    ['no bucket', [join(FLIGHTS, '1'), '--bucket', 'none'], 1, /error: there is no such bucket/],
    [
      'a group that no image is known for',
      [join(FLIGHTS, '1'), '--group', 'new'],
      1,
      /error: new has no version yet whose image .* --image/,
    ],
    ['an image without a group', [join(FLIGHTS, '1'), '--image', 'x'], 2, /error: .* say where with --group/],
    [
      'samples that are none',
      [join(FLIGHTS, '1'), '--group', 'g', '--samples', key],
      1,
      /error: .*key\.pem cannot be read as recorded samples/,
    ],
    [
      'a sample that misses its outputs',
      [join(FLIGHTS, '1'), '--group', 'g', '--samples', halfSampled],
      1,
      /error: .*half\.json, sample 2 of 2: has no "inputs" and "outputs" by name/,
    ],
    ['code that would do harm', [evil], 5, /error: .*extra\.pkl at byte 18 would call os\.system\('id'\)/],
    [
      'a key that is not there',
      [join(FLIGHTS, '1'), '--sign-with', 'no.pem'],
      1,
      /error: no\.pem cannot be read \(ENOENT\): a key is a PEM file/,
    ],
    ['two modes', [join(FLIGHTS, '1'), '--mode', 'size', '--uplink', '100'], 2, /cannot be used with/],
    ['a part that S3 does not take', [join(FLIGHTS, '1'), '--part-size', '4'], 2, /from 5 to 5120/],
  ])('refuses %s, in one line', async (_, argv, exit, said) => {
    const { code, err } = await fledge('publish', '--bucket', 'store', ...argv);
    expect(err).toMatch(said);
    expect(code).toBe(exit);
    if (exit !== 2) expect(err).toMatch(/^[^\n]*\n$/);
  });

  test('says in one line that no region is named', async () => {
    const { AWS_REGION, AWS_DEFAULT_REGION, ...others } = process.env;
    const before = process.env;
    process.env = { ...others, AWS_CONFIG_FILE: join(folder, 'no-config') };
    const { code, err } = await fledge('publish', join(FLIGHTS, '1'), '--bucket', 'store');
    process.env = before;
    expect(err).toBe('error: no AWS region: set AWS_REGION, or a region in the profile\n');
    expect(code).toBe(1);
  });

  test('removes what is unfinished', async () => {
    const { code, out } = await fledge('publish', '--bucket', 'store', '--abort');
    expect({ code, out }).toEqual({ code: 0, out: 'removed: 0 unfinished uploads, 0 files of an unfinished version\n' });
  });
});

test('the command that the construct names publishes what it then says to pin', async () => {
  const large = join(folder, "anna's model");
  cpSync(join(FLIGHTS, '2'), large, { recursive: true });
  for (const name of readdirSync(large)) utimesSync(join(large, name), 1, 1);
  // Files that were touched just now are not remembered.
  await new Promise((resolve) => setTimeout(resolve, 2100));
  const synth = () => ModelArtifact.fromDirectory(large, { sizeLimit: Size.kibibytes(10) });
  const command = /npx fledge (.*) --bucket BUCKET, then pin what it prints/.exec(thrownBy(synth))![1]!;
  const argv = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
    .trim()
    .split('\n');
  const { code, out } = await fledge(...argv, '--bucket', 'store');
  expect(code).toBe(0);
  const [, key, digest] = /fromBucket\(bucket, '(.*)', '(.*)'\)/.exec(out)!;
  expect(thrownBy(synth)).toContain(`then pin it: ModelArtifact.fromBucket(bucket, '${key}', '${digest}')`);
  const stack = new Stack();
  const image = ServingImage.onnx();
  new ModelEndpoint(stack, 'M', { artifact: ModelArtifact.fromBucket(Bucket.fromBucketName(stack, 'B', 'store'), key!, digest!), image });
  Template.fromStack(stack).hasResourceProperties('AWS::SageMaker::Model', {
    PrimaryContainer: {
      ModelDataSource: { S3DataSource: { S3Uri: `s3://store/${key}`, S3DataType: 'S3Prefix', CompressionType: 'None' } },
    },
  });
});

function thrownBy(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

test('fledge invoke names the SageMaker that answered', async () => {
  const { code, err } = await fledge('invoke', 'nobody', '--url', store.local.url, '--body', '[]');
  expect(err).toMatch(`error: nobody did not answer: ${store.local.url} answered ValidationError`);
  expect(code).toBe(1);
});

describe('fledge scan', () => {
  test('says that a model is safe', async () => {
    const { code, out } = await fledge('scan', join(FLIGHTS, '1'), join(FLIGHTS, '2', 'model.onnx'));
    expect(code).toBe(0);
    expect(out).toMatch(/1: safe \(3 files: .*accepted\n.*model\.onnx: safe \(1 file:/);
  });

  test('says what would run, and exits with 5', async () => {
    const sarif = join(folder, 'scan.sarif');
    const { code, out } = await fledge('scan', evil, '--json', '--sarif', sarif);
    expect(code).toBe(5);
    expect(JSON.parse(out).scans[0]).toMatchObject({ grade: 'dangerous', verdict: 'refuse', outcomes: [{ path: 'extra.pkl' }] });
    const [{ results }] = JSON.parse(readFileSync(sarif, 'utf8')).runs;
    expect(results[0].locations[0].physicalLocation.artifactLocation.uri).toMatch(/evil\/extra\.pkl$/);
  });

  test('refuses what is unknown only where it is asked to', async () => {
    expect((await fledge('scan', odd)).code).toBe(0);
    expect((await fledge('scan', odd, '--strict')).code).toBe(5);
  });

  test('looks into archives', async () => {
    await fledge('package', join(FLIGHTS, '2'), '--output', join(folder, 'out'));
    const archive = join(folder, 'out', readdirSync(join(folder, 'out'))[0]!);
    expect((await fledge('scan', archive)).out).toMatch(/safe \(3 files/);
  });

  test.each(['scan', 'inspect', 'package'])('ends at Ctrl-C where fledge %s has begun to look into a file', (command) => {
    const long = join(folder, 'long');
    mkdirSync(long, { recursive: true });
    writeFileSync(join(long, 'interrupted.pkl'), 'I1\n.');
    const program = ['--require', join(__dirname, 'interrupting.cjs'), '--import', 'tsx', join(__dirname, '..', '..', 'bin', 'fledge.ts')];
    const { signal, stdout } = spawnSync(process.execPath, [...program, command, long], {
      cwd: join(__dirname, '..', '..'),
      encoding: 'utf8',
    });
    expect({ signal, stdout }).toEqual({ signal: 'SIGINT', stdout: '' });
  });

  test('of a file that is not there is an error', async () => {
    expect(await fledge('scan', join(folder, 'none'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: .*none does not exist\n$/),
    });
  });
});

describe('fledge package', () => {
  test('refuses code that would do harm, and warns of what is unknown', async () => {
    expect(await fledge('package', evil, '--output', join(folder, 'evil-out'))).toMatchObject({ code: 5 });
    const { code, err } = await fledge('package', odd, '--output', join(folder, 'odd-out'));
    expect(code).toBe(0);
    expect(err).toMatch(/warning: extra\.pkl .*our_features\.Encoder/);
  });

  test('takes the mode that an uplink wants', () => {
    expect([100, 2000, 2500, 3000, 10_000].map((megabits) => modeForUplink(megabits, 2))).toEqual([
      'size',
      'size',
      'speed',
      'speed',
      'stored',
    ]);
    expect(modeForUplink(10_000, 16)).toBe('size');
  });
});

describe('fledge sign and verify', () => {
  const attestation = join(folder, 'attestation.json');

  test('an attestation is not written into the model that it signs', async () => {
    const model = join(folder, 'signed');
    cpSync(join(FLIGHTS, '2'), model, { recursive: true });
    const before = readdirSync(model);
    const inside = await fledge('sign', model, '--key', key, '--output', join(model, 'attestation.json'));
    const home = process.cwd();
    process.chdir(model);
    const here = await fledge('sign', '.', '--key', key);
    process.chdir(home);
    for (const { code, err } of [inside, here])
      expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/elsewhere with --output/) });
    expect(readdirSync(model)).toEqual(before);
  });

  test('a signature holds for the very files, as a directory or as an archive', async () => {
    expect((await fledge('sign', join(FLIGHTS, '2'), '--key', key, '--output', attestation)).code).toBe(0);
    const verify = (model: string) => fledge('verify', model, '--key', trusted, '--attestation', attestation);
    expect(await verify(join(FLIGHTS, '2'))).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^the signature holds: flight-delay, framework onnx, scan safe, version 2, [0-9a-f]{64}\n$/),
    });
    const packed = JSON.parse((await fledge('package', join(FLIGHTS, '2'), '--output', join(folder, 'out'), '--json')).out) as {
      path: string;
    };
    expect((await verify(packed.path)).code).toBe(0);
    const changed = join(folder, 'changed');
    cpSync(join(FLIGHTS, '2'), changed, { recursive: true });
    copyFileSync(join(FLIGHTS, '3', 'model.onnx'), join(changed, 'model.onnx'));
    expect(await verify(changed)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: .* the files are not those that were signed\n$/),
    });
  });

  test.each([
    ['a model that is not safe', () => ['sign', evil, '--key', key], 5, /os\.system/],
    ['a key that is none', () => ['sign', join(FLIGHTS, '2'), '--key', trusted], 1, /trusted\.pem cannot be used for signatures/],
    [
      'an attestation that is none',
      () => ['verify', join(FLIGHTS, '2'), '--key', trusted, '--attestation', key],
      1,
      /cannot be read as an attestation/,
    ],
    ['no attestation', () => ['verify', join(FLIGHTS, '2'), '--key', trusted], 2, /give either --attestation or --bucket/],
    [
      'two places for an attestation',
      () => ['sign', join(FLIGHTS, '2'), '--key', key, '--bucket', 'store', '--output', join(folder, 'lost.json')],
      2,
      /give either --output or --bucket/,
    ],
    ['a model that was never signed', () => ['verify', join(FLIGHTS, '5'), '--key', trusted, '--bucket', 'store'], 1, /is not signed/],
  ])('refuses %s', async (_, argv, exit, said) => {
    const { code, err } = await fledge(...argv());
    expect(err).toMatch(said);
    expect(code).toBe(exit);
  });
});

describe('fledge bom', () => {
  test('writes the bill of materials', async () => {
    const { code, out } = await fledge('bom', join(FLIGHTS, '2'));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'flight-delay' } } });
    mkdirSync(join(folder, 'bom'));
    expect((await fledge('bom', join(FLIGHTS, '2'), '--output', join(folder, 'bom', 'bom.json'))).code).toBe(0);
    expect(readFileSync(join(folder, 'bom', 'bom.json'), 'utf8')).toBe(out);
    expect((await fledge('bom', join(FLIGHTS, '2'), '--output', join(folder, 'none', 'bom.json'))).err).toMatch(
      /bom\.json cannot be written: there is no such folder$/m,
    );
  });
});
