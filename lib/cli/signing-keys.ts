import { readFileSync } from 'node:fs';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { type KmsCalls, kmsPublicKey, kmsSigner, localSigner, publicKey, type Signer, type TrustedKey } from '../model/provenance';
import { UserError } from './exit-codes';

/** How options say which key is meant. */
export const KEY_SYNTAX = 'a PEM file, or the ARN, id or alias/NAME of an asymmetric KMS key';

/** Whoever signs with a key of `KEY_SYNTAX`. @throws UserError, ModelError; KMS's errors */
export function openSigner(key: string): Promise<Signer> | Signer {
  return isKms(key) ? kmsSigner(kmsCalls(), key) : localSigner(pemOf(key), key);
}

/** The public half of a key of `KEY_SYNTAX`. @throws UserError, ModelError; KMS's errors */
export function openTrusted(key: string): Promise<TrustedKey> | TrustedKey {
  return isKms(key) ? kmsPublicKey(kmsCalls(), key) : publicKey(pemOf(key), key);
}

const isKms = (key: string): boolean => /^(arn:[\w-]+:kms:|alias\/|mrk-[0-9a-f]{32}$|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$)/.test(key);

function pemOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}): a key is ${KEY_SYNTAX}`);
  }
}

function kmsCalls(): KmsCalls {
  const client = new KMSClient({});
  return {
    sign: (input) => client.send(new SignCommand(input)),
    getPublicKey: (input) => client.send(new GetPublicKeyCommand(input)),
  };
}
