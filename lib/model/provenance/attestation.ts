import { ModelError } from '../model-error';
import { isSignedBy, type Signer, type TrustedKey } from './signer';

/** A signed statement about a model, as DSSE wraps it: what is signed, and by whom. */
export interface Attestation {
  readonly payloadType: 'application/vnd.in-toto+json';
  /** The statement's JSON, base64. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** An in-toto statement: these bytes, by their manifest's digest, are this release. */
export interface ModelStatement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, string>>;
}

export interface SignedModel {
  readonly name: string;
  /** SHA-256 of the manifest: `contentDigest(directory).digest`. */
  readonly digest: string;
  /** What else is vouched for: version, framework, the scan's grade, who built it. */
  readonly about?: Readonly<Record<string, string>>;
}

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const PREDICATE_TYPE = 'https://github.com/cdk-fledge/cdk-fledge/model-release/v1';
/** A statement is a few hundred bytes; whoever sends megabytes wants something else. */
const LONGEST_PAYLOAD = 1024 * 1024;

/** Where the attestation of the model data at `key` lies: beside the archive, or beside the prefix. */
export function attestationKey(key: string): string {
  return `${key.replace(/(\.tar\.gz|\/)$/, '')}.attestation.json`;
}

/** Signs a model by its content digest. */
export async function signModel(model: SignedModel, signer: Signer): Promise<Attestation> {
  refuseOddDigest(model.digest);
  const statement: ModelStatement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: model.name, digest: { sha256: model.digest } }],
    predicateType: PREDICATE_TYPE,
    predicate: model.about ?? {},
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const signature = await signer.sign(toSign(payload));
  return {
    payloadType: PAYLOAD_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ keyid: signer.trusted.keyId, sig: signature.toString('base64') }],
  };
}

/**
 * Checks that one of the trusted keys signed exactly this digest, and returns the statement.
 *
 * @param given the attestation, as it was parsed from JSON
 * @throws ModelError `signature-missing`, `signature-malformed`, `signature-unknown-key`, `signature-invalid`, `signature-other-model`
 */
export function verifyModel(given: unknown, digest: string, trusted: readonly TrustedKey[]): ModelStatement {
  refuseOddDigest(digest);
  if (given === undefined || given === null) {
    throw new ModelError(
      'signature-missing',
      digest,
      `the model ${digest} is not signed: sign it (fledge sign), or do without verification`,
    );
  }
  const attestation = wellFormed(given, digest);
  const payload = Buffer.from(attestation.payload, 'base64');
  const known = attestation.signatures.flatMap((signature) =>
    trusted.filter(({ keyId }) => keyId === signature.keyid).map((key) => ({ key, signature })),
  );
  if (known.length === 0) {
    const by = attestation.signatures.map(({ keyid }) => keyid).join(', ');
    throw new ModelError(
      'signature-unknown-key',
      digest,
      `the model ${digest} is signed by ${by}, and none of that is trusted here: trusted are ${trusted.map(({ keyId }) => keyId).join(', ')}`,
    );
  }
  if (!known.some(({ key, signature }) => isSignedBy(key, toSign(payload), Buffer.from(signature.sig, 'base64')))) {
    throw new ModelError(
      'signature-invalid',
      digest,
      `the signature of the model ${digest} by ${known[0]!.key.keyId} does not hold: the statement or the signature was changed; sign it again from the source`,
    );
  }
  return statementAbout(payload, digest);
}

/** DSSE's pre-authentication encoding: type and payload with their lengths, so that neither can pass for the other. */
function toSign(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload]);
}

function wellFormed(given: unknown, digest: string): Attestation {
  const { payloadType, payload, signatures } = given as Partial<Attestation>;
  const valid =
    payloadType === PAYLOAD_TYPE &&
    typeof payload === 'string' &&
    payload.length <= LONGEST_PAYLOAD &&
    Array.isArray(signatures) &&
    signatures.length > 0 &&
    signatures.every((signature) => typeof signature?.keyid === 'string' && typeof signature.sig === 'string');
  if (!valid)
    throw new ModelError(
      'signature-malformed',
      digest,
      `what should sign the model ${digest} is no DSSE envelope of an in-toto statement: sign it again (fledge sign)`,
    );
  return given as Attestation;
}

function statementAbout(payload: Buffer, digest: string): ModelStatement {
  const statement = JSON.parse(payload.toString('utf8')) as ModelStatement;
  const signed = (statement.subject ?? []).map((subject) => subject.digest?.sha256);
  if (statement.predicateType !== PREDICATE_TYPE || signed.length !== 1 || signed[0] !== digest) {
    throw new ModelError(
      'signature-other-model',
      digest,
      `the signature is sound, but for ${signed.join(', ')} and not for the model ${digest}: the files are not those that were signed`,
    );
  }
  return statement;
}

function refuseOddDigest(digest: string): void {
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new ModelError('digest-malformed', digest, `a content digest is 64 hexadecimal digits, and this is ${JSON.stringify(digest)}`);
}
