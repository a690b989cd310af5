import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { User } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { App, Size, Stack, Stage } from 'aws-cdk-lib/core';
import { Capacity, ModelArtifact, ModelEndpoint, ModelStore, ServingImage } from '../../lib';
import { bySid, DIGEST, importedBucket, type Json, newStack, ReadableTemplate } from './template';

const FLIGHT_DELAY = join(__dirname, '..', '..', 'model-artifacts', 'flight-delay');
const folder = mkdtempSync(join(tmpdir(), 'fledge-artifact-'));
afterAll(() => rmSync(folder, { recursive: true }));

function serve(artifact: ModelArtifact, image?: ServingImage, stack = newStack()): ReadableTemplate {
  new ModelEndpoint(stack, 'Delay', { artifact, image });
  return new ReadableTemplate(stack);
}

function container(template: ReadableTemplate): Record<string, Json> {
  return template.only('AWS::SageMaker::Model').Properties.PrimaryContainer;
}

function copyOf(name: string, version = '2'): string {
  const copy = join(folder, name);
  cpSync(join(FLIGHT_DELAY, version), copy, { recursive: true });
  return copy;
}

describe('a directory', () => {
  test('is uploaded by cdk deploy as an archive that its content names', () => {
    const app = new App();
    const stack = new Stack(app, 'Shop');
    new ModelEndpoint(stack, 'Delay', { artifact: ModelArtifact.fromDirectory(join(FLIGHT_DELAY, '2')) });
    const assembly = app.synth();
    const manifest = JSON.parse(readFileSync(join(assembly.directory, 'Shop.assets.json'), 'utf8'));
    const [file] = Object.values<Json>(manifest.files).filter(({ source }) => source.path.endsWith('.tar.gz'));
    expect(file.source).toEqual({ path: expect.stringMatching(/^[0-9a-f]{64}\.tar\.gz$/), packaging: 'file' });
    const [destination] = Object.values<Json>(file.destinations);
    expect(destination.objectKey).toBe(file.source.path);
    const listing = execFileSync('tar', ['tzf', join(assembly.directory, file.source.path)], { encoding: 'utf8' });
    expect(listing.split('\n')).toEqual(expect.arrayContaining(['model.onnx', 'model.yaml']));
  });

  test('of a stage is found beside the assemblies of all stages', () => {
    const app = new App();
    const stage = new Stage(app, 'Production');
    const stack = new Stack(stage, 'Shop');
    new ModelEndpoint(stack, 'Delay', { artifact: ModelArtifact.fromDirectory(join(FLIGHT_DELAY, '2')) });
    const { directory } = app.synth().getNestedAssembly('assembly-Production');
    const [manifest] = readdirSync(directory).filter((name) => name.endsWith('.assets.json'));
    const { files } = JSON.parse(readFileSync(join(directory, manifest!), 'utf8'));
    const archive = Object.values<Json>(files).find(({ source }) => source.path.endsWith('.tar.gz'));
    expect(existsSync(join(directory, archive.source.path))).toBe(true);
  });

  test('with the same files under other dates gives the same template', () => {
    const copy = copyOf('same');
    const before = container(serve(ModelArtifact.fromDirectory(copy)));
    for (const file of ['model.onnx', 'model.yaml']) utimesSync(join(copy, file), new Date(), new Date(2020, 1));
    expect(container(serve(ModelArtifact.fromDirectory(copy)))).toEqual(before);
  });

  test('with another byte gives another archive', () => {
    const copy = copyOf('changed');
    const before = container(serve(ModelArtifact.fromDirectory(copy))).ModelDataUrl;
    writeFileSync(join(copy, 'NOTES.txt'), 'retrained');
    expect(container(serve(ModelArtifact.fromDirectory(copy))).ModelDataUrl).not.toBe(before);
  });

  test('may be read by the endpoint alone as one object', () => {
    const template = serve(ModelArtifact.fromDirectory(join(FLIGHT_DELAY, '2')));
    const key = container(template).ModelDataUrl.split('/').at(-1);
    expect(template.executionStatements().ReadModel).toEqual({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: `arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1/${key}`,
    });
  });

  test('without a model is refused where it is named', () => {
    expect(() => ModelArtifact.fromDirectory(join(folder, 'nowhere'))).toThrow(/nowhere/);
  });

  test('over the limit is refused with the command that publishes it', () => {
    expect(() => ModelArtifact.fromDirectory(join(FLIGHT_DELAY, '2'), { sizeLimit: Size.kibibytes(10) })).toThrow(
      /more than the 0\.00 GiB that are archived at synth: publish it first, npx fledge publish .*flight-delay\/2 --prefix --bucket BUCKET, then pin /,
    );
  });

  test('over the limit is not read at all', () => {
    const large = copyOf('large');
    writeFileSync(join(large, 'weights.bin'), '');
    truncateSync(join(large, 'weights.bin'), 3 * 2 ** 40);
    chmodSync(join(large, 'weights.bin'), 0o000);
    expect(() => ModelArtifact.fromDirectory(large)).toThrow(/holds 3072\.00 GiB, more than the 2\.00 GiB that are archived at synth/);
  });

  test('with code that would do harm is refused with what it is and what to do, until model.yaml lets it in', () => {
    const evil = copyOf('evil');
    writeFileSync(join(evil, 'extra.pkl'), Buffer.from('\x80\x02cos\nsystem\nU\x02id\x85R.', 'latin1'));
    const synth = () => serve(ModelArtifact.fromDirectory(evil));
    expect(synth).toThrow(/extra\.pkl: would call os\.system\('id'\).*; do not load it if it is not yours/);
    const sha256 = createHash('sha256')
      .update(readFileSync(join(evil, 'extra.pkl')))
      .digest('hex');
    const yaml = readFileSync(join(evil, 'model.yaml'), 'utf8');
    writeFileSync(join(evil, 'model.yaml'), `${yaml}\nscan: { allow: [{ sha256: ${sha256}, reason: a test of ours }] }\n`);
    expect(synth).not.toThrow();
  });

  test('that its image cannot load is refused', () => {
    expect(() => serve(ModelArtifact.fromDirectory(join(FLIGHT_DELAY, '2')), ServingImage.xgboost('1.7'))).toThrow(
      "the image for xgboost cannot load the model 'flight-delay', which needs ServingImage.onnx()",
    );
  });

  test('of any framework goes with an image of the user', () => {
    const stack = newStack();
    const image = ServingImage.fromEcrRepository(Repository.fromRepositoryName(stack, 'Repo', 'ours'), 'v1');
    expect(container(serve(ModelArtifact.fromDirectory(join(FLIGHT_DELAY, '2')), image, stack)).Image).toContain('/ours:v1');
  });
});

