import { DescribeEndpointCommand, DescribeEndpointConfigCommand, DescribeModelCommand } from '@aws-sdk/client-sagemaker';
import { CANDIDATE, type Entry, recordKey } from '../../promotion';
import { UserError } from '../exit-codes';
import { type Promotion, titleOf } from './promotions';
import type { Stage } from './stage';

/** ARN of the model package that is live; null where the live model was not made from one. */
export async function livePackage({ ports, endpoint }: Stage): Promise<string | null> {
  const { EndpointConfigName } = await ports.sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpoint }));
  const config = await ports.sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName }));
  const live = config.ProductionVariants?.find(({ VariantName }) => VariantName !== CANDIDATE);
  const model = await ports.sagemaker.send(new DescribeModelCommand({ ModelName: live?.ModelName }));
  return (model.PrimaryContainer ?? model.Containers?.[0])?.ModelPackageName ?? null;
}

/**
 * The version that was live before the one that is: a version that was left by a rollback does not come again.
 *
 * @throws UserError where the record knows none
 */
export async function previousPackage(stage: Stage, all: readonly Promotion[]): Promise<string> {
  const { endpoint, store } = stage;
  let versions: string[] = [];
  for (const { id, request, outcome } of all) {
    if (outcome?.verdict !== 'promoted') continue;
    const { start } = (await store.read<Entry>(recordKey(endpoint, id, '001-start')))?.value ?? {};
    if (start?.modelPackageArn && versions.at(-1) !== start.modelPackageArn) versions.push(start.modelPackageArn);
    const earlier = versions.indexOf(request.modelPackageArn);
    versions = earlier < 0 ? [...versions, request.modelPackageArn] : versions.slice(0, earlier + 1);
  }
  const live = await livePackage(stage);
  const place = live === null ? versions.length : versions.lastIndexOf(live);
  const previous = versions[(place < 0 ? versions.length : place) - 1];
  if (previous) return previous;
  const now = live === null ? 'what is live' : titleOf(live);
  throw new UserError(`the record knows no version that was live on ${endpoint} before ${now}: name one with fledge promote`);
}
