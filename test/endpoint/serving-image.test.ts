import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { App, Stack } from 'aws-cdk-lib/core';
import { ServingImage } from '../../lib/endpoint';
import type { ImageTarget } from '../../lib/endpoint/bindings';
import { registryAccounts } from '../../lib/endpoint/image-accounts';
import { IMAGE_CATALOGUE } from '../../lib/endpoint/image-catalogue';
import { imageTarget } from '../../lib/endpoint/image-target';
import { type Json, newStack } from './template';

/** What sagemaker-core 2.27.0 says of every framework and version that is offered here. */
const published: {
  accounts: Record<'deep-learning' | 'algorithms', Record<string, string>>;
  images: { framework: string; version: string; processor: 'cpu' | 'gpu' | 'arm'; image: string; absentFrom: string[] }[];
} = JSON.parse(readFileSync(join(__dirname, 'fixtures', 'sagemaker-core-2.27.0-images.json'), 'utf8'));

const contents = { name: 'm' };
const INSTANCE = { cpu: 'ml.c6i.large', gpu: 'ml.g5.xlarge', arm: 'ml.c7g.large' };

const stacks = new Map<string, Stack>();

function stackIn(region: string): Stack {
  const stack = stacks.get(region) ?? newStack({ env: { account: '111122223333', region } });
  stacks.set(region, stack);
  return stack;
}

function uri(image: ServingImage, target: ImageTarget, region = 'eu-west-1'): string {
  return image._bind(stackIn(region), target, contents).uri.replace(/\$\{Token\[[^\]]*\]\}/g, 'SUFFIX');
}

function factory(framework: string): (version: string) => ServingImage {
  return ServingImage[framework as 'sklearn'].bind(ServingImage);
}

describe("the accounts of AWS's images", () => {
  test.each(['deep-learning', 'algorithms'] as const)('of %s are those of the SageMaker SDK, in every region it knows', (family) => {
    expect(registryAccounts(family)).toEqual(published.accounts[family]);
  });
});

describe('every image that is offered', () => {
  const offered = published.images.filter(({ framework, version }) => version in IMAGE_CATALOGUE[framework as 'sklearn'].versions);

  test('is known to the SageMaker SDK', () => {
    const versions = Object.entries(IMAGE_CATALOGUE).flatMap(([name, { versions }]) =>
      Object.keys(versions).map((version) => `${name} ${version}`),
    );
    expect(new Set(offered.map(({ framework, version }) => `${framework} ${version}`))).toEqual(new Set(versions));
  });

  test.each(offered)('$framework $version for $processor is $image', ({ framework, version, processor, image, absentFrom }) => {
    const serving = factory(framework)(version);
    const target = imageTarget(INSTANCE[processor]);
    const accounts = published.accounts[IMAGE_CATALOGUE[framework as 'sklearn'].registry];
    for (const [region, account] of Object.entries(accounts)) {
      if (absentFrom.includes(region)) {
        expect(() => uri(serving, target, region)).toThrow(`image in ${region}: copy it to a repository there`);
      } else {
        expect(uri(serving, target, region)).toBe(`${account}.dkr.ecr.${region}.SUFFIX/${image}`);
      }
    }
  });
});

describe('a version', () => {
  test('may be given by its start, and is then the newest that starts so', () => {
    expect(uri(ServingImage.xgboost('1.7'), { processor: 'cpu' })).toBe('141502667606.dkr.ecr.eu-west-1.SUFFIX/sagemaker-xgboost:1.7-1');
    expect(uri(ServingImage.pytorch('2'), { processor: 'cpu' })).toContain('pytorch-inference:2.6.0-cpu-py312');
  });

  test('starts at a boundary: 2.1 is not the start of 2.12', () => {
    expect(() => ServingImage.tensorflow('2.1')).toThrow(
      'AWS publishes no TensorFlow 2.1 image known to this package: take one of 2.12.1,',
    );
  });
});

describe('the processor', () => {
  test.each([
    ['ml.m5.large', 'cpu'],
    ['ml.c7g.large', 'arm'],
    ['ml.r6gd.large', 'arm'],
    ['ml.g5.xlarge', 'gpu'],
    ['ml.g4dn.xlarge', 'gpu'],
    ['ml.p6-b200.48xlarge', 'gpu'],
    ['ml.g5g.xlarge', 'arm-gpu'],
    ['ml.inf2.xlarge', 'neuron'],
    ['ml.trn1.2xlarge', 'neuron'],
    [undefined, 'cpu'],
  ])('of %s is %s', (instanceType, processor) => {
    expect(imageTarget(instanceType).processor).toBe(processor);
  });

  test('without an image is refused, with the versions that have one', () => {
    expect(() => uri(ServingImage.sklearn('1.2'), imageTarget('ml.c7g.large'))).toThrow(
      'scikit-learn 1.2-1 has no image for ml.c7g.large (Graviton): versions with one: 1.0-1',
    );
    expect(() => uri(ServingImage.djl('0.36'), imageTarget())).toThrow(
      'DJL 0.36.0 has no image for serverless (x86-64): take an instance type of another family',
    );
  });
});

