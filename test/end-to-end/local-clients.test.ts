import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type LocalSageMaker, startLocal } from '../../lib/local';
import samples from '../../model-artifacts/flight-delay/1/samples.json';
import { virtualEnvironment } from './harness/virtual-environment';

const run = promisify(execFile);
const root = resolve(__dirname, '../..');
const [{ inputs, outputs }] = samples.samples;
const sample = JSON.stringify({ instances: [inputs] });

let local: LocalSageMaker;
let venv: string;
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  venv = virtualEnvironment('aws-clients', ['boto3==1.44.5', 'awscli==1.46.3']);
  folder = mkdtempSync(join(tmpdir(), 'fledge-clients-'));
  execFileSync('tar', ['czf', join(folder, 'model.tar.gz'), '-C', join(root, 'model-artifacts/flight-delay/1'), '.']);
  local = await startLocal();
  env = { PATH: process.env.PATH, HOME: folder, ...local.environment() };
}, 300_000);

afterAll(async () => {
  await local.close();
  rmSync(folder, { recursive: true });
});

it('boto3 walks from an archive to a canary', async () => {
  const { stdout } = await run(join(venv, 'bin/python'), [join(__dirname, 'local-clients.py'), join(folder, 'model.tar.gz'), sample], {
    env,
  });
  const seen = JSON.parse(stdout);
  const prediction = { label: outputs.label, probability: expect.closeTo(outputs.probability, 5) };
  expect(seen).toEqual({
    prediction,
    variant: 'live',
    streamed: prediction,
    pending: 'second',
    busy: 'ValidationException 400: Cannot update in-progress endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/flights".',
    config: 'second',
    configs: ['first', 'second'],
    missing: 'ValidationException 400: Could not find endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/none".',
    nowhere: 'ValidationError 400: Endpoint none of account 000000000000 not found.',
    'model error': 'ModelError 424: Received client error (400) f',
    package: 'Approved',
  });
}, 120_000);

it('the aws command reads, invokes and deletes', async () => {
  const aws = async (...parts: string[]) => (await run(join(venv, 'bin/aws'), [...parts, '--output', 'json'], { env })).stdout;
  writeFileSync(join(folder, 'request.json'), sample);
  expect(JSON.parse(await aws('sagemaker', 'describe-endpoint', '--endpoint-name', 'flights'))).toMatchObject({
    EndpointStatus: 'InService',
  });
  const invoke = ['sagemaker-runtime', 'invoke-endpoint', '--endpoint-name', 'flights', '--content-type', 'application/json'];
  const answer = JSON.parse(await aws(...invoke, '--body', `fileb://${join(folder, 'request.json')}`, join(folder, 'answer.json')));
  expect(answer).toMatchObject({ ContentType: 'application/json', InvokedProductionVariant: 'live' });
  expect(JSON.parse(readFileSync(join(folder, 'answer.json'), 'utf8')).predictions[0].label).toBe(outputs.label);
  await aws('sagemaker', 'wait', 'endpoint-in-service', '--endpoint-name', 'flights');
  expect(await aws('s3', 'ls', 's3://models/flights/')).toContain('model.tar.gz');
  await aws('sagemaker', 'delete-endpoint', '--endpoint-name', 'flights');
  expect(JSON.parse(await aws('sagemaker', 'list-models')).Models).toHaveLength(1);
}, 120_000);
