import { DescribeModelPackageCommand, ListModelPackagesCommand, UpdateModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { UserError } from '../exit-codes';
import { titleOf } from './promotions';
import { groupOf, type Stage } from './stage';

/** Characters of an ApprovalDescription. */
const MOST = 1024;

/**
 * The model package that a person means.
 *
 * @param which a version's number in the stage's group, or an ARN
 * @throws UserError where it is not a version of the stage's group
 */
export async function packageNamed(stage: Stage, which: string): Promise<string> {
  const group = await groupOf(stage);
  const prefix = `${group.replace(':model-package-group/', ':model-package/')}/`;
  if (which.startsWith('arn:')) {
    if (!which.startsWith(prefix))
      throw new UserError(`${which} is not a version of ${group}, whose approvals ${stage.endpoint} listens to`);
    return which;
  }
  if (!/^\d+$/.test(which)) throw new UserError(`give a version's number or a model package's ARN, got '${which}'`);
  return prefix + which;
}

/**
 * Approves a version, which starts its promotion. One that is approved already is first set to pending, so that the approval is an event again.
 *
 * @throws UserError where there is no such version, or it is not usable
 */
export async function approve(stage: Stage, ModelPackageArn: string, description: string): Promise<void> {
  const { sagemaker } = stage.ports;
  const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: ModelPackageArn })).catch(async (error: Error) => {
    if (!/does not exist/i.test(error.message)) throw error;
    throw new UserError(`there is no ${titleOf(ModelPackageArn)} of ${await groupOf(stage)}: ${await knownVersions(stage)}`);
  });
  if (found.ModelPackageStatus !== 'Completed')
    throw new UserError(`${titleOf(ModelPackageArn)} cannot be promoted: its model package is ${found.ModelPackageStatus}`);
  if (found.ModelApprovalStatus === 'Approved')
    await sagemaker.send(
      new UpdateModelPackageCommand({
        ModelPackageArn,
        ModelApprovalStatus: 'PendingManualApproval',
        ApprovalDescription: 'to be approved anew',
      }),
    );
  await sagemaker.send(
    new UpdateModelPackageCommand({ ModelPackageArn, ModelApprovalStatus: 'Approved', ApprovalDescription: description.slice(0, MOST) }),
  );
}

/** The newest approved version of the stage's group. @throws UserError where none is approved */
export async function newestApproved(stage: Stage): Promise<string> {
  const group = await groupOf(stage);
  const { ModelPackageSummaryList = [] } = await stage.ports.sagemaker.send(
    new ListModelPackagesCommand({
      ModelPackageGroupName: group,
      ModelApprovalStatus: 'Approved',
      SortBy: 'CreationTime',
      SortOrder: 'Descending',
      MaxResults: 1,
    }),
  );
  if (ModelPackageSummaryList.length === 0) throw new UserError(`no version of ${group} is approved`);
  return ModelPackageSummaryList[0].ModelPackageArn!;
}

async function knownVersions(stage: Stage): Promise<string> {
  const { ModelPackageSummaryList = [] } = await stage.ports.sagemaker.send(
    new ListModelPackagesCommand({
      ModelPackageGroupName: await groupOf(stage),
      SortBy: 'CreationTime',
      SortOrder: 'Descending',
      MaxResults: 10,
    }),
  );
  const numbers = ModelPackageSummaryList.map(({ ModelPackageVersion }) => ModelPackageVersion);
  return numbers.length === 0 ? 'it has none yet' : `its newest are ${numbers.join(', ')}`;
}
