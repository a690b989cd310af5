import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { App, Stack } from 'aws-cdk-lib/core';
import {
  CanaryStage,
  type CanaryStageProps,
  ModelEndpoint,
  ModelStore,
  type OfferedStage,
  OnArrival,
  ServingImage,
  VersionOffer,
  type VersionOfferProps,
  VersionReceiver,
  type VersionReceiverProps,
} from '../../lib';
import { bySid, type Json, publishedArtifact, ReadableTemplate, type Statement } from '../endpoint/template';

const STAGING = '111122223333';
const PRODUCTION = '222222222222';
const OFFER: OfferedStage = {
  endpointName: 'delay',
  topicArn: `arn:aws:sns:eu-west-1:${STAGING}:notices`,
  modelPackageGroupArn: `arn:aws:sagemaker:eu-west-1:${STAGING}:model-package-group/delay`,
  recordBucketName: 'records-of-staging',
  recordKeyArn: `arn:aws:kms:eu-west-1:${STAGING}:key/11111111-1111-1111-1111-111111111111`,
  artifactBucketName: 'models-of-staging',
  artifactKeyArn: `arn:aws:kms:eu-west-1:${STAGING}:key/22222222-2222-2222-2222-222222222222`,
};

function staged(account: string, endpointName: string, props: Partial<CanaryStageProps> = {}) {
  const stack = new Stack(new App(), 'Delay', { env: { account, region: 'eu-west-1' } });
  const modelStore = new ModelStore(stack, 'Store');
  const image = ServingImage.sklearn('1.2');
  const endpoint = new ModelEndpoint(stack, 'Endpoint', { endpointName, artifact: publishedArtifact(stack), image, modelStore });
  return { stack, endpoint, stage: new CanaryStage(stack, 'Stage', { endpoint, ...props }) };
}

function offering(props: Partial<VersionOfferProps> = {}, stageProps: Partial<CanaryStageProps> = {}) {
  const { stack, stage } = staged(STAGING, 'delay', stageProps);
  new VersionOffer(stack, 'ToProduction', { stage, account: PRODUCTION, ...props });
  return { stack, stage };
}

function receiving(props: Partial<VersionReceiverProps> = {}) {
  const { stack, stage, endpoint } = staged(PRODUCTION, 'delay-live');
  new VersionReceiver(stack, 'FromStaging', { stage, endpoint, offer: OFFER, ...props });
  return { stack, template: new ReadableTemplate(stack) };
}

const ROLE = { 'aws:PrincipalArn': `arn:<AWS::Partition>:iam::${PRODUCTION}:role/delay-receive-version` };
const THEM = { AWS: `arn:<AWS::Partition>:iam::${PRODUCTION}:root` };

/** The statements of every policy of a type that say this in their Sid. */
function statements(template: ReadableTemplate, type: string, document: string, sid: RegExp): Statement[] {
  return template
    .all(type)
    .flatMap(({ Properties }) => Properties[document].Statement as Statement[])
    .filter(({ Sid = '' }) => sid.test(Sid));
}

