import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign as signWith } from 'node:crypto';

/** AWS KMS's names for the algorithms that sign a SHA-256. */
export type SigningAlgorithm = 'ECDSA_SHA_256' | 'RSASSA_PSS_SHA_256' | 'RSASSA_PKCS1_V1_5_SHA_256';

/** A public key that is trusted, and what it signs with. */
export interface TrustedKey {
  /** The ARN of a KMS key, or the fingerprint of a local one. */
  readonly keyId: string;
  readonly algorithm: SigningAlgorithm;
  /** PEM, SubjectPublicKeyInfo. */
  readonly publicKey: string;
}

/** Whoever holds a private key: AWS KMS, or this machine in a rehearsal. */
export interface Signer {
  readonly keyId: string;
  readonly algorithm: SigningAlgorithm;
  sign(message: Buffer): Promise<Buffer>;
}

/** The two calls of AWS KMS that signing takes; `KMS` of @aws-sdk/client-kms is one. */
export interface KmsCalls {
  sign(input: {
    KeyId: string;
    Message: Uint8Array;
    MessageType: 'DIGEST';
    SigningAlgorithm: SigningAlgorithm;
  }): Promise<{ Signature?: Uint8Array; KeyId?: string }>;
  getPublicKey(input: { KeyId: string }): Promise<{ PublicKey?: Uint8Array; KeyId?: string }>;
}

/** Signs with an asymmetric KMS key of usage SIGN_VERIFY: the key never leaves KMS, only the digest goes there. */
export function kmsSigner(kms: KmsCalls, keyId: string, algorithm: SigningAlgorithm = 'ECDSA_SHA_256'): Signer {
  return {
    keyId,
    algorithm,
    sign: async (message) => {
      const digest = createHash('sha256').update(message).digest();
      const { Signature: signature } = await kms.sign({
        KeyId: keyId,
        Message: digest,
        MessageType: 'DIGEST',
        SigningAlgorithm: algorithm,
      });
      if (signature === undefined) throw new Error(`KMS gave no signature by ${keyId}`);
      return Buffer.from(signature);
    },
  };
}

/** Fetches the public half of a KMS key, once: verifying needs no further call. */
export async function kmsPublicKey(kms: KmsCalls, keyId: string, algorithm: SigningAlgorithm = 'ECDSA_SHA_256'): Promise<TrustedKey> {
  const { PublicKey: der } = await kms.getPublicKey({ KeyId: keyId });
  if (der === undefined) throw new Error(`KMS gave no public key for ${keyId}: it must be an asymmetric key of usage SIGN_VERIFY`);
  return { keyId, algorithm, publicKey: pem(createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })) };
}

/** A key on this machine, for rehearsals and tests: a P-256 or RSA private key in PEM. @throws Error for another kind of key */
export function localSigner(privateKey: string): Signer & { readonly trusted: TrustedKey } {
  const key = createPrivateKey(privateKey);
  const algorithm = algorithmOf(key);
  const publicKey = pem(createPublicKey(key));
  const keyId = `local:${createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 32)}`;
  return {
    keyId,
    algorithm,
    trusted: { keyId, algorithm, publicKey },
    sign: async (message) => signWith('sha256', message, { key, ...padding(algorithm) }),
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

function algorithmOf(key: KeyObject): SigningAlgorithm {
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ECDSA_SHA_256';
  if (key.asymmetricKeyType === 'rsa') return 'RSASSA_PSS_SHA_256';
  throw new Error(
    `a key of type ${key.asymmetricKeyType} ${key.asymmetricKeyDetails?.namedCurve ?? ''} cannot sign models: use P-256 or RSA`,
  );
}

/** RSA_PKCS1_PADDING and RSA_PKCS1_PSS_PADDING of OpenSSL; the salt is as long as the digest, as KMS has it. */
export function padding(algorithm: SigningAlgorithm): { padding?: number; saltLength?: number } {
  if (algorithm === 'RSASSA_PSS_SHA_256') return { padding: 6, saltLength: 32 };
  return algorithm === 'RSASSA_PKCS1_V1_5_SHA_256' ? { padding: 1 } : {};
}

function pem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}
