import { Match, Template } from 'aws-cdk-lib/assertions';
import { Schedule } from 'aws-cdk-lib/aws-applicationautoscaling';
import { App, CfnResource, Duration, Stack, TimeZone } from 'aws-cdk-lib/core';
import { instanceFamily, instanceShape } from '../../lib/endpoint/instance-type';
import { Scaling } from '../../lib/endpoint/scaling';
import { bindScaling } from '../../lib/endpoint/scaling-target';
import type { ServedVariant } from '../../lib/endpoint/served-variant';
import serviceModel from '../../lib/local/shapes/sagemaker.json';

const live: ServedVariant = {
  endpointName: 'flight-delay',
  variantName: 'live',
  endpointConfigName: 'config',
  kind: 'instances',
  instanceType: 'ml.c7g.large',
  minCapacity: 2,
  maxCapacity: 10,
};
const sleeper: ServedVariant = { ...live, kind: 'async', instanceType: 'ml.g5.12xlarge', minCapacity: 0, maxCapacity: 4 };
const serverless: ServedVariant = { ...live, kind: 'serverless', instanceType: undefined, minCapacity: 1, maxCapacity: 8 };

function scaled(variant: ServedVariant, ...scalings: Scaling[]): Template {
  const stack = new Stack(new App(), 'Stack');
  bindScaling(stack, variant, scalings, new CfnResource(stack, 'Endpoint', { type: 'AWS::SageMaker::Endpoint' }));
  return Template.fromStack(stack);
}

function policies(template: Template): Record<string, unknown>[] {
  return Object.values(template.findResources('AWS::ApplicationAutoScaling::ScalingPolicy')).map(({ Properties }) => Properties);
}

function tracking(template: Template): Record<string, unknown> {
  const [policy] = policies(template);
  return policy?.TargetTrackingScalingPolicyConfiguration as Record<string, unknown>;
}

describe('a variant that scales', () => {
  test('is one scalable target, registered once the endpoint serves, by the service-linked role', () => {
    const template = scaled(live, Scaling.invocationsPerInstance({ perSecond: 40 }), Scaling.cpuUtilization({ percent: 60 }));
    const targets = Object.values(template.findResources('AWS::ApplicationAutoScaling::ScalableTarget'));
    expect(targets).toEqual([
      {
        Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
        DependsOn: ['Endpoint'],
        Properties: {
          ServiceNamespace: 'sagemaker',
          ResourceId: 'endpoint/flight-delay/variant/live',
          ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
          MinCapacity: 2,
          MaxCapacity: 10,
        },
      },
    ]);
    expect(policies(template)).toHaveLength(2);
    template.resourceCountIs('AWS::IAM::Role', 0);
  });

  test('leaves room beside a second variant of the same endpoint', () => {
    const stack = new Stack(new App(), 'Stack');
    const endpoint = new CfnResource(stack, 'Endpoint', { type: 'AWS::SageMaker::Endpoint' });
    for (const variantName of ['live', 'candidate']) {
      bindScaling(stack, { ...live, variantName }, [Scaling.invocationsPerInstance({ perSecond: 40 })], endpoint);
    }
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { ResourceId: 'endpoint/flight-delay/variant/live' });
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      ResourceId: 'endpoint/flight-delay/variant/candidate',
    });
    expect(new Set(policies(template).map(({ PolicyName }) => PolicyName)).size).toBe(2);
  });

  test('stays as it starts where no scaling is given', () => {
    scaled(live).resourceCountIs('AWS::ApplicationAutoScaling::ScalableTarget', 0);
  });
});

