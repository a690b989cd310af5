/** Another account's stage, as its stack's output `Offer` names it. */
export interface OfferedStage {
  /** The endpoint's name there. */
  readonly endpointName: string;
  /** ARN of the topic that tells of promotions. */
  readonly topicArn: string;
  /** ARN of the model package group. */
  readonly modelPackageGroupArn: string;
  /** Bucket of the record. */
  readonly recordBucketName: string;
  /** ARN of the key of the record. */
  readonly recordKeyArn: string;
  /** Bucket of the model archives. */
  readonly artifactBucketName: string;
  /** ARN of the key of the model archives. */
  readonly artifactKeyArn: string;
}
