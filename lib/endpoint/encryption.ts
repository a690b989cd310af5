import { ArnPrincipal, type IRole, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnKey, type IAlias, type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { underOwnSid } from './own-sid';
import { requireSameRegion } from './same-region';

/**
 * The one customer key of an endpoint's stores.
 *
 * @internal
 */
export function endpointKey(scope: Construct, id: string, endpointName: string): Key {
  return new Key(scope, id, {
    description: `volumes, logs, records and notices of the SageMaker endpoint ${endpointName}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
}

/**
 * An alias names no key to IAM, nor to a log group: they would grant and encrypt nothing by it. Nor does a service use a key of another region.
 *
 * @param usage what it must be made for, as far as that is known here
 * @throws Error for an alias, or a key of another region or for another use
 * @internal
 */
export function requireKey<K extends IKey | undefined>(scope: Construct, key: K, usage = 'ENCRYPT_DECRYPT'): K {
  if (key === undefined) return key;
  const resource = key.node.defaultChild;
  const made = resource instanceof CfnKey ? (resource.keyUsage ?? 'ENCRYPT_DECRYPT') : usage;
  if (made !== usage) throw new Error(`the key ${key.node.path} is made for ${made}, and here one for ${usage} is needed`);
  requireSameRegion(scope, `the key ${key.node.path}`, key.env.region, 'services use keys of their own region only, take one of there');
  const alias = (key as Partial<IAlias>).aliasName;
  if (!alias) return key;
  throw new Error(
    `the key ${key.node.path} is the alias ${alias}, by which IAM and log groups know no key: pass the key itself, by Key.fromKeyArn or Key.fromLookup`,
  );
}

/**
 * Lets CloudWatch Logs use the key, for one log group.
 *
 * @internal
 */
export function allowLogGroup(key: IKey, scope: Construct, logGroupArn: string, sid = 'EncryptContainerLogs'): void {
  key.addToResourcePolicy(
    underOwnSid(
      key,
      new PolicyStatement({
        sid,
        principals: [new ServicePrincipal(`logs.${Stack.of(scope).region}.amazonaws.com`)],
        actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
        resources: ['*'],
        conditions: { ArnEquals: { 'kms:EncryptionContext:aws:logs:arn': logGroupArn } },
      }),
    ),
  );
}

/**
 * Lets the execution role write encrypted records: SageMaker wants it in the key's own policy.
 *
 * @internal
 */
export function allowRecords(key: IKey, scope: Construct, role: IRole): void {
  const stack = Stack.of(scope);
  // A key of another stack cannot name a role of this one without a cycle; its default policy leaves the decision to IAM.
  if (Stack.of(key) !== stack) return;
  key.addToResourcePolicy(
    underOwnSid(
      key,
      new PolicyStatement({
        sid: 'EncryptRecords',
        principals: [new ArnPrincipal(role.roleArn)],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: {
          StringEquals: { 'kms:CallerAccount': stack.account, 'kms:ViaService': `s3.${stack.region}.${stack.urlSuffix}` },
        },
      }),
    ),
  );
}

/**
 * Lets SageMaker encrypt the volumes of the endpoint's instances, by a grant that only an AWS service can use.
 *
 * @internal
 */
export function encryptVolumes(key: IKey): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'EncryptVolumes',
      actions: ['kms:CreateGrant'],
      resources: [key.keyArn],
      conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    }),
    new PolicyStatement({ sid: 'DescribeVolumeKey', actions: ['kms:DescribeKey'], resources: [key.keyArn] }),
  ];
}