describe('the account that offers', () => {
  const template = new ReadableTemplate(offering().stack);

  test('lets one role of the other describe its versions', () => {
    expect(template.only('AWS::SageMaker::ModelPackageGroup').Properties.ModelPackageGroupPolicy).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: `OfferVersionsTo${PRODUCTION}`,
          Effect: 'Allow',
          Principal: THEM,
          Action: 'sagemaker:DescribeModelPackage',
          Resource: `arn:<AWS::Partition>:sagemaker:eu-west-1:${STAGING}:model-package/delay/*`,
          Condition: { ArnEquals: ROLE },
        },
      ],
    });
  });

  test('lets it read published archives and the record of promotions, and nothing else', () => {
    expect(bySid(statements(template, 'AWS::S3::BucketPolicy', 'PolicyDocument', /^Offer/))).toEqual({
      [`OfferArtifactsTo${PRODUCTION}`]: {
        Effect: 'Allow',
        Principal: THEM,
        Action: 's3:GetObject',
        Resource: '<StoreModelsBucket.Arn>/models/*',
        Condition: { ArnEquals: ROLE },
      },
      [`OfferArtifactsListTo${PRODUCTION}`]: {
        Effect: 'Allow',
        Principal: THEM,
        Action: 's3:ListBucket',
        Resource: '<StoreModelsBucket.Arn>',
        Condition: { ArnEquals: ROLE, StringLike: { 's3:prefix': ['models/*'] } },
      },
      [`OfferRecordTo${PRODUCTION}`]: {
        Effect: 'Allow',
        Principal: THEM,
        Action: 's3:GetObject',
        Resource: ['<StageRecordsBucket.Arn>/promotions/delay/*', '<StageRecordsBucket.Arn>/samples/*'],
        Condition: { ArnEquals: ROLE },
      },
      [`OfferRecordListTo${PRODUCTION}`]: {
        Effect: 'Allow',
        Principal: THEM,
        Action: 's3:ListBucket',
        Resource: '<StageRecordsBucket.Arn>',
        Condition: { ArnEquals: ROLE, StringLike: { 's3:prefix': ['promotions/delay/*', 'samples/*'] } },
      },
    });
  });

  test('lets it decrypt what S3 hands out, with the key of each bucket', () => {
    const found = statements(template, 'AWS::KMS::Key', 'KeyPolicy', /^Offer/);
    const decrypt = {
      Sid: `OfferContentTo${PRODUCTION}`,
      Effect: 'Allow',
      Principal: THEM,
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: { ArnEquals: ROLE, StringEquals: { 'kms:ViaService': 's3.eu-west-1.<AWS::URLSuffix>' } },
    };
    expect(found).toEqual([decrypt, decrypt]);
  });

  test('lets one function of the other hear of promotions', () => {
    expect(statements(template, 'AWS::SNS::TopicPolicy', 'PolicyDocument', /^Offer/)).toEqual([
      {
        Sid: `OfferNoticesTo${PRODUCTION}`,
        Effect: 'Allow',
        Principal: THEM,
        Action: 'sns:Subscribe',
        Resource: '<StageNotices>',
        Condition: {
          StringEquals: {
            'sns:Protocol': 'lambda',
            'sns:Endpoint': `arn:<AWS::Partition>:lambda:eu-west-1:${PRODUCTION}:function:delay-receive-version`,
          },
        },
      },
    ]);
  });

  test('lets the function hear of them in its own region, where that is another', () => {
    const [statement] = statements(
      new ReadableTemplate(offering({ region: 'us-east-1' }).stack),
      'AWS::SNS::TopicPolicy',
      'PolicyDocument',
      /^Offer/,
    ) as { Condition: Json }[];
    expect(statement!.Condition.StringEquals['sns:Endpoint']).toBe(
      `arn:<AWS::Partition>:lambda:us-east-1:${PRODUCTION}:function:delay-receive-version`,
    );
  });

  test('says in an output what the other has to be given', () => {
    const [output] = Object.values(template.raw.Outputs) as Json[];
    const text = output.Value['Fn::Join'][1].map((part: Json) => (typeof part === 'string' ? part : `<${Object.keys(part)[0]}>`)).join('');
    expect(Object.keys(JSON.parse(text))).toEqual(Object.keys(OFFER));
    expect(JSON.parse(text)).toMatchObject({ endpointName: 'delay' });
  });

  test('may offer to several, each in statements of its own', () => {
    const { stack, stage } = offering();
    new VersionOffer(stack, 'ToAnother', { stage, account: '333333333333', receiverName: 'ours' });
    const policy = new ReadableTemplate(stack).only('AWS::SageMaker::ModelPackageGroup').Properties.ModelPackageGroupPolicy;
    expect(policy.Statement.map(({ Sid }: Statement) => Sid)).toEqual([`OfferVersionsTo${PRODUCTION}`, 'OfferVersionsTo333333333333']);
    expect(policy.Statement[1].Condition.ArnEquals['aws:PrincipalArn']).toBe('arn:<AWS::Partition>:iam::333333333333:role/ours');
  });

  test('may offer what several stages keep in one store, each in statements of its own', () => {
    const { stack } = offering();
    const modelStore = stack.node.findChild('Store') as ModelStore;
    const endpoint = new ModelEndpoint(stack, 'Other', {
      endpointName: 'other',
      artifact: publishedArtifact(stack),
      image: ServingImage.sklearn('1.2'),
      modelStore,
    });
    new VersionOffer(stack, 'OtherToProduction', { stage: new CanaryStage(stack, 'OtherStage', { endpoint }), account: PRODUCTION });
    const template = new ReadableTemplate(stack);
    for (const { Properties } of template.all('AWS::S3::BucketPolicy')) {
      const sids = Properties.PolicyDocument.Statement.flatMap(({ Sid }: Statement) => Sid ?? []);
      expect(sids).toEqual([...new Set(sids)]);
    }
    const artifacts = bySid(statements(template, 'AWS::S3::BucketPolicy', 'PolicyDocument', /^OfferArtifacts/));
    expect(Object.keys(artifacts)).toEqual([
      `OfferArtifactsTo${PRODUCTION}`,
      `OfferArtifactsListTo${PRODUCTION}`,
      `OfferArtifactsTo${PRODUCTION}2`,
      `OfferArtifactsListTo${PRODUCTION}2`,
    ]);
  });

  test.each<[string, () => unknown, string]>([
    ['to what is no account', () => offering({ account: '1234' }), "account is twelve digits, written out, got '1234'"],
    [
      'to what is no receiver',
      () => offering({ receiverName: 'a b' }),
      "receiverName has 1 to 64 letters, digits, hyphens and underscores, written out, got 'a b'",
    ],
    [
      'by an imported topic',
      () => {
        const { stack, stage } = staged(STAGING, 'delay', { topic: Topic.fromTopicArn(new Stack(), 'T', OFFER.topicArn) });
        return new VersionOffer(stack, 'ToProduction', { stage, account: PRODUCTION });
      },
      'was imported, so that its policy cannot be written here',
    ],
    [
      'under an imported key',
      () => {
        const { stack, stage } = staged(STAGING, 'delay', { encryptionKey: Key.fromKeyArn(new Stack(), 'K', OFFER.recordKeyArn) });
        return new VersionOffer(stack, 'ToProduction', { stage, account: PRODUCTION });
      },
      'was imported, so that its policy cannot be written here',
    ],
  ])('offers nothing %s', (_, offer, message) => expect(offer).toThrow(message));
});

