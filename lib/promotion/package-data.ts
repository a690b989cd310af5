import type { DescribeModelPackageOutput, ModelPackageContainerDefinition } from '@aws-sdk/client-sagemaker';

/** Where a package's model data lies, or why that cannot be told: a check that looks at less than what is deployed is none. */
export type PackageData = { readonly url: string } | { readonly problem: string };

export function packageData({ InferenceSpecification }: DescribeModelPackageOutput): PackageData {
  const containers = InferenceSpecification?.Containers ?? [];
  if (containers.length > 1) {
    return {
      problem:
        `the model package has ${containers.length} containers, and only the data of one can be checked: ` +
        'put the model into one archive, and register it with one container',
    };
  }
  const container = containers[0] ?? {};
  const source = container.ModelDataSource?.S3DataSource;
  const unread = unreadOf(container);
  if (unread !== undefined)
    return { problem: `the model package's container has ${unread}, which is not checked: put it into the model data, and register that` };
  if (container.ModelDataUrl && source) {
    return { problem: "the model package's container has model data in both ModelDataUrl and ModelDataSource: name one of them" };
  }
  const url = container.ModelDataUrl ?? source?.S3Uri;
  if (!url) return { problem: 'the model package names no model data' };
  // A prefix takes in all objects whose keys begin by it.
  if (source?.S3DataType === 'S3Prefix' && !url.endsWith('/'))
    return { problem: `the model data at ${url} is an S3Prefix, and names no folder: end it in /, or make it an S3Object` };
  if (source?.S3DataType === 'S3Object' && url.endsWith('/'))
    return { problem: `the model data at ${url} is an S3Object, and names a folder: make it an S3Prefix` };
  return { url };
}

/** What a container is given besides its model data. */
function unreadOf(container: ModelPackageContainerDefinition): string | undefined {
  if (container.AdditionalS3DataSource) return 'AdditionalS3DataSource';
  if (container.AdditionalModelDataSources?.length) return 'AdditionalModelDataSources';
  return container.ModelDataSource?.S3DataSource?.ManifestS3Uri ? 'ManifestS3Uri' : undefined;
}
