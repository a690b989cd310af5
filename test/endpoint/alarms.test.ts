import { Match, Annotations as Said, Template } from 'aws-cdk-lib/assertions';
import { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { App, Duration, Stack, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { ModelEndpoint, ServingImage } from '../../lib/endpoint';
import { alarmTopic } from '../../lib/endpoint/alarm-topic';
import { EndpointAlarms } from '../../lib/endpoint/alarms';
import type { EndpointAlarmOptions } from '../../lib/endpoint/alarms-options';
import type { ServedVariant } from '../../lib/endpoint/served-variant';
import { Alarms, Invocations } from '../../lib/local/metrics';
import type { MetricAlarm } from '../../lib/local/metrics/alarms';
import { newStack, publishedArtifact } from './template';

const live: ServedVariant = {
  endpointName: 'flight-delay',
  variantName: 'live',
  endpointConfigName: 'config-2',
  kind: 'instances',
  instanceType: 'ml.c7g.xlarge',
  minCapacity: 2,
  maxCapacity: 10,
};
const async: ServedVariant = { ...live, kind: 'async', instanceType: 'ml.m5.large', minCapacity: 0 };
const serverless: ServedVariant = { ...live, kind: 'serverless', instanceType: undefined };

function alarmed(variant: ServedVariant = live, options?: EndpointAlarmOptions) {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  const made = EndpointAlarms._create(
    stack,
    'Alarms',
    variant,
    alarmTopic(stack, variant.endpointName, new Key(stack, 'Key', { enableKeyRotation: true })),
    options,
  );
  return { app, stack, made };
}

type Rendered = MetricAlarm & { readonly AlarmActions: unknown[]; readonly OKActions: unknown[] };

function rendered(variant?: ServedVariant, options?: EndpointAlarmOptions): Record<string, Rendered> {
  const alarms = Object.values(Template.fromStack(alarmed(variant, options).stack).findResources('AWS::CloudWatch::Alarm'));
  return Object.fromEntries(alarms.map(({ Properties }) => [Properties.AlarmName.replace('flight-delay-live-', ''), Properties]));
}

const NEW_FLEET = [
  { Name: 'EndpointConfigName', Value: 'config-2' },
  { Name: 'EndpointName', Value: 'flight-delay' },
  { Name: 'VariantName', Value: 'live' },
];
const BOTH_FLEETS = NEW_FLEET.slice(1);

function dimensions({ Metrics = [] }: MetricAlarm) {
  return Metrics.flatMap(({ MetricStat }) => (MetricStat ? [MetricStat.Metric.Dimensions] : []));
}

function expression({ Metrics = [] }: MetricAlarm): string | undefined {
  return Metrics.find((query) => query.Expression !== undefined)?.Expression;
}

describe('the alarms made by default', () => {
  test.each<[string, ServedVariant, string[]]>([
    [
      'of real-time instances',
      live,
      ['5xx-percent', 'cpu-percent', 'disk-percent', 'memory-percent', 'model-errors-percent', 'p99-latency-ms'],
    ],
    [
      'of GPU instances',
      { ...live, instanceType: 'ml.g5.12xlarge' },
      [
        '5xx-percent',
        'cpu-percent',
        'disk-percent',
        'gpu-memory-percent',
        'gpu-percent',
        'memory-percent',
        'model-errors-percent',
        'p99-latency-ms',
      ],
    ],
    [
      'of Inferentia, whose use CloudWatch does not show',
      { ...live, instanceType: 'ml.inf2.xlarge' },
      ['5xx-percent', 'cpu-percent', 'disk-percent', 'memory-percent', 'model-errors-percent', 'p99-latency-ms'],
    ],
    ['of serverless capacity', serverless, ['5xx-percent', 'concurrency-percent', 'memory-percent', 'p99-latency-ms']],
    [
      'of an async endpoint',
      async,
      [
        '5xx-percent',
        'cpu-percent',
        'disk-percent',
        'failures-count',
        'memory-percent',
        'oldest-request-seconds',
        'p99-latency-ms',
        'waiting-without-instance',
      ],
    ],
  ])('%s are those it publishes metrics for', (_, variant, names) => {
    const all = Object.keys(rendered(variant)).sort();
    expect(all.filter((name) => !name.startsWith('new-fleet-'))).toEqual(names);
    const rollback = names.filter((name) => ['5xx-percent', 'model-errors-percent', 'p99-latency-ms'].includes(name));
    expect(all.filter((name) => name.startsWith('new-fleet-'))).toEqual(rollback.map((name) => `new-fleet-${name}`));
  });

  test('are quiet where there is nothing to measure', () => {
    for (const variant of [live, async, serverless]) {
      for (const alarm of Object.values(rendered(variant))) expect(alarm.TreatMissingData).toBe('notBreaching');
    }
  });

  test('share out the sums of cores and GPUs', () => {
    const alarms = rendered({ ...live, instanceType: 'ml.g5.12xlarge' });
    expect(expression(alarms['cpu-percent']!)).toBe('used / 48');
    expect(expression(alarms['gpu-percent']!)).toBe('used / 4');
    expect(expression(alarms['gpu-memory-percent']!)).toBe('used / 4');
    expect(alarms['cpu-percent']).toMatchObject({
      Threshold: 90,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      EvaluationPeriods: 3,
    });
  });

  test('read memory and disk as they are, 0 to 100', () => {
    expect(rendered()['memory-percent']).toMatchObject({
      Namespace: '/aws/sagemaker/Endpoints',
      MetricName: 'MemoryUtilization',
      Statistic: 'Average',
      Threshold: 90,
      Period: 300,
    });
    expect(rendered()['disk-percent']).toMatchObject({ MetricName: 'DiskUtilization', Threshold: 85 });
  });

  test('of a queue are the endpoint’s', () => {
    const alarms = rendered(async);
    expect(alarms['oldest-request-seconds']).toMatchObject({
      MetricName: 'ApproximateAgeOfOldestRequest',
      Dimensions: [{ Name: 'EndpointName', Value: 'flight-delay' }],
      Statistic: 'Maximum',
      Threshold: 1800,
      EvaluationPeriods: 1,
    });
    expect(alarms['waiting-without-instance']).toMatchObject({
      MetricName: 'HasBacklogWithoutCapacity',
      Threshold: 1,
      EvaluationPeriods: 6,
    });
    expect(alarms['failures-count']).toMatchObject({
      MetricName: 'InvocationFailures',
      Statistic: 'Sum',
      Threshold: 1,
      Dimensions: BOTH_FLEETS,
    });
  });

  test('of serverless capacity read a share as percent', () => {
    expect(expression(rendered(serverless)['concurrency-percent']!)).toBe('used * 100');
  });

  test('cover no cores that are not known, and say so', () => {
    const { stack } = alarmed({ ...live, instanceType: 'ml.z9.large' });
    Said.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('the cores and GPUs of ml.z9.large are not known'));
    expect(Object.keys(rendered({ ...live, instanceType: 'ml.z9.large' }))).not.toContain('cpu-percent');
  });
});

describe('thresholds', () => {
  test('are the user’s, and 0 is one', () => {
    const alarms = rendered(live, {
      serverErrorPercent: 0,
      modelErrorPercent: 2.5,
      p99Latency: Duration.millis(80),
      cpuPercent: 70,
      minimumRequests: 100,
    });
    expect(alarms['5xx-percent']?.Threshold).toBe(0);
    expect(alarms['new-fleet-5xx-percent']?.Threshold).toBe(0);
    expect(alarms['model-errors-percent']?.Threshold).toBe(2.5);
    expect(alarms['p99-latency-ms']?.Threshold).toBe(80);
    expect(alarms['cpu-percent']?.Threshold).toBe(70);
    expect(expression(alarms['5xx-percent']!)).toBe('IF(requests >= 100, 100 * failed, 0)');
  });

  test('of an async endpoint’s latency are minutes', () => {
    expect(rendered(async)['p99-latency-ms']?.Threshold).toBe(600_000);
  });

  test.each<[string, EndpointAlarmOptions, string]>([
    ['a rate of 100 percent, which nothing is above', { serverErrorPercent: 100 }, 'serverErrorPercent is 0 to 99, got 100'],
    ['a negative rate', { modelErrorPercent: -1 }, 'modelErrorPercent is 0 to 99, got -1'],
    ['a use above 100 percent', { cpuPercent: 120 }, 'cpuPercent is 1 to 100, got 120'],
    ['a use of 0, which is always reached', { memoryPercent: 0 }, 'memoryPercent is 1 to 100, got 0'],
    ['no requests at all', { minimumRequests: 0 }, 'minimumRequests is a whole number from 1 to 1000000, got 0'],
    ['a latency of 0', { p99Latency: Duration.millis(0) }, 'p99Latency in milliseconds is a whole number from 1 to 3600000, got 0'],
    ['a silence of a minute', { noTraffic: Duration.minutes(1) }, 'noTraffic is 5 minutes to 7 days'],
    ['a silence of eight days', { noTraffic: Duration.days(8) }, 'noTraffic is 5 minutes to 7 days'],
    ['a silence that no period divides', { noTraffic: Duration.minutes(7) }, 'in whole 5 minutes up to a day'],
  ])('refuse %s', (_, options, message) => {
    expect(() => alarmed(live, options)).toThrow(message);
  });

  test('refuse a queue of no failures', () => {
    expect(() => alarmed(async, { failures: 0 })).toThrow('failures is a whole number from 1 to 1000000, got 0');
  });
});

describe('a silence of the callers', () => {
  test('is no alarm by default', () => {
    expect(rendered()).not.toHaveProperty('requests-none');
  });

  test('is one where asked, and missing data is what it waits for', () => {
    expect(rendered(live, { noTraffic: Duration.hours(2) })['requests-none']).toMatchObject({
      MetricName: 'Invocations',
      Statistic: 'Sum',
      Period: 300,
      EvaluationPeriods: 24,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  test('of days is watched by the hour, as CloudWatch asks', () => {
    expect(rendered(live, { noTraffic: Duration.days(7) })['requests-none']).toMatchObject({ Period: 3600, EvaluationPeriods: 168 });
  });

  test('of an async endpoint is read from what it works through', () => {
    expect(rendered(async, { noTraffic: Duration.hours(2) })['requests-none']?.MetricName).toBe('InvocationsProcessed');
  });
});

describe('what rolls back an update', () => {
  test('looks at the new fleet only', () => {
    const alarms = Object.entries(rendered());
    for (const [name, alarm] of alarms.filter(([, { Metrics }]) => Metrics !== undefined)) {
      for (const found of dimensions(alarm)) expect(found).toEqual(name.startsWith('new-fleet-') ? NEW_FLEET : BOTH_FLEETS);
    }
  });

  test('is handed to the rollout', () => {
    const { stack, made } = alarmed();
    expect(made.rollbackAlarms.map(({ alarmName }) => stack.resolve(alarmName))).toHaveLength(3);
    expect(made.alarms).toHaveLength(6);
  });
});

/** A minute of requests to one fleet. */
interface Minute {
  readonly config: string;
  readonly requests: number;
  readonly failed?: number;
  readonly milliseconds?: number;
}

/** The template's alarms, in the local CloudWatch, after 30 minutes of the same. */
function states(alarms: Record<string, Rendered>, minute: Minute[]): Record<string, string | undefined> {
  const clock = { now: () => 30 * 60_000, schedule: () => undefined };
  const invocations = new Invocations();
  for (let time = 0; time < 30 * 60_000; time += 60_000) {
    for (const { config, requests, failed = 0, milliseconds = 20 } of minute) {
      for (let index = 0; index < requests; index++) {
        const sample = {
          endpoint: 'flight-delay',
          variant: 'live',
          shadow: false,
          kind: 'realtime',
          overhead: 1,
          instances: 2,
          concurrency: 1,
        } as const;
        invocations.record({ ...sample, time, config, status: index < failed ? 500 : 200, latency: milliseconds * 1000 });
      }
    }
  }
  const local = new Alarms({ clock, events: { put: () => undefined }, account: '1', region: 'eu-central-1' } as never, [invocations]);
  for (const [name, alarm] of Object.entries(alarms)) local.put({ ...alarm, AlarmName: name });
  return Object.fromEntries(Object.keys(alarms).map((name) => [name, local.stateOf(name)]));
}

describe('against the metrics of an endpoint, the alarms', () => {
  const alarms = rendered(live, { p99Latency: Duration.millis(100) });

  test('are quiet while all is well', () => {
    expect(
      Object.values(
        states(alarms, [
          { config: 'config-1', requests: 30 },
          { config: 'config-2', requests: 3 },
        ]),
      ),
    ).toEqual(Array(Object.keys(alarms).length).fill('OK'));
  });

  test('go off on the new fleet’s errors, among a healthy old one', () => {
    expect(
      states(alarms, [
        { config: 'config-1', requests: 300 },
        { config: 'config-2', requests: 10, failed: 1 },
      ]),
    ).toMatchObject({
      'new-fleet-5xx-percent': 'ALARM',
      'new-fleet-model-errors-percent': 'ALARM',
      'new-fleet-p99-latency-ms': 'OK',
      '5xx-percent': 'OK',
    });
  });

  test('let through the update that fixes the old fleet’s errors', () => {
    expect(
      states(alarms, [
        { config: 'config-1', requests: 30, failed: 30 },
        { config: 'config-2', requests: 10 },
      ]),
    ).toMatchObject({
      'new-fleet-5xx-percent': 'OK',
      'new-fleet-model-errors-percent': 'OK',
      '5xx-percent': 'ALARM',
      'model-errors-percent': 'ALARM',
    });
  });

  test('go off on slowness, of 101 ms but not of 100', () => {
    expect(states(alarms, [{ config: 'config-2', requests: 10, milliseconds: 101 }])).toMatchObject({
      'new-fleet-p99-latency-ms': 'ALARM',
      'p99-latency-ms': 'ALARM',
    });
    expect(states(alarms, [{ config: 'config-2', requests: 10, milliseconds: 100 }])['new-fleet-p99-latency-ms']).toBe('OK');
  });

  test('make nothing of fewer requests than can say', () => {
    const few = { config: 'config-2', requests: 1, failed: 1, milliseconds: 5000 };
    expect(states(alarms, [few])).toMatchObject({ 'new-fleet-5xx-percent': 'OK', 'new-fleet-p99-latency-ms': 'OK' });
    const enough = rendered(live, { minimumRequests: 5 });
    expect(states(enough, [few])['new-fleet-5xx-percent']).toBe('ALARM');
  });
});

describe('who is told', () => {
  test('is a topic that only these alarms write to, encrypted with the endpoint’s key', () => {
    const template = Template.fromStack(alarmed().stack);
    const [[key], [topic]] = [Object.keys(template.findResources('AWS::KMS::Key')), Object.keys(template.findResources('AWS::SNS::Topic'))];
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: { 'Fn::GetAtt': [key, 'Arn'] } });
    const Condition = {
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
      ArnLike: {
        'aws:SourceArn': {
          'Fn::Join': [
            '',
            [
              'arn:',
              { Ref: 'AWS::Partition' },
              ':cloudwatch:',
              { Ref: 'AWS::Region' },
              ':',
              { Ref: 'AWS::AccountId' },
              ':alarm:flight-delay-*',
            ],
          ],
        },
      },
    };
    const Principal = { Service: 'cloudwatch.amazonaws.com' };
    const policies = Object.values(template.findResources('AWS::SNS::TopicPolicy'));
    expect(policies.map(({ Properties }) => Properties.PolicyDocument.Statement)).toEqual([
      [
        {
          Sid: 'AllowPublishThroughSSLOnly',
          Effect: 'Deny',
          Principal: '*',
          Action: 'sns:Publish',
          Resource: { Ref: topic },
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
        { Sid: 'PublishAlarms', Effect: 'Allow', Principal, Action: 'sns:Publish', Resource: { Ref: topic }, Condition },
      ],
    ]);
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          {
            Sid: 'EncryptAlarmNotices',
            Effect: 'Allow',
            Principal,
            Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
            Resource: '*',
            Condition,
          },
        ]),
      },
    });
  });

  test('hears of every alarm and of its end', () => {
    for (const alarm of Object.values(rendered())) {
      expect(alarm.AlarmActions).toEqual([{ Ref: expect.stringMatching(/^Topic/) }]);
      expect(alarm.OKActions).toEqual(alarm.AlarmActions);
    }
  });

  test('is the user’s topic where one is given', () => {
    const stack = newStack();
    const topic = Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-west-1:123456789012:on-call');
    const artifact = publishedArtifact(stack);
    const { alarms: made } = new ModelEndpoint(stack, 'Model', { artifact, image: ServingImage.sklearn('1.2'), alarms: { topic } });
    expect(made.topic).toBe(topic);
    Template.fromStack(stack).resourceCountIs('AWS::SNS::Topic', 0);
    Template.fromStack(stack).allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: ['arn:aws:sns:eu-west-1:123456789012:on-call'],
    });
  });

  test('may be more than the topic', () => {
    const { stack, made } = alarmed();
    made.addAlarmAction({ bind: () => ({ alarmActionArn: 'arn:aws:ssm:eu-central-1:123456789012:opsitem:1' }) });
    Template.fromStack(stack).allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [Match.anyValue(), 'arn:aws:ssm:eu-central-1:123456789012:opsitem:1'],
    });
  });
});

test('cdk-nag finds nothing in the alarms and their topic, and would', () => {
  const { app } = alarmed();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new NIST80053R5Checks(app));
  expect(() => app.synth()).not.toThrow();
  const { app: other, stack: bare } = alarmed();
  Validations.of(other).addPlugins(new NIST80053R5Checks(other));
  new Alarm(bare, 'Bare', { metric: new Metric({ namespace: 'N', metricName: 'M' }), threshold: 1, evaluationPeriods: 1 });
  expect(() => other.synth()).toThrow('CloudWatchAlarmAction');
});
