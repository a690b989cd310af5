import {
  type CreateEndpointConfigCommandInput,
  type CreateModelCommandInput,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
} from '@aws-sdk/client-sagemaker';
import { isMissing } from '../aws-errors';
import type { Ports } from '../ports';

/** What the template says of an endpoint's model and of its configuration. */
export interface Wanted {
  readonly model: Omit<CreateModelCommandInput, 'ModelName'>;
  readonly configuration: Omit<CreateEndpointConfigCommandInput, 'EndpointConfigName'>;
}

/**
 * Looks whether the endpoint serves in the role, on the key and in the network that the template names: every promotion carries on what is live, so another would never
 * come to be, while permissions, alarms and scaling would be for it. What serves is asked, not what the template said before, so that an update that failed can go back.
 *
 * @throws Error where the template has moved on
 */
export async function keptAsCreated({ sagemaker }: Pick<Ports, 'sagemaker'>, endpointName: string, wanted: Wanted): Promise<void> {
  const live = await served({ sagemaker }, endpointName);
  if (live === undefined) return;
  const { VariantName } = wanted.configuration.ProductionVariants![0];
  const variants = live.ProductionVariants ?? [];
  const variant = variants.find((one) => one.VariantName === VariantName);
  if (variant === undefined) refuse(endpointName, [`variantName is '${VariantName}', it serves '${variants[0]?.VariantName}'`]);
  const model = await sagemaker.send(new DescribeModelCommand({ ModelName: variant.ModelName }));
  const changes = [
    differs('executionRole', wanted.model.ExecutionRoleArn, model.ExecutionRoleArn),
    differs('encryptionKey', wanted.configuration.KmsKeyId, live.KmsKeyId),
    differs('networkIsolation', wanted.model.EnableNetworkIsolation ?? false, model.EnableNetworkIsolation ?? false),
    differs('vpc', networkOf(wanted.model.VpcConfig), networkOf(model.VpcConfig)),
  ];
  const found = changes.filter((change) => change !== undefined);
  if (found.length > 0) refuse(endpointName, found);
}

/** The configuration of an endpoint; none where there is no endpoint. */
async function served({ sagemaker }: Pick<Ports, 'sagemaker'>, EndpointName: string) {
  try {
    const { EndpointConfigName } = await sagemaker.send(new DescribeEndpointCommand({ EndpointName }));
    return await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName }));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const differs = (what: string, wanted: unknown = 'none', live: unknown = 'none'): string | undefined =>
  wanted === live ? undefined : `${what} is ${wanted}, it serves with ${live}`;

const networkOf = (vpc: CreateModelCommandInput['VpcConfig']): string | undefined =>
  vpc && `subnets ${[...vpc.Subnets!].sort()} with security groups ${[...vpc.SecurityGroupIds!].sort()}`;

function refuse(endpointName: string, changes: readonly string[]): never {
  throw new Error(
    `${endpointName} has a stage, which carries these on from version to version as they were when it was created: ${changes.join('; ')}. Put them back, or give the endpoint another endpointName: it is created anew beside the old one, which then goes`,
  );
}
