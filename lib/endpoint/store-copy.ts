import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type ILogGroup, LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ArnFormat, type CfnResource, Duration, Names, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import type { StagedArchive } from './archive-staging';
import { decryptModel, readObject } from './artifact-access';
import type { BoundArtifact } from './bindings';
import { allowLogGroup } from './encryption';
import type { ModelStore } from './model-store';
import { requireSameRegion } from './same-region';

/**
 * Copies an archive from the CDK's asset bucket to the store while the stack deploys: inside S3, encrypted anew with the store's key, and
 * never deleted, as SageMaker reads an endpoint's archive for as long as the endpoint lives. One CopyObject takes up to 5 GB.
 *
 * @internal
 */
export function keepInStore(scope: Construct, store: ModelStore, staged: StagedArchive, digest: string): BoundArtifact {
  requireSameRegion(
    scope,
    `the store ${store.node.path}`,
    store.bucket.env.region,
    'SageMaker takes archives from the same region only, make a store there',
  );
  const key = store.archiveKey(digest);
  const call = {
    service: 'S3',
    action: 'copyObject',
    parameters: {
      CopySource: `${staged.bucketName}/${staged.objectKey}`,
      Bucket: store.bucket.bucketName,
      Key: key,
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: store.encryptionKey.keyArn,
      BucketKeyEnabled: true,
      ContentType: 'application/gzip',
      MetadataDirective: 'REPLACE',
      // Tags would need two more permissions.
      TaggingDirective: 'REPLACE',
    },
    physicalResourceId: PhysicalResourceId.of(key),
    outputPaths: ['CopyObjectResult.ETag'],
  };
  const copy = new AwsCustomResource(scope, 'StoreCopy', {
    resourceType: 'Custom::ModelStoreCopy',
    onCreate: call,
    onUpdate: call,
    installLatestAwsSdk: false,
    logGroup: copyLog(Stack.of(scope), store),
    timeout: Duration.minutes(15),
    policy: AwsCustomResourcePolicy.fromStatements([
      readObject(scope, staged.bucketName, staged.objectKey),
      new PolicyStatement({
        sid: 'KeepModel',
        actions: ['s3:PutObject'],
        resources: [store.bucket.arnForObjects(key)],
      }),
      new PolicyStatement({
        sid: 'EncryptModel',
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [store.encryptionKey.keyArn],
      }),
    ]),
  });
  acknowledge(copy, 'IAMNoInlinePolicy', "the policy goes with this copy: AwsCustomResource attaches it to its function's role so");
  acknowledgeFunction(Stack.of(scope));
  return {
    archiveUrl: store.bucket.s3UrlForObject(key),
    location: { bucket: store.bucket, key },
    digest,
    environment: {},
    statements: [readObject(scope, store.bucket.bucketName, key), decryptModel(store.encryptionKey)],
    dependencies: [copy],
  };
}

/** The log of a stack's copies, under the store's key. */
function copyLog(stack: Stack, store: ModelStore): ILogGroup {
  const id = 'ModelStoreCopyLog';
  const existing = stack.node.tryFindChild(id) as LogGroup | undefined;
  if (existing !== undefined) return existing;
  const logGroupName = `/cdk-fledge/${Names.uniqueResourceName(stack, { maxLength: 128 })}/model-store-copy`;
  const arn = stack.formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: logGroupName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  allowLogGroup(store.encryptionKey, stack, arn, 'EncryptCopyLogs');
  return new LogGroup(stack, id, {
    logGroupName,
    encryptionKey: store.encryptionKey,
    retention: RetentionDays.ONE_YEAR,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

/** The one function of all AwsCustomResources in a stack. */
function acknowledgeFunction(stack: Stack): void {
  const id = `AWS${AwsCustomResource.PROVIDER_FUNCTION_UUID.replace(/-/g, '')}`;
  const provider = stack.node.findChild(id);
  // aws-cdk-lib lets every function wait for its role twice, by name and by reference; cfn-lint warns of it.
  (provider.node.defaultChild as CfnResource).addMetadata('cfn-lint', { config: { ignore_checks: ['W3005'] } });
  acknowledge(provider, 'LambdaInsideVPC', 'it calls S3 only, while a stack deploys; a VPC would add a way in and a NAT to pay');
  acknowledge(provider, 'LambdaDefaultMemorySize', "aws-cdk-lib's own function: it has the memory that aws-cdk-lib gives it");
  acknowledge(provider, 'LambdaTracing', 'it makes one call, whose failure CloudFormation shows');
  acknowledge(provider, 'LambdaDLQ', 'CloudFormation calls it and gets its failure as the answer; nothing is lost to a queue');
  acknowledge(
    provider,
    'LambdaConcurrency',
    'CloudFormation calls it, once a changed model; reserving concurrency would take it from others',
  );
  Validations.of(provider).acknowledge(
    {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: "aws-cdk-lib's own function: it may write its log",
    },
    { id: 'AwsSolutions-L1', reason: "aws-cdk-lib's own function: its runtime comes with the version of aws-cdk-lib" },
  );
}
