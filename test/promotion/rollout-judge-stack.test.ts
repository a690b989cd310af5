import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import { type CanaryOptions, Capacity, ModelEndpoint, Rollout, RolloutJudge, ServingImage } from '../../lib';
import { startLocal } from '../../lib/local';
import { bySid, type Json, newStack, publishedArtifact, ReadableTemplate } from '../endpoint/template';
import { deployed, judgedStack } from './harness/judged-endpoint';

const template = new ReadableTemplate(judgedStack());
const judged = (type: string, id: string): Json => template.resources[`FlightsWatchJudge${id}`] ?? fail(`no ${type} ${id}`);
const fail = (message: string): never => {
  throw new Error(`${message} among ${Object.keys(template.resources).join(', ')}`);
};

describe('a judged rollout', () => {
  test('has its alarm among those that roll back', () => {
    const { DeploymentConfig } = template.only('AWS::SageMaker::Endpoint').Properties;
    expect(DeploymentConfig.AutoRollbackConfiguration.Alarms).toHaveLength(4);
    expect(DeploymentConfig.AutoRollbackConfiguration.Alarms).toContainEqual({ AlarmName: '<FlightsWatchJudgeAlarm>' });
  });

  test('is rolled back by evidence, and by silence', () => {
    expect(judged('alarm', 'Alarm').Properties).toMatchObject({
      AlarmName: 'flights-live-new-fleet-judge-evidence',
      Namespace: 'CdkFledge',
      MetricName: 'RollbackEvidence',
      Dimensions: [
        { Name: 'EndpointName', Value: 'flights' },
        { Name: 'Judge', Value: 'Rollout' },
      ],
      Statistic: 'Maximum',
      Period: 60,
      EvaluationPeriods: 2,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'breaching',
      AlarmActions: ['<FlightsWatchTopic>'],
    });
  });

  test('has an alarm only once the judge was called and has said a word', () => {
    expect(judged('alarm', 'Alarm').DependsOn).toEqual(['FlightsWatchJudgeFirstWord']);
    expect(judged('resource', 'FirstWord').Properties).toEqual({ ServiceToken: '<FlightsWatchJudgeFunction.Arn>' });
    expect(judged('resource', 'FirstWord').DependsOn).toContain('FlightsWatchJudgeClock');
    expect(judged('function', 'Function').DependsOn).toContain('FlightsWatchJudgePolicy');
  });

  test('is judged by a function that may do exactly what it does', () => {
    expect(bySid(judged('policy', 'Policy').Properties.PolicyDocument.Statement)).toEqual({
      LookAtEndpoint: {
        Effect: 'Allow',
        Action: 'sagemaker:DescribeEndpoint',
        Resource: 'arn:<AWS::Partition>:sagemaker:eu-west-1:111122223333:endpoint/flights',
      },
      LookAtConfigurations: {
        Effect: 'Allow',
        Action: 'sagemaker:DescribeEndpointConfig',
        Resource: 'arn:<AWS::Partition>:sagemaker:eu-west-1:111122223333:endpoint-config/*',
      },
      ReadCounts: { Effect: 'Allow', Action: 'cloudwatch:GetMetricData', Resource: '*' },
      PublishEvidence: {
        Effect: 'Allow',
        Action: 'cloudwatch:PutMetricData',
        Resource: '*',
        Condition: { StringEquals: { 'cloudwatch:namespace': 'CdkFledge' } },
      },
      WriteLog: { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '<FlightsWatchJudgeLog.Arn>' },
    });
    expect(judged('role', 'Role').Properties).toMatchObject({
      AssumeRolePolicyDocument: {
        Statement: [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } }],
      },
    });
    expect(judged('role', 'Role').Properties.ManagedPolicyArns).toBeUndefined();
  });

  test('is judged each minute, by code that came with the package', () => {
    expect(judged('rule', 'Clock').Properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Targets: [{ Arn: '<FlightsWatchJudgeFunction.Arn>', RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 } }],
    });
    expect(judged('function', 'Function').Properties).toMatchObject({
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      ReservedConcurrentExecutions: 2,
      Timeout: 50,
    });
  });

  test('keeps its log under the endpoint’s key, for a year', () => {
    expect(judged('log', 'Log').Properties).toEqual({
      LogGroupName: '/cdk-fledge/flights/rollout-judge',
      KmsKeyId: '<FlightsKey.Arn>',
      RetentionInDays: 365,
    });
    expect(template.keyStatements().EncryptJudgeLogs).toMatchObject({
      Principal: { Service: 'logs.eu-west-1.amazonaws.com' },
      Condition: {
        ArnEquals: {
          'kms:EncryptionContext:aws:logs:arn':
            'arn:<AWS::Partition>:logs:eu-west-1:111122223333:log-group:/cdk-fledge/flights/rollout-judge',
        },
      },
    });
  });

  test('tells people when its judge fails', () => {
    expect(judged('alarm', 'Failures').Properties).toMatchObject({
      AlarmName: 'flights-live-judge-errors-count',
      Namespace: 'AWS/Lambda',
      MetricName: 'Errors',
      AlarmActions: ['<FlightsWatchTopic>'],
    });
  });

  test('tells the judge all that it needs to know', () => {
    expect(deployed().plan).toEqual({
      endpointName: 'flights',
      variantName: 'live',
      canary: { percent: 50 },
      bakeSeconds: 1800,
      leadSeconds: 300,
      failClosed: true,
      settings: {},
    });
    const strict = { margin: 1.5, latencyTolerance: 0, falseRollback: 0.01, falsePromotion: 0.02, failClosed: false };
    expect(deployed(strict).plan).toMatchObject({
      failClosed: false,
      settings: { margin: 1.5, latencyTolerance: 0, alpha: 0.01, beta: 0.02 },
    });
  });
});

