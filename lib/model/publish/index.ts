/** A model goes up to the model store in S3, once, whole or not at all. Loads the AWS SDK: constructs must not import this. */
export { type AbortPublishOptions, type AbortPublishResult, abortPublish } from './abort-publish';
export { storeAttestation, storedAttestation } from './attestations';
export type { PartOptions } from './part-size';
export type { PublishProgress } from './progress';
export { archiveKey, type PublishOptions, type PublishResult, publish } from './publish-archive';
export { PublishError, type PublishProblem } from './publish-error';
export { markKey, type PublishFilesOptions, type PublishFilesResult, publishFiles } from './publish-files';
export type { RetryOptions } from './retry';
export type { BucketOptions } from './store-calls';