describe('an archive', () => {
  const archive = join(folder, 'model.tar.gz');
  beforeAll(() => execFileSync('tar', ['czf', archive, '-C', join(FLIGHT_DELAY, '1'), '.']));

  test('is taken as it is, under the name of its bytes', () => {
    const stack = newStack();
    const url = container(serve(ModelArtifact.fromArchive(archive), undefined, stack)).ModelDataUrl as string;
    const staged = join((stack.node.root as App).outdir, url.split('/').at(-1)!);
    expect(readFileSync(staged)).toEqual(readFileSync(archive));
  });

  test('that is text under that name is refused', () => {
    const fake = join(folder, 'fake.tar.gz');
    writeFileSync(fake, 'this is not an archive');
    expect(() => ModelArtifact.fromArchive(fake)).toThrow(/fake\.tar\.gz/);
  });
});

describe('a published model', () => {
  const named = `models/${DIGEST}.tar.gz`;

  test('is read from where it is', () => {
    const stack = newStack();
    const artifact = ModelArtifact.fromBucket(importedBucket(stack), named, DIGEST);
    expect(container(serve(artifact, ServingImage.onnx(), stack)).ModelDataUrl).toBe(`s3://models-of-ours/${named}`);
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
  });

  test('under a customer key is decrypted with it', () => {
    const stack = newStack();
    const bucket = new Bucket(stack, 'Ours', { encryptionKey: new Key(stack, 'Key') });
    const statements = bySid(
      serve(ModelArtifact.fromBucket(bucket, named, DIGEST), ServingImage.onnx(), stack).only('AWS::IAM::ManagedPolicy').Properties
        .PolicyDocument.Statement,
    );
    expect(statements.DecryptModel).toEqual({ Effect: 'Allow', Action: 'kms:Decrypt', Resource: '<Key.Arn>' });
    expect(statements.ReadModel?.Action).toBe('s3:GetObject');
  });

  test('whose key does not hold the digest warns, and a new digest deploys a new model', () => {
    const build = (digest: string) => {
      const stack = newStack();
      const artifact = ModelArtifact.fromBucket(importedBucket(stack), 'jobs/7/output/model.tar.gz', digest);
      return { template: serve(artifact, ServingImage.onnx(), stack), stack };
    };
    const first = build('a1');
    expect(container(first.template).Environment).toEqual({ MODEL_ARTIFACT_DIGEST: 'a1' });
    expect(container(build('a2').template)).not.toEqual(container(first.template));
    Annotations.fromStack(first.stack).hasWarning(
      '*',
      Match.stringLikeRegexp("the key 'jobs/7/output/model.tar.gz' does not hold the digest"),
    );
  });

  test('that is not compressed is a prefix, of which the role may list and read what is below', () => {
    const stack = newStack();
    const artifact = ModelArtifact.fromBucket(importedBucket(stack), `models/${DIGEST}/`, DIGEST);
    const template = serve(artifact, ServingImage.onnx(), stack);
    expect(container(template).ModelDataSource).toEqual({
      S3DataSource: { S3Uri: `s3://models-of-ours/models/${DIGEST}/`, S3DataType: 'S3Prefix', CompressionType: 'None' },
    });
    expect(template.executionStatements()).toMatchObject({
      ReadModel: { Action: 's3:GetObject', Resource: `arn:<AWS::Partition>:s3:::models-of-ours/models/${DIGEST}/*` },
      ListModel: {
        Action: 's3:ListBucket',
        Resource: 'arn:<AWS::Partition>:s3:::models-of-ours',
        Condition: { StringLike: { 's3:prefix': [`models/${DIGEST}/`, `models/${DIGEST}/*`] } },
      },
    });
  });

  test('that is not compressed is refused for serverless', () => {
    const stack = newStack();
    const artifact = ModelArtifact.fromBucket(importedBucket(stack), `models/${DIGEST}/`, DIGEST);
    expect(() => new ModelEndpoint(stack, 'Delay', { artifact, image: ServingImage.onnx(), capacity: Capacity.serverless() })).toThrow(
      'a serverless endpoint takes one .tar.gz, not an uncompressed prefix',
    );
  });

  test.each(['models/model.zip', 'models', '/'])('under the key %j is refused', (key) => {
    expect(() => ModelArtifact.fromBucket(importedBucket(newStack()), key, DIGEST)).toThrow(`got '${key}'`);
  });

  test('without a digest, or without an image, is refused', () => {
    const stack = newStack();
    expect(() => ModelArtifact.fromBucket(importedBucket(stack), named, '')).toThrow('the digest is empty');
    expect(() => serve(ModelArtifact.fromBucket(importedBucket(stack, 'B'), named, DIGEST), undefined, stack)).toThrow(
      'the artifact does not say which container serves it: give image',
    );
  });
});

