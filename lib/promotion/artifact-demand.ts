import type { ScanPolicy } from '../model/inspect';

/** What a candidate's artifact must be before anything of the endpoint changes. */
export interface ArtifactDemand {
  /**
   * What a scan's findings lead to, in place of the policy in the artifact's own model.yaml.
   *
   * @default - the artifact's own; without one, code that would do harm is refused, and unknown classes pass
   */
  readonly policy?: Partial<ScanPolicy>;
  /**
   * Keys of which one must have signed the artifact's digest: public keys in PEM, or ARNs, ids or aliases of asymmetric KMS keys.
   *
   * @default - no signature is asked for
   */
  readonly signedBy?: readonly string[];
  /**
   * Bytes, unpacked, up to which an artifact is read and looked into, above 0. A larger one passes only by its signature, unread. The room on
   * the disk of the temporary directory is a limit too: in Lambda at most 10 GB of ephemeral storage.
   *
   * @default 8589934592 (8 GiB)
   */
  readonly limitBytes?: number;
}

export const LIMIT_BYTES = 8 * 2 ** 30;

/** @throws Error that names the field, the value and the range */
export function checkArtifactDemand({ signedBy, limitBytes }: ArtifactDemand): void {
  if (signedBy?.length === 0) throw new Error('plan.artifact.signedBy is empty: name the keys that are trusted, or leave it out');
  if (limitBytes !== undefined && !(limitBytes > 0)) throw new Error(`plan.artifact.limitBytes must be above 0, got ${limitBytes}`);
}
