import { statSync } from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { Command } from 'commander';
import { isFile } from '../../model/is-file';
import {
  abortPublish,
  type BucketOptions,
  type PublishFilesResult,
  type PublishProgress,
  publish,
  publishFiles,
  storeAttestation,
} from '../../model/publish';
import { contentOf } from '../content';
import { wholeBetween } from '../options';
import { register } from '../register';
import { readSamples, samplesOf, storeSamples } from '../samples';
import type { Session } from '../session';
import { KEY_SYNTAX, openSigner } from '../signing-keys';
import { counted, inBytes, inTime } from '../sizes';
import { Terminal } from '../terminal';
import { type ModeOptions, modeOf, withMode } from './archive-mode';
import { signed } from './provenance';
import { checked } from './safety';

interface Options extends ModeOptions {
  readonly bucket: string;
  readonly prefix?: boolean;
  readonly keyPrefix: string;
  readonly kmsKey?: string;
  readonly bucketOwner?: string;
  readonly partSize?: number;
  readonly concurrency?: number;
  readonly abort?: boolean;
  readonly signWith?: string;
  readonly group?: string;
  readonly image?: string;
  readonly approve?: boolean;
  readonly samples?: string;
  readonly stageBucket?: string;
  readonly json?: boolean;
}

interface Store extends BucketOptions {
  readonly signal: AbortSignal;
  readonly client: S3Client;
  readonly prefix: string;
}

const MIB = 2 ** 20;
/** What an archive that exists cannot be any more. */
const FOR_DIRECTORIES = ['prefix', 'mode', 'uplink'] as const;

/** `fledge publish`: a model goes up to the model store, and into the registry where that is asked for. */
export function addPublish(root: Command, session: Session): void {
  const command = root
    .command('publish')
    .description('put a model into a model store in S3, named by its content: what is there is not sent again')
    .argument('[model]', 'a model directory, or a .tar.gz, which goes up as it is; with --abort it may be left out')
    .requiredOption('--bucket <name>', 'bucket of the model store')
    .option('--prefix', 'file by file below one prefix, as large models load fastest; unchanged files are copied inside S3')
    .option('--key-prefix <text>', 'what stands before the digest in the keys', 'models/')
    .option('--kms-key <key>', "ARN, id or alias of the key to encrypt with; without it, the bucket's own encryption")
    .option('--bucket-owner <account>', 'the account that must own the bucket')
    .option('--part-size <MiB>', 'of a multipart upload; without it 16, more for very large models', wholeBetween(5, 5120))
    .option('--concurrency <n>', 'parts on their way at once; without it 4', wholeBetween(1, 64));
  withMode(command)
    .option('--sign-with <key>', `sign the content, and put the attestation beside the model: ${KEY_SYNTAX}`)
    .option('--group <name>', 'register it as a version of this model package group')
    .option('--image <uri>', "serving image of the registered version; without it, that of the group's latest")
    .option('--approve', 'register it as approved: a stage that watches the group begins its promotion')
    .option('--samples <file>', 'requests with recorded answers that a stage asks; without it, samples.json of the model if there')
    .option('--stage-bucket <name>', 'where a stage looks for the samples; without it, the bucket')
    .option('--abort', 'remove what unfinished publishes left in the bucket, of this model or of all')
    .option('--json', 'one JSON document on standard output')
    .addHelpText(
      'after',
      '\nStopped in any way, the same command goes on where it ended. Exit codes: 0, 1 an error, 2 wrong usage, 5 refused by the scan, 130 interrupted.',
    )
    .action(async (model: string | undefined, options: Options) => {
      const terminal = new Terminal(options.json ?? false);
      const store: Store = {
        client: new S3Client({}),
        bucket: options.bucket,
        bucketOwner: options.bucketOwner,
        kmsKey: options.kmsKey,
        prefix: options.keyPrefix,
        signal: session.signal,
      };
      if (options.abort) return abort(model, store, terminal, options);
      if (model === undefined) return command.error('error: give the model to publish: its directory, or a .tar.gz of it');
      const misplaced = isFile(model) ? FOR_DIRECTORIES.find((name) => options[name] !== undefined) : undefined;
      if (misplaced !== undefined) command.error(`error: --${misplaced} is for a directory, and ${model} goes up as it is: leave it out`);
      if (options.group === undefined && (options.approve || options.image || options.samples))
        command.error('error: --approve, --image and --samples are for a version that is registered: say where with --group');
      await run(model, options, store, terminal, session);
    });
}