describe('a judge is refused', () => {
  const build = (canary: CanaryOptions, capacity = Capacity.instances({ instanceType: 'ml.m5.large', min: 4 })) => {
    const stack = newStack();
    const rollout = Rollout.canary({ judge: RolloutJudge.standard(), ...canary });
    const image = ServingImage.sklearn('1.2');
    return new ModelEndpoint(stack, 'Flights', { artifact: publishedArtifact(stack), image, capacity, rollout });
  };

  test('for a bake in which it could see nothing', () => {
    expect(() => build({ bake: Duration.minutes(10) })).toThrow('make the bake at least 15 minutes, got 10 minutes');
  });

  test('for a canary of less than an instance', () => {
    expect(() => build({ percent: 10 })).toThrow(
      '10 % of 4 instances is less than one, and SageMaker moves whole instances: say instances: 1, or percent: 25',
    );
  });

  test('for requests that wait in a queue', () => {
    const queue = Capacity.async({ instanceType: 'ml.m5.large', min: 2, max: 4 });
    expect(() => build({}, queue)).toThrow(
      "a judge compares the requests of real-time instances, and variant live is 'async': leave the judge out",
    );
  });

  test('for serverless endpoints', () => {
    expect(() => build({}, Capacity.serverless())).toThrow('a serverless variant has no instances to move in steps');
  });

  test('for one instance', () => {
    expect(() => build({}, Capacity.instances({ instanceType: 'ml.m5.large', min: 1 }))).toThrow(
      'moves whole instances, and variant live may have 1',
    );
  });

  test('for a second variant', () => {
    const endpoint = build({});
    const artifact = publishedArtifact(newStack());
    expect(() => endpoint.addVariant('other', { artifact, image: ServingImage.sklearn('1.2') })).toThrow(
      "a judge compares the two fleets of one variant: leave the rollout's judge out to add 'other'",
    );
  });

  test.each([
    [{ margin: 1 }, "setting 'margin' must be above 1, not 1"],
    [{ falseRollback: 0 }, "setting 'falseRollback' must be above 0 and below 1, not 0"],
    [{ falsePromotion: 1 }, "setting 'falsePromotion' must be above 0 and below 1, not 1"],
    [{ latencyTolerance: -0.1 }, "setting 'latencyTolerance' must be a number of at least 0, not -0.1"],
  ])('with %j', (options, message) => {
    expect(() => RolloutJudge.standard(options)).toThrow(message);
  });
});

test('the function as it is shipped publishes that all is well', async () => {
  const local = await startLocal({ region: 'us-east-1' });
  try {
    const bundle = resolve(__dirname, '../../dist/lambda/rollout-judge/index.js');
    const env = { PATH: process.env.PATH, ...local.environment(), FLEDGE_ROLLOUT: JSON.stringify(deployed().plan) };
    await promisify(execFile)(process.execPath, ['-e', `require(${JSON.stringify(bundle)}).handler({})`], { env, cwd: join('/') });
    const cloudwatch = new CloudWatchClient({
      endpoint: local.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    });
    const Dimensions = deployed().alarm.Dimensions;
    const Metric = { Namespace: 'CdkFledge', MetricName: 'RollbackEvidence', Dimensions };
    const { MetricDataResults } = await cloudwatch.send(
      new GetMetricDataCommand({
        MetricDataQueries: [{ Id: 'evidence', MetricStat: { Metric, Period: 60, Stat: 'Maximum' } }],
        StartTime: new Date(Date.now() - 300_000),
        EndTime: new Date(Date.now() + 60_000),
      }),
    );
    cloudwatch.destroy();
    expect(MetricDataResults![0]!.Values).toEqual([0, 0]);
  } finally {
    await local.close();
  }
});
