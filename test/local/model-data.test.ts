import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelRecord } from '../../lib/local/control/models';
import { contentDigest } from '../../lib/model';
import { createConfig, createModel, IMAGE, ROLE, type Started, start, ToldEngine, variant } from './support';

let folder: string;
let started: Started;
/** What the engine was given, file by file. */
let opened: Record<string, string>[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fledge-data-'));
  mkdirSync(join(folder, 'model/code'), { recursive: true });
  writeFileSync(join(folder, 'model/weights'), 'seven');
  writeFileSync(join(folder, 'model/code/inference.py'), 'pass\n');
  opened = [];
  const openModel = async (directory: string, _: ModelRecord) => {
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    opened.push(
      Object.fromEntries(
        files.map(({ parentPath, name }) => [
          join(parentPath, name).slice(directory.length + 1),
          readFileSync(join(parentPath, name), 'utf8'),
        ]),
      ),
    );
    return new ToldEngine();
  };
  started = await start({ openModel });
});
afterEach(async () => {
  await started.stop();
  rmSync(folder, { recursive: true });
});

const files = { weights: 'seven', 'code/inference.py': 'pass\n' };

function tar(...options: string[]): Buffer {
  execFileSync('tar', ['czf', join(folder, 'made.tar.gz'), '-C', join(folder, 'model'), ...options]);
  return readFileSync(join(folder, 'made.tar.gz'));
}

async function put(key: string, bytes: Buffer): Promise<string> {
  await started.local.objects.write('models', key, bytes);
  return `s3://models/${key}`;
}

/** What becomes of an endpoint on a model with this data. */
async function outcome(data: string): Promise<string | undefined> {
  await createModel(started, 'model', data);
  await createConfig(started, 'config', [variant('live', 'model')]);
  await started.sagemaker.createEndpoint({ EndpointName: 'e', EndpointConfigName: 'config' });
  await started.local.clock.jump(60_000);
  const { EndpointStatus, FailureReason } = await started.sagemaker.describeEndpoint({ EndpointName: 'e' });
  return EndpointStatus === 'Failed' ? FailureReason : EndpointStatus;
}

it('is unpacked from an archive in S3', async () => {
  expect(await outcome(await put('v1/model.tar.gz', tar('.')))).toBe('InService');
  expect(opened).toEqual([files]);
});

it('is named by its content, which is checked', async () => {
  const { digest } = contentDigest(join(folder, 'model'), { cacheDirectory: join(folder, 'cache') });
  expect(await outcome(await put(`models/${digest}.tar.gz`, tar('weights', 'code')))).toBe('InService');
});

it('is refused where its content is not what its name says', async () => {
  const uri = await put(`models/${'0'.repeat(64)}.tar.gz`, tar('.'));
  const { digest } = contentDigest(join(folder, 'model'), { cacheDirectory: join(folder, 'cache') });
  expect(await outcome(uri)).toBe(`The model data at ${uri} is not what its name says: the content digest of its files is ${digest}.`);
  expect(opened).toEqual([]);
});

it('is refused where its ETag is not the one that the model package names', async () => {
  const bytes = tar('.');
  const S3Uri = await put('m.tar.gz', bytes);
  const make = (name: string, ETag: string) =>
    started.sagemaker.createModel({
      ModelName: name,
      ExecutionRoleArn: ROLE,
      PrimaryContainer: {
        Image: IMAGE,
        ModelDataSource: { S3DataSource: { S3Uri, S3DataType: 'S3Object', CompressionType: 'Gzip', ETag } },
      },
    });
  await make('right', `"${(await started.local.objects.stat('models', 'm.tar.gz'))!.etag}"`);
  await make('wrong', createHash('md5').update('other').digest('hex'));
  for (const name of ['right', 'wrong']) {
    await createConfig(started, name, [variant('live', name)]);
    await started.sagemaker.createEndpoint({ EndpointName: name, EndpointConfigName: name });
  }
  await started.local.clock.jump(60_000);
  expect(await started.sagemaker.describeEndpoint({ EndpointName: 'right' })).toMatchObject({ EndpointStatus: 'InService' });
  expect(await started.sagemaker.describeEndpoint({ EndpointName: 'wrong' })).toMatchObject({
    EndpointStatus: 'Failed',
    FailureReason: expect.stringContaining('has the ETag'),
  });
});