async function run(model: string, options: Options, store: Store, terminal: Terminal, session: Session): Promise<void> {
  const found = checked(model, terminal, session);
  const bytes = isFile(model) ? statSync(model).size : found.inspection.totalBytes;
  const signer = options.signWith === undefined ? undefined : await openSigner(options.signWith);
  const sending = {
    ...store,
    scan: false,
    partSize: options.partSize && options.partSize * MIB,
    concurrency: options.concurrency,
    onRead: (read: number) => terminal.now(`reading  ${inBytes(read)} of ${inBytes(bytes)}`),
    onProgress: (progress: PublishProgress) => terminal.now(line(progress)),
  };
  const published = await (options.prefix
    ? publishFiles(model, sending)
    : publish(model, isFile(model) ? sending : { ...sending, mode: modeOf(options) })
  ).catch((error) => {
    if (store.signal.aborted) terminal.say('what is up already is used by the next run of this command; fledge publish --abort removes it');
    throw error;
  });
  const { digest, uri } = published;
  const key = uri.slice(`s3://${options.bucket}/`.length);
  const attestation = signer && (await storeAttestation(await signed(found, digest, signer), key, store));
  const modelPackage = options.group === undefined ? undefined : await registered(model, uri, digest, options, store);
  terminal.now();
  terminal.result({ ...published, key, attestation: attestation ?? null, modelPackage: modelPackage ?? null });
  if (options.json) return;
  terminal.say(`${published.reused ? 'there already' : 'published'}: ${uri}, ${inBytes(published.sent)} sent${besides(published)}`);
  terminal.say(`digest     ${digest}`);
  if (attestation !== undefined) terminal.say(`signed     ${attestation}`);
  if (modelPackage !== undefined) terminal.say(`registered ${modelPackage}${options.approve ? ', approved' : ''}`);
  terminal.say(`in a stack ModelArtifact.fromBucket(bucket, '${key}', '${digest}')`);
}

async function registered(model: string, uri: string, digest: string, options: Options, store: Store): Promise<string> {
  const { image, approve = false, group, stageBucket = options.bucket } = options;
  const recorded = options.samples === undefined ? samplesOf(model) : readSamples(options.samples);
  const samples = recorded && (await storeSamples(store.client, stageBucket, recorded, digest));
  return register(new SageMakerClient({}), { group: group!, uri, digest, image, samples, approve });
}

async function abort(model: string | undefined, store: Store, terminal: Terminal, { json }: Options) {
  const digest = model === undefined ? undefined : (await contentOf(model, store.signal)).digest;
  const removed = await abortPublish({ ...store, digest });
  terminal.result(removed);
  if (!json)
    terminal.say(`removed: ${counted(removed.uploads, 'unfinished upload')}, ${counted(removed.files, 'file')} of an unfinished version`);
}

function line({ done, total, rate, secondsLeft }: PublishProgress): string {
  const left = secondsLeft === undefined ? '' : `, ${inTime(secondsLeft)} left`;
  return `sending  ${inBytes(done)} of ${inBytes(total)}, ${inBytes(rate)}/s${left}`;
}

function besides({ copied = 0, found = 0 }: Partial<PublishFilesResult>): string {
  return `${copied === 0 ? '' : `, ${inBytes(copied)} copied inside S3`}${found === 0 ? '' : `, ${inBytes(found)} there before`}`;
}
