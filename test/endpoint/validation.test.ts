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
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { CfnTopic } from 'aws-cdk-lib/aws-sns';
import { App, Stack, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';
import { FlightDelayStack } from '../../bin/flight-delay-stack';
import { FledgeRules } from '../../lib/endpoint';

const env = { account: '111122223333', region: 'eu-west-1' };

/** What the CDK's validator, four packs of cdk-nag and our own rules have against an app; warnings count. */
function findings(app: App): string {
  Validations.of(app).addPlugins(
    new AwsSolutionsChecks(app),
    new NIST80053R5Checks(app),
    new HIPAASecurityChecks(app),
    new PCIDSS321Checks(app),
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
});

test.each(['1', '2', '3', '4', '5'])('version %s of the flight-delay app passes them', (version) => {
  expect(findings(built((app) => new FlightDelayStack(app, 'FlightDelay', { version, env })))).toBe('');
});

const examples = readdirSync(join(__dirname, '..', '..', 'examples')).filter((name) =>
  existsSync(join(__dirname, '..', '..', 'examples', name, 'app.ts')),
);

test.each(examples)('the example %s passes them', async (name) => {
  const { app } = (await import(`../../examples/${name}/app`)) as { app: App };
  expect(findings(app)).toBe('');
});
