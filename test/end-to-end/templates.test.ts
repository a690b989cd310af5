import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { virtualEnvironment } from './harness/virtual-environment';

const run = promisify(execFile);
const root = resolve(__dirname, '../..');
const examples = readdirSync(join(root, 'examples')).filter((name) => existsSync(join(root, 'examples', name, 'app.ts')));
const work = mkdtempSync(join(tmpdir(), 'fledge-templates-'));

/** Nobody's machine: no credentials, no configuration, and a proxy that leads nowhere. */
const env = {
  PATH: process.env.PATH,
  HOME: work,
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  AWS_EC2_METADATA_DISABLED: 'true',
  CDK_DISABLE_CLI_TELEMETRY: '1',
};

let venv: string;

beforeAll(() => {
  venv = virtualEnvironment('cfn-lint', ['cfn-lint==1.58.0']);
}, 300_000);

afterAll(() => rmSync(work, { recursive: true }));

/** What `cdk synth` writes and says, warnings as errors. */
async function synth(folder: string, output: string, ...flags: string[]): Promise<string> {
  const cdk = join(root, 'node_modules/.bin/cdk');
  const { stdout, stderr } = await run(cdk, ['synth', '--quiet', '--strict', '--output', join(work, output), ...flags], {
    cwd: folder,
    env,
  });
  return stdout + stderr;
}

async function lint(output: string): Promise<string> {
  const templates = readdirSync(join(work, output)).filter((name) => name.endsWith('.template.json'));
  expect(templates).not.toEqual([]);
  const paths = templates.map((name) => join(work, output, name));
  return run(join(venv, 'bin/cfn-lint'), ['--non-zero-exit-code', 'warning', ...paths], { maxBuffer: 1 << 26 }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

test('the app synthesises without credentials and network, and passes cfn-lint', async () => {
  await synth(root, 'app');
  expect(await lint('app')).toBe('');
}, 180_000);

test('a version that does not exist is refused with those that do', async () => {
  await expect(synth(root, 'app-9', '-c', 'version=9')).rejects.toThrow(
    "there is no version '9' of flight-delay: take one of 1, 2, 3, 4, 5",
  );
}, 180_000);

test.each(examples)(
  'the example %s synthesises as a user runs it, and passes cfn-lint',
  async (name) => {
    await synth(join(root, 'examples', name), name);
    expect(await lint(name)).toBe('');
  },
  180_000,
);
