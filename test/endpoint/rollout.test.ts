import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Alarm, type IAlarm, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { App, Duration, Stack } from 'aws-cdk-lib/core';
import { Capacity, ModelEndpoint, ServingImage } from '../../lib/endpoint';
import { Rollout } from '../../lib/endpoint/rollout';
import type { ServedVariant } from '../../lib/endpoint/served-variant';
import { newStack, publishedArtifact } from './template';

const ten: ServedVariant = {
  endpointName: 'flight-delay',
  variantName: 'live',
  endpointConfigName: 'config',
  kind: 'instances',
  instanceType: 'ml.c7g.large',
  minCapacity: 10,
  maxCapacity: 10,
};
const pair = { ...ten, minCapacity: 2, maxCapacity: 2 };
const one = { ...ten, minCapacity: 1, maxCapacity: 4 };

function alarms(count: number): IAlarm[] {
  return Array.from({ length: count }, (_, index) => Alarm.fromAlarmName(new Stack(), 'Alarm', `alarm-${index + 1}`));
}

function bound(rollout: Rollout, variant: ServedVariant = ten, rollback = alarms(1)) {
  const stack = new Stack(new App(), 'Stack');
  return { stack, config: stack.resolve(rollout._bind(stack, variant, rollback)) };
}

describe('a rollout', () => {
  test('by canary moves a first step, then the rest, and rolls back on its alarms', () => {
    const { config } = bound(
      Rollout.canary({ percent: 10, bake: Duration.minutes(20), terminationWait: Duration.minutes(10) }),
      ten,
      alarms(2),
    );
    expect(config).toEqual({
      blueGreenUpdatePolicy: {
        trafficRoutingConfiguration: { type: 'CANARY', canarySize: { type: 'CAPACITY_PERCENT', value: 10 }, waitIntervalInSeconds: 1200 },
        terminationWaitInSeconds: 600,
        maximumExecutionTimeoutInSeconds: 1200 + 600 + 1800,
      },
      autoRollbackConfiguration: { alarms: [{ alarmName: 'alarm-1' }, { alarmName: 'alarm-2' }] },
    });
  });

  test('by canary starts with one instance where nothing else is asked', () => {
    expect(bound(Rollout.canary()).config.blueGreenUpdatePolicy).toMatchObject({
      trafficRoutingConfiguration: { canarySize: { type: 'INSTANCE_COUNT', value: 1 }, waitIntervalInSeconds: 900 },
      terminationWaitInSeconds: 300,
    });
  });

  test('by equal steps has time for a bake after each', () => {
    expect(bound(Rollout.linear({ percent: 30, bake: Duration.minutes(10) })).config.blueGreenUpdatePolicy).toEqual({
      trafficRoutingConfiguration: { type: 'LINEAR', linearStepSize: { type: 'CAPACITY_PERCENT', value: 30 }, waitIntervalInSeconds: 600 },
      terminationWaitInSeconds: 300,
      maximumExecutionTimeoutInSeconds: 4 * 600 + 300 + 1800,
    });
  });

  test('by batches is no blue/green update', () => {
    const { config } = bound(Rollout.rolling({ instances: 2, rollbackPercent: 50, bake: Duration.minutes(5) }));
    expect(config).toEqual({
      rollingUpdatePolicy: {
        maximumBatchSize: { type: 'INSTANCE_COUNT', value: 2 },
        waitIntervalInSeconds: 300,
        maximumExecutionTimeoutInSeconds: 5 * 300 + 1800 + 4 * 600,
        rollbackMaximumBatchSize: { type: 'CAPACITY_PERCENT', value: 50 },
      },
      autoRollbackConfiguration: { alarms: [{ alarmName: 'alarm-1' }] },
    });
  });

  test('all at once keeps the old fleet for the bake', () => {
    expect(bound(Rollout.allAtOnce({ bake: Duration.minutes(30) }), one).config.blueGreenUpdatePolicy).toEqual({
      trafficRoutingConfiguration: { type: 'ALL_AT_ONCE', waitIntervalInSeconds: 0 },
      terminationWaitInSeconds: 1800,
      maximumExecutionTimeoutInSeconds: 3600,
    });
  });

  test.each([
    ['by equal steps', Rollout.linear()],
    ['in batches', Rollout.rolling()],
  ])('%s moves a quarter of the fleet where nothing else is asked, and one instance where that is more', (_, rollout) => {
    const size = (variant: ServedVariant) => JSON.stringify(bound(rollout, variant).config).match(/CAPACITY_PERCENT","value":(\d+)/)![1];
    expect([ten, { ...ten, minCapacity: 3, maxCapacity: 3 }, pair].map(size)).toEqual(['25', '34', '50']);
  });

  test('takes the timeout it is given', () => {
    const { config } = bound(Rollout.canary({ timeout: Duration.hours(8) }));
    expect(config.blueGreenUpdatePolicy.maximumExecutionTimeoutInSeconds).toBe(28_800);
  });

  test('never asks for more time than SageMaker gives', () => {
    const { config } = bound(Rollout.linear({ percent: 15, bake: Duration.hours(1), terminationWait: Duration.minutes(45) }));
    expect(config.blueGreenUpdatePolicy.maximumExecutionTimeoutInSeconds).toBe(28_800);
  });

  test('rolls back on the user’s alarms as well', () => {
    const stack = new Stack(new App(), 'Stack');
    const metric = new Metric({ namespace: 'Fledge', metricName: 'LogM' });
    const judge = new Alarm(stack, 'Judge', { metric, threshold: 1, evaluationPeriods: 1 });
    const { alarms: all } = stack.resolve(Rollout.canary({ alarms: [judge] })._bind(stack, ten, alarms(1))).autoRollbackConfiguration;
    expect(all).toEqual([{ alarmName: 'alarm-1' }, { alarmName: { Ref: expect.stringMatching(/^Judge/) } }]);
  });
});

describe('where nothing is asked', () => {
  test.each<[string, ServedVariant, string]>([
    ['two instances or more get a canary', pair, 'CANARY'],
    ['one instance is moved at once', one, 'ALL_AT_ONCE'],
    ['an async variant that may sleep is moved at once', { ...one, kind: 'async', minCapacity: 0 }, 'ALL_AT_ONCE'],
    ['a serverless variant is moved at once', { ...one, kind: 'serverless', instanceType: undefined, minCapacity: 5 }, 'ALL_AT_ONCE'],
    ['Inf1, for which SageMaker knows nothing else, is moved at once', { ...ten, instanceType: 'ml.inf1.xlarge' }, 'ALL_AT_ONCE'],
  ])('%s', (_, variant, type) => {
    expect(bound(Rollout._default(variant), variant).config.blueGreenUpdatePolicy.trafficRoutingConfiguration.type).toBe(type);
  });
});

describe('a user is told', () => {
  test('that ten percent of a fleet scaled in to two instances is half of the requests', () => {
    const { stack } = bound(Rollout.canary({ percent: 10 }), { ...ten, minCapacity: 2 });
    Annotations.fromStack(stack).hasInfo('*', '10 % of 2 instances is at least one instance: a canary step moves 50 % of the requests');
  });

  test('nothing of the kind where instances divide', () => {
    const { stack } = bound(Rollout.canary({ percent: 10 }), ten);
    Annotations.fromStack(stack).hasNoInfo('*', Match.anyValue());
  });

  test('that a bake ends before its alarms can see', () => {
    const { stack } = bound(Rollout.canary({ bake: Duration.minutes(2) }));
    Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('a bake of 120 s ends before the rollback alarms.*at least 300 s'));
  });
});

