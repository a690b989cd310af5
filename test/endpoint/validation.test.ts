// This suite alone runs the CDK's own template validator, which costs seconds a synth.
process.env.CDK_VALIDATION = 'true';
const context = {
  ...require('../../cdk.json').context,
  '@aws-cdk/core:validateAgainstDefaultRules': true,
  '@aws-cdk/core:strictCfnValidateErrors': true,
};
// Where an example's own App looks for it.
process.env.CDK_CONTEXT_JSON = JSON.stringify(context);

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import { CfnTopic, Topic } from 'aws-cdk-lib/aws-sns';
import { App, Duration, Stack, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R4Checks, NIST80053R5Checks, PCIDSS321Checks, ServerlessChecks } from 'cdk-nag';
import { FlightDelayStack } from '../../bin/flight-delay-stack';
import {
  Capacity,
  DataCapture,
  FledgeRules,
  ModelArtifact,
  ModelEndpoint,
  type ModelEndpointProps,
  ModelStore,
  Rollout,
  Scaling,
  ServingImage,
} from '../../lib';
import { DIGEST, importedBucket, publishedArtifact } from './template';

const env = { account: '111122223333', region: 'eu-west-1' };

/** What the CDK's validator, every pack of cdk-nag and our own rules have against an app; warnings count. */
function findings(app: App): string {
  Validations.of(app).addPlugins(
    new AwsSolutionsChecks(app),
    new NIST80053R4Checks(app),
    new NIST80053R5Checks(app),
    new HIPAASecurityChecks(app),
    new PCIDSS321Checks(app),
    new ServerlessChecks(app),
    new FledgeRules(),
  );
  const silent = jest.spyOn(console, 'error').mockImplementation(() => {});
  try {
    app.synth();
    return silent.mock.calls.join('\n');
  } catch (error) {
    return (error as Error).message;
  } finally {
    silent.mockRestore();
  }
}

function built(build: (app: App) => void): App {
  const app = new App();
  build(app);
  return app;
}

describe('the checks', () => {
  test('find what a careless template lacks', () => {
    const found = findings(built((app) => new CfnBucket(new Stack(app, 'Careless', { env }), 'Bucket')));
    expect(found).toContain('AwsSolutions-S1');
    expect(found).toContain('NIST.800.53.R5-S3BucketVersioningEnabled');
    expect(found).toContain('HIPAA.Security-S3BucketVersioningEnabled');
    expect(found).toContain('PCI.DSS.321-S3BucketLoggingEnabled');
  });

  test("find what CloudFormation's schema forbids", () => {
    const careless = built((app) => {
      const topic = new CfnTopic(new Stack(app, 'Careless', { env }), 'Topic');
      topic.addPropertyOverride('Colour', 'blue');
    });
    const found = findings(careless);
    expect(found).toContain('Colour');
  });

  test('find what only this package knows', () => {
    const careless = built((app) => {
      new CfnEndpoint(new Stack(app, 'Careless', { env }), 'Endpoint', {
        endpointConfigName: 'ours',
        deploymentConfig: {
          blueGreenUpdatePolicy: {
            trafficRoutingConfiguration: {
              type: 'CANARY',
              canarySize: { type: 'CAPACITY_PERCENT', value: 90 },
              waitIntervalInSeconds: 600,
            },
          },
        },
      });
    });
    expect(findings(careless)).toContain('cdk-fledge');
  });
});

test.each(['1', '2', '3', '4', '5'])('version %s of the flight-delay app passes them', (version) => {
  expect(findings(built((app) => new FlightDelayStack(app, 'FlightDelay', { version, env })))).toBe('');
});

describe('an endpoint', () => {
  const cases: Record<string, (stack: Stack) => Partial<ModelEndpointProps>> = {
    'that is the least to write': () => ({}),
    'on GPUs with local disks': () => ({
      image: ServingImage.pytorch('2.6'),
      capacity: Capacity.instances({ instanceType: 'ml.g5.xlarge', min: 2, max: 4 }),
      scaling: [Scaling.gpuUtilization({ percent: 60 })],
    }),
    'whose key is named on local disks all the same': () => ({
      image: ServingImage.pytorch('2.6'),
      capacity: Capacity.instances({ instanceType: 'ml.g5.xlarge', encryptionKeyOnLocalStorage: true }),
    }),
    'without a server': () => ({ capacity: Capacity.serverless() }),
    'with a queue that tells topics': (stack) => {
      const masterKey = new Key(stack, 'Key', { enableKeyRotation: true });
      const topic = (id: string) => new Topic(stack, id, { masterKey, enforceSSL: true });
      const [successTopic, errorTopic] = [topic('Answered'), topic('Failed')];
      return {
        capacity: Capacity.async({ instanceType: 'ml.m5.large', min: 0, max: 2, successTopic, errorTopic }),
        scaling: [Scaling.backlog()],
      };
    },
    'of a model package': () => ({
      image: undefined,
      artifact: ModelArtifact.fromModelPackage('arn:aws:sagemaker:eu-west-1:111122223333:model-package/flight-delay/3'),
    }),
    'of an uncompressed model': (stack) => ({ artifact: ModelArtifact.fromBucket(importedBucket(stack), `models/${DIGEST}/`, DIGEST) }),
    'of a directory, kept in a store, captured, measured closely': (stack) => ({
      image: ServingImage.onnx(),
      artifact: ModelArtifact.fromDirectory(join(__dirname, '..', '..', 'model-artifacts', 'flight-delay', '2')),
      modelStore: new ModelStore(stack, 'Store'),
      dataCapture: DataCapture.sampled(),
      enhancedMetricsPeriod: Duration.seconds(10),
    }),
    'with a role of the user': (stack) => ({
      executionRole: new Role(stack, 'Ours', {
        assumedBy: new ServicePrincipal('sagemaker.amazonaws.com', {
          conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
        }),
      }),
    }),
    'rolled in batches': () => ({
      capacity: Capacity.instances({ instanceType: 'ml.c7g.large', min: 4, max: 8 }),
      image: ServingImage.pytorch('2.6'),
      scaling: [Scaling.concurrency({ perInstance: 8 })],
      rollout: Rollout.rolling({ percent: 50 }),
    }),
  };

  test.each(Object.entries(cases))('%s passes them', (_, props) => {
    const app = built((app) => {
      const stack = new Stack(app, 'Shop', { env });
      const given = props(stack);
      const artifact = given.artifact ?? publishedArtifact(stack);
      new ModelEndpoint(stack, 'Delay', { image: ServingImage.sklearn('1.2'), ...given, artifact });
    });
    expect(findings(app)).toBe('');
  });

  test('in a stack without account and region passes them', () => {
    const app = built((app) => {
      const stack = new Stack(app, 'Anywhere');
      new ModelEndpoint(stack, 'Delay', { artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2') });
    });
    expect(findings(app)).toBe('');
  });
});

const examples = readdirSync(join(__dirname, '..', '..', 'examples')).filter((name) =>
  existsSync(join(__dirname, '..', '..', 'examples', name, 'app.ts')),
);

test.each(examples)('the example %s passes them', async (name) => {
  const { app } = (await import(`../../examples/${name}/app`)) as { app: App };
  expect(findings(app)).toBe('');
});
