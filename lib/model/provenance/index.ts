/** Who vouches for a model's bytes, and what they are made of: signatures over the content digest, and a bill of materials. */
export { type Attestation, attestationKey, type ModelStatement, type SignedModel, signModel, verifyModel } from './attestation';
export { type MlBomOptions, mlBom } from './ml-bom';
export {
  type KmsCalls,
  kmsPublicKey,
  kmsSigner,
  localSigner,
  newLocalKey,
  publicKey,
  type Signer,
  type SigningAlgorithm,
  type TrustedKey,
} from './signer';
