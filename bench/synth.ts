import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ProcessCost, processCost } from './process-cost';

/**
 * `npm run bench:synth [-- --quick]`: `cdk synth` of the app beside a bare CDK app with one SageMaker endpoint, run in turn; then what an
 * unchanged model of 2 GB adds to a second synth. CPU seconds are compared: on shared cores the clock measures the neighbours. Build the
 * package first.
 */

const root = resolve(__dirname, '..');
const quick = process.argv.includes('--quick');
const context = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')).context as Record<string, unknown>;
const work = mkdtempSync(join(tmpdir(), 'bench-synth-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

if (!existsSync(join(root, 'dist', 'bin', 'app.js'))) throw new Error('dist/bin/app.js is missing: run npm run build first');

/** What a user would write by hand: a role, a model, its configuration, the endpoint. */
const BARE = `
const { App, Stack } = require('${root}/node_modules/aws-cdk-lib/core');
const { CfnEndpoint, CfnEndpointConfig, CfnModel } = require('${root}/node_modules/aws-cdk-lib/aws-sagemaker');
const { Role, ServicePrincipal, PolicyStatement } = require('${root}/node_modules/aws-cdk-lib/aws-iam');
const stack = new Stack(new App(), 'Bare');
const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('sagemaker.amazonaws.com') });
role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::models/model.tar.gz'] }));
const primaryContainer = { image: '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3', modelDataUrl: 's3://models/model.tar.gz' };
const model = new CfnModel(stack, 'Model', { executionRoleArn: role.roleArn, primaryContainer });
const variant = { variantName: 'live', modelName: model.attrModelName, initialInstanceCount: 2, instanceType: 'ml.c6i.large', initialVariantWeight: 1 };
const config = new CfnEndpointConfig(stack, 'Config', { productionVariants: [variant] });
new CfnEndpoint(stack, 'Endpoint', { endpointConfigName: config.attrEndpointConfigName });
`;

/** One endpoint that serves a directory. */
const SERVING = (directory: string) => `
const { App, Stack } = require('${root}/node_modules/aws-cdk-lib/core');
const { ModelArtifact, ModelEndpoint, ServingImage } = require('${root}/dist/lib/index.js');
const stack = new Stack(new App(), 'Serving');
new ModelEndpoint(stack, 'Model', { artifact: ModelArtifact.fromDirectory('${directory}'), image: ServingImage.huggingface('4.51') });
`;

function project(name: string, program: string): string {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'app.js'), program);
  writeFileSync(join(folder, 'cdk.json'), JSON.stringify({ app: 'node app.js', context }));
  return folder;
}

/** A command in a folder, with its own environment on top of ours. */
function cost(folder: string, command: string[], env: Record<string, string> = {}): ProcessCost {
  return processCost(['sh', '-c', 'cd "$0" && exec "$@"', folder, ...command], env);
}

/** What each took, in several rounds, taken in turn. */
function inTurn<Name extends string>(rounds: number, runs: Record<Name, () => ProcessCost>): Record<Name, ProcessCost>[] {
  const names = Object.keys(runs) as Name[];
  return Array.from({ length: rounds }, () => Object.fromEntries(names.map((name) => [name, runs[name]()])) as Record<Name, ProcessCost>);
}

/** The least that each took: the rest is the neighbours. */
function least<Name extends string>(rounds: readonly Record<Name, ProcessCost>[]): Record<Name, ProcessCost> {
  const min = (name: Name, part: 'wall' | 'cpu') => Math.min(...rounds.map((round) => round[name][part]));
  const names = Object.keys(rounds[0]!) as Name[];
  return Object.fromEntries(names.map((name) => [name, { wall: min(name, 'wall'), cpu: min(name, 'cpu'), memory: 0 }])) as Record<
    Name,
    ProcessCost
  >;
}

/** A Hugging Face model directory whose weights, all zero, have so many bytes; sparse on disk, as nothing here depends on what they are. */
function modelDirectory(name: string, bytes: number): string {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert', architectures: ['BertModel'] }));
  const header = Buffer.from(JSON.stringify({ weights: { dtype: 'F32', shape: [bytes / 4], data_offsets: [0, bytes] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  writeSync(file, Buffer.concat([length, header]));
  closeSync(file);
  truncateSync(join(folder, 'model.safetensors'), length.length + header.length + bytes);
  return folder;
}

const cdk = join(root, 'node_modules', '.bin', 'cdk');
const synth = (folder: string, output: string, app: string, ...flags: string[]) =>
  cost(folder, [cdk, 'synth', '--quiet', '--app', app, '--output', join(work, output), ...flags]);
const bare = project('bare', BARE);

const validated = least(
  inTurn(quick ? 2 : 5, {
    bare: () => synth(bare, 'bare.out', 'node app.js'),
    app: () => synth(root, 'app.out', 'node dist/bin/app.js'),
  }),
);
const plain = least(
  inTurn(quick ? 2 : 8, {
    bare: () => synth(bare, 'bare.out', 'node app.js', '--no-validation'),
    app: () => synth(root, 'app.out', 'node dist/bin/app.js', '--no-validation'),
  }),
);

const small = project('small', SERVING(modelDirectory('weights-4-kB', 4000)));
const large = project('large', SERVING(modelDirectory('weights-2-GB', 2_000_000_000)));
const direct = (folder: string) =>
  cost(folder, [process.execPath, 'app.js'], {
    CDK_OUTDIR: join(folder, 'cdk.out'),
    CDK_VALIDATION: 'false',
    CDK_CONTEXT_JSON: JSON.stringify(context),
    XDG_CACHE_HOME: join(work, 'cache'),
  });
const first = direct(large);
// A file is remembered only when it was written some seconds before it was read.
direct(large);
const rounds = inTurn(quick ? 5 : 15, { small: () => direct(small), large: () => direct(large) });
const again = least(rounds);
/** What is small beside what the neighbours do is the median of the rounds' differences. */
const added = rounds.map((round) => round.large.cpu - round.small.cpu).sort((a, b) => a - b)[Math.floor(rounds.length / 2)]!;

const row = (name: string, { wall, cpu }: ProcessCost) => console.log(`${name.padEnd(56)} ${cpu.toFixed(2)} CPU s  ${wall.toFixed(2)} s`);
row('cdk synth, a bare app with one endpoint', validated.bare);
row('cdk synth, the flight-delay app', validated.app);
row('cdk synth --no-validation, a bare app with one endpoint', plain.bare);
row('cdk synth --no-validation, the flight-delay app', plain.app);
row('first synth with a model of 2 GB (archived; no CLI)', first);
row('second synth with it unchanged', again.large);
row('the same with a model of 4 kB', again.small);

const goal = (name: string, figure: number, bound: number, unit: string) =>
  console.log(`goal ${name}: ${figure.toFixed(2)}${unit} (wanted <= ${bound}${unit}) ${figure <= bound ? 'met' : 'missed'}`);
goal('synth of the app against a bare one, without the template validator', plain.app.cpu / plain.bare.cpu, 1.3, 'x');
// aws-cdk-lib's validator takes some 0.2 s for each alarm that the bare app does not have.
goal('synth of the app against a bare one', validated.app.cpu / validated.bare.cpu, 1.3, 'x');
goal('an unchanged 2 GB model in a second synth', Math.max(0, added), 0.1, ' s');
