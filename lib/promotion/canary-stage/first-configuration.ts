import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CustomResource, Duration, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { HandedOver } from '../../endpoint/owner';
import { sageMakerArn } from '../../endpoint/sagemaker-arn';
import { stemOf } from '../names';
import { fleetAlarmsArn } from './alarm-arn';
import { StageFunction } from './stage-function';
import type { PublishedVersion } from './version';

/** @internal */
export interface FirstConfigurationProps {
  readonly handed: HandedOver;
  readonly version: PublishedVersion;
  readonly encryptionKey: IKey;
  readonly functionName: string;
}

/**
 * The configuration that the endpoint is created with, and its tags. Its name never changes, so that CloudFormation creates the endpoint and deletes it, and never moves it; when it
 * goes, it takes everything with it that promotions made.
 *
 * @internal
 */
export class FirstConfiguration extends Construct {
  public readonly configName: string;

  constructor(scope: Construct, id: string, { handed, version, encryptionKey, functionName }: FirstConfigurationProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const { endpointName } = handed.served;
    const { executionRoleArn, enableNetworkIsolation, vpcConfig, dependencies } = handed.model;
    const maker = new StageFunction(this, 'Function', {
      bundle: 'first-configuration',
      functionName,
      description: `makes the first configuration of the SageMaker endpoint ${endpointName}, and clears away the last`,
      encryptionKey,
      timeout: Duration.minutes(5),
      memoryMebibytes: 256,
    });
    this.allow(maker, endpointName, version.groupName, handed);
    this.standBetween(maker, version);
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::FirstConfiguration',
      serviceToken: maker.resource.functionArn,
      serviceTimeout: Duration.minutes(6),
      properties: {
        EndpointName: endpointName,
        Model: stack.toJsonString({
          ExecutionRoleArn: executionRoleArn,
          EnableNetworkIsolation: enableNetworkIsolation,
          VpcConfig: vpcConfig && { SecurityGroupIds: vpcConfig.securityGroupIds, Subnets: vpcConfig.subnets },
          Containers: [{ ModelPackageName: version.modelPackageArn }],
        }),
        Configuration: stack.toJsonString(handed.configuration),
      },
    });
    resource.node.addDependency(dependencies);
    this.configName = resource.ref;
    new CustomResource(this, 'Tags', {
      resourceType: 'Custom::EndpointTags',
      serviceToken: maker.resource.functionArn,
      serviceTimeout: Duration.minutes(6),
      properties: { EndpointArn: handed.resource.ref, Tags: stack.toJsonString(handed.tags) },
    });
  }

  /** Lets a deployment that failed to make the group take it back, with the version that it holds by then. */
  private standBetween(maker: StageFunction, { group, groupName, resource: version }: PublishedVersion): void {
    if (group === undefined || version === undefined) return;
    const stack = Stack.of(this);
    const versions = sageMakerArn(this, 'model-package', `${groupName}/*`);
    maker.allow('LookWhetherStackGoesBack', ['cloudformation:DescribeStacks'], [stack.stackId]);
    maker.allow('ListVersions', ['sagemaker:ListModelPackages'], [sageMakerArn(this, 'model-package-group', groupName)]);
    maker.allow('TakeVersionsBack', ['sagemaker:DeleteModelPackage'], [versions], undefined, 'the versions of one model package group');
    const between = new CustomResource(this, 'Versions', {
      resourceType: 'Custom::FirstVersions',
      serviceToken: maker.resource.functionArn,
      serviceTimeout: Duration.minutes(6),
      properties: { GroupName: groupName },
    });
    between.node.addDependency(group);
    version.node.addDependency(between);
  }

  private allow(maker: StageFunction, endpointName: string, groupName: string, { role }: HandedOver): void {
    const arn = (resource: string, name: string) => sageMakerArn(this, resource, name);
    const own = `${stemOf(endpointName)}-*`;
    const why = "the models and configurations of one endpoint's stage";
    const configurations = arn('endpoint-config', own);
    const models = arn('model', own);
    maker.allow(
      'MakeFirst',
      ['sagemaker:AddTags', 'sagemaker:CreateEndpointConfig', 'sagemaker:CreateModel'],
      [configurations, models],
      undefined,
      why,
    );
    maker.allow(
      'ReadPackage',
      ['sagemaker:DescribeModelPackage'],
      [arn('model-package', `${groupName}/*`)],
      undefined,
      'the versions of one model package group',
    );
    maker.allow('PassRole', ['iam:PassRole'], [role.role.roleArn], { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } });
    maker.allow('TagEndpoint', ['sagemaker:AddTags', 'sagemaker:DeleteTags'], [arn('endpoint', endpointName)]);
    maker.allow('LookWhatServes', ['sagemaker:DescribeEndpoint'], [arn('endpoint', endpointName)]);
    maker.allow(
      'ReadWhatServes',
      ['sagemaker:DescribeEndpointConfig', 'sagemaker:DescribeModel'],
      [configurations, models],
      undefined,
      why,
    );
    maker.allow('ClearAway', ['sagemaker:DeleteEndpointConfig', 'sagemaker:DeleteModel'], [configurations, models], undefined, why);
    maker.allow(
      'ClearAlarms',
      ['cloudwatch:DeleteAlarms'],
      [fleetAlarmsArn(this, endpointName)],
      undefined,
      "alarms of one endpoint's stage",
    );
    maker.allow(
      'ListWhatWasMade',
      ['sagemaker:ListEndpointConfigs', 'sagemaker:ListModels'],
      ['*'],
      undefined,
      'lists have no resources in IAM',
    );
  }
}
