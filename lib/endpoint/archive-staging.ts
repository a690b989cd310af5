import { relative } from 'node:path';
import { FileAssetPackaging, Stack, Stage } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';

/** @internal */
export interface StagedArchive {
  readonly url: string;
  readonly bucketName: string;
  readonly objectKey: string;
}

/**
 * Where archives of a construct are written: cdk.out itself, so that it is whole for a pipeline and the next synth finds them there.
 *
 * @internal
 */
export function archiveOutput(scope: Construct): string {
  const stage = Stage.of(scope);
  if (stage === undefined) throw new Error(`${scope.node.path} is in no App or Stage: an archive needs one to be staged in`);
  return stage.assetOutdir;
}

/**
 * Hands an archive in cdk.out to `cdk deploy`, which uploads it as `<digest>.tar.gz` to the CDK's asset bucket.
 *
 * aws-s3-assets would hash and copy every byte at each synth, and end the key in `.gz`, where SageMaker asks for `.tar.gz`. Here the content
 * digest names it, which is known already: gigabytes cost nothing.
 *
 * @internal
 */
export function stageArchive(scope: Construct, archive: string, digest: string, name: string): StagedArchive {
  const stack = Stack.of(scope);
  const location = stack.synthesizer.addFileAsset({
    packaging: FileAssetPackaging.FILE,
    // The synthesizer appends the last extension only: .gz
    sourceHash: `${digest}.tar`,
    fileName: relative(Stage.of(scope)?.outdir ?? '', archive),
    displayName: `model ${name}`,
  });
  return { url: location.s3ObjectUrl, bucketName: location.bucketName, objectKey: location.objectKey };
}
