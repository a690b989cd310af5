import type { CreateEndpointConfigInput, ProductionVariant } from '@aws-sdk/client-sagemaker';
import { validation } from './errors';

const SERVERLESS_MEMORY = [1024, 2048, 3072, 4096, 5120, 6144];

/**
 * What SageMaker checks of a configuration beyond each member's own constraints.
 *
 * @throws ServiceError ValidationException
 */
export function checkConfig(input: CreateEndpointConfigInput): void {
  const production = input.ProductionVariants ?? [];
  const shadows = input.ShadowProductionVariants ?? [];
  const names = [...production, ...shadows].map(({ VariantName }) => VariantName!);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined)
    throw validation(`Variant names must be unique within an endpoint configuration: ${repeated} is there more than once.`);
  if (shadows.length > 0 && (production.length !== 1 || shadows.length !== 1)) {
    throw validation(
      `A shadow variant needs exactly one production variant and one shadow variant, got ${production.length} and ${shadows.length}: remove the others.`,
    );
  }
  for (const variant of [...production, ...shadows]) checkVariant(variant);
  const serverless = production.filter(({ ServerlessConfig }) => ServerlessConfig !== undefined);
  if (serverless.length === 0) return;
  const excluded = [
    production.length > 1 && 'several production variants',
    shadows.length > 0 && 'shadow variants',
    input.DataCaptureConfig !== undefined && 'DataCaptureConfig',
    input.AsyncInferenceConfig !== undefined && 'AsyncInferenceConfig',
    input.VpcConfig !== undefined && 'VpcConfig',
  ].filter((reason): reason is string => typeof reason === 'string');
  if (excluded.length > 0) throw validation(`A serverless variant cannot be used with ${excluded.join(', ')}.`);
}

function checkVariant({
  VariantName: name,
  ModelName,
  ServerlessConfig,
  InstanceType,
  InitialInstanceCount,
  InstancePools,
}: ProductionVariant): void {
  if (ModelName === undefined) {
    throw validation(`Variant ${name} has no ModelName: the local SageMaker serves models in variants, not inference components.`);
  }
  if (ServerlessConfig === undefined) {
    if (InstanceType === undefined && InstancePools === undefined)
      throw validation(`Variant ${name} needs an InstanceType, or a ServerlessConfig.`);
    if (InitialInstanceCount === undefined) throw validation(`Variant ${name} needs an InitialInstanceCount.`);
    return;
  }
  if (InstanceType !== undefined || InitialInstanceCount !== undefined || InstancePools !== undefined) {
    throw validation(`Variant ${name} has a ServerlessConfig, and so can have no InstanceType, InitialInstanceCount or InstancePools.`);
  }
  const { MemorySizeInMB: memory, MaxConcurrency: most, ProvisionedConcurrency: provisioned } = ServerlessConfig;
  if (!SERVERLESS_MEMORY.includes(memory!))
    throw validation(`MemorySizeInMB of variant ${name} must be one of ${SERVERLESS_MEMORY.join(', ')}, got ${memory}.`);
  if (provisioned !== undefined && provisioned > most!) {
    throw validation(`ProvisionedConcurrency of variant ${name} (${provisioned}) must not be above its MaxConcurrency (${most}).`);
  }
}
