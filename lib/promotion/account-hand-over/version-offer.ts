import { AccountPrincipal, type AddToResourcePolicyResult, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { ArnFormat, CfnOutput, Stack, Token } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { underOwnSid } from '../../endpoint/own-sid';
import { sageMakerArn } from '../../endpoint/sagemaker-arn';
import type { CanaryStage } from '../canary-stage';
import { endpointPrefix } from '../record';
import type { OfferedStage } from './offered-stage';
import { defaultReceiverName, requireReceiverName } from './receiver-name';

export interface VersionOfferProps {
  /** Whose promoted versions are offered. */
  readonly stage: CanaryStage;

  /** The account that may take them: twelve digits. */
  readonly account: string;

  /**
   * The region of the VersionReceiver there, e.g. `us-east-1`.
   *
   * @default - this stack's region
   */
  readonly region?: string;

  /**
   * Name of the receiver there.
   *
   * @default - as VersionReceiver names it for an endpoint of the same name
   */
  readonly receiverName?: string;
}

/**
 * Offers what a stage promotes to another account: one role there may describe the versions, read their archives and the record of their promotion, and one function
 * there may hear of them. Nothing may be changed from there.
 *
 * Deploy it first, and give its output `Offer` to the VersionReceiver in the other account.
 */
export class VersionOffer extends Construct {
  /** What the other account's VersionReceiver is given. */
  public readonly offer: OfferedStage;
  private readonly receiver: string;
  private readonly suffix: string;

  /** @throws Error for a stage whose group, topic or keys are not its template's: their policies cannot be written here */
  constructor(
    scope: Construct,
    id: string,
    private readonly props: VersionOfferProps,
  ) {
    super(scope, id);
    const { stage, account } = props;
    if (!/^\d{12}$/.test(account) || Token.isUnresolved(account))
      throw new Error(`account is twelve digits, written out, got '${account}'`);
    const { endpointName, key, store } = stage._opened;
    this.receiver = requireReceiverName(props.receiverName ?? defaultReceiverName(endpointName));
    this.suffix = `To${account}`;
    this.openGroup();
    this.openBucket('OfferArtifacts', store.bucket, ['models/*']);
    this.openBucket('OfferRecord', stage.recordBucket, [`${endpointPrefix(endpointName)}*`, 'samples/*']);
    for (const one of new Set([key, store.encryptionKey])) this.openKey(one);
    this.openTopic();
    this.offer = {
      endpointName,
      topicArn: stage.topic.topicArn,
      modelPackageGroupArn: sageMakerArn(this, 'model-package-group', stage.modelPackageGroupName),
      recordBucketName: stage.recordBucket.bucketName,
      recordKeyArn: key.keyArn,
      artifactBucketName: store.bucket.bucketName,
      artifactKeyArn: store.encryptionKey.keyArn,
    };
    new CfnOutput(this, 'Offer', {
      description: `what ${endpointName} offers to account ${account}: give it to the VersionReceiver there`,
      value: Stack.of(this).toJsonString(this.offer),
    });
  }

  /** The one role, by a condition: a principal that does not exist yet would be refused, and one that was made anew would be another. */
  private statement(sid: string, actions: string[], resources: string[], conditions: Record<string, Record<string, unknown>> = {}) {
    const { partition } = Stack.of(this);
    const role = `arn:${partition}:iam::${this.props.account}:role/${this.receiver}`;
    return new PolicyStatement({
      sid: `${sid}${this.suffix}`,
      principals: [new AccountPrincipal(this.props.account)],
      actions,
      resources,
      conditions: { ...conditions, ArnEquals: { 'aws:PrincipalArn': role } },
    });
  }

  private openGroup(): void {
    const { stage } = this.props;
    const { group } = stage._opened;
    if (group === undefined) {
      throw new Error(`the model package group ${stage.modelPackageGroupName} is not this template's: its policy cannot be written here`);
    }
    const versions = sageMakerArn(this, 'model-package', `${stage.modelPackageGroupName}/*`);
    const statement = underOwnSid(group, this.statement('OfferVersions', ['sagemaker:DescribeModelPackage'], [versions])).toStatementJson();
    const others = (group.modelPackageGroupPolicy as { Statement: unknown[] } | undefined)?.Statement ?? [];
    group.modelPackageGroupPolicy = { Version: '2012-10-17', Statement: [...others, statement] };
  }

  private openBucket(sid: string, bucket: CanaryStage['recordBucket'], prefixes: string[]): void {
    const objects = prefixes.map((prefix) => bucket.arnForObjects(prefix));
    mustBeAdded(
      bucket.addToResourcePolicy(underOwnSid(bucket, this.statement(sid, ['s3:GetObject'], objects))),
      `the bucket ${bucket.node.path}`,
    );
    bucket.addToResourcePolicy(
      underOwnSid(bucket, this.statement(`${sid}List`, ['s3:ListBucket'], [bucket.bucketArn], { StringLike: { 's3:prefix': prefixes } })),
    );
  }

  private openKey(key: IKey): void {
    const { region, urlSuffix } = Stack.of(this);
    const conditions = { StringEquals: { 'kms:ViaService': `s3.${region}.${urlSuffix}` } };
    mustBeAdded(
      key.addToResourcePolicy(underOwnSid(key, this.statement('OfferContent', ['kms:Decrypt'], ['*'], conditions))),
      `the key ${key.node.path}`,
    );
  }

  /** Whoever deploys the receiver subscribes its function, and nothing else. */
  private openTopic(): void {
    const { stage, account } = this.props;
    const { partition } = Stack.of(this);
    const region = this.props.region ?? Stack.of(this).region;
    const endpoint = Stack.of(this).formatArn({
      partition,
      region,
      account,
      service: 'lambda',
      resource: 'function',
      resourceName: this.receiver,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const statement = new PolicyStatement({
      sid: `OfferNotices${this.suffix}`,
      principals: [new AccountPrincipal(account)],
      actions: ['sns:Subscribe'],
      resources: [stage.topic.topicArn],
      conditions: { StringEquals: { 'sns:Protocol': 'lambda', 'sns:Endpoint': endpoint } },
    });
    mustBeAdded(stage.topic.addToResourcePolicy(underOwnSid(stage.topic, statement)), `the topic ${stage.topic.node.path}`);
  }
}

function mustBeAdded({ statementAdded }: AddToResourcePolicyResult, what: string): void {
  if (!statementAdded)
    throw new Error(
      `${what} was imported, so that its policy cannot be written here: let this app make it, or offer from the app that does`,
    );
}
