import { ACCOUNT, type Call, REGION, type Scenarios } from './scenario';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/model`;
const target = (name = 'live') => ({
  ServiceNamespace: 'sagemaker',
  ResourceId: `endpoint/flights/variant/${name}`,
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
});
const register = (more: object = { MinCapacity: 1, MaxCapacity: 4 }, name?: string): Call => [
  'RegisterScalableTarget',
  { ...target(name), ...more },
];
const policy = (PolicyName: string, TargetValue = 40, more: object = {}): Call => [
  'PutScalingPolicy',
  {
    ...target(),
    PolicyName,
    PolicyType: 'TargetTrackingScaling',
    TargetTrackingScalingPolicyConfiguration: {
      TargetValue,
      PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
      ScaleInCooldown: 300,
      ScaleOutCooldown: 60,
    },
    ...more,
  },
];
const described: Call = ['DescribeScalableTargets', { ServiceNamespace: 'sagemaker' }];
const policies: Call = ['DescribeScalingPolicies', { ServiceNamespace: 'sagemaker' }];
const actions: Call = ['DescribeScheduledActions', { ServiceNamespace: 'sagemaker' }];
const variant = (VariantName: string) => ({
  VariantName,
  ModelName: 'one',
  InstanceType: 'ml.m5.large',
  InitialInstanceCount: 1,
  InitialVariantWeight: 1,
});
/** What is scaled has to be there. */
const flights: readonly Call[] = [
  [
    'CreateModel',
    { ModelName: 'one', ExecutionRoleArn: ROLE, PrimaryContainer: { Image: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/onnx:1` } },
  ],
  ['CreateEndpointConfig', { EndpointConfigName: 'first', ProductionVariants: [variant('live'), variant('second'), variant('third')] }],
  ['CreateEndpoint', { EndpointName: 'flights', EndpointConfigName: 'first' }],
  ['DescribeEndpoint', { EndpointName: 'flights' }, 'settled'],
];

export const scaling: Scenarios = {
  'a target is registered, changed in part and deregistered': [
    ...flights,
    register(),
    described,
    register({ MaxCapacity: 6 }),
    described,
    register({ SuspendedState: { DynamicScalingInSuspended: true } }),
    described,
    ['DeregisterScalableTarget', target()],
    described,
  ],
  'a target that is not there': [...flights, ['DeregisterScalableTarget', target()]],
  'a target without its bounds': [...flights, register({ MinCapacity: 1 })],
  'a target whose bounds cross': [...flights, register({ MinCapacity: 5, MaxCapacity: 2 })],
  'a target of a dimension that does not exist': [
    ...flights,
    register({ MinCapacity: 1, MaxCapacity: 2, ScalableDimension: 'sagemaker:variant:Nothing' }),
  ],
  'targets by their names, and page by page': [
    ...flights,
    ...['live', 'second', 'third'].map((name) => register({ MinCapacity: 1, MaxCapacity: 4 }, name)),
    ['DescribeScalableTargets', { ServiceNamespace: 'sagemaker', ResourceIds: [target('second').ResourceId] }],
    ['DescribeScalableTargets', { ServiceNamespace: 'sagemaker', MaxResults: 2 }, 'whole'],
  ],
  'a policy is put, put again, described and deleted': [
    ...flights,
    register(),
    policy('busy'),
    policies,
    policy('busy', 80),
    policies,
    ['DescribeScalingPolicies', { ServiceNamespace: 'sagemaker', PolicyNames: ['other'] }],
    ['DeleteScalingPolicy', { ...target(), PolicyName: 'busy' }],
    policies,
    ['DeleteScalingPolicy', { ...target(), PolicyName: 'busy' }],
  ],
  'a policy of a target that is not there': [...flights, policy('busy')],
  'a policy goes with its target': [...flights, register(), policy('busy'), ['DeregisterScalableTarget', target()], policies],
  'policies page by page': [
    ...flights,
    register(),
    ...['a', 'b', 'c'].map((name) => policy(name)),
    ['DescribeScalingPolicies', { ServiceNamespace: 'sagemaker', MaxResults: 2 }, 'whole'],
  ],
  'a scheduled action is put, described and deleted': [
    ...flights,
    register(),
    [
      'PutScheduledAction',
      {
        ...target(),
        ScheduledActionName: 'morning',
        Schedule: 'cron(0 6 * * ? *)',
        ScalableTargetAction: { MinCapacity: 3, MaxCapacity: 8 },
      },
    ],
    actions,
    ['DeleteScheduledAction', { ...target(), ScheduledActionName: 'morning' }],
    actions,
    ['DeleteScheduledAction', { ...target(), ScheduledActionName: 'morning' }],
  ],
};
