import { ACCOUNT, type Call, REGION, type Scenarios } from './scenario';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/model`;
const IMAGE = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/onnx:1`;
const arnOf = (resource: string) => `arn:aws:sagemaker:${REGION}:${ACCOUNT}:${resource}`;

const model = (ModelName: string, more: object = {}): Call => [
  'CreateModel',
  { ModelName, ExecutionRoleArn: ROLE, PrimaryContainer: { Image: IMAGE, Environment: { THREADS: '2' } }, ...more },
];
const variant = (VariantName: string, InitialVariantWeight = 1) => ({
  VariantName,
  ModelName: 'one',
  InstanceType: 'ml.m5.large',
  InitialInstanceCount: 1,
  InitialVariantWeight,
});
const config = (EndpointConfigName: string, more: object = {}): Call => [
  'CreateEndpointConfig',
  { EndpointConfigName, ProductionVariants: [variant('live')], ...more },
];
const endpoint: readonly Call[] = [
  model('one'),
  config('first'),
  ['CreateEndpoint', { EndpointName: 'flights', EndpointConfigName: 'first' }],
];
const group = (ModelPackageGroupName: string, more: object = {}): Call => ['CreateModelPackageGroup', { ModelPackageGroupName, ...more }];
const version = (more: object = {}): Call => [
  'CreateModelPackage',
  {
    ModelPackageGroupName: 'flights',
    InferenceSpecification: {
      Containers: [{ Image: IMAGE, ModelDataUrl: 's3://models/m.tar.gz' }],
      SupportedContentTypes: ['text/csv'],
      SupportedResponseMIMETypes: ['text/csv'],
    },
    ...more,
  },
];

