import { DescribeModelPackageCommand, ListModelPackagesCommand } from '@aws-sdk/client-sagemaker';
import { PACKAGE_METADATA, Store } from '../../promotion';
import { UserError } from '../exit-codes';
import { type Promotion, promotionsOf } from './promotions';
import { groupOf, type Stage } from './stage';

/** A promotion of the same version in another account, as this account's record has it. */
export interface Offered {
  readonly account: string;
  /** That account's stage, as far as the copied record goes. */
  readonly stage: Stage;
  readonly promotion: Promotion;
}

/**
 * The promotion by which another account's stage let a version in that it then offered here.
 *
 * @param version a version's number, or the ARN of a model package
 * @returns undefined for a version that was published here
 * @throws UserError where the copied record is not there
 */
export async function offeredPromotion(stage: Stage, version: string): Promise<Offered | undefined> {
  const { ports, store } = stage;
  const arn = version.startsWith('arn:')
    ? version
    : /^\d+$/.test(version) && stage.group !== undefined
      ? await arnOf(stage, version)
      : undefined;
  if (arn === undefined) return undefined;
  const { CustomerMetadataProperties: metadata } = await ports.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  const [offered, record] = [metadata?.[PACKAGE_METADATA.offered], metadata?.[PACKAGE_METADATA.record]];
  if (offered === undefined || record === undefined) return undefined;
  const [, folder, endpoint, id] = /^(offered\/\d+\/)promotions\/([^/]+)\/([^/]+)\/$/.exec(record) ?? [];
  const theirs: Stage = { ...stage, endpoint: endpoint ?? '', store: new Store(ports, store.bucket, folder) };
  const promotion = (await promotionsOf(theirs)).find((one) => one.id === id);
  if (promotion) return { account: offered.split(':')[4]!, stage: theirs, promotion };
  throw new UserError(`${arn} was offered by ${offered}, and the record of its promotion is not below s3://${store.bucket}/${record}`);
}

async function arnOf(stage: Stage, version: string): Promise<string | undefined> {
  const ModelPackageGroupName = await groupOf(stage);
  let NextToken: string | undefined;
  do {
    const page = await stage.ports.sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName, NextToken, MaxResults: 100 }));
    const found = page.ModelPackageSummaryList?.find(({ ModelPackageVersion }) => String(ModelPackageVersion) === version);
    if (found) return found.ModelPackageArn;
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return undefined;
}
