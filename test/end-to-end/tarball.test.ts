import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageSources } from './harness/package-sources';

/** The package as npm hands it out, in an empty directory: nothing of this repository's own dependencies is beside it. */

const ROOT = join(__dirname, '..', '..');
const FLIGHTS = join(ROOT, 'model-artifacts', 'flight-delay');
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'tarball-'));
const app = join(folder, 'app');
afterAll(() => rmSync(folder, { recursive: true }));

jest.setTimeout(600_000);

beforeAll(async () => {
  await run('npm', ['run', 'pack', '--', '--pack-destination', folder], {
    cwd: packageSources(join(folder, 'package')),
    maxBuffer: 2 ** 26,
  });
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "private": true }');
  // Offline: what it needs must be in it. Its peers, the CDK's two packages, are this repository's.
  await run('npm', ['install', '--offline', '--legacy-peer-deps', '--no-audit', tarball], { cwd: app });
  for (const peer of ['aws-cdk-lib', 'constructs']) symlinkSync(join(ROOT, 'node_modules', peer), join(app, 'node_modules', peer));
});

/** As `npx fledge` finds it. */
const FLEDGE = join(app, 'node_modules', '.bin', 'fledge');
const environment = { PATH: process.env.PATH, HOME: folder };

async function fledge(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  return run(FLEDGE, argv, { cwd: app, env: environment }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    (error) => ({ code: error.code, out: error.stdout, err: error.stderr }),
  );
}

test('nothing but the package comes with it', () => {
  const installed = readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.'));
  expect(installed.sort()).toEqual(['aws-cdk-lib', 'cdk-fledge', 'constructs']);
});

test('other languages find the constructs described', () => {
  const { name, types } = JSON.parse(readFileSync(join(app, 'node_modules', 'cdk-fledge', '.jsii'), 'utf8'));
  expect(name).toBe('cdk-fledge');
  expect(Object.keys(types)).toEqual(expect.arrayContaining(['cdk-fledge.ModelEndpoint', 'cdk-fledge.CanaryStage']));
});

test('the command shows its help, inspects, scans, packs, signs', async () => {
  expect(await fledge('--help')).toMatchObject({ code: 0, out: expect.stringContaining('rehearse'), err: '' });
  const model = join(FLIGHTS, '2');
  expect(await fledge('inspect', model)).toMatchObject({ code: 0, out: expect.stringMatching(/^flight-delay 2: onnx/) });
  expect(await fledge('scan', model)).toMatchObject({ code: 0, out: expect.stringContaining('accepted') });
  expect(await fledge('bom', model)).toMatchObject({ code: 0, out: expect.stringContaining('CycloneDX') });
  const large = join(app, 'large');
  cpSync(model, large, { recursive: true });
  writeFileSync(join(large, 'weights.bin'), Buffer.alloc(40_000_000, 'weights '));
  expect(await fledge('package', large, '--output', 'out')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^packed: out\/[0-9a-f]{64}\.tar\.gz, 4 files/),
  });
});

test('the command says what to install before it can serve', async () => {
  expect(await fledge('serve', join(FLIGHTS, '2'), '--port', '0')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^error: .*no ONNX runtime loads here \(npm install onnxruntime-node\)/),
  });
});

test('a stack synthesises with the CDK alone, and the entries for programs load', async () => {
  const program = `
    const { App, Stack } = require('aws-cdk-lib/core');
    const { ModelArtifact, ModelEndpoint } = require('cdk-fledge');
    const app = new App({ outdir: 'cdk.out', builtinCloudFormationValidation: false });
    new ModelEndpoint(new Stack(app, 'S'), 'M', { artifact: ModelArtifact.fromDirectory(${JSON.stringify(join(FLIGHTS, '2'))}) });
    app.synth();
    const entries = { judge: 'plan', local: 'startLocal', serving: 'openEngine', model: 'inspect', publish: 'publish' };
    for (const [entry, name] of Object.entries(entries)) console.log(entry, typeof require('cdk-fledge/' + entry)[name]);
  `;
  const { stdout } = await run(process.execPath, ['-e', program], { cwd: app, env: environment });
  expect(stdout).toBe('judge function\nlocal function\nserving function\nmodel function\npublish function\n');
});

describe('with an ONNX runtime beside it', () => {
  beforeAll(() => {
    for (const name of ['onnxruntime-node', 'onnxruntime-common'])
      symlinkSync(join(ROOT, 'node_modules', name), join(app, 'node_modules', name));
  });

  test('a model is served until Ctrl-C', async () => {
    const child = spawn(FLEDGE, ['serve', join(FLIGHTS, '2'), '--port', '0'], { cwd: app, env: environment });
    const [said] = await once(child.stdout, 'data');
    expect(String(said)).toMatch(/flight-delay 2 answers at http:/);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('a promotion is rehearsed', async () => {
    const traffic = join(FLIGHTS, 'traffic.csv.gz');
    const argv = ['--traffic', traffic, '--no-report', '--requests', '500', '--deadline', '2', '--no-shadow', '--steps', '50', '--json'];
    const { out, err } = await fledge('rehearse', join(FLIGHTS, '1'), join(FLIGHTS, '2'), ...argv);
    expect(err).not.toMatch(/error/);
    expect(JSON.parse(out).promotions[0].verdict).toMatch(/promoted|held/);
  });
});
