/** Tags on a stage's endpoint and on its model package group, by which the command finds the rest of the stage. */
export const STAGE_TAGS = {
  /** Name of the bucket of lock, controls and record. */
  bucket: 'cdk-fledge:stage-bucket',
  /** Name or ARN of the model package group whose approvals start promotions. */
  group: 'cdk-fledge:model-package-group',
} as const;