describe('the target of a scaling', () => {
  test('by requests is what an instance bears in a minute, halved for safety', () => {
    expect(tracking(scaled(live, Scaling.invocationsPerInstance({ perSecond: 40 })))).toEqual({
      PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
      TargetValue: 1200,
      ScaleOutCooldown: 60,
      ScaleInCooldown: 300,
    });
  });

  test('takes the safety and the pace it is given', () => {
    const scaling = Scaling.invocationsPerInstance({
      perSecond: 40,
      safety: 0.8,
      scaleOutCooldown: Duration.seconds(0),
      scaleInCooldown: Duration.minutes(20),
      disableScaleIn: true,
    });
    expect(tracking(scaled(live, scaling))).toMatchObject({
      TargetValue: 1920,
      ScaleOutCooldown: 0,
      ScaleInCooldown: 1200,
      DisableScaleIn: true,
    });
  });

  test('by concurrency is the high-resolution metric', () => {
    expect(tracking(scaled(live, Scaling.concurrency({ perInstance: 5 })))).toMatchObject({
      PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantConcurrentRequestsPerModelHighResolution' },
      TargetValue: 5,
    });
  });

  test('by CPU is multiplied by the cores, as CloudWatch has their sum', () => {
    expect(tracking(scaled({ ...live, instanceType: 'ml.m5.4xlarge' }, Scaling.cpuUtilization({ percent: 60 })))).toMatchObject({
      CustomizedMetricSpecification: {
        Namespace: '/aws/sagemaker/Endpoints',
        MetricName: 'CPUUtilization',
        Statistic: 'Average',
        Dimensions: [
          { Name: 'EndpointName', Value: 'flight-delay' },
          { Name: 'VariantName', Value: 'live' },
        ],
      },
      TargetValue: 960,
    });
  });

  test('by GPU is multiplied by the GPUs', () => {
    expect(tracking(scaled({ ...live, instanceType: 'ml.g5.12xlarge' }, Scaling.gpuUtilization({ percent: 70 })))).toMatchObject({
      CustomizedMetricSpecification: { MetricName: 'GPUUtilization' },
      TargetValue: 280,
    });
  });

  test('by provisioned concurrency moves the warm capacity of a serverless variant', () => {
    const template = scaled(serverless, Scaling.provisionedConcurrency({ percent: 70 }));
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      ScalableDimension: 'sagemaker:variant:DesiredProvisionedConcurrency',
      MinCapacity: 1,
      MaxCapacity: 8,
    });
    expect(tracking(template)).toMatchObject({
      PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantProvisionedConcurrencyUtilization' },
      TargetValue: 0.7,
    });
  });
});

describe('an async variant with a minimum of 0', () => {
  const template = scaled(sleeper, Scaling.backlog({ perInstance: 3 }));

  test('may go to 0', () => {
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 0, MaxCapacity: 4 });
  });

  test('tracks the queue, which is the whole endpoint’s', () => {
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 3,
        CustomizedMetricSpecification: {
          Namespace: 'AWS/SageMaker',
          MetricName: 'ApproximateBacklogSizePerInstance',
          Dimensions: [{ Name: 'EndpointName', Value: 'flight-delay' }],
          Statistic: 'Average',
        },
      },
    });
  });

  test('wakes by an alarm that steps up by one', () => {
    const [stepId] = Object.keys(
      template.findResources('AWS::ApplicationAutoScaling::ScalingPolicy', { Properties: { PolicyType: 'StepScaling' } }),
    );
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      PolicyType: 'StepScaling',
      StepScalingPolicyConfiguration: {
        AdjustmentType: 'ChangeInCapacity',
        Cooldown: 300,
        StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 1 }],
      },
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'HasBacklogWithoutCapacity',
      Dimensions: [{ Name: 'EndpointName', Value: 'flight-delay' }],
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Period: 60,
      EvaluationPeriods: 2,
      TreatMissingData: 'missing',
      AlarmActions: [{ Ref: stepId }],
    });
  });

  test('needs no such alarm with a minimum of 1', () => {
    scaled({ ...sleeper, minCapacity: 1 }, Scaling.backlog()).resourceCountIs('AWS::CloudWatch::Alarm', 0);
  });
});

