import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { App, Duration, Size, Stack } from 'aws-cdk-lib/core';
import { CanaryStage, Capacity, ModelArtifact, ModelEndpoint, type ModelEndpointProps, ModelStore, ServingImage } from '../../lib';
import { DIGEST, newStack, publishedArtifact, ReadableTemplate } from './template';

const FAR = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

function endpoint(stack: Stack, props: Partial<ModelEndpointProps> = {}, id = 'Delay'): ModelEndpoint {
  return new ModelEndpoint(stack, id, { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2'), ...props });
}

describe('what lies in another region is refused, with what to do:', () => {
  test('a key, of the endpoint, the store, the stage or a signer', () => {
    const stack = newStack();
    const key = Key.fromKeyArn(stack, 'Far', FAR);
    const message = 'the key Shop/Far is in us-east-1, and the endpoint in eu-west-1: services use keys of their own region only';
    expect(() => endpoint(stack, { encryptionKey: key })).toThrow(message);
    expect(() => new ModelStore(stack, 'Store', { encryptionKey: key })).toThrow(message);
    const modelStore = new ModelStore(stack, 'Near');
    const delay = endpoint(stack, { modelStore }, 'Second');
    expect(() => new CanaryStage(stack, 'Canary', { endpoint: delay, encryptionKey: key })).toThrow(message);
    const other = endpoint(stack, { modelStore }, 'Third');
    expect(() => new CanaryStage(stack, 'Signed', { endpoint: other, signingKeys: [key] })).toThrow(message);
  });

  test('a bucket of models, and a store that a directory would be copied to', () => {
    const stack = newStack();
    const bucket = Bucket.fromBucketAttributes(stack, 'Models', { bucketName: 'models-of-ours', region: 'us-east-1' });
    const artifact = ModelArtifact.fromBucket(bucket, `models/${DIGEST}.tar.gz`, DIGEST);
    expect(() => endpoint(stack, { artifact })).toThrow('the bucket Shop/Models is in us-east-1, and the endpoint in eu-west-1');
    const far = new Stack(stack.node.root, 'Far', { env: { account: '111122223333', region: 'us-east-1' } });
    const modelStore = new ModelStore(far, 'Store');
    const directory = ModelArtifact.fromDirectory('model-artifacts/flight-delay/1');
    expect(() => endpoint(stack, { artifact: directory, image: undefined, modelStore }, 'Second')).toThrow(
      'the store Far/Store is in us-east-1, and the endpoint in eu-west-1: SageMaker takes archives from the same region only, make a store there',
    );
  });

  test('a topic of alarms', () => {
    const stack = newStack();
    const topic = Topic.fromTopicArn(stack, 'Pager', 'arn:aws:sns:us-east-1:111122223333:pager');
    expect(() => endpoint(stack, { alarms: { topic } })).toThrow(
      'the topic Shop/Pager is in us-east-1, and the endpoint in eu-west-1: CloudWatch tells topics of its own region only',
    );
  });

  test('but not where a region is known only at deployment', () => {
    const stack = new Stack(new App(), 'Shop');
    expect(() => endpoint(stack, { encryptionKey: Key.fromKeyArn(stack, 'Ours', FAR) })).not.toThrow();
  });
});

describe('a key for another use is refused:', () => {
  test('one that signs where stores are encrypted, one that encrypts where models are signed', () => {
    const stack = newStack();
    const signer = new Key(stack, 'Signer', { keySpec: KeySpec.ECC_NIST_P256, keyUsage: KeyUsage.SIGN_VERIFY });
    expect(() => new ModelStore(stack, 'Store', { encryptionKey: signer })).toThrow(
      'the key Shop/Signer is made for SIGN_VERIFY, and here one for ENCRYPT_DECRYPT is needed',
    );
    const delay = endpoint(stack, { modelStore: new ModelStore(stack, 'Models') });
    const signingKeys = [new Key(stack, 'Ours')];
    expect(() => new CanaryStage(stack, 'Canary', { endpoint: delay, signingKeys })).toThrow(
      'the key Shop/Ours is made for ENCRYPT_DECRYPT, and here one for SIGN_VERIFY is needed',
    );
  });
});

describe('the queue of an async endpoint', () => {
  const async = { instanceType: 'ml.m5.large', min: 1 };

  test('tells topics with keys of their own: the role may use them', () => {
    const stack = newStack();
    const masterKey = new Key(stack, 'Ours');
    const [successTopic, errorTopic] = [new Topic(stack, 'Answered', { masterKey }), new Topic(stack, 'Failed', { masterKey })];
    endpoint(stack, { capacity: Capacity.async({ ...async, successTopic, errorTopic }) });
    expect(new ReadableTemplate(stack).executionStatements().EncryptNotices).toEqual({
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: '<Ours.Arn>',
    });
  });

  test('is one for all variants: a second cannot bring topics or times of its own, which nothing would use', () => {
    const stack = newStack();
    const delay = endpoint(stack, { capacity: Capacity.async(async) });
    const capacity = Capacity.async({ ...async, retention: Duration.days(7) });
    const artifact = publishedArtifact(stack);
    const image = ServingImage.sklearn('1.2');
    expect(() => delay.addVariant('challenger', { artifact, image, capacity })).toThrow(
      "an async endpoint has one queue for all its variants: give retention to the capacity of the endpoint itself, not to that of 'challenger'",
    );
    expect(() => delay.addVariant('other', { artifact, image, capacity: Capacity.async(async) })).not.toThrow();
  });
});

describe('one role for many endpoints', () => {
  test('warns of the eleventh, whose policy IAM would not attach to it', () => {
    const stack = newStack();
    const executionRole = new Role(stack, 'Ours', { assumedBy: new ServicePrincipal('sagemaker.amazonaws.com') });
    for (let i = 1; i <= 10; i++) endpoint(stack, { executionRole }, `Delay${i}`);
    const warning = Match.stringLikeRegexp(
      'the role Shop/Ours runs 11 endpoints, each with a managed policy, and IAM attaches 10 to a role',
    );
    Annotations.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('the role Shop/Ours'));
    endpoint(stack, { executionRole }, 'Delay11');
    Annotations.fromStack(stack).hasWarning('/Shop/Delay11/ExecutionRole', warning);
  });
});

describe('what AWS would refuse is refused:', () => {
  test('a volume size for instances with local disks', () => {
    expect(() => Capacity.instances({ instanceType: 'ml.g5.xlarge', volumeSize: Size.gibibytes(100) })).toThrow(
      'ml.g5.xlarge has local NVMe disks and takes no EBS volume: leave volumeSize out',
    );
    expect(() => Capacity.instances({ instanceType: 'ml.m5.xlarge', volumeSize: Size.gibibytes(100) })).not.toThrow();
  });

  test.each([Duration.days(0), Duration.hours(12)])('a store that would keep noncurrent versions for %s', (noncurrentVersionExpiration) => {
    expect(() => new ModelStore(newStack(), 'Store', { noncurrentVersionExpiration })).toThrow(
      'noncurrentVersionExpiration in days is a whole number from 1 to 36500, got 0',
    );
  });
});
