import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DeleteModelPackageCommand, ListModelPackagesCommand } from '@aws-sdk/client-sagemaker';
import type { Ports } from '../ports';
import type { CustomResourceEvent } from './custom-resource';

/** What the template says of the group that it makes. */
export interface FirstVersionsProperties {
  readonly GroupName: string;
}

/** What a stack's status is while CloudFormation takes back what it made. */
const GOES_BACK = /ROLLBACK.*IN_PROGRESS$/;

/** Of a group that held no version when the stack made it. */
const NEW = '/new';

/**
 * Stands between a group and its first version. Versions are kept whatever becomes of the stack, since one may be live; but a group that was only just made goes where the
 * operation that made it fails, and SageMaker deletes none that holds versions. So those that this operation made go before it, and it can be tried again.
 */
export async function firstVersions(
  ports: Pick<Ports, 'sagemaker'> & { readonly cloudformation: CloudFormationClient },
  event: CustomResourceEvent<FirstVersionsProperties>,
): Promise<string> {
  const { GroupName } = event.ResourceProperties;
  const id = event.PhysicalResourceId;
  if (event.RequestType === 'Delete') {
    if (id?.endsWith(NEW) && (await goesBack(ports.cloudformation, event.StackId))) await empty(ports, GroupName);
    return id!;
  }
  if (event.RequestType === 'Update' && GroupName === event.OldResourceProperties?.GroupName) return id!;
  return `${GroupName}${(await versionsOf(ports, GroupName)).length === 0 ? NEW : '/known'}`;
}

async function goesBack(cloudformation: CloudFormationClient, stackId: string): Promise<boolean> {
  const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: stackId }));
  return GOES_BACK.test(Stacks[0]?.StackStatus ?? '');
}

async function empty(ports: Pick<Ports, 'sagemaker'>, group: string): Promise<void> {
  for (let left = await versionsOf(ports, group); left.length > 0; left = await versionsOf(ports, group)) {
    for (const ModelPackageName of left) await ports.sagemaker.send(new DeleteModelPackageCommand({ ModelPackageName }));
  }
}

/** The first page suffices: it is asked again until there is none. */
async function versionsOf({ sagemaker }: Pick<Ports, 'sagemaker'>, ModelPackageGroupName: string): Promise<string[]> {
  const { ModelPackageSummaryList = [] } = await sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName, MaxResults: 100 }));
  return ModelPackageSummaryList.map(({ ModelPackageArn }) => ModelPackageArn!);
}