export const sagemaker: Scenarios = {
  'a model is created, described and deleted': [
    model('one', { EnableNetworkIsolation: true }),
    ['DescribeModel', { ModelName: 'one' }],
    ['DeleteModel', { ModelName: 'one' }],
    ['DescribeModel', { ModelName: 'one' }],
  ],
  'a model of one container in a list': [
    model('one', { PrimaryContainer: undefined, Containers: [{ Image: IMAGE }] }),
    ['DescribeModel', { ModelName: 'one' }],
  ],
  'a model in a VPC': [
    model('one', { VpcConfig: { SecurityGroupIds: ['sg-1'], Subnets: ['subnet-1'] } }),
    ['DescribeModel', { ModelName: 'one' }],
  ],
  'a model that is not there': [
    ['DescribeModel', { ModelName: 'none' }],
    ['DeleteModel', { ModelName: 'none' }],
  ],
  'a model that is there already': [model('one'), model('one')],
  'models are listed page by page': [
    ...['a', 'b', 'c', 'd', 'e'].map((name) => model(name)),
    ['ListModels', { MaxResults: 2, SortBy: 'Name', SortOrder: 'Ascending' }, 'whole'],
    ['ListModels', { NameContains: 'c' }],
    ['ListModels', { SortBy: 'Name', SortOrder: 'Descending' }],
  ],
  'an endpoint configuration is created, described and deleted': [
    model('one'),
    config('first', { ProductionVariants: [variant('live', 3), variant('candidate', 1)] }),
    ['DescribeEndpointConfig', { EndpointConfigName: 'first' }],
    ['DeleteEndpointConfig', { EndpointConfigName: 'first' }],
    ['DescribeEndpointConfig', { EndpointConfigName: 'first' }],
  ],
  'an endpoint configuration with data capture and a key': [
    model('one'),
    config('first', {
      KmsKeyId: 'key-1',
      DataCaptureConfig: {
        EnableCapture: true,
        InitialSamplingPercentage: 10,
        DestinationS3Uri: 's3://captured/here',
        CaptureOptions: [{ CaptureMode: 'Input' }, { CaptureMode: 'Output' }],
      },
    }),
    ['DescribeEndpointConfig', { EndpointConfigName: 'first' }],
  ],
  'an endpoint configuration of a model that is not there': [config('first')],
  'an endpoint configuration that is there already': [model('one'), config('first'), config('first')],
  'an endpoint configuration that is not there': [
    ['DescribeEndpointConfig', { EndpointConfigName: 'none' }],
    ['DeleteEndpointConfig', { EndpointConfigName: 'none' }],
  ],
  'endpoint configurations are listed page by page': [
    model('one'),
    ...['a', 'b', 'c'].map((name) => config(name)),
    ['ListEndpointConfigs', { MaxResults: 2, SortBy: 'Name', SortOrder: 'Ascending' }, 'whole'],
    ['ListEndpointConfigs', { NameContains: 'b' }],
  ],
  'an endpoint comes into service and is deleted': [
    ...endpoint,
    ['DescribeEndpoint', { EndpointName: 'flights' }, 'settled'],
    ['ListEndpoints', {}],
    ['DeleteEndpoint', { EndpointName: 'flights' }],
  ],
  'an endpoint that is not there': [
    ['DescribeEndpoint', { EndpointName: 'none' }],
    ['DeleteEndpoint', { EndpointName: 'none' }],
  ],
  'an endpoint that is there already': [...endpoint, ['CreateEndpoint', { EndpointName: 'flights', EndpointConfigName: 'first' }]],
  'an endpoint of a configuration that is not there': [['CreateEndpoint', { EndpointName: 'flights', EndpointConfigName: 'none' }]],
  'weights and capacities of an endpoint': [
    model('one'),
    config('first', { ProductionVariants: [variant('live'), variant('candidate', 0)] }),
    ['CreateEndpoint', { EndpointName: 'flights', EndpointConfigName: 'first' }],
    ['DescribeEndpoint', { EndpointName: 'flights' }, 'settled'],
    [
      'UpdateEndpointWeightsAndCapacities',
      {
        EndpointName: 'flights',
        DesiredWeightsAndCapacities: [
          { VariantName: 'live', DesiredWeight: 0.75, DesiredInstanceCount: 2 },
          { VariantName: 'candidate', DesiredWeight: 0.25 },
        ],
      },
    ],
    ['DescribeEndpoint', { EndpointName: 'flights' }, 'settled'],
  ],
  'weights of an endpoint or a variant that is not there': [
    [
      'UpdateEndpointWeightsAndCapacities',
      { EndpointName: 'none', DesiredWeightsAndCapacities: [{ VariantName: 'live', DesiredWeight: 1 }] },
    ],
    ...endpoint,
    ['DescribeEndpoint', { EndpointName: 'flights' }, 'settled'],
    [
      'UpdateEndpointWeightsAndCapacities',
      { EndpointName: 'flights', DesiredWeightsAndCapacities: [{ VariantName: 'nobody', DesiredWeight: 1 }] },
    ],
  ],
  'endpoints are listed page by page': [
    model('one'),
    config('first'),
    ...['a', 'b', 'c'].map((EndpointName): Call => ['CreateEndpoint', { EndpointName, EndpointConfigName: 'first' }]),
    ...['a', 'b', 'c'].map((EndpointName): Call => ['DescribeEndpoint', { EndpointName }, 'settled']),
    ['ListEndpoints', { MaxResults: 2, SortBy: 'Name', SortOrder: 'Ascending' }, 'whole'],
    ['ListEndpoints', { StatusEquals: 'InService', SortBy: 'Name', SortOrder: 'Descending' }],
    ['ListEndpoints', { StatusEquals: 'Failed' }],
    ['ListEndpoints', { NameContains: 'b' }],
  ],
  'a model package group is created, described and listed': [
    group('flights', { ModelPackageGroupDescription: 'delays', Tags: [{ Key: 'team', Value: 'air' }] }),
    ['DescribeModelPackageGroup', { ModelPackageGroupName: 'flights' }],
    ['ListModelPackageGroups', {}],
    group('flights'),
    ['DescribeModelPackageGroup', { ModelPackageGroupName: 'none' }],
  ],
  'model package groups are listed page by page': [
    ...['a', 'b', 'c'].map((name) => group(name)),
    ['ListModelPackageGroups', { MaxResults: 2, SortBy: 'Name', SortOrder: 'Ascending' }, 'whole'],
    ['ListModelPackageGroups', { NameContains: 'b' }],
  ],
  'a version is registered, approved and described': [
    group('flights'),
    version({ ModelPackageDescription: 'the first', CustomerMetadataProperties: { digest: 'abc' } }),
    ['DescribeModelPackage', { ModelPackageName: arnOf('model-package/flights/1') }],
    [
      'UpdateModelPackage',
      { ModelPackageArn: arnOf('model-package/flights/1'), ModelApprovalStatus: 'Approved', ApprovalDescription: 'fine' },
    ],
    ['DescribeModelPackage', { ModelPackageName: arnOf('model-package/flights/1') }],
    [
      'UpdateModelPackage',
      {
        ModelPackageArn: arnOf('model-package/flights/1'),
        CustomerMetadataProperties: { author: 'me' },
        CustomerMetadataPropertiesToRemove: ['digest'],
      },
    ],
    ['DescribeModelPackage', { ModelPackageName: arnOf('model-package/flights/1') }],
  ],
  'versions are counted and listed': [
    group('flights'),
    version(),
    version({ ModelApprovalStatus: 'Approved' }),
    version({ ModelApprovalStatus: 'Rejected' }),
    ['ListModelPackages', { ModelPackageGroupName: 'flights', SortBy: 'CreationTime', SortOrder: 'Ascending' }],
    ['ListModelPackages', { ModelPackageGroupName: 'flights', ModelApprovalStatus: 'Approved' }],
    ['ListModelPackages', { ModelPackageGroupName: 'flights', MaxResults: 2, SortBy: 'CreationTime', SortOrder: 'Ascending' }, 'whole'],
  ],
  'a model package without a group': [
    version({ ModelPackageGroupName: undefined, ModelPackageName: 'alone' }),
    ['DescribeModelPackage', { ModelPackageName: 'alone' }],
    ['ListModelPackages', {}],
  ],
  'a version of a group, or a version, that is not there': [
    version(),
    ['DescribeModelPackage', { ModelPackageName: arnOf('model-package/flights/9') }],
    ['UpdateModelPackage', { ModelPackageArn: arnOf('model-package/flights/9'), ModelApprovalStatus: 'Approved' }],
    ['ListModelPackages', { ModelPackageGroupName: 'flights' }],
  ],
  'tags of a model': [
    model('one', { Tags: [{ Key: 'team', Value: 'air' }] }),
    ['ListTags', { ResourceArn: arnOf('model/one') }],
    [
      'AddTags',
      {
        ResourceArn: arnOf('model/one'),
        Tags: [
          { Key: 'stage', Value: 'test' },
          { Key: 'team', Value: 'ground' },
        ],
      },
    ],
    ['ListTags', { ResourceArn: arnOf('model/one') }],
    ['DeleteTags', { ResourceArn: arnOf('model/one'), TagKeys: ['team', 'nothing'] }],
    ['ListTags', { ResourceArn: arnOf('model/one') }],
  ],
  'tags of a configuration, an endpoint and a group': [
    model('one'),
    config('first', { Tags: [{ Key: 'a', Value: '1' }] }),
    ['CreateEndpoint', { EndpointName: 'flights', EndpointConfigName: 'first', Tags: [{ Key: 'b', Value: '2' }] }],
    group('flights', { Tags: [{ Key: 'c', Value: '3' }] }),
    ['ListTags', { ResourceArn: arnOf('endpoint-config/first') }],
    ['ListTags', { ResourceArn: arnOf('endpoint/flights') }],
    ['ListTags', { ResourceArn: arnOf('model-package-group/flights') }],
  ],
  'tags of what is not there': [
    ['ListTags', { ResourceArn: arnOf('model/none') }],
    ['AddTags', { ResourceArn: arnOf('model/none'), Tags: [{ Key: 'a', Value: '1' }] }],
  ],
  'names that the service model refuses': [
    model('not_a_name'),
    ['CreateEndpoint', { EndpointName: 'a b', EndpointConfigName: 'first' }],
    ['ListModels', { MaxResults: 101 }],
  ],
};