describe('in a stack without a region', () => {
  test('the account comes from a mapping over the regions that have the image, without an arn:aws: or amazonaws.com written out', () => {
    const stack = new Stack(new App(), 'Anywhere');
    const bound = ServingImage.pytorch('2.6')._bind(stack, { processor: 'cpu' }, contents);
    expect(stack.resolve(bound.uri)['Fn::Join'][1]).toEqual([
      { 'Fn::FindInMap': ['FledgeImageAccountsPyTorch260cpu', { Ref: 'AWS::Region' }, 'account'] },
      '.dkr.ecr.',
      { Ref: 'AWS::Region' },
      '.',
      { Ref: 'AWS::URLSuffix' },
      '/pytorch-inference:2.6.0-cpu-py312',
    ]);
    const mapping = (stack.node.root as App).synth().getStackByName('Anywhere').template.Mappings.FledgeImageAccountsPyTorch260cpu;
    expect(mapping['af-south-1']).toEqual({ account: '626614931356' });
    expect(mapping['us-gov-west-1']).toEqual({ account: '442386744353' });
    expect(Object.keys(mapping)).toHaveLength(39);
  });

  test('two endpoints of one image share the mapping', () => {
    const stack = new Stack(new App(), 'Anywhere');
    ServingImage.triton('25.09')._bind(stack, { processor: 'gpu' }, contents);
    ServingImage.triton('25.09')._bind(stack, { processor: 'gpu' }, contents);
    expect(stack.node.children).toHaveLength(1);
  });
});

describe('the environment', () => {
  test('names the handler for a Python image', () => {
    const bound = ServingImage.pytorch('2.6')._bind(newStack(), { processor: 'cpu' }, { name: 'm', entryPoint: 'code/inference.py' });
    expect(bound.environment).toEqual({ SAGEMAKER_PROGRAM: 'inference.py', SAGEMAKER_SUBMIT_DIRECTORY: '/opt/ml/model/code' });
  });

  test('leaves XGBoost in algorithm mode where there is no handler, and TensorFlow Serving alone', () => {
    expect(ServingImage.xgboost('1.7')._bind(newStack(), { processor: 'cpu' }, contents).environment).toEqual({});
    expect(
      ServingImage.tensorflow('2.19')._bind(newStack(), { processor: 'cpu' }, { name: 'm', entryPoint: 'code/inference.py' }).environment,
    ).toEqual({});
  });
});

describe('the ONNX container', () => {
  function built(instanceType?: string) {
    const stack = newStack();
    const { uri: image, repositoryArn } = ServingImage.onnx()._bind(stack, imageTarget(instanceType), contents);
    const { directory } = (stack.node.root as App).synth();
    const { dockerImages } = JSON.parse(readFileSync(join(directory, 'Shop.assets.json'), 'utf8'));
    return {
      image: stack.resolve(image),
      repositoryArn: stack.resolve(repositoryArn),
      asset: Object.values<Json>(dockerImages)[0],
      directory,
    };
  }

  test.each([
    [undefined, 'linux/amd64'],
    ['ml.c6i.large', 'linux/amd64'],
    ['ml.c7g.large', 'linux/arm64'],
  ])('on %s is built by cdk deploy for %s, with the server in it', (instanceType, platform) => {
    const { asset, directory } = built(instanceType);
    expect(asset.source.platform).toBe(platform);
    expect(existsSync(join(directory, asset.source.directory, 'Dockerfile'))).toBe(true);
    expect(existsSync(join(directory, asset.source.directory, 'dist/lib/serving/serve.js'))).toBe(true);
  });

  test('may be pulled from its one repository', () => {
    expect(JSON.stringify(built().repositoryArn)).toContain(':repository/cdk-hnb659fds-container-assets-111122223333-eu-west-1');
  });
});

describe('an image of our own', () => {
  test('two repositories of other accounts live side by side, and only they may be pulled', () => {
    const stack = newStack();
    const repository = (id: string, account: string) =>
      Repository.fromRepositoryArn(stack, id, `arn:aws:ecr:eu-west-1:${account}:repository/serving`);
    const first = ServingImage.fromEcrRepository(repository('A', '222233334444'), 'v1')._bind(stack, { processor: 'cpu' }, contents);
    const second = ServingImage.fromEcrRepository(repository('B', '333344445555'), `sha256:${'a'.repeat(64)}`)._bind(
      stack,
      { processor: 'cpu' },
      contents,
    );
    expect(stack.resolve(first.uri)['Fn::Join'][1].join('')).toContain('222233334444.dkr.ecr.eu-west-1.');
    expect(stack.resolve(second.uri)['Fn::Join'][1].join('')).toContain(`/serving@sha256:${'a'.repeat(64)}`);
    expect(second.repositoryArn).toBe('arn:aws:ecr:eu-west-1:333344445555:repository/serving');
  });

  test('without a tag is refused', () => {
    const stack = newStack();
    const repository = Repository.fromRepositoryName(stack, 'R', 'serving');
    expect(() => ServingImage.fromEcrRepository(repository, '')).toThrow('the image needs a tag or a digest');
  });
});
