import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign as signWith, verify } from 'node:crypto';
import { ModelError } from '../model-error';

/** AWS KMS's names for the algorithms that sign a SHA-256, the better first. */
const ALGORITHMS = ['ECDSA_SHA_256', 'RSASSA_PSS_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_256'] as const;
export type SigningAlgorithm = (typeof ALGORITHMS)[number];

/** A public key that is trusted. */
export interface TrustedKey {
  /** `sha256:` and the SHA-256 of the key (SubjectPublicKeyInfo, DER) in hexadecimal, wherever its private half is. */
  readonly keyId: string;
  /** PEM, SubjectPublicKeyInfo. */
  readonly publicKey: string;
}

/** Whoever holds a private key: AWS KMS, or this machine in a rehearsal. */
export interface Signer {
  /** Its public half. */
  readonly trusted: TrustedKey;
  sign(message: Buffer): Promise<Buffer>;
}

/** The two calls of AWS KMS that signing takes; `KMS` of @aws-sdk/client-kms has them. */
export interface KmsCalls {
  sign(input: {
    KeyId: string;
    Message: Uint8Array;
    MessageType: 'DIGEST';
    SigningAlgorithm: SigningAlgorithm;
  }): Promise<{ Signature?: Uint8Array }>;
  getPublicKey(input: { KeyId: string }): Promise<{ PublicKey?: Uint8Array; KeyUsage?: string; SigningAlgorithms?: readonly string[] }>;
}

/**
 * Signs with an asymmetric KMS key of usage SIGN_VERIFY: the key never leaves KMS, only the digest goes there.
 *
 * @param keyId ARN, id or alias
 * @throws ModelError `key-unusable`; KMS's errors
 */
export async function kmsSigner(kms: KmsCalls, keyId: string): Promise<Signer> {
  const { trusted, algorithms } = await publicHalf(kms, keyId);
  const algorithm = ALGORITHMS.find((known) => algorithms.includes(known));
  if (algorithm === undefined) throw unusable(keyId, `it signs with ${algorithms.join(', ')}: take a key of ECC_NIST_P256 or RSA`);
  return {
    trusted,
    sign: async (message) => {
      const digest = createHash('sha256').update(message).digest();
      const { Signature: signature } = await kms.sign({
        KeyId: keyId,
        Message: digest,
        MessageType: 'DIGEST',
        SigningAlgorithm: algorithm,
      });
      if (signature === undefined) throw unusable(keyId, 'KMS gave no signature');
      return Buffer.from(signature);
    },
  };
}

/** Fetches the public half of a KMS key, once: verifying needs no further call. @throws ModelError `key-unusable`; KMS's errors */
export async function kmsPublicKey(kms: Pick<KmsCalls, 'getPublicKey'>, keyId: string): Promise<TrustedKey> {
  return (await publicHalf(kms, keyId)).trusted;
}

async function publicHalf(kms: Pick<KmsCalls, 'getPublicKey'>, keyId: string) {
  const { PublicKey: der, KeyUsage: usage = 'SIGN_VERIFY', SigningAlgorithms: algorithms = [] } = await kms.getPublicKey({ KeyId: keyId });
  if (der === undefined || usage !== 'SIGN_VERIFY')
    throw unusable(keyId, `it is for ${usage}: take an asymmetric key of usage SIGN_VERIFY`);
  return { trusted: trustedOf(createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })), algorithms };
}

/** A public key in PEM, or the public half of a private one. @throws ModelError `key-unusable` */
export function publicKey(pem: string, name = 'the key'): TrustedKey {
  return trustedOf(opened(name, pem, () => createPublicKey(pem)));
}

/** A key on this machine, for rehearsals and tests: a P-256 or RSA private key in PEM. @throws ModelError `key-unusable` */
export function localSigner(privateKey: string, name = 'the key'): Signer {
  if (/-----BEGIN [A-Z ]*PUBLIC KEY-----/.test(privateKey))
    throw unusable(name, 'it is a public key, which only verifies: sign with its private half');
  const key = opened(name, privateKey, () => createPrivateKey(privateKey));
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType !== 'rsa' && curve !== 'prime256v1')
    throw unusable(name, `a key of type ${key.asymmetricKeyType} ${curve ?? ''} cannot sign models: use P-256 or RSA`);
  return {
    trusted: trustedOf(createPublicKey(key)),
    sign: async (message) => signWith('sha256', message, { key, ...(key.asymmetricKeyType === 'rsa' ? PSS : {}) }),
  };
}

/** A new P-256 private key in PEM. */
export function newLocalKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
}

/** Whether the message was signed with the key's private half, by any of the algorithms. */
export function isSignedBy({ publicKey: pem }: TrustedKey, message: Buffer, signature: Buffer): boolean {
  const key = createPublicKey(pem);
  const paddings = key.asymmetricKeyType === 'rsa' ? [PSS, PKCS1] : [{}];
  return paddings.some((padding) => verify('sha256', message, { key, ...padding }, signature));
}

/** RSA_PKCS1_PSS_PADDING and RSA_PKCS1_PADDING of OpenSSL; the salt is as long as the digest, as KMS has it. Curves need neither. */
const PSS = { padding: 6, saltLength: 32 } as const;
const PKCS1 = { padding: 1 } as const;

function trustedOf(key: KeyObject): TrustedKey {
  const fingerprint = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  return { keyId: `sha256:${fingerprint}`, publicKey: key.export({ type: 'spki', format: 'pem' }).toString() };
}

function opened(name: string, pem: string, open: () => KeyObject): KeyObject {
  if (/^(-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m.test(pem))
    throw unusable(name, 'it is encrypted: decrypt it with openssl pkey -in KEY -out PLAIN, or use a key of KMS');
  try {
    return open();
  } catch (error) {
    throw unusable(name, `it cannot be read as PEM (${(error as Error).message})`);
  }
}

function unusable(name: string, why: string): ModelError {
  return new ModelError('key-unusable', name, `${name} cannot be used for signatures: ${why}`);
}
