import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Stack, Token } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { ModelStore } from '../../endpoint';
import type { HandedOver } from '../../endpoint/owner';

/**
 * Where versions lie: everything below a prefix, which ends in `/`.
 *
 * @internal
 */
export interface VersionPlace {
  readonly bucket: IBucket;
  readonly prefix: string;
  /** Absent where nothing is known of it. */
  readonly encryptionKey?: IKey;
}

/**
 * The store, and where the artifact of the template lies beside the ones before and after it, should that be elsewhere: one is read while another is live.
 *
 * @throws Error for an artifact beside which a whole bucket lies
 * @internal
 */
export function versionPlaces(scope: Construct, store: ModelStore, { model, served }: HandedOver): VersionPlace[] {
  const inStore = { bucket: store.bucket, prefix: 'models/', encryptionKey: store.encryptionKey };
  if (model.location === undefined) return [inStore];
  const { bucket, key } = model.location;
  const name = (of: IBucket) => JSON.stringify(Stack.of(scope).resolve(of.bucketName));
  const isInStore = name(bucket) === name(store.bucket);
  if (isInStore && key.startsWith(inStore.prefix)) return [inStore];
  const prefix = key.slice(0, key.replace(/\/$/, '').lastIndexOf('/') + 1);
  if (Token.isUnresolved(key) || prefix === '') {
    throw new Error(
      `a CanaryStage reads the versions of ${served.endpointName} before and after this one too: '${key}' does not say under which prefix they lie. Put it under one, such as models/, written out, or publish it into the stage's modelStore`,
    );
  }
  return [inStore, { bucket, prefix, encryptionKey: isInStore ? store.encryptionKey : bucket.encryptionKey }];
}