describe('a schedule', () => {
  test('moves the bounds of the one target, several times a day', () => {
    const template = scaled(
      live,
      Scaling.schedule({ schedule: Schedule.cron({ hour: '7', minute: '0' }), min: 6, timeZone: TimeZone.EUROPE_ZURICH }),
      Scaling.schedule({ schedule: Schedule.cron({ hour: '20', minute: '0' }), min: 2, max: 4 }),
      Scaling.concurrency({ perInstance: 5 }),
    );
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      ScheduledActions: [
        {
          ScheduledActionName: 'Schedule1',
          Schedule: 'cron(0 7 * * ? *)',
          Timezone: 'Europe/Zurich',
          ScalableTargetAction: { MinCapacity: 6, MaxCapacity: Match.absent() },
        },
        { ScheduledActionName: 'Schedule2', Schedule: 'cron(0 20 * * ? *)', ScalableTargetAction: { MinCapacity: 2, MaxCapacity: 4 } },
      ],
    });
  });

  test('may put an async variant to sleep', () => {
    const template = scaled(sleeper, Scaling.schedule({ schedule: Schedule.cron({ hour: '20', minute: '0' }), min: 0, max: 0 }));
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      ScheduledActions: [Match.objectLike({ ScalableTargetAction: { MinCapacity: 0, MaxCapacity: 0 } })],
    });
  });
});

describe('scaling is refused', () => {
  const cron = Schedule.cron({ hour: '7', minute: '0' });
  test.each<[string, () => unknown, string]>([
    [
      'of an ml.t2',
      () => scaled({ ...live, instanceType: 'ml.t2.medium' }, Scaling.concurrency({ perInstance: 5 })),
      'ml.t2.medium cannot scale: take another family',
    ],
    [
      'from 0 real-time instances',
      () => scaled({ ...live, minCapacity: 0 }, Scaling.concurrency({ perInstance: 5 })),
      'is at least 1, got 0: only Capacity.async can go to 0',
    ],
    [
      'where the minimum is above the maximum',
      () => scaled({ ...live, minCapacity: 11 }, Scaling.concurrency({ perInstance: 5 })),
      'variant live would scale from 11 to 10',
    ],
    [
      'where there is no room',
      () => scaled({ ...live, maxCapacity: 2 }, Scaling.concurrency({ perInstance: 5 })),
      'a minimum and a maximum of 2, so nothing can scale',
    ],
    [
      'of an async variant by requests, which it does not publish',
      () => scaled(sleeper, Scaling.invocationsPerInstance({ perSecond: 1 })),
      'Scaling.invocationsPerInstance is for Capacity.instances, but variant live is async: use Scaling.backlog',
    ],
    [
      'of a real-time variant by backlog, which it does not have',
      () => scaled(live, Scaling.backlog()),
      'Scaling.backlog is for Capacity.async, but variant live is instances',
    ],
    [
      'of a serverless variant by CPU',
      () => scaled(serverless, Scaling.cpuUtilization({ percent: 50 })),
      'Scaling.cpuUtilization is for Capacity.instances and Capacity.async, but variant live is serverless',
    ],
    [
      'of a serverless variant that keeps nothing warm',
      () => scaled({ ...serverless, minCapacity: 0, maxCapacity: 0 }, Scaling.provisionedConcurrency({ percent: 50 })),
      'keeps nothing warm to scale: set provisionedConcurrency',
    ],
    [
      'from 0 by what cannot wake it',
      () => scaled(sleeper, Scaling.gpuUtilization({ percent: 50 })),
      'would never wake from 0 instances by Scaling.gpuUtilization: add Scaling.backlog()',
    ],
    [
      'twice by one metric',
      () => scaled(live, Scaling.concurrency({ perInstance: 5 }), Scaling.concurrency({ perInstance: 9 })),
      'has Scaling.concurrency twice',
    ],
    ['by GPU on CPUs', () => scaled(live, Scaling.gpuUtilization({ percent: 50 })), 'ml.c7g.large has no GPU'],
    [
      'by GPU on Inferentia, whose use CloudWatch does not show',
      () => scaled({ ...live, instanceType: 'ml.inf2.xlarge' }, Scaling.gpuUtilization({ percent: 50 })),
      'ml.inf2.xlarge has no GPU that CloudWatch can see',
    ],
    [
      'by CPU on cores that are not known',
      () => scaled({ ...live, instanceType: 'ml.z9.large' }, Scaling.cpuUtilization({ percent: 50 })),
      'those of ml.z9.large are not known here',
    ],
    ['at 100 percent', () => Scaling.cpuUtilization({ percent: 100 }), 'percent is more than 0 and less than 100, got 100'],
    ['at no requests', () => Scaling.invocationsPerInstance({ perSecond: 0 }), 'perSecond is more than 0, got 0'],
    [
      'with a safety above 1',
      () => Scaling.invocationsPerInstance({ perSecond: 4, safety: 1.5 }),
      'safety is more than 0 and at most 1, got 1.5',
    ],
    ['at no concurrency', () => Scaling.concurrency({ perInstance: 0 }), 'perInstance is more than 0, got 0'],
    ['at a negative backlog', () => Scaling.backlog({ perInstance: -1 }), 'perInstance is more than 0, got -1'],
    ['by a schedule that moves nothing', () => Scaling.schedule({ schedule: cron }), 'a schedule moves min, max or both, got neither'],
    ['by a schedule to 0 real-time instances', () => scaled(live, Scaling.schedule({ schedule: cron, min: 0 })), 'at least 1, got 0'],
    [
      'by a schedule whose minimum passes the maximum',
      () => scaled(live, Scaling.schedule({ schedule: cron, min: 11 })),
      'would set the minimum to 11 and the maximum to 10',
    ],
  ])('%s', (_, scale, message) => {
    expect(scale).toThrow(message);
  });
});

