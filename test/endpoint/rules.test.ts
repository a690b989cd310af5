import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { CfnEndpoint, CfnEndpointConfig } from 'aws-cdk-lib/aws-sagemaker';
import { App, Duration, NestedStack, Stack, Stage, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { Capacity, FledgeRules, ModelEndpoint, type ModelEndpointProps, Rollout, Scaling, ServingImage } from '../../lib/endpoint';
import { RULES, rulesPage } from '../../lib/endpoint/rules/catalogue';
import { Templates } from '../../lib/endpoint/rules/template';
import { BREACHES } from './rules-breaches';
import { soundTemplate } from './rules-template';
import { newStack, publishedArtifact } from './template';

const rules = Object.values(RULES).flat();

interface Found {
  readonly rule: string;
  readonly resource: string;
  readonly location: string;
  readonly got: string;
}

function findings(...templates: { Resources: Record<string, unknown> }[]): Found[] {
  const app = new Templates(Object.fromEntries(templates.map((template, index) => [`${index}.template.json`, template])));
  return app
    .all()
    .flatMap((resource) =>
      rules
        .filter(({ types }) => types.includes(resource.type))
        .flatMap((rule) => rule.check(resource, app).map((finding) => ({ rule: rule.id, resource: resource.logicalId, ...finding }))),
    );
}

describe('the rules', () => {
  test('find nothing in a sound template', () => {
    expect(findings(soundTemplate())).toEqual([]);
  });

  test.each(BREACHES)('%s finds it in %s', (rule, resource, change, got) => {
    const template = soundTemplate();
    change(template.Resources[resource].Properties, template.Resources);
    expect(findings(template)).toEqual([{ rule, resource, location: expect.stringMatching(/^Properties\.\w/), got }]);
  });

  test('are all broken above, and each has one id', () => {
    expect([...new Set(BREACHES.map(([rule]) => rule))].sort()).toEqual(rules.map(({ id }) => id).sort());
  });

  test('each say what to do, and who says so', () => {
    for (const { says, remedy, source } of rules) {
      expect(says).toMatch(/\.$/);
      expect(remedy).toMatch(/\.$/);
      expect(source).toMatch(/^https:\/\/(docs\.aws\.amazon\.com|github\.com)\//);
    }
  });

  test('pass what only the deployment knows', () => {
    const template = soundTemplate();
    const { Endpoint, Config, Errors, Target } = template.Resources;
    Endpoint.Properties.DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.CanarySize.Value = { Ref: 'Percent' };
    Endpoint.Properties.DeploymentConfig.AutoRollbackConfiguration.Alarms.push({
      AlarmName: { 'Fn::ImportValue': 'alarm-of-another-stack' },
    });
    Config.Properties.ProductionVariants[0].InstanceType = { Ref: 'InstanceType' };
    Errors.Properties.Threshold = { Ref: 'Threshold' };
    Target.Properties.MinCapacity = { Ref: 'Min' };
    expect(findings(template)).toEqual([]);
  });

  test('see across the templates of one app', () => {
    const [alarms, rest] = [soundTemplate(), soundTemplate()];
    alarms.Resources = { QueueErrors: alarms.Resources.QueueErrors };
    alarms.Resources.QueueErrors.Properties.AlarmName = 'queue-errors';
    delete rest.Resources.QueueErrors;
    rest.Resources.Queue.Properties.DeploymentConfig.AutoRollbackConfiguration.Alarms = [{ AlarmName: 'queue-errors' }];
    expect(findings(rest, alarms)).toEqual([]);
    alarms.Resources.QueueErrors.Properties.Dimensions.pop();
    expect(findings(rest, alarms).map(({ rule }) => rule)).toEqual(['rollback-alarm-mixes-fleets']);
  });

  test('never show a secret', () => {
    const template = soundTemplate();
    template.Resources.Model.Properties.PrimaryContainer.Environment.DB_PASSWORD = 'hunter2';
    expect(JSON.stringify(findings(template))).not.toContain('hunter2');
  });
});

/** A plain endpoint, as an app without this package writes it, whose key does nothing. */
function plain(scope: Construct): CfnEndpointConfig {
  const config = new CfnEndpointConfig(scope, 'Config', {
    kmsKeyId: 'alias/ours',
    productionVariants: [
      { variantName: 'live', modelName: 'm', initialVariantWeight: 1, initialInstanceCount: 2, instanceType: 'ml.g5.xlarge' },
    ],
  });
  new CfnEndpoint(scope, 'Endpoint', { endpointName: 'plain', endpointConfigName: config.attrEndpointConfigName });
  return config;
}

function broken(scope: Construct): CfnEndpointConfig {
  const config = plain(scope);
  config.endpointConfigName = 'named';
  return config;
}

function checked(): App {
  const app = new App();
  Validations.of(app).addPlugins(new FledgeRules());
  return app;
}

describe('the plugin', () => {
  let report = '';
  beforeEach(() => {
    report = '';
    jest.spyOn(console, 'error').mockImplementation((...lines: unknown[]) => {
      report += lines.join('\n');
    });
  });
  afterEach(() => jest.restoreAllMocks());

  test('fails the synthesis of a plain endpoint on an error, with what stands there, what to do and who says so', () => {
    const app = checked();
    broken(new Stack(app, 'Shop'));
    let message = '';
    try {
      app.synth();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('endpoint-config-has-literal-name');
    expect(message).toContain('Got: named.');
    expect(message).toContain('Leave EndpointConfigName out');
    expect(message).toContain('https://docs.aws.amazon.com/');
    expect(message).toContain('Shop/Config');
  });

  test('only reports a warning', () => {
    const app = checked();
    plain(new Stack(app, 'Shop'));
    expect(() => app.synth()).not.toThrow();
    expect(report).toContain('key-on-local-storage');
  });

  test('is quiet where the breach is acknowledged', () => {
    const app = checked();
    const config = broken(new Stack(app, 'Shop'));
    Validations.of(config).acknowledge(
      { id: 'cdk-fledge::endpoint-config-has-literal-name', reason: 'deployed once' },
      { id: 'cdk-fledge::key-on-local-storage', reason: 'our policy demands the key' },
    );
    expect(() => app.synth()).not.toThrow();
    expect(report).toBe('');
  });

  test('looks into nested stacks and stages', () => {
    const nested = checked();
    broken(new NestedStack(new Stack(nested, 'Shop'), 'Inner'));
    expect(() => nested.synth()).toThrow('endpoint-config-has-literal-name');
    const staged = checked();
    broken(new NestedStack(new Stack(new Stage(staged, 'Prod'), 'Shop'), 'Inner'));
    expect(() => staged.synth()).toThrow('endpoint-config-has-literal-name');
  });

  test('takes a name for the endpoint of the same account and region, where two accounts share it', () => {
    const app = checked();
    const [dev, prod] = ['111122223333', '222222222222'].map(
      (account, index) => new Stack(app, ['Dev', 'Prod'][index]!, { env: { account, region: 'eu-west-1' } }),
    ) as [Stack, Stack];
    const given = (stack: Stack) => ({
      endpointName: 'flight-delay',
      artifact: publishedArtifact(stack),
      image: ServingImage.sklearn('1.2'),
    });
    new ModelEndpoint(dev, 'Model', given(dev));
    new ModelEndpoint(prod, 'Model', {
      ...given(prod),
      capacity: Capacity.instances({ instanceType: 'ml.m5.large', min: 2, max: 10 }),
      scaling: [Scaling.cpuUtilization({ percent: 60 })],
    });
    expect(() => app.synth()).not.toThrow();
    expect(report).toBe('');
  });

  test('takes a name for what is in the same stage of the app, where the environments are not known', () => {
    const app = checked();
    for (const name of ['Dev', 'Prod']) {
      const stage = new Stage(app, name);
      const alarms = new Stack(stage, 'Alarms');
      const shop = new Stack(stage, 'Shop');
      const endpoint = new ModelEndpoint(shop, 'Model', {
        endpointName: 'flight-delay',
        artifact: publishedArtifact(shop),
        image: ServingImage.sklearn('1.2'),
      });
      const metric = new Metric({
        namespace: 'AWS/SageMaker',
        metricName: 'Invocation5XXErrors',
        dimensionsMap: { EndpointName: endpoint.endpointName, VariantName: 'live', EndpointConfigName: endpoint.endpointConfigName },
      });
      new Alarm(alarms, 'Errors', { alarmName: 'errors', metric, threshold: 1, evaluationPeriods: 1 });
      const rollbacks = shop.node.findAll().find((one) => one instanceof CfnEndpoint)!;
      rollbacks.addPropertyOverride('DeploymentConfig.AutoRollbackConfiguration.Alarms', [{ AlarmName: 'errors' }]);
    }
    expect(() => app.synth()).not.toThrow();
  });

  test('says which rules it has', () => {
    expect(new FledgeRules().ruleIds).toEqual(rules.map(({ id }) => id));
  });
});

describe('the endpoints of this package', () => {
  const serving = (stack: Stack) => ({ artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2') });
  test.each<[string, (stack: Stack) => Partial<ModelEndpointProps>]>([
    ['of the least a user can write', () => ({})],
    [
      'that scale and go through a canary',
      () => ({
        capacity: Capacity.instances({ instanceType: 'ml.m5.large', min: 4, max: 10 }),
        scaling: [Scaling.invocationsPerInstance({ perSecond: 40 }), Scaling.cpuUtilization({ percent: 60 })],
        rollout: Rollout.canary({ percent: 25 }),
        alarms: { noTraffic: Duration.days(2) },
      }),
    ],
    [
      'on GPUs with local disks',
      (stack) => ({
        image: ServingImage.fromEcrRepository(Repository.fromRepositoryName(stack, 'Repository', 'serving'), '1.4'),
        capacity: Capacity.instances({ instanceType: 'ml.g5.12xlarge', min: 2, max: 4, encryptionKeyOnLocalStorage: true }),
        scaling: [Scaling.gpuUtilization({ percent: 60 })],
        rollout: Rollout.linear({ percent: 50 }),
      }),
    ],
    [
      'in batches',
      () => ({ capacity: Capacity.instances({ instanceType: 'ml.m5.large', min: 10 }), rollout: Rollout.rolling({ percent: 10 }) }),
    ],
    [
      'of serverless capacity',
      () => ({
        capacity: Capacity.serverless({ provisionedConcurrency: 2, maxProvisionedConcurrency: 8 }),
        scaling: [Scaling.provisionedConcurrency({ percent: 70 })],
      }),
    ],
    ['of a queue that sleeps', () => ({ capacity: Capacity.async({ instanceType: 'ml.m5.large', max: 3 }), scaling: [Scaling.backlog()] })],
  ])('%s break no rule', (_, options) => {
    const stack = newStack();
    new ModelEndpoint(stack, 'Model', { ...serving(stack), ...options(stack) });
    const template = Template.fromStack(stack).toJSON() as { Resources: Record<string, unknown> };
    const acknowledged = JSON.stringify(stack.node.findAll().flatMap(({ node }) => node.metadata.map(({ data }) => data)));
    expect(findings(template).filter(({ rule }) => !acknowledged.includes(`cdk-fledge::${rule}`))).toEqual([]);
  });
});

test('the percent of a rollout that is less than one instance of a fleet scaled in is warned of, in our endpoints too', () => {
  const stack = newStack();
  new ModelEndpoint(stack, 'Model', {
    artifact: publishedArtifact(stack),
    image: ServingImage.sklearn('1.2'),
    capacity: Capacity.instances({ instanceType: 'ml.m5.large', min: 2, max: 20 }),
    scaling: [Scaling.cpuUtilization({ percent: 60 })],
    rollout: Rollout.linear({ percent: 10 }),
  });
  const found = findings(Template.fromStack(stack).toJSON() as { Resources: Record<string, unknown> });
  expect(found.map(({ rule, got }) => [rule, got])).toEqual([['step-below-one-instance', '10 % of 2, which is 50 %']]);
});

// UPDATE_DOCS=1 writes the page anew.
test('docs/rules.md is what the rules say', () => {
  const page = join(__dirname, '..', '..', 'docs', 'rules.md');
  if (process.env.UPDATE_DOCS) writeFileSync(page, rulesPage());
  expect(readFileSync(page, 'utf8')).toBe(rulesPage());
});
