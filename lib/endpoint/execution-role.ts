import { type IRole, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Annotations, ArnFormat, Stack } from 'aws-cdk-lib/core';
import { Construct, DependencyGroup } from 'constructs';
import { acknowledgeWildcards } from './acknowledge';
import { underOwnSid } from './own-sid';

/**
 * The role that SageMaker takes on to run the endpoint, with the statements it needs and no others.
 *
 * @internal
 */
export class ExecutionRole extends Construct {
  public readonly role: IRole;
  /** Customer managed rather than inline, as NIST, HIPAA and PCI packs ask. */
  private readonly policy?: ManagedPolicy;
  /** The policies: what a model waits for, so that it never starts before the role may read it. The endpoint waits for the model. */
  public readonly policies = new DependencyGroup();
  /** The content of each that this endpoint has added. */
  private readonly statements = new Set<string>();

  /** @param given the user's own role; its statements are added where the role can be changed */
  constructor(scope: Construct, id: string, endpointName: string, given?: IRole) {
    super(scope, id);
    if (given !== undefined) requireTrustInSageMaker(given);
    this.role =
      given ??
      new Role(this, 'Resource', {
        description: `runs the SageMaker endpoint ${endpointName}`,
        assumedBy: new ServicePrincipal('sagemaker.amazonaws.com', {
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
        }),
      });
    if (this.role instanceof Role) {
      warnOfManyPolicies(this, this.role);
      this.policy = new ManagedPolicy(this, 'Policy', {
        description: `what the SageMaker endpoint ${endpointName} does`,
        roles: [this.role],
      });
      this.policies.add(this.policy);
    }
  }

  /**
   * Adds a statement, once; to a role imported as immutable nothing is added. Sids stay unique: several variants read a model each,
   * and several endpoints may share an imported role.
   *
   * @param wildcard why a wildcard in the statement is as narrow as can be; needed where it has one
   */
  public allow(statement: PolicyStatement, wildcard?: string): void {
    const unique = underOwnSid(this.policy ?? this.role, statement);
    const content = JSON.stringify(Stack.of(this).resolve(unique.toStatementJson()));
    if (this.statements.has(content)) return;
    this.statements.add(content);
    if (this.policy !== undefined) this.policy.addStatements(unique);
    else this.policies.add(this.role.addToPrincipalPolicy(unique).policyDependable ?? this.role);
    if (wildcard !== undefined) acknowledgeWildcards(this.policy ?? this.role, statement, wildcard);
  }

  /** Logs, metrics and alarms: what every endpoint's role needs, whatever it serves. */
  public allowToReport(logGroupArn: string): void {
    const stack = Stack.of(this);
    this.allow(
      new PolicyStatement({
        sid: 'WriteContainerLogs',
        actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        resources: [logGroupArn, `${logGroupArn}:log-stream:*`],
      }),
      'the streams of one log group; SageMaker chooses their names',
    );
    this.allow(
      new PolicyStatement({
        sid: 'PublishMetrics',
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': ['AWS/SageMaker', '/aws/sagemaker/Endpoints'] } },
      }),
      'PutMetricData has no resources in IAM; a condition holds its namespace',
    );
    this.allow(
      new PolicyStatement({
        sid: 'WatchRollbackAlarms',
        actions: ['cloudwatch:DescribeAlarms'],
        resources: [
          stack.formatArn({ service: 'cloudwatch', resource: 'alarm', resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME }),
        ],
      }),
      'read only: a deployment may name any alarm of this account and region, and composite alarms are read only under a wildcard',
    );
  }

  /** Uses versions of a model package group. */
  public allowVersions(modelPackageArns: string, wildcard: string): void {
    this.allow(
      new PolicyStatement({
        sid: 'UseModelPackages',
        actions: ['sagemaker:AccessModelPackage', 'sagemaker:DescribeModelPackage'],
        resources: [modelPackageArns],
      }),
      wildcard,
    );
  }

  /** Pulls from one repository. */
  public allowToPull(repositoryArn: string): void {
    this.allow(
      new PolicyStatement({
        sid: 'PullServingImage',
        actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        resources: [repositoryArn],
      }),
    );
    this.allow(
      new PolicyStatement({ sid: 'LogInToRegistry', actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }),
      'GetAuthorizationToken has no resources in IAM',
    );
  }
}

/** Endpoints that a role has by now: each brings a managed policy. */
const endpointsOf = new WeakMap<Role, number>();

/** IAM attaches ten managed policies to a role until asked for more. */
function warnOfManyPolicies(scope: Construct, role: Role): void {
  const endpoints = (endpointsOf.get(role) ?? 0) + 1;
  endpointsOf.set(role, endpoints);
  if (endpoints <= 10) return;
  Annotations.of(scope).addWarningV2(
    'cdk-fledge:roleOfManyEndpoints',
    `the role ${role.node.path} runs ${endpoints} endpoints, each with a managed policy, and IAM attaches 10 to a role: give endpoints roles of their own, or have the quota raised`,
  );
}

/** A role of this app says whom it trusts; of an imported one nothing is known. */
function requireTrustInSageMaker(role: IRole): void {
  if (!(role instanceof Role) || role.assumeRolePolicy === undefined) return;
  const trust = JSON.stringify(Stack.of(role).resolve(role.assumeRolePolicy.toJSON()));
  if (!trust.includes('sagemaker.amazonaws.com')) {
    throw new Error(
      `the execution role ${role.node.path} does not trust sagemaker.amazonaws.com, so SageMaker cannot take it on: create it with assumedBy: new ServicePrincipal('sagemaker.amazonaws.com')`,
    );
  }
}
