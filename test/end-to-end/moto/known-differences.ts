/** Where moto is known to answer otherwise, and why the local SageMaker does not follow it. */
export interface KnownDifference {
  readonly operations: readonly string[];
  /** As {@link compare} names the place. */
  readonly at: readonly string[];
  /** Scenarios. @default - any */
  readonly in?: readonly string[];
  readonly because: string;
}

const EMPTY = 'the member is optional in the service model and was not given: moto answers an empty one';

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  { operations: ['DescribeModel'], at: ['Containers', 'VpcConfig', 'PrimaryContainer'], because: EMPTY },
  { operations: ['DescribeEndpointConfig', 'DescribeEndpoint'], at: ['DataCaptureConfig'], because: EMPTY },
  {
    operations: ['DescribeAlarms'],
    at: ['MetricAlarms.StateReasonData', 'MetricAlarms.Metrics', 'MetricAlarms.Dimensions'],
    because: EMPTY,
  },
  { operations: ['DescribeModel'], at: ['EnableNetworkIsolation'], because: 'moto forgets EnableNetworkIsolation and answers false' },
  {
    operations: ['CreateModel', 'CreateEndpointConfig', 'CreateEndpoint', 'CreateModelPackageGroup'],
    at: ['error'],
    in: [
      'a model that is there already',
      'an endpoint configuration that is there already',
      'an endpoint that is there already',
      'a model package group is created, described and listed',
    ],
    because: 'names are unique within an account and a region: moto overwrites what is there already',
  },
  {
    operations: ['CreateModel', 'ListModels'],
    at: ['error'],
    in: ['names that the service model refuses'],
    because: 'moto checks neither patterns nor ranges',
  },
  {
    operations: ['ListModels'],
    at: ['', 'Models', 'Models.ModelName', 'Models.ModelArn'],
    in: ['models are listed page by page'],
    because: 'moto lists all models always: it knows no MaxResults, NameContains, SortBy or SortOrder here',
  },
  {
    operations: ['DescribeEndpoint'],
    at: ['ProductionVariants.DeployedImages'],
    because: 'SageMaker says which image a variant runs (ProductionVariantSummary.DeployedImages); moto does not',
  },
  {
    operations: ['DescribeEndpoint'],
    in: ['weights and capacities of an endpoint'],
    at: ['CurrentWeight', 'DesiredWeight', 'CurrentInstanceCount', 'DesiredInstanceCount'].map((name) => `ProductionVariants.${name}`),
    because: 'moto leaves out a weight of 0, and numbers that an update did not name',
  },
  { operations: ['DescribeModelPackageGroup'], at: ['CreatedBy'], because: 'a required member of the output, which moto leaves out' },
  {
    operations: ['DescribeModelPackage'],
    at: ['CreatedBy', 'LastModifiedBy'],
    because: 'who called from a Studio profile: moto makes one up, and nobody here has one',
  },
  {
    operations: ['DescribeModelPackage'],
    at: ['ModelPackageStatusDetails.ValidationStatuses', 'ModelPackageStatusDetails.ImageScanStatuses'],
    because: 'moto invents a validation and a scan of packages that asked for neither',
  },
  {
    operations: ['DescribeModelPackage'],
    at: ['LastModifiedTime'],
    because: 'moto knows it after an update only',
  },
  {
    operations: ['DescribeModelPackage'],
    at: ['CustomerMetadataProperties', 'ApprovalDescription'],
    because: 'moto forgets them',
  },
  {
    operations: ['DescribeModelPackage', 'ListModelPackages'],
    at: ['ModelApprovalStatus', 'ModelPackageSummaryList.ModelApprovalStatus'],
    because: 'a version that nobody spoke about waits for approval (PendingManualApproval); moto leaves it without a status',
  },
  {
    operations: ['ListModelPackages'],
    at: ['error'],
    in: ['a version of a group, or a version, that is not there'],
    because: 'moto takes a group that is not there for an empty one',
  },
  {
    operations: ['AddTags', 'ListTags'],
    at: ['Tags'],
    in: ['tags of a model'],
    because: "'If the key already exists, its value is overwritten' (AddTags): moto keeps both",
  },
  {
    operations: ['AddTags', 'ListTags'],
    at: ['error'],
    in: ['tags of what is not there'],
    because: 'moto fails with status 500 and a page of HTML',
  },
  {
    operations: ['GetMetricData'],
    at: ['MetricDataResults.Label'],
    because: 'a label that nobody gave is made up, and how is not documented: the metric by moto with its statistic, here without',
  },
  {
    operations: ['GetMetricData'],
    at: ['MetricDataResults.Timestamps', 'MetricDataResults.Values'],
    in: ['expressions over metrics'],
    because: 'moto computes no expression over a query that returns no data itself',
  },
  {
    operations: ['PutMetricData'],
    at: ['error'],
    in: ["AWS's own namespaces"],
    because: 'a namespace must not begin with AWS/: moto takes it',
  },
  {
    operations: ['DescribeAlarms'],
    at: ['MetricAlarms.StateValue'],
    because: 'a new alarm begins as INSUFFICIENT_DATA: in moto it begins as OK',
  },
  {
    operations: ['DescribeAlarms'],
    at: ['MetricAlarms.StateReason'],
    in: ['an alarm that is put again'],
    because: "'When you update an existing alarm, its state is left unchanged' (PutMetricAlarm): moto begins anew",
  },
  { operations: ['DescribeAlarms'], at: [''], in: ['alarms page by page'], because: 'moto knows no MaxRecords' },
  {
    operations: ['DescribeScalableTargets'],
    at: ['ScalableTargets.RoleARN'],
    because: 'RoleARN is a required member of ScalableTarget: the service-linked role where none was given',
  },
  {
    operations: ['RegisterScalableTarget'],
    at: ['error'],
    in: ['a target without its bounds', 'a target whose bounds cross'],
    because: 'a new target needs both bounds, and the least must not be above the most: moto checks neither',
  },
  {
    operations: ['DeregisterScalableTarget', 'DeleteScalingPolicy', 'DeleteScheduledAction'],
    at: ['error'],
    in: [
      'a target that is not there',
      'a policy is put, put again, described and deleted',
      'a scheduled action is put, described and deleted',
    ],
    because: 'ObjectNotFoundException is the documented error: moto says ValidationException, or nothing',
  },
  {
    operations: ['PutScalingPolicy'],
    at: ['error'],
    in: ['a policy of a target that is not there'],
    because: 'a policy needs its target (ObjectNotFoundException): moto keeps it without one',
  },
  {
    operations: ['DescribeScalingPolicies'],
    at: ['ScalingPolicies'],
    in: ['a policy is put, put again, described and deleted', 'a policy goes with its target'],
    because: "'Deregistering a scalable target deletes the scaling policies' of it, and PolicyNames chooses: moto does neither",
  },
  {
    operations: ['DescribeScheduledActions'],
    at: ['ScheduledActions.ScheduledActionARN'],
    because: 'the ARN has an id and the word resource, as the examples of DescribeScheduledActions have it',
  },
];
