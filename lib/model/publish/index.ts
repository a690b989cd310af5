/** A model goes up to the model store in S3, once, whole or not at all. Loads the AWS SDK: constructs must not import this. */
export type { PartOptions } from './part-size';
export type { PublishProgress } from './progress';
export { abortPublish, archiveKey, type PublishOptions, type PublishResult, publish } from './publish-archive';
export { PublishError, type PublishProblem } from './publish-error';
export type { RetryOptions } from './retry';
export type { BucketOptions } from './store-calls';