describe('a model package', () => {
  const arn = 'arn:aws:sagemaker:eu-west-1:111122223333:model-package/flight-delay/3';

  test('brings its own image and data, and the role may use that package', () => {
    const template = serve(ModelArtifact.fromModelPackage(arn));
    expect(container(template)).toEqual({ ModelPackageName: arn });
    expect(template.executionStatements().UseModelPackage).toEqual({
      Effect: 'Allow',
      Action: ['sagemaker:AccessModelPackage', 'sagemaker:DescribeModelPackage'],
      Resource: arn,
    });
    expect(template.executionStatements()).not.toHaveProperty('PullServingImage');
  });

  test('may be read and pulled where it says its data and image lie', () => {
    const stack = newStack();
    const artifact = ModelArtifact.fromModelPackage(arn, {
      dataBucket: importedBucket(stack),
      dataKey: 'packages/3/model.tar.gz',
      imageRepository: Repository.fromRepositoryName(stack, 'Repo', 'ours'),
    });
    expect(serve(artifact, undefined, stack).executionStatements()).toMatchObject({
      ReadModel: { Resource: 'arn:<AWS::Partition>:s3:::models-of-ours/packages/3/model.tar.gz' },
      PullServingImage: { Resource: 'arn:<AWS::Partition>:ecr:eu-west-1:111122223333:repository/ours' },
    });
  });

  test('without a version, with an image, or with half of its data is refused', () => {
    expect(() => ModelArtifact.fromModelPackage('flight-delay')).toThrow(
      "named by its versioned ARN (arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION), got 'flight-delay'",
    );
    expect(() => serve(ModelArtifact.fromModelPackage(arn), ServingImage.onnx())).toThrow(
      'a model package names its own image: leave image out',
    );
    expect(() => ModelArtifact.fromModelPackage(arn, { dataKey: 'x' })).toThrow(
      'dataBucket and dataKey of a model package belong together',
    );
  });
});

