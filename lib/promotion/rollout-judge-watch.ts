import { Alarm, ComparisonOperator, type IAlarm, type IAlarmAction, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaCode } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ArnFormat, type CfnResource, CustomResource, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcards } from '../endpoint/acknowledge';
import type { JudgedDeployment } from '../endpoint/deployment-judge';
import { allowLogGroup } from '../endpoint/encryption';
import { bundledFunction, FUNCTION_RUNTIME } from '../endpoint/function-code';
import { sageMakerArn } from '../endpoint/sagemaker-arn';
import type { JudgeSettings } from '../judge';
import { EVIDENCE_METRIC, ROLLOUT_VARIABLE } from './evidence-metric';

/** @internal */
export interface JudgeWatchProps extends JudgedDeployment {
  readonly settings: Partial<JudgeSettings>;
  readonly failClosed: boolean;
}

/** A tick, an evaluation of the alarm after it, and SageMaker's look at that, twice over: seconds before the end of the bake. */
const LEAD = 300;

/** Why nothing keeps a call that failed. */
const LOST_TICK = 'a lost tick is made up by the next, each from all counts; silence goes off as an alarm';

/**
 * The function that judges by the minute, and the alarm on what it publishes.
 *
 * @internal
 */
export class JudgeWatch extends Construct {
  /** Goes off on evidence against the new fleet, on the end of the bake without enough for it, and on a judge that is silent. */
  public readonly alarm: IAlarm;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: JudgeWatchProps,
  ) {
    super(scope, id);
    const { endpointName } = props.variant;
    const judge = this.addFunction();
    const clock = new Rule(this, 'Clock', {
      description: `judges deployments of the SageMaker endpoint ${endpointName}`,
      schedule: Schedule.rate(Duration.minutes(1)),
      // A tick that failed is made up by the next one; one that comes late says nothing that the next does not.
      targets: [new LambdaFunction(judge, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
    acknowledge(clock, 'EventBusDLQ', LOST_TICK);
    const firstWord = new CustomResource(this, 'FirstWord', { serviceToken: judge.functionArn, resourceType: 'Custom::FledgeFirstWord' });
    firstWord.node.addDependency(clock);
    this.alarm = this.addAlarm(firstWord);
    this.addFailureAlarm(judge);
  }

  private addFunction(): LambdaCode {
    const { endpointName, variantName } = this.props.variant;
    const { canary, bakeSeconds, failClosed, settings } = this.props;
    const logGroup = this.addLogGroup();
    const plan = { endpointName, variantName, canary, bakeSeconds, leadSeconds: LEAD, failClosed, settings };
    const role = this.addRole(logGroup);
    const judge = new LambdaCode(this, 'Function', {
      description: `judges deployments of the SageMaker endpoint ${endpointName}`,
      runtime: FUNCTION_RUNTIME,
      handler: 'index.handler',
      code: bundledFunction('rollout-judge'),
      environment: { [ROLLOUT_VARIABLE]: JSON.stringify(plan) },
      role: role.role,
      logGroup,
      memorySize: 512,
      timeout: Duration.seconds(50),
      // One by the clock, one by CloudFormation.
      reservedConcurrentExecutions: 2,
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
    });
    judge.node.addDependency(role.policy);
    // aws-cdk-lib lets every function wait for its role twice, by name and by reference; cfn-lint warns of it.
    (judge.node.defaultChild as CfnResource).addMetadata('cfn-lint', { config: { ignore_checks: ['W3005'] } });
    for (const rule of ['LambdaDLQ', 'LambdaAsyncFailureDestination']) acknowledge(judge, rule, LOST_TICK);
    acknowledge(judge, 'LambdaTracing', 'its log says what it counted and decided');
    acknowledge(judge, 'LambdaInsideVPC', 'it calls SageMaker and CloudWatch only; a VPC would add a way in and a NAT to pay');
    return judge;
  }

  private addRole(logGroup: LogGroup): { readonly role: Role; readonly policy: ManagedPolicy } {
    const { endpointName } = this.props.variant;
    const role = new Role(this, 'Role', {
      description: `judges deployments of the SageMaker endpoint ${endpointName}`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    const policy = new ManagedPolicy(this, 'Policy', {
      description: `what the judge of the SageMaker endpoint ${endpointName} does`,
      roles: [role],
    });
    const allow = (sid: string, actions: string[], resources: string[], wildcard?: string, conditions?: Record<string, unknown>) => {
      const statement = new PolicyStatement({ sid, actions, resources, conditions });
      policy.addStatements(statement);
      if (wildcard !== undefined) acknowledgeWildcards(policy, statement, wildcard);
    };
    allow('LookAtEndpoint', ['sagemaker:DescribeEndpoint'], [sageMakerArn(this, 'endpoint', endpointName)]);
    allow(
      'LookAtConfigurations',
      ['sagemaker:DescribeEndpointConfig'],
      [sageMakerArn(this, 'endpoint-config', '*')],
      'read only: which is the older of two configurations, whose names CloudFormation makes up at each deployment',
    );
    allow('ReadCounts', ['cloudwatch:GetMetricData'], ['*'], 'GetMetricData has no resources in IAM');
    allow(
      'PublishEvidence',
      ['cloudwatch:PutMetricData'],
      ['*'],
      'PutMetricData has no resources in IAM; a condition holds its namespace',
      { StringEquals: { 'cloudwatch:namespace': EVIDENCE_METRIC.namespace } },
    );
    allow('WriteLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
    return { role, policy };
  }

  private addLogGroup(): LogGroup {
    const { encryptionKey, variant } = this.props;
    const logGroupName = `/cdk-fledge/${variant.endpointName}/rollout-judge`;
    const arn = Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: logGroupName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    allowLogGroup(encryptionKey, this, arn, 'EncryptJudgeLogs');
    return new LogGroup(this, 'Log', {
      logGroupName,
      encryptionKey,
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  /** Made once CloudWatch has a first value: an alarm that was never fed would stop the deployment that brings the judge in. */
  private addAlarm(firstWord: CustomResource): Alarm {
    const { endpointName, variantName } = this.props.variant;
    const { namespace, name, dimensions } = EVIDENCE_METRIC;
    const alarm = new Alarm(this, 'Alarm', {
      alarmName: `${endpointName}-${variantName}-new-fleet-judge-evidence`,
      alarmDescription:
        'The new fleet was shown to be worse than the old one, was not shown to be not worse in time, or its judge is silent.',
      metric: new Metric({
        namespace,
        metricName: name,
        dimensionsMap: dimensions(endpointName),
        statistic: 'Maximum',
        period: Duration.minutes(1),
      }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // Each tick speaks for two minutes: of two, one may be missed.
      evaluationPeriods: 2,
      treatMissingData: TreatMissingData.BREACHING,
    });
    alarm.node.addDependency(firstWord);
    this.tell(alarm);
    return alarm;
  }

  private addFailureAlarm(judge: LambdaCode): void {
    const { endpointName, variantName } = this.props.variant;
    const alarm = new Alarm(this, 'Failures', {
      alarmName: `${endpointName}-${variantName}-judge-errors-count`,
      alarmDescription:
        'The judge of deployments failed three times in five minutes: while it is silent, no deployment passes. See its log.',
      metric: judge.metricErrors({ period: Duration.minutes(5), statistic: 'Sum' }),
      threshold: 3,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    this.tell(alarm);
  }

  private tell(alarm: Alarm): void {
    const notify: IAlarmAction = { bind: () => ({ alarmActionArn: this.props.topic.topicArn }) };
    alarm.addAlarmAction(notify);
    alarm.addOkAction(notify);
  }
}