describe('the catalogue of instance types', () => {
  const hosting = (serviceModel as unknown as { shapes: Record<string, { enum: string[] }> }).shapes.ProductionVariantInstanceType!.enum;

  test('knows every type that SageMaker hosts on', () => {
    expect(hosting.length).toBeGreaterThan(250);
    expect(hosting.filter((type) => instanceShape(type) === undefined)).toEqual([]);
  });

  test.each([
    ['ml.t2.medium', { vcpus: 2, gpus: 0, memoryGib: 4 }],
    ['ml.m4.10xlarge', { vcpus: 40, gpus: 0, memoryGib: 160 }],
    ['ml.c4.8xlarge', { vcpus: 36, gpus: 0, memoryGib: 60 }],
    ['ml.c8g.medium', { vcpus: 1, gpus: 0, memoryGib: 2 }],
    ['ml.g4dn.16xlarge', { vcpus: 64, gpus: 1, memoryGib: 256 }],
    ['ml.g5.48xlarge', { vcpus: 192, gpus: 8, memoryGib: 768 }],
    ['ml.p5.4xlarge', { vcpus: 16, gpus: 1, memoryGib: 256 }],
    ['ml.inf2.24xlarge', { vcpus: 96, gpus: 0, memoryGib: 384 }],
  ])('knows %s', (type, shape) => {
    expect(instanceShape(type)).toMatchObject(shape);
  });

  test('knows which families keep the model on local disks', () => {
    const local = [...new Set(hosting.filter((type) => instanceFamily(type)?.localStorage).map((type) => instanceShape(type)!.family))];
    expect(local.sort()).toEqual(
      `c5d c6gd dl1 g4dn g5 g6 g6e g7 g7e m5d m6gd p4d p4de p5 p5e p5en p6-b200 p6-b300 p6e-gb200 r5d r6gd r7gd trn1 trn1n trn2`.split(' '),
    );
  });

  test('says of no other that it knows it', () => {
    expect(instanceShape('ml.z9.large')).toBeUndefined();
    expect(instanceFamily('ml.z9.large')).toBeUndefined();
  });
});
