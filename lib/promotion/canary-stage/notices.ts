import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Duration, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { acknowledge } from '../../endpoint/acknowledge';
import { underOwnSid } from '../../endpoint/own-sid';

/**
 * Who is told of promotions: encrypted, TLS only.
 *
 * @internal
 */
export function noticeTopic(scope: Construct, encryptionKey: IKey): Topic {
  return new Topic(scope, 'Notices', { masterKey: encryptionKey, enforceSSL: true });
}

/**
 * What could not be worked on, for two weeks.
 *
 * @internal
 */
export function deadLetterQueue(scope: Construct, id: string, encryptionKey: IKey): Queue {
  const queue = new Queue(scope, id, {
    encryption: QueueEncryption.KMS,
    encryptionMasterKey: encryptionKey,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  for (const rule of ['SQSQueueDLQ', 'SQSRedrivePolicy']) acknowledge(queue, rule, 'it is the dead-letter queue');
  return queue;
}

/**
 * Approvals that started nothing: what EventBridge could not deliver, and what the function could not begin to work on.
 *
 * @internal
 */
export function lostApprovals(scope: Construct, encryptionKey: IKey): Queue {
  const queue = deadLetterQueue(scope, 'LostApprovals', encryptionKey);
  encryptionKey.addToResourcePolicy(
    underOwnSid(
      encryptionKey,
      new PolicyStatement({
        sid: 'EncryptLostApprovals',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
      }),
    ),
  );
  return queue;
}