it('is taken from a prefix as it is', async () => {
  await put('tree/weights', Buffer.from('seven'));
  await put('tree/code/inference.py', Buffer.from('pass\n'));
  const source = { S3Uri: 's3://models/tree/', S3DataType: 'S3Prefix' as const, CompressionType: 'None' as const };
  await started.sagemaker.createModel({
    ModelName: 'model',
    ExecutionRoleArn: ROLE,
    PrimaryContainer: { Image: IMAGE, ModelDataSource: { S3DataSource: source } },
  });
  await createConfig(started, 'config', [variant('live', 'model')]);
  await started.sagemaker.createEndpoint({ EndpointName: 'e', EndpointConfigName: 'config' });
  await started.local.clock.jump(60_000);
  expect(opened).toEqual([files]);
});

it('is taken from a directory or an archive of this machine', async () => {
  tar('.');
  expect(await outcome(`file://${folder}/model`)).toBe('InService');
  await createModel(started, 'archived', `file://${folder}/made.tar.gz`);
  await createConfig(started, 'archived', [variant('live', 'archived')]);
  await started.sagemaker.createEndpoint({ EndpointName: 'f', EndpointConfigName: 'archived' });
  await started.local.clock.jump(60_000);
  expect(opened).toEqual([files, files]);
});

it('is new where the object was replaced', async () => {
  const uri = await put('m.tar.gz', tar('weights'));
  expect(await outcome(uri)).toBe('InService');
  writeFileSync(join(folder, 'model/weights'), 'eleven');
  await put('m.tar.gz', tar('weights'));
  await started.sagemaker.createEndpoint({ EndpointName: 'f', EndpointConfigName: 'config' });
  await started.local.clock.jump(60_000);
  expect(opened).toEqual([{ weights: 'seven' }, { weights: 'eleven' }]);
});

it('is missed at CreateModel', async () => {
  await expect(createModel(started, 'model', 's3://models/none.tar.gz')).rejects.toThrow(
    'Could not find model data at s3://models/none.tar.gz.',
  );
});

it('is missed where it was deleted since', async () => {
  await expect(outcome(`file://${folder}/none`)).resolves.toMatch(/^Failed to download model data from URL "file:.*none"/);
});

describe('an archive that is not safe', () => {
  it.each([
    ['a link', () => symlinkSync('/etc/passwd', join(folder, 'model/link')), ['link'], 'link is a symlink'],
    ['a path out of it', () => {}, ['--transform=s,^weights,../../out,', 'weights'], '../../out leads out of it'],
    ['an absolute path', () => {}, ['-P', '--transform=s,^weights,/tmp/fledge-out,', 'weights'], '/tmp/fledge-out leads out of it'],
  ])('%s: nothing of it is written', async (_, prepare, options, reason) => {
    prepare();
    const failure = await outcome(await put('evil.tar.gz', tar(...options)));
    expect(failure).toContain(`the archive is not safe to unpack: ${reason}`);
    expect(opened).toEqual([]);
  });

  it.each([
    ['text', Buffer.from('no archive at all'), 'incorrect header check'],
    ['cut short', undefined, /unexpected end of file|cut short/],
  ])('%s: it says so', async (_, bytes, reason) => {
    const whole = tar('.');
    const failure = await outcome(await put('broken.tar.gz', bytes ?? whole.subarray(0, whole.length - 20)));
    expect(failure).toMatch(/^Failed to extract model data archive from URL "s3:\/\/models\/broken\.tar\.gz": /);
    expect(failure).toEqual(typeof reason === 'string' ? expect.stringContaining(reason) : expect.stringMatching(reason));
  });
});
