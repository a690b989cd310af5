import { spawnSync } from 'node:child_process';
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

/**
 * `npm run bench:synth [-- --quick]`: `cdk synth` of the app beside a bare CDK app with one SageMaker endpoint, run in turn; then what an
 * unchanged model of 2 GB adds to a second synth. The fastest run of each counts. Build the package first.
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

function seconds(folder: string, command: string[], env: NodeJS.ProcessEnv = {}): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(command[0]!, command.slice(1), {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${command.join(' ')} failed in ${folder}:\n${stderr}`);
  return (performance.now() - start) / 1000;
}

/** The fastest of several runs of each, taken in turn. */
function fastest(rounds: number, runs: Record<string, () => number>): Record<string, number> {
  const best: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(runs)) best[name] = Math.min(best[name] ?? Infinity, run());
  }
  return best;
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
  seconds(folder, [cdk, 'synth', '--quiet', '--app', app, '--output', join(work, output), ...flags]);
const bare = project('bare', BARE);

const validated = fastest(quick ? 2 : 5, {
  bare: () => synth(bare, 'bare.out', 'node app.js'),
  app: () => synth(root, 'app.out', 'node dist/bin/app.js'),
});
const plain = fastest(quick ? 2 : 8, {
  bare: () => synth(bare, 'bare.out', 'node app.js', '--no-validation'),
  app: () => synth(root, 'app.out', 'node dist/bin/app.js', '--no-validation'),
});

const small = project('small', SERVING(modelDirectory('weights-4-kB', 4000)));
const large = project('large', SERVING(modelDirectory('weights-2-GB', 2_000_000_000)));
const direct = (folder: string) =>
  seconds(folder, [process.execPath, 'app.js'], {
    CDK_OUTDIR: join(folder, 'cdk.out'),
    CDK_VALIDATION: 'false',
    CDK_CONTEXT_JSON: JSON.stringify(context),
    XDG_CACHE_HOME: join(work, 'cache'),
  });
const first = direct(large);
// A file is remembered only when it was written some seconds before it was read.
direct(large);
const again = fastest(quick ? 4 : 12, { small: () => direct(small), large: () => direct(large) });

const row = (name: string, value: number) => console.log(`${name.padEnd(58)} ${value.toFixed(2)} s`);
row('cdk synth, a bare app with one endpoint', validated.bare!);
row('cdk synth, the flight-delay app', validated.app!);
row('cdk synth --no-validation, a bare app with one endpoint', plain.bare!);
row('cdk synth --no-validation, the flight-delay app', plain.app!);
row('first synth with a model of 2 GB (archived; no CLI)', first);
row('second synth with it unchanged', again.large!);
row('the same with a model of 4 kB', again.small!);

console.log(`without the template validator the app takes ${(plain.app! / plain.bare!).toFixed(2)} times the bare one`);

const goal = (name: string, figure: number, bound: number, unit: string) =>
  console.log(`goal ${name}: ${figure.toFixed(2)}${unit} (wanted <= ${bound}${unit}) ${figure <= bound ? 'met' : 'missed'}`);
goal('synth of the app against a bare one', validated.app! / validated.bare!, 1.3, 'x');
goal('an unchanged 2 GB model in a second synth', Math.max(0, again.large! - again.small!), 0.1, ' s');
