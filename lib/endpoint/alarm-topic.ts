import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { ArnFormat, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { underOwnSid } from './own-sid';

/**
 * Who is told of every alarm of an endpoint, encrypted.
 *
 * @internal
 */
export function alarmTopic(scope: Construct, endpointName: string, encryptionKey: IKey): Topic {
  const topic = new Topic(scope, 'Topic', { masterKey: encryptionKey, enforceSSL: true });
  const principals = [new ServicePrincipal('cloudwatch.amazonaws.com')];
  const stack = Stack.of(scope);
  const conditions = {
    StringEquals: { 'aws:SourceAccount': stack.account },
    ArnLike: {
      'aws:SourceArn': stack.formatArn({
        service: 'cloudwatch',
        resource: 'alarm',
        resourceName: `${endpointName}-*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    },
  };
  topic.addToResourcePolicy(
    new PolicyStatement({ sid: 'PublishAlarms', principals, actions: ['sns:Publish'], resources: [topic.topicArn], conditions }),
  );
  // Without it CloudWatch drops every notice without a word.
  encryptionKey.addToResourcePolicy(
    underOwnSid(
      encryptionKey,
      new PolicyStatement({
        sid: 'EncryptAlarmNotices',
        principals,
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions,
      }),
    ),
  );
  return topic;
}
