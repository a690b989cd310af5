import { Alarm, ComparisonOperator, type IAlarm, type IAlarmAction, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Effect, PolicyStatement, ServicePrincipal, StarPrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSubscription } from 'aws-cdk-lib/aws-sns';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Arn, ArnFormat, Duration, Stack, Token } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { ModelEndpoint } from '../../endpoint';
import { underOwnSid } from '../../endpoint/own-sid';
import { sageMakerArn } from '../../endpoint/sagemaker-arn';
import type { CanaryStage } from '../canary-stage';
import { deadLetterQueue } from '../canary-stage/notices';
import { StageFunction } from '../canary-stage/stage-function';
import type { HandOver } from '../hand-over';
import { HAND_OVER_VARIABLE } from '../hand-over-variable';
import { endpointPrefix } from '../record';
import type { OfferedStage } from './offered-stage';
import { OnArrival } from './on-arrival';
import { defaultReceiverName, requireReceiverName } from './receiver-name';

export interface VersionReceiverProps {
  /** Where versions are registered, and promoted again. */
  readonly stage: CanaryStage;

  /** The endpoint of that stage: its alarm topic is told of offers that are lost. */
  readonly endpoint: ModelEndpoint;

  /** The other account's stage: the output of its VersionOffer. Written out. */
  readonly offer: OfferedStage;

  /**
   * What becomes of a version on its arrival.
   *
   * @default OnArrival.WAIT_FOR_APPROVAL
   */
  readonly onArrival?: OnArrival;

  /**
   * The container that serves here.
   *
   * @default - the stage's own: its endpoint's. For an endpoint whose artifact is a model package, the one that served there, which this account must be able to pull
   */
  readonly imageUri?: string;

  /**
   * Name of the receiving function and its role, 1 to 64 letters, digits, hyphens and underscores. The other account's VersionOffer must say the same.
   *
   * @default - from the name of the endpoint there
   */
  readonly receiverName?: string;
}

/**
 * Takes over what another account's stage promotes: copies the archive into this account's store and the record of the promotion beside this stage's own, and registers
 * the version in this stage's group, where it is promoted again, against this account's requests.
 */
export class VersionReceiver extends Construct {
  /** Goes off when an offer could not be taken over; it is kept in a queue for 14 days. */
  public readonly alarm: IAlarm;

  /** @throws Error for an offer that is not written out, or of this very stage */
  constructor(
    scope: Construct,
    id: string,
    private readonly props: VersionReceiverProps,
  ) {
    super(scope, id);
    const { offer, stage } = props;
    for (const [name, value] of Object.entries(offer)) {
      if (Token.isUnresolved(value))
        throw new Error(`offer.${name} must be written out: what another account makes is not known to this template`);
    }
    const name = requireReceiverName(props.receiverName ?? defaultReceiverName(offer.endpointName));
    const lost = this.addQueue();
    const receiver = new StageFunction(this, 'Receiver', {
      bundle: 'receive-version',
      functionName: name,
      roleName: name,
      description: `takes over what ${offer.endpointName} promotes in account ${accountOf(offer.topicArn)}`,
      encryptionKey: stage._opened.key,
      timeout: Duration.minutes(15),
      memoryMebibytes: 512,
      environment: { [HAND_OVER_VARIABLE]: this.settings() },
      deadLetters: lost,
    });
    this.allowTheirs(receiver);
    this.allowOurs(receiver);
    this.subscribe(receiver, lost);
    this.keepRecords();
    this.alarm = this.addAlarm(lost);
  }

  private settings(): string {
    const { offer, stage, imageUri, onArrival } = this.props;
    const { image, store } = stage._opened;
    const handOver: HandOver = {
      from: {
        endpointName: offer.endpointName,
        topicArn: offer.topicArn,
        groupArn: offer.modelPackageGroupArn,
        records: offer.recordBucketName,
        artifacts: offer.artifactBucketName,
      },
      to: {
        group: stage.modelPackageGroupName,
        records: stage.recordBucket.bucketName,
        artifacts: store.bucket.bucketName,
        image: imageUri ?? image,
        approval: onArrival === OnArrival.APPROVE ? 'Approved' : 'PendingManualApproval',
      },
    };
    return Stack.of(this).toJsonString(handOver);
  }

  /** What the other account's policies let in. */
  private allowTheirs(receiver: StageFunction): void {
    const { offer } = this.props;
    const bucketArn = (name: string, key?: string) =>
      Stack.of(this).formatArn({
        service: 's3',
        region: '',
        account: '',
        resource: name,
        resourceName: key,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      });
    const record = ['samples/*', `${endpointPrefix(offer.endpointName)}*`];
    const versions = `${offer.modelPackageGroupArn.replace(':model-package-group/', ':model-package/')}/*`;
    receiver.allow('TheirVersions', ['sagemaker:DescribeModelPackage'], [versions], undefined, 'the versions of one model package group');
    receiver.allow(
      'TheirContent',
      ['s3:GetObject'],
      [bucketArn(offer.artifactBucketName, 'models/*'), ...record.map((prefix) => bucketArn(offer.recordBucketName, prefix))],
      undefined,
      "the published versions of one store, and one endpoint's record and recorded samples",
    );
    const list = (sid: string, bucket: string, prefixes: string[]) =>
      receiver.allow(sid, ['s3:ListBucket'], [bucketArn(bucket)], { StringLike: { 's3:prefix': prefixes } });
    list('TheirArtifactNames', offer.artifactBucketName, ['models/*']);
    list('TheirRecordNames', offer.recordBucketName, record);
    receiver.allow('TheirKeys', ['kms:Decrypt'], [...new Set([offer.recordKeyArn, offer.artifactKeyArn])]);
  }

