import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { type ProcessCost, processCost } from './process-cost';

/**
 * `npm run bench:stages [-- --quick]`: synth of many endpoints with a canary stage each, one stack an endpoint, in one app; then the size and the cold start on a bare
 * Node of the function that promotes, beside the same code with its SDK clients not bundled. CPU seconds are compared: on shared cores the clock measures the
 * neighbours. Build the package first; needs python3 for the measurement.
 */

const root = resolve(__dirname, '..');
const quick = process.argv.includes('--quick');
const context = readFileSync(join(root, 'cdk.json'), 'utf8');
const work = mkdtempSync(join(tmpdir(), 'bench-stages-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const APP = `
const { App, Stack } = require('${root}/node_modules/aws-cdk-lib/core');
const { CanaryStage, ModelArtifact, ModelEndpoint, ModelStore, ServingImage } = require('${root}/dist/lib/index.js');
const app = new App();
const digest = '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';
for (let i = 0; i < Number(process.argv[2]); i++) {
  const stack = new Stack(app, 'Team' + i);
  const modelStore = new ModelStore(stack, 'Store');
  const artifact = ModelArtifact.fromBucket(modelStore.bucket, 'models/' + digest + '.tar.gz', digest);
  const endpoint = new ModelEndpoint(stack, 'Model', { endpointName: 'team-' + i, artifact, image: ServingImage.sklearn('1.2'), modelStore });
  new CanaryStage(stack, 'Canary', { endpoint });
}
app.synth();
gc();
require('node:fs').writeFileSync(process.argv[3], String(process.memoryUsage().heapUsed / 2 ** 20));
`;

writeFileSync(join(work, 'app.js'), APP);

interface SynthCost extends ProcessCost {
  /** What the app holds at its end, MiB; the largest resident memory is that and what V8 has not collected yet. */
  readonly held: number;
}

function synth(endpoints: number): SynthCost {
  const CDK_OUTDIR = join(work, `cdk.out.${endpoints}`);
  mkdirSync(CDK_OUTDIR);
  const held = join(work, 'held');
  const cost = processCost([process.execPath, '--expose-gc', join(work, 'app.js'), `${endpoints}`, held], {
    CDK_OUTDIR,
    CDK_VALIDATION: 'false',
    CDK_CONTEXT_JSON: JSON.stringify(JSON.parse(context).context),
  });
  rmSync(CDK_OUTDIR, { recursive: true });
  return { ...cost, held: Number(readFileSync(held, 'utf8')) };
}

/** The promoting function as it would be without its clients inside: they are looked for at the start, file by file. */
function unbundled(): string {
  const outfile = join(root, 'dist', 'unbundled.js');
  buildSync({
    absWorkingDir: root,
    entryPoints: ['lib/promotion/handler.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    external: ['@aws-sdk/*', '@aws/*', '@smithy/*'],
    logLevel: 'error',
  });
  process.on('exit', () => rmSync(outfile, { force: true }));
  return outfile;
}

const start = (...command: string[]) => processCost([process.execPath, ...command], { AWS_REGION: 'eu-west-1' }).cpu;
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const counts = quick ? [5, 20, 40] : [10, 50, 100];
const costs = counts.map(synth);
for (const [i, { cpu, wall, memory, held }] of costs.entries()) {
  const each = `${(cpu / counts[i]!).toFixed(3)} CPU s each`;
  console.log(
    `${`synth of ${counts[i]} endpoints with a stage each`.padEnd(48)} ${cpu.toFixed(1)} CPU s  ${wall.toFixed(1)} s  ${memory.toFixed(0)} MiB, ${held.toFixed(0)} held  ${each}`,
  );
}

const bundle = join(root, 'dist', 'lambda', 'promotion', 'index.js');
const loose = unbundled();
const rounds = Array.from({ length: quick ? 5 : 15 }, () => [start('-e', '0'), start(bundle), start(loose)]);
const [bare, bundled, looseStart] = [0, 1, 2].map((i) => median(rounds.map((round) => round[i]!))) as [number, number, number];
const zipped = gzipSync(readFileSync(bundle)).length;
console.log(`\nthe promoting function: ${(statSync(bundle).size / 1e6).toFixed(2)} MB, ${(zipped / 1e6).toFixed(2)} MB compressed`);
const row = (name: string, seconds: number) => console.log(`${name.padEnd(48)} ${(seconds * 1000).toFixed(0)} CPU ms`);
row('cold start, Node alone', bare);
row('cold start, the function as shipped', bundled);
row('cold start, its SDK clients not bundled', looseStart);

const goal = (name: string, figure: number, bound: number, unit: string) =>
  console.log(`goal ${name}: ${figure.toFixed(2)}${unit} (wanted <= ${bound}${unit}) ${figure <= bound ? 'met' : 'missed'}`);
const [few, , many] = costs as [SynthCost, SynthCost, SynthCost];
const middle = costs[1]!;
type Part = 'cpu' | 'memory' | 'held';
// The slope between the larger counts, against that between the smaller: 1 is a straight line.
const slope = (part: Part, a: SynthCost, b: SynthCost, n: number) => Math.max(0, b[part] - a[part]) / n;
const bend = (part: Part) => slope(part, middle, many, counts[2]! - counts[1]!) / slope(part, few, middle, counts[1]! - counts[0]!);
console.log();
goal('CPU seconds of one endpoint more, among many against among few', bend('cpu'), 1.5, 'x');
goal('memory held for one endpoint more, among many against among few', bend('held'), 1.5, 'x');
goal('peak memory, garbage of V8 included, of one endpoint more', bend('memory'), 1.5, 'x');
goal('the promoting function, compressed', zipped / 1e6, 1, ' MB');
goal('its cold start beyond Node, against clients not bundled', (bundled - bare) / (looseStart - bare), 0.5, 'x');
