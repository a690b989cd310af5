import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveSync } from '../lib/model/archive';
import { bundled } from './bundled';
import { writeModelFiles } from './model-files';
import { processCost } from './process-cost';
import { pythonEnvironment } from './python-environment';

/**
 * `npm run bench:publish [-- --quick]`: what goes over the network, and how long it takes, to publish a model to a local S3: the whole, a new
 * version with one of eight shards changed, and the rest of a publish that was killed. Beside aws-cli and boto3.
 */

const quick = process.argv.includes('--quick');
const shard = (quick ? 8 : 64) * 2 ** 20;
const work = mkdtempSync(join(tmpdir(), 'bench-publish-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const [program, storeProgram] = bundled(join(work, 'package'), ['bench/publish/program', 'bench/publish/store']) as [string, string];

const BOTO3 = `
import boto3, os, sys
bucket = boto3.client('s3', endpoint_url=sys.argv[1])
for folder, _, names in os.walk(sys.argv[2]):
    for name in names:
        path = os.path.join(folder, name)
        bucket.upload_file(path, 'models', sys.argv[3] + os.path.relpath(path, sys.argv[2]))
`;

/** Peers must talk to the local store and to nothing else. */
const environment = (url: string) => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
});

class Store {
  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
  ) {}

  static async open(): Promise<Store> {
    const child = fork(storeProgram, { stdio: 'inherit' });
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    return new Store(child, url);
  }

  /** Bytes that were sent to it so far. */
  async received(): Promise<number> {
    this.process.send({});
    const [{ received }] = (await once(this.process, 'message')) as [{ received: number }];
    return received;
  }

  close(): void {
    this.process.disconnect();
  }
}

interface Measured {
  readonly seconds: number;
  readonly bytes: number;
}

async function measure(store: Store, name: string, command: readonly string[]): Promise<Measured> {
  const before = await store.received();
  const { wall, cpu } = processCost(command, environment(store.url));
  const bytes = (await store.received()) - before;
  console.log(
    `  ${name.padEnd(44)}${wall.toFixed(2).padStart(8)} s${cpu.toFixed(2).padStart(8)} CPU s${(bytes / 1e6).toFixed(1).padStart(9)} MB sent`,
  );
  return { seconds: wall, bytes };
}

function goal(name: string, figure: string, wanted: string, met: boolean): void {
  console.log(`goal ${name}: ${figure} (wanted ${wanted}) ${met ? 'met' : 'missed'}`);
}

async function main(): Promise<void> {
  const peers = pythonEnvironment(join(__dirname, 'publish'));
  const store = await Store.open();
  const cache = join(work, 'cache');
  const ours = (way: string, directory: string) => ['node', program, store.url, way, directory, cache];
  const python = join(peers, 'python');
  const aws = join(peers, 'aws');

  const shards = join(work, 'shards');
  mkdirSync(shards);
  for (let index = 0; index < 8; index++) writeFileSync(join(shards, `model-${index}.safetensors`), randomBytes(shard));
  console.log(`eight shards of ${shard / 2 ** 20} MiB, all new`);
  const first = await measure(store, 'cdk-fledge, files', ours('files', shards));

  writeFileSync(join(shards, 'model-3.safetensors'), randomBytes(shard));
  console.log('one of the eight changed');
  const changed = await measure(store, 'cdk-fledge, files', ours('files', shards));
  const whole = new Map<string, Measured>();
  const awsCopy = [aws, 's3', 'cp', '--recursive', '--quiet', shards, 's3://models/aws/'];
  whole.set('aws-cli', await measure(store, 'aws s3 cp --recursive', awsCopy));
  whole.set('boto3', await measure(store, 'boto3 upload_file', [python, '-c', BOTO3, store.url, shards, 'boto3/']));
  const unchanged = await measure(store, 'cdk-fledge again, nothing changed', ours('files', shards));

  const mixed = join(work, 'mixed');
  mkdirSync(mixed);
  writeModelFiles(mixed, 4 * shard);
  console.log(`\n${(4 * shard) / 2 ** 20} MiB of mixed model files as one archive`);
  const archived = await measure(store, 'cdk-fledge, packed on the way', ours('archive', mixed));
  const pipe = `tar cz -C '${mixed}' . | '${aws}' s3 cp --quiet - s3://models/aws.tar.gz`;
  const packed = await measure(store, 'tar cz | aws s3 cp -', ['sh', '-c', pipe]);

  writeFileSync(join(mixed, 'new.weight'), randomBytes(4 * shard));
  const size = statSync(archiveSync(mixed, { output: join(work, 'out'), cacheDirectory: cache }).path).size;
  const before = await store.received();
  await killedAt(before + size / 2, store, ours('archive', mixed));
  const killed = (await store.received()) - before;
  console.log(`\nkilled after ${(killed / 1e6).toFixed(1)} of ${(size / 1e6).toFixed(1)} MB, and run again`);
  const rest = await measure(store, 'cdk-fledge, the rest', ours('archive', mixed));
  store.close();

  console.log();
  const share = (part: number, all: number) => `${((100 * part) / all).toFixed(1)} %`;
  goal('sent for one of eight shards', share(changed.bytes, first.bytes), '<= 13 %', changed.bytes <= 0.13 * first.bytes);
  goal('sent for nothing changed', `${(unchanged.bytes / 1e3).toFixed(1)} kB`, '< 10 kB', unchanged.bytes < 10_000);
  for (const [peer, { seconds }] of whole) {
    goal(`one of eight shards against ${peer}`, `${(seconds / changed.seconds).toFixed(2)}x`, '>= 2x', seconds >= 2 * changed.seconds);
  }
  goal(
    'archive against tar | aws-cli',
    `${(packed.seconds / archived.seconds).toFixed(2)}x`,
    '>= 3x',
    packed.seconds >= 3 * archived.seconds,
  );
  const twice = killed + rest.bytes - size;
  goal('sent twice after a kill', `${(twice / 2 ** 20).toFixed(0)} MiB`, '<= 80 MiB, five parts', twice <= 80 * 2 ** 20);
}

/** Runs a command and kills it, as nothing else kills, when the store has received so many bytes. */
async function killedAt(bytes: number, store: Store, [command, ...args]: string[]): Promise<void> {
  const child = spawn(command!, args, { stdio: 'inherit' });
  while ((await store.received()) < bytes && child.exitCode === null) await sleep(5);
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