  private allowOurs(receiver: StageFunction): void {
    const { stage } = this.props;
    const { key, store } = stage._opened;
    const group = stage.modelPackageGroupName;
    const registry = [sageMakerArn(this, 'model-package-group', group), sageMakerArn(this, 'model-package', `${group}/*`)];
    receiver.allow(
      'Register',
      ['sagemaker:CreateModelPackage', 'sagemaker:ListModelPackages'],
      registry,
      undefined,
      'the versions of one model package group',
    );
    receiver.allow(
      'Keep',
      ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
      [store.bucket.arnForObjects('models/*'), ...['offered/*', 'samples/*'].map((prefix) => stage.recordBucket.arnForObjects(prefix))],
      undefined,
      'the published versions of one store, and copies of records and recorded samples',
    );
    // Without it S3 answers 403 for what is not there.
    receiver.allow('SeeWhatIsKept', ['s3:ListBucket'], [store.bucket.bucketArn, stage.recordBucket.bucketArn]);
    receiver.allow(
      'EncryptWhatIsKept',
      ['kms:Decrypt', 'kms:GenerateDataKey'],
      [...new Set([key, store.encryptionKey])].map(({ keyArn }) => keyArn),
    );
  }

  private subscribe(receiver: StageFunction, lost: IQueue): void {
    const { topicArn, endpointName } = this.props.offer;
    receiver.resource.addPermission('Offers', { principal: new ServicePrincipal('sns.amazonaws.com'), sourceArn: topicArn });
    const { region } = Arn.split(topicArn, ArnFormat.NO_RESOURCE_NAME);
    const { region: here } = Stack.of(this);
    // SNS takes a queue for the undelivered only in the topic's region; what the function cannot take over goes to the queue from anywhere.
    const across = !Token.isUnresolved(here) && here !== region;
    const subscription = new CfnSubscription(this, 'Offers', {
      topicArn,
      protocol: 'lambda',
      endpoint: receiver.resource.functionArn,
      region,
      filterPolicyScope: 'MessageBody',
      filterPolicy: { news: ['promoted'], endpointName: [endpointName] },
      redrivePolicy: across ? undefined : { deadLetterTargetArn: lost.queueArn },
    });
    subscription.node.addDependency(receiver.resource.permissionsNode.findChild('Offers'));
  }

  /** Offers that SNS could not deliver, and those that the function could not take over. */
  private addQueue(): Queue {
    const { stage, offer } = this.props;
    const { key } = stage._opened;
    const queue = deadLetterQueue(this, 'LostOffers', key);
    const sns = { principals: [new ServicePrincipal('sns.amazonaws.com')], conditions: { ArnEquals: { 'aws:SourceArn': offer.topicArn } } };
    queue.addToResourcePolicy(
      new PolicyStatement({ ...sns, sid: 'KeepLostOffers', actions: ['sqs:SendMessage'], resources: [queue.queueArn] }),
    );
    key.addToResourcePolicy(
      underOwnSid(
        key,
        new PolicyStatement({ ...sns, sid: 'EncryptLostOffers', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: ['*'] }),
      ),
    );
    return queue;
  }

  /** The copy of a record is no more to be taken away than the record. */
  private keepRecords(): void {
    const { recordBucket } = this.props.stage;
    recordBucket.addToResourcePolicy(
      underOwnSid(
        recordBucket,
        new PolicyStatement({
          sid: 'NeverDeleteOffered',
          effect: Effect.DENY,
          principals: [new StarPrincipal()],
          actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
          resources: [recordBucket.arnForObjects('offered/*')],
        }),
      ),
    );
  }

  private addAlarm(lost: IQueue): Alarm {
    const { endpoint } = this.props;
    const alarm = new Alarm(this, 'Lost', {
      alarmName: `${endpoint.endpointName}-lost-offers-count`,
      alarmDescription: 'Another account promoted a version and it could not be taken over: its notice is in the dead-letter queue.',
      metric: lost.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: Stats.MAXIMUM }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    const notify: IAlarmAction = { bind: () => ({ alarmActionArn: endpoint.alarms.topic.topicArn }) };
    alarm.addAlarmAction(notify);
    alarm.addOkAction(notify);
    return alarm;
  }
}

const accountOf = (arn: string): string => Arn.split(arn, ArnFormat.NO_RESOURCE_NAME).account!;
