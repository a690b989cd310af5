/** Keys of a model package's metadata that a stage reads. */
export const PACKAGE_METADATA = {
  /** SHA-256 of the artifact's manifest, in hex: the content that was approved. */
  digest: 'cdk-fledge:digest',
  /** Key, in the stage's bucket, of the requests whose answers were recorded when the model was trained. */
  samples: 'cdk-fledge:samples',
  /** What the version is to be served on, e.g. `ml.c7g.large`; without it, on what the live version is served on. */
  instanceType: 'cdk-fledge:instance-type',
  /** The least instances of the live variant, a whole number in decimal; without it, as many as there are. */
  instanceCount: 'cdk-fledge:instance-count',
  /** ARN of the version that another account promoted and offered. */
  offered: 'cdk-fledge:offered',
  /** Prefix, in the stage's bucket, of the record of its promotion there. */
  record: 'cdk-fledge:offered-record',
} as const;
