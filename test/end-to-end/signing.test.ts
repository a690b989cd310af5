import { createHash, createPublicKey } from 'node:crypto';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  GetPublicKeyCommand,
  type KeySpec,
  type KeyUsageType,
  KMSClient,
  VerifyCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { SigningAlgorithm } from '../../lib/model/provenance';
import { fledge } from './harness/fledge';
import { MiniStack } from './harness/ministack';

/** The command signs by a KMS and stores in an S3 that others wrote: MiniStack's. moto's KMS takes a digest for a message. */

const MODEL = join(__dirname, '../../model-artifacts/flight-delay/2');
const folder = mkdtempSync(join(tmpdir(), 'fledge-signing-'));
let ministack: MiniStack;
let kms: KMSClient;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  ministack = await MiniStack.start(folder, {});
  kms = new KMSClient(ministack.client);
  env = { PATH: process.env.PATH, HOME: folder, ...ministack.environment };
  const s3 = new S3Client(ministack.client);
  await s3.send(new CreateBucketCommand({ Bucket: 'store' }));
  s3.destroy();
}, 300_000);

afterAll(async () => {
  kms.destroy();
  await ministack.stop();
  rmSync(folder, { recursive: true });
});

/** @returns its alias */
async function newKey(name: string, KeySpec: KeySpec, KeyUsage: KeyUsageType = 'SIGN_VERIFY'): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage }));
  await kms.send(new CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId: KeyMetadata!.KeyId }));
  return `alias/${name}`;
}

/** What DSSE signs: `DSSEv1`, then the type and the statement, each behind its length. */
function signedBytes({ payloadType, payload }: { payloadType: string; payload: string }): Buffer {
  const body = Buffer.from(payload, 'base64');
  return Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `), body]);
}

describe.each<[KeySpec, SigningAlgorithm]>([
  ['ECC_NIST_P256', 'ECDSA_SHA_256'],
  ['RSA_3072', 'RSASSA_PSS_SHA_256'],
])('with a KMS key of %s', (spec, algorithm) => {
  let key: string;
  const model = join(folder, spec);
  const attestation = join(folder, `${spec}.json`);
  const verify = (...argv: string[]) => fledge(env, 'verify', model, ...argv);

  beforeAll(async () => {
    key = await newKey(spec, spec);
    cpSync(MODEL, model, { recursive: true });
    expect(await fledge(env, 'sign', model, '--key', key, '--output', attestation)).toMatchObject({ code: 0, err: '' });
  });

  test('the command verifies what it signed, and KMS does', async () => {
    expect(await verify('--key', key, '--attestation', attestation)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^the signature holds: flight-delay/),
      err: '',
    });
    const envelope = JSON.parse(readFileSync(attestation, 'utf8'));
    const { SignatureValid } = await kms.send(
      new VerifyCommand({
        KeyId: key,
        Message: createHash('sha256').update(signedBytes(envelope)).digest(),
        MessageType: 'DIGEST',
        Signature: Buffer.from(envelope.signatures[0].sig, 'base64'),
        SigningAlgorithm: algorithm,
      }),
    );
    expect(SignatureValid).toBe(true);
  });

  test('the public half alone verifies it, without KMS', async () => {
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: key }));
    const pem = join(folder, `${spec}.pem`);
    const open = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' });
    writeFileSync(pem, open.export({ format: 'pem', type: 'spki' }));
    const { AWS_ENDPOINT_URL, ...alone } = env;
    expect(await fledge(alone, 'verify', model, '--key', pem, '--attestation', attestation)).toMatchObject({ code: 0, err: '' });
  });

  test('another key did not sign it', async () => {
    const other = await newKey(`${spec}-other`, spec);
    expect(await verify('--key', other, '--attestation', attestation)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: .*\n$/),
    });
  });

  test('a published model lies beside its attestation, and any other file is refused', async () => {
    expect(await fledge(env, 'publish', model, '--bucket', 'store', '--sign-with', key)).toMatchObject({ code: 0, err: '' });
    expect(await verify('--key', key, '--bucket', 'store')).toMatchObject({ code: 0, err: '' });
    appendFileSync(join(model, 'model.yaml'), '\n');
    expect(await verify('--key', key, '--bucket', 'store')).toMatchObject({ code: 1, err: expect.stringMatching(/^error: .*\n$/) });
    expect(await verify('--key', key, '--attestation', attestation)).toMatchObject({
      code: 1,
      err: expect.stringContaining('the files are not those that were signed'),
    });
  });
});

test.each<[string, KeySpec, KeyUsageType]>([
  ['that encrypts', 'RSA_2048', 'ENCRYPT_DECRYPT'],
  ['on a curve that signs no SHA-256', 'ECC_NIST_P384', 'SIGN_VERIFY'],
])('a KMS key %s is refused before anything is signed', async (name, spec, usage) => {
  const key = await newKey(name.replaceAll(/[^a-z]/g, '-'), spec, usage);
  expect(await fledge(env, 'sign', MODEL, '--key', key, '--output', join(folder, 'none'))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^error: alias\/\S+ cannot be used for signatures: .*\n$/),
  });
});

test('a KMS key that is not there is named in one line', async () => {
  expect(await fledge(env, 'sign', MODEL, '--key', 'alias/none', '--output', join(folder, 'none'))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^error: .*alias\/none.*\n$/),
  });
});
