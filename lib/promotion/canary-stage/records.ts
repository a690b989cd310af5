import { Effect, PolicyStatement, StarPrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Duration } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { secureBucket } from '../../endpoint/secure-bucket';
import { lockKey } from '../lock';
import { endpointPrefix } from '../record';

/**
 * Keys of one endpoint's lock, controls and record.
 *
 * @internal
 */
export const keysOf = (endpointName: string): string[] => [`${endpointPrefix(endpointName)}*`, lockKey(endpointName)];

/** What is written once: whoever wants to change what was decided finds it barred, whatever their own permissions. */
const WRITTEN_ONCE = ['promotions/*/record/*', 'promotions/*/controls/*', 'promotions/*/outcome.json'];

/**
 * The bucket of lock, controls and record: encrypted with the customer key, versioned so that any point in time can be had back, access logged, and kept when the
 * stack goes. Its own policy lets the record be written once and never deleted.
 *
 * @internal
 */
export function recordBucket(scope: Construct, encryptionKey: IKey): Bucket {
  const bucket = secureBucket(scope, 'Records', {
    encryptionKey,
    lifecycleRules: [
      // The lock and the progress are written over at every tick.
      { id: 'old-locks', prefix: 'locks/', noncurrentVersionExpiration: Duration.days(35) },
      { id: 'old-progress', prefix: 'promotions/', noncurrentVersionExpiration: Duration.days(35) },
    ],
  });
  const written = WRITTEN_ONCE.map((pattern) => bucket.arnForObjects(pattern));
  const everybody = { effect: Effect.DENY, principals: [new StarPrincipal()], resources: written };
  bucket.addToResourcePolicy(
    new PolicyStatement({
      ...everybody,
      sid: 'WriteOnce',
      actions: ['s3:PutObject'],
      conditions: { Null: { 's3:if-none-match': 'true' } },
    }),
  );
  bucket.addToResourcePolicy(
    new PolicyStatement({ ...everybody, sid: 'NeverDelete', actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'] }),
  );
  return bucket;
}