describe('the account that receives', () => {
  const { template } = receiving();
  const policy = () => {
    const all = template.all('AWS::IAM::ManagedPolicy').map(({ Properties }) => Properties);
    return bySid(all.find(({ Description }) => Description === 'what delay-receive-version does')!.PolicyDocument.Statement);
  };

  test('has a role by the name that the other lets in, which may do exactly what it does', () => {
    expect(template.all('AWS::IAM::Role').map(({ Properties }) => Properties.RoleName)).toContain('delay-receive-version');
    const { KeepLost, DecryptSettings, WriteLog, ...found } = policy();
    expect(found).toEqual({
      TheirVersions: {
        Effect: 'Allow',
        Action: 'sagemaker:DescribeModelPackage',
        Resource: `arn:aws:sagemaker:eu-west-1:${STAGING}:model-package/delay/*`,
      },
      TheirContent: {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: [
          'arn:<AWS::Partition>:s3:::models-of-staging/models/*',
          'arn:<AWS::Partition>:s3:::records-of-staging/samples/*',
          'arn:<AWS::Partition>:s3:::records-of-staging/promotions/delay/*',
        ],
      },
      TheirArtifactNames: {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: 'arn:<AWS::Partition>:s3:::models-of-staging',
        Condition: { StringLike: { 's3:prefix': ['models/*'] } },
      },
      TheirRecordNames: {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: 'arn:<AWS::Partition>:s3:::records-of-staging',
        Condition: { StringLike: { 's3:prefix': ['samples/*', 'promotions/delay/*'] } },
      },
      TheirKeys: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: [OFFER.recordKeyArn, OFFER.artifactKeyArn] },
      Register: {
        Effect: 'Allow',
        Action: ['sagemaker:CreateModelPackage', 'sagemaker:ListModelPackages'],
        Resource: [
          `arn:<AWS::Partition>:sagemaker:eu-west-1:${PRODUCTION}:model-package-group/delay-live`,
          `arn:<AWS::Partition>:sagemaker:eu-west-1:${PRODUCTION}:model-package/delay-live/*`,
        ],
      },
      Keep: {
        Effect: 'Allow',
        Action: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
        Resource: ['<StoreModelsBucket.Arn>/models/*', '<StageRecordsBucket.Arn>/offered/*', '<StageRecordsBucket.Arn>/samples/*'],
      },
      SeeWhatIsKept: { Effect: 'Allow', Action: 's3:ListBucket', Resource: ['<StoreModelsBucket.Arn>', '<StageRecordsBucket.Arn>'] },
      EncryptWhatIsKept: {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: ['<EndpointKey.Arn>', '<StoreKey.Arn>'],
      },
    });
  });

  test('hears of promotions only, and keeps what it could not take over', () => {
    expect(template.only('AWS::SNS::Subscription').Properties).toEqual({
      TopicArn: OFFER.topicArn,
      Protocol: 'lambda',
      Endpoint: '<FromStagingReceiver.Arn>',
      Region: 'eu-west-1',
      FilterPolicyScope: 'MessageBody',
      FilterPolicy: { news: ['promoted'], endpointName: ['delay'] },
      RedrivePolicy: { deadLetterTargetArn: '<FromStagingLostOffers.Arn>' },
    });
    const permissions = template.all('AWS::Lambda::Permission').map(({ Properties }) => Properties);
    expect(permissions).toContainEqual({
      Action: 'lambda:InvokeFunction',
      FunctionName: '<FromStagingReceiver.Arn>',
      Principal: 'sns.amazonaws.com',
      SourceArn: OFFER.topicArn,
    });
    const functions = template.all('AWS::Lambda::Function').map(({ Properties }) => Properties);
    expect(functions.find(({ FunctionName }) => FunctionName === 'delay-receive-version')!.DeadLetterConfig).toEqual({
      TargetArn: '<FromStagingLostOffers.Arn>',
    });
  });

  test('hears of them from another region too, where SNS takes no queue of this one', () => {
    const elsewhere = { ...OFFER, topicArn: OFFER.topicArn.replace('eu-west-1', 'us-east-1') };
    const { Properties } = receiving({ offer: elsewhere }).template.only('AWS::SNS::Subscription');
    expect(Properties).toMatchObject({ TopicArn: elsewhere.topicArn, Region: 'us-east-1', Endpoint: '<FromStagingReceiver.Arn>' });
    expect(Properties).not.toHaveProperty('RedrivePolicy');
  });

  test('tells people of an offer that is lost', () => {
    const alarms = template.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
    expect(alarms.find(({ AlarmName }) => AlarmName === 'delay-live-lost-offers-count')).toMatchObject({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Threshold: 1,
      AlarmActions: [expect.stringContaining('Topic')],
    });
  });

  test('never lets the copy of a record be deleted', () => {
    expect(statements(template, 'AWS::S3::BucketPolicy', 'PolicyDocument', /^NeverDeleteOffered$/)).toEqual([
      {
        Sid: 'NeverDeleteOffered',
        Effect: 'Deny',
        Principal: '*',
        Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
        Resource: '<StageRecordsBucket.Arn>/offered/*',
      },
    ]);
  });

  const settings = (props: Partial<VersionReceiverProps> = {}) => {
    const { template: made } = receiving(props);
    const functions = made.all('AWS::Lambda::Function').map(({ Properties }) => Properties);
    return JSON.parse(
      functions.find(({ FunctionName }) => FunctionName === 'delay-receive-version')!.Environment.Variables.FLEDGE_HAND_OVER,
    );
  };

  test('registers what comes in its own group, with its own image, waiting for approval', () => {
    expect(settings()).toEqual({
      from: {
        endpointName: 'delay',
        topicArn: OFFER.topicArn,
        groupArn: OFFER.modelPackageGroupArn,
        records: 'records-of-staging',
        artifacts: 'models-of-staging',
      },
      to: {
        group: 'delay-live',
        records: '<StageRecordsBucket>',
        artifacts: '<StoreModelsBucket>',
        image: expect.stringContaining('sagemaker-scikit-learn'),
        approval: 'PendingManualApproval',
      },
    });
  });

  test('approves it, or serves it by another image, where it is told to', () => {
    expect(settings({ onArrival: OnArrival.APPROVE, imageUri: 'shared/onnx:1' }).to).toMatchObject({
      approval: 'Approved',
      image: 'shared/onnx:1',
    });
  });

  test('takes no offer that is not written out', () => {
    const { stage } = staged(STAGING, 'delay');
    expect(() => receiving({ offer: { ...OFFER, topicArn: stage.topic.topicArn } })).toThrow('offer.topicArn must be written out');
  });
});
