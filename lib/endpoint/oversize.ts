import type { Size } from 'aws-cdk-lib/core';
import { listTree, rememberedDigest } from '../model/digest';

/**
 * Refuses a directory that is too large to be archived at synth, by its files' sizes alone: none is read. Where it was published from this
 * machine, its digest is remembered, and the message says what to pin.
 *
 * @internal
 */
export function refuseOversize(directory: string, limit: Size): void {
  const entries = listTree(directory);
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  if (bytes <= limit.toBytes()) return;
  const digest = rememberedDigest(directory, entries)?.digest;
  const pin =
    digest === undefined
      ? 'then pin what it prints: ModelArtifact.fromBucket(bucket, key, digest)'
      : `then pin it: ModelArtifact.fromBucket(bucket, 'models/${digest}/', '${digest}')`;
  throw new Error(
    `${directory} holds ${gibibytes(bytes)}, more than the ${gibibytes(limit.toBytes())} that are archived at synth: publish it first, npx fledge publish ${quoted(directory)} --prefix --bucket BUCKET, ${pin}; or raise sizeLimit`,
  );
}

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** As shells read it. */
function quoted(path: string): string {
  return /^[\w./@:+,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
