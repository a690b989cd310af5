import { Connections, type ISecurityGroup, type IVpc, Peer, Port, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { CfnModel } from 'aws-cdk-lib/aws-sagemaker';
import { Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { ExecutionRole } from './execution-role';

/** Where in a VPC an endpoint's containers stand. */
export interface NetworkOptions {
  /**
   * The VPC that the containers reach out through. SageMaker's network interfaces outlive the endpoint for a while and hold its security
   * group and subnets: keep the VPC in another stack.
   *
   * @default - no VPC: SageMaker's own network
   */
  readonly vpc?: IVpc;

  /**
   * At least two subnets in different availability zones.
   *
   * @default - the VPC's private subnets
   */
  readonly vpcSubnets?: SubnetSelection;

  /**
   * One to five.
   *
   * @default - a new one: nothing in, HTTPS out
   */
  readonly securityGroups?: ISecurityGroup[];
}

/**
 * The network interfaces of an endpoint's containers.
 *
 * @internal
 */
export class EndpointNetwork extends Construct {
  public readonly connections: Connections;
  private readonly subnetIds: string[];
  private readonly securityGroups: ISecurityGroup[];

  constructor(scope: Construct, id: string, vpc: IVpc, options: NetworkOptions) {
    super(scope, id);
    const { subnetIds, availabilityZones, isPendingLookup } = vpc.selectSubnets(options.vpcSubnets);
    if (!isPendingLookup && (subnetIds.length < 2 || new Set(availabilityZones).size < 2)) {
      throw new Error(
        `the endpoint needs two subnets in different availability zones, got ${subnetIds.length} in ${JSON.stringify([...new Set(availabilityZones)])}: select more with vpcSubnets`,
      );
    }
    if (options.securityGroups !== undefined && (options.securityGroups.length < 1 || options.securityGroups.length > 5)) {
      throw new Error(`an endpoint has 1 to 5 security groups, got ${options.securityGroups.length}`);
    }
    this.subnetIds = subnetIds;
    this.securityGroups = options.securityGroups ?? [this.httpsOut(vpc)];
    this.connections = new Connections({ securityGroups: this.securityGroups });
  }

  private httpsOut(vpc: IVpc): SecurityGroup {
    const group = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'containers of a SageMaker endpoint: nothing in, HTTPS out',
      allowAllOutbound: false,
    });
    group.addEgressRule(Peer.anyIpv4(), Port.HTTPS, 'S3, ECR and logs; through VPC endpoints where there are some');
    return group;
  }

  public get vpcConfig(): CfnModel.VpcConfigProperty {
    return { subnets: this.subnetIds, securityGroupIds: this.securityGroups.map(({ securityGroupId }) => securityGroupId) };
  }

  /** The nine actions that SageMaker asks for, each on as little as IAM can hold it to. */
  public allow(role: ExecutionRole): void {
    const stack = Stack.of(this);
    const ec2 = (resource: string, resourceName: string) => stack.formatArn({ service: 'ec2', resource, resourceName });
    const interfaces = ec2('network-interface', '*');
    const why = 'EC2 names a network interface only once it exists; subnets and security groups are named';
    role.allow(
      new PolicyStatement({
        sid: 'CreateNetworkInterfaces',
        actions: ['ec2:CreateNetworkInterface'],
        resources: [
          interfaces,
          ...this.subnetIds.map((id) => ec2('subnet', id)),
          ...this.securityGroups.map(({ securityGroupId }) => ec2('security-group', securityGroupId)),
        ],
      }),
      why,
    );
    role.allow(
      new PolicyStatement({
        sid: 'ManageNetworkInterfaces',
        actions: ['ec2:CreateNetworkInterfacePermission', 'ec2:DeleteNetworkInterface', 'ec2:DeleteNetworkInterfacePermission'],
        resources: [interfaces],
      }),
      why,
    );
    role.allow(
      new PolicyStatement({
        sid: 'DescribeNetwork',
        actions: [
          'ec2:DescribeDhcpOptions',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSecurityGroups',
          'ec2:DescribeSubnets',
          'ec2:DescribeVpcs',
        ],
        resources: ['*'],
      }),
      'these Describe actions have no resources in IAM',
    );
  }
}
