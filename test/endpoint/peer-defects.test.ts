import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Capacity, ModelArtifact, ModelEndpoint, type ModelEndpointProps, Scaling, ServingImage } from '../../lib';
import { newStack, publishedArtifact, ReadableTemplate, type Statement } from './template';

const image = ServingImage.sklearn('1.2');

function template(props: Partial<ModelEndpointProps> = {}): ReadableTemplate {
  const stack = newStack();
  new ModelEndpoint(stack, 'Delay', { artifact: publishedArtifact(stack), image, ...props });
  return new ReadableTemplate(stack);
}

describe('what other libraries get wrong:', () => {
  test('a weight of 0 and a minimum of 0 become 1', () => {
    const capacity = Capacity.async({ instanceType: 'ml.m5.large', min: 0, max: 2 });
    const zero = template({ weight: 0, capacity, scaling: [Scaling.backlog()] });
    expect(zero.only('AWS::SageMaker::EndpointConfig').Properties.ProductionVariants[0].InitialVariantWeight).toBe(0);
    expect(zero.only('AWS::ApplicationAutoScaling::ScalableTarget').Properties.MinCapacity).toBe(0);
  });

  test("a second variant's scaling throws", () => {
    const stack = newStack();
    const options = {
      image,
      capacity: Capacity.instances({ instanceType: 'ml.m5.large', min: 1, max: 3 }),
      scaling: [Scaling.invocationsPerInstance({ perSecond: 10 })],
    };
    const delay = new ModelEndpoint(stack, 'Delay', { artifact: publishedArtifact(stack), ...options });
    delay.addVariant('second', { artifact: publishedArtifact(stack), ...options });
    expect(new ReadableTemplate(stack).all('AWS::ApplicationAutoScaling::ScalableTarget')).toHaveLength(2);
  });

  test('two images of other accounts throw', () => {
    const stack = newStack();
    const theirs = (account: string) =>
      ServingImage.fromEcrRepository(
        Repository.fromRepositoryArn(stack, `Repository${account}`, `arn:aws:ecr:eu-west-1:${account}:repository/serving`),
        'v1',
      );
    const delay = new ModelEndpoint(stack, 'Delay', { artifact: publishedArtifact(stack), image: theirs('222233334444') });
    delay.addVariant('second', { artifact: publishedArtifact(stack), image: theirs('333344445555') });
    const both = new ReadableTemplate(stack);
    expect(both.all('AWS::SageMaker::Model').map(({ Properties }) => Properties.PrimaryContainer.Image)).toEqual([
      '222233334444.dkr.ecr.eu-west-1.<AWS::URLSuffix>/serving:v1',
      '333344445555.dkr.ecr.eu-west-1.<AWS::URLSuffix>/serving:v1',
    ]);
    expect(both.executionStatements()).toMatchObject({
      PullServingImage: { Resource: 'arn:aws:ecr:eu-west-1:222233334444:repository/serving' },
      PullServingImage2: { Resource: 'arn:aws:ecr:eu-west-1:333344445555:repository/serving' },
    });
  });

  test('a text file called model.tar.gz is accepted', () => {
    const fake = join(mkdtempSync(join(tmpdir(), 'fledge-fake-')), 'model.tar.gz');
    writeFileSync(fake, 'not an archive\n');
    expect(() => ModelArtifact.fromArchive(fake)).toThrow(fake);
  });

  test('the role has AmazonSageMakerFullAccess', () => {
    const whole = template();
    expect(JSON.stringify(whole.raw)).not.toContain('FullAccess');
    expect(whole.only('AWS::IAM::Role').Properties).not.toHaveProperty('ManagedPolicyArns');
  });

  test('a real-time endpoint has alarms on a queue that it does not have', () => {
    const metrics = JSON.stringify([template().all('AWS::CloudWatch::Alarm'), template().all('AWS::CloudWatch::Dashboard')]);
    expect(metrics).toContain('ModelLatency');
    expect(metrics).not.toMatch(/Backlog|GPU/);
  });

  test('a "minimal" role may read all of S3, use all keys, and pass any role', () => {
    const statements = template().only('AWS::IAM::ManagedPolicy').Properties.PolicyDocument.Statement as Statement[];
    const everything = statements.filter(({ Resource }) => [Resource].flat().includes('*')).flatMap(({ Action }) => Action);
    expect(everything).toEqual(['cloudwatch:PutMetricData', 'ecr:GetAuthorizationToken']);
    expect(statements.flatMap(({ Action }) => Action).filter((action) => /\*|PassRole/.test(action))).toEqual([]);
  });

  test('ARNs are of the partition aws, written out', () => {
    expect(JSON.stringify(template({ capacity: Capacity.async({ instanceType: 'ml.m5.large' }) }).raw)).not.toContain('arn:aws:');
  });

  test('a changed configuration collides with its own name', () => {
    const [small, large] = ['ml.m5.large', 'ml.m5.xlarge'].map((instanceType) =>
      template({ capacity: Capacity.instances({ instanceType }) }),
    );
    for (const type of ['AWS::SageMaker::Model', 'AWS::SageMaker::EndpointConfig']) {
      expect(Object.keys(small!.only(type).Properties).filter((name) => /^(Model|EndpointConfig)Name$/.test(name))).toEqual([]);
    }
    expect(small!.only('AWS::SageMaker::Endpoint').Properties.EndpointName).toBe(
      large!.only('AWS::SageMaker::Endpoint').Properties.EndpointName,
    );
  });
});
