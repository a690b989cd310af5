import { GetPublicKeyCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { attestationKey, kmsPublicKey, publicKey, verifyModel } from '../model/provenance';
import type { StoredModel } from './artifact-content';
import { isMissing } from './aws-errors';
import type { Ports } from './ports';

/**
 * Checks that one of the keys signed this content, by the attestation that lies beside it.
 *
 * @param signedBy public keys in PEM, or KMS keys, whose public halves are fetched
 * @throws ModelError that says what is wrong with the signature; S3's and KMS's errors
 */
export async function verifySignature(ports: Ports, model: StoredModel, digest: string, signedBy: readonly string[]): Promise<void> {
  const kms = { getPublicKey: (input: { KeyId: string }) => ports.kms.send(new GetPublicKeyCommand(input)) };
  const trusted = await Promise.all(
    signedBy.map(async (key) =>
      key.startsWith('-----BEGIN') ? publicKey(key, 'a key of plan.artifact.signedBy') : kmsPublicKey(kms, key),
    ),
  );
  const attestation = await ports.s3.send(new GetObjectCommand({ Bucket: model.bucket, Key: attestationKey(model.key) })).then(
    ({ Body }) => Body!.transformToString(),
    (error) => {
      if (isMissing(error)) return 'null';
      throw error;
    },
  );
  verifyModel(parsed(attestation), digest, trusted);
}

/** What is no JSON is no envelope either, which is what it is refused for. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