describe('a model store', () => {
  function stored() {
    const stack = newStack();
    const modelStore = new ModelStore(stack, 'Models');
    new ModelEndpoint(stack, 'Delay', { artifact: ModelArtifact.fromDirectory(join(FLIGHT_DELAY, '2')), modelStore });
    return { stack, template: new ReadableTemplate(stack) };
  }

  test('gets a copy of the archive under its own key before the model is made', () => {
    const { template } = stored();
    const { ModelDataUrl } = container(template);
    const digest = /models\/([0-9a-f]{64})\.tar\.gz$/.exec(ModelDataUrl)?.[1];
    expect(ModelDataUrl).toBe(`s3://<ModelsBucket>/models/${digest}.tar.gz`);
    const call = JSON.parse(template.only('Custom::ModelStoreCopy').Properties.Create);
    expect(call).toMatchObject({
      service: 'S3',
      action: 'copyObject',
      parameters: {
        CopySource: `cdk-hnb659fds-assets-111122223333-eu-west-1/${digest}.tar.gz`,
        Bucket: '<ModelsBucket>',
        Key: `models/${digest}.tar.gz`,
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: '<ModelsKey.Arn>',
      },
    });
    expect(template.only('AWS::SageMaker::Model').DependsOn).toContain('DelayVariantsliveStoreCopy');
  });

  test('is copied into by a function that may read the one archive and write the one object', () => {
    const { template } = stored();
    const key = container(template).ModelDataUrl.split('/').at(-1);
    expect(bySid(template.only('AWS::IAM::Policy').Properties.PolicyDocument.Statement)).toEqual({
      ReadModel: {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: `arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1/${key}`,
      },
      KeepModel: { Effect: 'Allow', Action: 's3:PutObject', Resource: `<ModelsBucket.Arn>/models/${key}` },
      EncryptModel: { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '<ModelsKey.Arn>' },
    });
  });

  test('is read by the endpoint as one object, with its key', () => {
    const { template } = stored();
    const key = container(template).ModelDataUrl.split('/').at(-1);
    expect(template.executionStatements()).toMatchObject({
      ReadModel: { Resource: `arn:<AWS::Partition>:s3:::<ModelsBucket>/models/${key}` },
      DecryptModel: { Action: 'kms:Decrypt', Resource: '<ModelsKey.Arn>' },
    });
  });

  test('is encrypted, versioned, logged and kept, and drops old noncurrent versions', () => {
    const { ModelsBucket: bucket, ModelsKey: key } = stored().template.resources;
    expect(bucket).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        LoggingConfiguration: { DestinationBucketName: '<ModelsAccessLogs>', LogFilePrefix: 'models/' },
        LifecycleConfiguration: {
          Rules: expect.arrayContaining([
            { Id: 'noncurrent-versions', Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: 90 } },
          ]),
        },
      },
    });
    expect(key).toMatchObject({ DeletionPolicy: 'Retain', Properties: { EnableKeyRotation: true } });
  });

  test('lets a publisher put archives, and neither read nor delete them', () => {
    const stack = newStack();
    new ModelStore(stack, 'Models').grantPublish(new User(stack, 'Pipeline'));
    expect(new ReadableTemplate(stack).only('AWS::IAM::Policy').Properties.PolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        Resource: '<ModelsBucket.Arn>/models/*',
      },
      { Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: '<ModelsKey.Arn>' },
    ]);
  });

  test('names archives by digests only', () => {
    const store = new ModelStore(newStack(), 'Models');
    expect(store.archiveKey(DIGEST)).toBe(`models/${DIGEST}.tar.gz`);
    expect(() => store.archiveKey('latest')).toThrow("a content digest is 64 hexadecimal digits, got 'latest'");
  });
});

test('an archive of an earlier synth is not made again', () => {
  const outdir = join(folder, 'cdk.out');
  const synth = () => {
    const app = new App({ outdir });
    const stack = new Stack(app, 'Shop');
    new ModelEndpoint(stack, 'Delay', { artifact: ModelArtifact.fromDirectory(join(FLIGHT_DELAY, '1')) });
    return /[0-9a-f]{64}\.tar\.gz/.exec(JSON.stringify(app.synth().stacks[0]!.template))![0];
  };
  const archive = join(outdir, synth());
  const longAgo = new Date(2020, 1);
  utimesSync(archive, longAgo, longAgo);
  synth();
  expect(statSync(archive).mtime).toEqual(longAgo);
});