describe('a rollout is refused', () => {
  const inf1 = { ...ten, instanceType: 'ml.inf1.xlarge' };
  const serverless: ServedVariant = { ...ten, kind: 'serverless', instanceType: undefined };
  test.each<[string, () => unknown, string]>([
    [
      'with a canary of one instance',
      () => bound(Rollout.canary({ percent: 10 }), one),
      'Rollout.canary moves whole instances, and variant live may have 1: set a min of 2, or use Rollout.allAtOnce(), which rolls back on the same alarms',
    ],
    ['with linear steps of one instance', () => bound(Rollout.linear(), one), 'Rollout.linear moves whole instances'],
    ['with batches of one instance', () => bound(Rollout.rolling(), one), 'Rollout.rolling moves whole instances'],
    ['with a canary above half', () => Rollout.canary({ percent: 51 }), 'percent of a canary step is a whole number from 1 to 50, got 51'],
    ['with a canary of 0', () => Rollout.canary({ percent: 0 }), 'percent of a canary step is a whole number from 1 to 50, got 0'],
    [
      'with a canary of more than half of the instances',
      () => bound(Rollout.canary({ instances: 2 }), pair),
      'at most 50 % of the fleet, and 2 of 2 instances are more: use at most 1, or percent',
    ],
    [
      'with a canary that no instance is so small for',
      () => bound(Rollout.canary({ percent: 5 }), { ...pair, maxCapacity: 19 }),
      '5 % of 19 instances is less than one, and SageMaker moves whole instances: say instances: 1, or percent: 6',
    ],
    [
      'with linear steps below one instance',
      () => bound(Rollout.linear({ percent: 10 }), pair),
      '10 % of 2 instances is less than one, and SageMaker moves whole instances: say instances: 1, or percent: 50',
    ],
    ['with a canary of both percent and instances', () => Rollout.canary({ percent: 10, instances: 1 }), 'percent or instances, not both'],
    [
      'with linear steps below a tenth',
      () => Rollout.linear({ percent: 9 }),
      'percent of a linear step is a whole number from 10 to 50, got 9',
    ],
    [
      'with linear steps of too few instances once scaled out',
      () => bound(Rollout.linear({ instances: 1 }), { ...ten, maxCapacity: 20 }),
      'at least 10 % of the fleet, and 1 of 20 instances are fewer: use percent, or at least 2',
    ],
    [
      'with batches below a twentieth',
      () => Rollout.rolling({ percent: 4 }),
      'percent of a rolling step is a whole number from 5 to 50, got 4',
    ],
    [
      'with a rollback batch above the fleet',
      () => Rollout.rolling({ rollbackPercent: 101 }),
      'rollbackPercent is a whole number from 5 to 100, got 101',
    ],
    [
      'with a bake above an hour',
      () => Rollout.canary({ bake: Duration.minutes(61) }),
      'bake in seconds is a whole number from 0 to 3600, got 3660',
    ],
    [
      'with a termination wait above an hour',
      () => Rollout.canary({ terminationWait: Duration.hours(2) }),
      'terminationWait in seconds is a whole number from 0 to 3600, got 7200',
    ],
    [
      'with a timeout below ten minutes',
      () => Rollout.canary({ timeout: Duration.minutes(9) }),
      'timeout in seconds is a whole number from 600 to 28800, got 540',
    ],
    [
      'with a timeout above eight hours',
      () => Rollout.allAtOnce({ timeout: Duration.hours(9) }),
      'timeout in seconds is a whole number from 600 to 28800, got 32400',
    ],
    [
      'with a timeout that its waits use up',
      () => bound(Rollout.canary({ timeout: Duration.minutes(20) })),
      'the waits of this rollout are 20 minutes in 2, and its timeout 20 minutes',
    ],
    [
      'with steps and bakes that need more than eight hours',
      () => bound(Rollout.linear({ percent: 10, bake: Duration.hours(1) })),
      'make the bakes shorter or the steps larger',
    ],
    ['without alarms', () => bound(Rollout.canary(), ten, []), 'a rollout without alarms never rolls back'],
    ['with 11 alarms', () => bound(Rollout.canary(), ten, alarms(11)), 'SageMaker takes at most 10 rollback alarms, got 11'],
    [
      'in batches of serverless capacity',
      () => bound(Rollout.rolling(), serverless),
      'a serverless variant has no instances to move in steps, so Rollout.rolling cannot update it: use Rollout.allAtOnce()',
    ],
    ['on Inf1, where SageMaker would ignore it', () => bound(Rollout.canary(), inf1), 'on ml.inf1.xlarge SageMaker ignores Rollout.canary'],
  ])('%s', (_, rollOut, message) => {
    expect(rollOut).toThrow(message);
  });
});

test('a second variant must be divisible in the same steps', () => {
  const stack = newStack();
  const model = () => ({ artifact: publishedArtifact(stack), image: ServingImage.sklearn('1.2') });
  const one = Capacity.instances({ instanceType: 'ml.m5.large', min: 1 });
  const endpoint = new ModelEndpoint(stack, 'Delay', { ...model(), rollout: Rollout.canary() });
  expect(() => endpoint.addVariant('challenger', { ...model(), capacity: one })).toThrow('variant challenger may have 1: set a min of 2');
  const whole = new ModelEndpoint(stack, 'Whole', { ...model(), rollout: Rollout.allAtOnce() });
  expect(() => whole.addVariant('challenger', { ...model(), capacity: one })).not.toThrow();
});
