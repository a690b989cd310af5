import {
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  DescribeModelPackageCommand,
  type DescribeModelPackageCommandOutput,
  ListModelPackagesCommand,
  type SageMakerClient,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { PACKAGE_METADATA } from '../promotion';
import { UserError } from './exit-codes';

/** A published model version, as the registry is to hold it. */
export interface Registration {
  readonly group: string;
  /** `s3://` of a `.tar.gz`, or of a prefix that ends in `/`. */
  readonly uri: string;
  readonly digest: string;
  /** @default - the image of the group's latest version */
  readonly image?: string;
  /** Key of the recorded samples in the stage's bucket. @default - none */
  readonly samples?: string;
  readonly approve: boolean;
}

const TYPES = ['application/json', 'text/csv'];

/**
 * Registers a model version in a model package group, which is made where there is none. The group's latest version is taken as it is where it is
 * of this content, and approved where that was asked for.
 *
 * @returns the package's ARN
 * @throws UserError where no image is known; SageMaker's errors
 */
export async function register(sagemaker: SageMakerClient, { group, uri, digest, image, samples, approve }: Registration): Promise<string> {
  const latest = await latestOf(sagemaker, group);
  const container = latest?.InferenceSpecification?.Containers?.[0];
  const url = container?.ModelDataUrl ?? container?.ModelDataSource?.S3DataSource?.S3Uri;
  if (latest !== undefined && url === uri && latest.CustomerMetadataProperties?.[PACKAGE_METADATA.digest] === digest) {
    if (approve && latest.ModelApprovalStatus !== 'Approved')
      await sagemaker.send(new UpdateModelPackageCommand({ ModelPackageArn: latest.ModelPackageArn, ModelApprovalStatus: 'Approved' }));
    return latest.ModelPackageArn!;
  }
  const Image = image ?? container?.Image;
  if (Image === undefined) throw new UserError(`${group} has no version yet whose image could be taken: say which with --image`);
  const { ModelPackageArn } = await sagemaker.send(
    new CreateModelPackageCommand({
      ModelPackageGroupName: group,
      ModelApprovalStatus: approve ? 'Approved' : 'PendingManualApproval',
      InferenceSpecification: {
        Containers: [{ Image, ...dataAt(uri) }],
        SupportedContentTypes: TYPES,
        SupportedResponseMIMETypes: TYPES,
      },
      CustomerMetadataProperties: {
        [PACKAGE_METADATA.digest]: digest,
        ...(samples === undefined ? {} : { [PACKAGE_METADATA.samples]: samples }),
      },
    }),
  );
  return ModelPackageArn!;
}

function dataAt(uri: string) {
  if (!uri.endsWith('/')) return { ModelDataUrl: uri };
  return { ModelDataSource: { S3DataSource: { S3Uri: uri, S3DataType: 'S3Prefix' as const, CompressionType: 'None' as const } } };
}

/** The version that was registered last; makes the group where there is none. */
async function latestOf(sagemaker: SageMakerClient, group: string): Promise<DescribeModelPackageCommandOutput | undefined> {
  const listing = new ListModelPackagesCommand({
    ModelPackageGroupName: group,
    SortBy: 'CreationTime',
    SortOrder: 'Descending',
    MaxResults: 1,
  });
  const { ModelPackageSummaryList: [last] = [] } = await sagemaker.send(listing).catch(async (error: Error) => {
    if (!/does not exist|not found/i.test(error.message)) throw error;
    await sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: group }));
    return { ModelPackageSummaryList: [] };
  });
  return last && sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: last.ModelPackageArn }));
}
