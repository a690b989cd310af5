import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packageSources } from './harness/package-sources';
import { virtualEnvironment } from './harness/virtual-environment';

const root = resolve(__dirname, '../..');
const pacmak = join(root, '.fledge/pacmak');
const work = mkdtempSync(join(tmpdir(), 'fledge-python-'));
const env = { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' };

afterAll(() => rmSync(work, { recursive: true }));

function run(command: string, args: string[], cwd: string, more: NodeJS.ProcessEnv = {}): void {
  execFileSync(command, args, { cwd, env: { ...env, ...more }, stdio: ['ignore', 'ignore', 'inherit'] });
}

test('the package that jsii makes serves Python: the example synthesises with it', () => {
  const copy = packageSources(join(work, 'package'));
  run(join(root, 'node_modules/.bin/jsii'), ['--tsconfig', 'tsconfig.json'], copy);
  if (!existsSync(pacmak)) {
    mkdirSync(pacmak, { recursive: true });
    run('npm', ['install', '--prefix', pacmak, '--no-save', 'jsii-pacmak@1.140.0'], pacmak);
  }
  run(join(pacmak, 'node_modules/.bin/jsii-pacmak'), ['--targets', 'python', '--code-only', '--outdir', join(work, 'out')], copy);

  const venv = virtualEnvironment('python-package', ['setuptools==80.9.0', 'wheel==0.45.1']);
  // With what it asks for from PyPI, where aws-cdk-lib comes later than on npm.
  run(join(venv, 'bin/pip'), ['install', '--quiet', '--no-build-isolation', '--force-reinstall', join(work, 'out/python')], root);

  const output = join(work, 'cdk.out');
  run(join(venv, 'bin/python'), ['app.py'], join(root, 'examples/python'), { CDK_OUTDIR: output, CDK_VALIDATION: 'false' });
  const template = JSON.parse(readFileSync(join(output, 'PythonEndpoint.template.json'), 'utf8'));
  const types = Object.values<{ Type: string }>(template.Resources).map(({ Type }) => Type);
  expect(types).toEqual(
    expect.arrayContaining([
      'AWS::SageMaker::Model',
      'AWS::SageMaker::EndpointConfig',
      'AWS::SageMaker::Endpoint',
      'AWS::CloudWatch::Alarm',
    ]),
  );
}, 900_000);
