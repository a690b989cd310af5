import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Alias, Architecture, type CfnFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { ArnFormat, Duration, RemovalPolicy, type Size, Stack, Validations } from 'aws-cdk-lib/core';
import { Construct, DependencyGroup } from 'constructs';
import { acknowledge, acknowledgeWildcards } from '../../endpoint/acknowledge';
import { allowLogGroup } from '../../endpoint/encryption';
import { bundledFunction, FUNCTION_RUNTIME } from '../../endpoint/function-code';
import { deployedLength } from './deployed-length';

/** @internal */
export interface StageFunctionProps {
  /** Below `dist/lambda`. */
  readonly bundle: string;
  /** Literal, at most 64 characters, so that its policy can name it before it exists. */
  readonly functionName: string;
  /**
   * Where another account's policies name the role.
   *
   * @default - CloudFormation makes one up
   */
  readonly roleName?: string;
  readonly description: string;
  readonly encryptionKey: IKey;
  readonly timeout: Duration;
  readonly memoryMebibytes: number;
  readonly ephemeralStorage?: Size;
  readonly environment?: Record<string, string>;
  /** Makes it durable: how long one execution may last. */
  readonly executionTimeout?: Duration;
  /** Where an event goes that could not be worked on. */
  readonly deadLetters?: IQueue;
}

/** What is kept of a durable execution once it ended. The record in the stage's bucket stays. */
const HISTORY = Duration.days(90);

/** IAM takes 6,144 characters a policy; the rest is for what a deployment writes longer than is thought here. */
const MOST_OF_A_POLICY = 5600;

/**
 * A function of this package's: bundled when the package is built, in a role with the statements that it is given and no others, its log encrypted and kept for a
 * year.
 *
 * @internal
 */
export class StageFunction extends Construct {
  public readonly resource: LambdaFunction;
  /** Filled one after the other. */
  private policy: ManagedPolicy;
  private readonly policies = new DependencyGroup();
  private readonly role: Role;
  private readonly what: string;
  private used = 0;
  private count = 0;

  constructor(scope: Construct, id: string, props: StageFunctionProps) {
    super(scope, id);
    const { functionName, description, encryptionKey, executionTimeout } = props;
    this.role = new Role(this, 'Role', { roleName: props.roleName, description, assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.what = `what ${functionName} does`;
    this.policy = this.addPolicy();
    const logGroup = this.addLogGroup(functionName, encryptionKey);
    this.resource = new LambdaFunction(this, 'Resource', {
      functionName,
      description,
      role: this.role.withoutPolicyUpdates(),
      logGroup,
      code: bundledFunction(props.bundle),
      handler: 'index.handler',
      runtime: FUNCTION_RUNTIME,
      architecture: Architecture.ARM_64,
      timeout: props.timeout,
      memorySize: props.memoryMebibytes,
      ephemeralStorageSize: props.ephemeralStorage,
      environment: props.environment,
      environmentEncryption: encryptionKey,
      durableConfig: executionTimeout && { executionTimeout, retentionPeriod: HISTORY },
      deadLetterQueue: props.deadLetters,
      retryAttempts: props.deadLetters && 2,
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN, description },
    });
    // The version may only be invoked once the role may do what it is for.
    this.resource.node.addDependency(this.policies);
    if (executionTimeout !== undefined) this.allowCheckpoints(functionName);
    if (props.deadLetters !== undefined) this.allow('KeepLost', ['sqs:SendMessage'], [props.deadLetters.queueArn]);
    this.allow('DecryptSettings', ['kms:Decrypt'], [encryptionKey.keyArn]);
    this.explain();
  }

  /** A published version under a name that stays: durable executions end on the version that they began on. */
  public publish(): Alias {
    return new Alias(this, 'Live', { aliasName: 'live', version: this.resource.currentVersion });
  }

  /** @param wildcard why a wildcard in it is as narrow as can be; needed where it has one */
  public allow(sid: string, actions: string[], resources: string[], conditions?: Record<string, unknown>, wildcard?: string): void {
    const statement = new PolicyStatement({ sid, actions, resources, conditions });
    const length = deployedLength(Stack.of(this).resolve(statement.toStatementJson()));
    if (this.used + length > MOST_OF_A_POLICY) {
      this.policy = this.addPolicy();
      this.used = 0;
    }
    this.used += length;
    this.policy.addStatements(statement);
    if (wildcard !== undefined) acknowledgeWildcards(this.policy, statement, wildcard);
  }

  private addPolicy(): ManagedPolicy {
    this.count += 1;
    const id = this.count === 1 ? 'Policy' : `Policy${this.count}`;
    const policy = new ManagedPolicy(this, id, { description: this.what, roles: [this.role] });
    this.policies.add(policy);
    return policy;
  }

  private allowCheckpoints(functionName: string): void {
    const arn = Stack.of(this).formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: `${functionName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.allow(
      'KeepCheckpoints',
      ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'],
      [arn],
      undefined,
      'the versions of this one function and their executions',
    );
  }

  private addLogGroup(functionName: string, encryptionKey: IKey): LogGroup {
    const logGroupName = `/aws/lambda/${functionName}`;
    const arn = Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: logGroupName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    allowLogGroup(encryptionKey, this, arn, `EncryptLogsOf${functionName.replace(/[^A-Za-z0-9]/g, '')}`);
    this.allow(
      'WriteLog',
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      [`${arn}:*`],
      undefined,
      'the streams of one log group; Lambda chooses their names',
    );
    return new LogGroup(this, 'Log', {
      logGroupName,
      encryptionKey,
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  private explain(): void {
    acknowledge(this, 'LambdaInsideVPC', 'it calls AWS APIs only; a VPC would add a way in and a NAT to pay');
    acknowledge(
      this,
      'LambdaConcurrency',
      'one execution an approved version or a deployment; reserving concurrency would take it from others',
    );
    acknowledge(this, 'LambdaTracing', 'its log, and of a promotion the record, say what it asked of AWS and when');
    if (this.resource.deadLetterQueue === undefined) {
      acknowledge(this, 'LambdaDLQ', 'CloudFormation calls it and gets its failure as the answer; nothing is lost to a queue');
    } else acknowledge(this, 'LambdaAsyncFailureDestination', 'what it could not begin to work on goes to its dead-letter queue');
    Validations.of(this).acknowledge({
      id: 'Annotation::aws-lambda:Function.DurableConfig',
      reason: 'it is durable from its first deployment on',
    });
    // aws-cdk-lib lets every function wait for its role twice, by name and by reference; cfn-lint warns of it.
    (this.resource.node.defaultChild as CfnFunction).addMetadata('cfn-lint', { config: { ignore_checks: ['W3005'] } });
  }
}
