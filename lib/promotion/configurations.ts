import {
  CreateEndpointConfigCommand,
  type CreateEndpointConfigCommandInput,
  CreateModelCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  type ProductionVariant,
} from '@aws-sdk/client-sagemaker';
import { isAlreadyThere, isMissing } from './aws-errors';
import { type WantedCapacity, wantedCapacity } from './capacity';
import type { WholeRequest } from './checked-request';
import type { FleetSize } from './fleet-size';
import { alarmNames, CANDIDATE, markOf, stemOf } from './names';
import type { Ports } from './ports';
import type { PromotionRequest } from './request';

/** What the endpoint served before: the way back. */
export interface Base {
  readonly configName: string;
  /** The live variant, as its configuration says. */
  readonly variant: ProductionVariant;
  /** What the candidate, once live, has otherwise. */
  readonly wanted?: WantedCapacity;
  /** Everything else of that configuration, to be kept in those that follow. */
  readonly rest: Omit<CreateEndpointConfigCommandInput, 'EndpointConfigName' | 'ProductionVariants'>;
}

/** The two names under which requests are mirrored. */
export type Shadow = 'shadow' | 'shadow2';

/** Names that a promotion gives to what it creates; the same at every run of it. */
export function namesOf({ endpointName, promotionId }: Pick<PromotionRequest, 'endpointName' | 'promotionId'>) {
  const stem = `${stemOf(endpointName)}-${markOf(promotionId)}`;
  return {
    model: `${stem}-model`,
    shadow: `${stem}-shadow`,
    shadow2: `${stem}-shadow2`,
    canary: `${stem}-canary`,
    live: `${stem}-live`,
    final: `${stem}-final`,
    ...alarmNames(stem),
  };
}

/** @throws Error where the endpoint is not one that a stage can take over */
export async function readBase(ports: Ports, configName: string): Promise<Base> {
  const config = await ports.sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: configName }));
  const variants = config.ProductionVariants ?? [];
  if (variants.length !== 1) {
    const names = variants.map((variant) => variant.VariantName).join(', ');
    throw new Error(`${configName} has ${variants.length} production variants (${names}): a promotion starts from an endpoint with one`);
  }
  const mirrored = (config.ShadowProductionVariants ?? []).map(({ VariantName }) => VariantName).join(', ');
  if (mirrored !== '')
    throw new Error(`${configName} mirrors requests to the shadow variant ${mirrored}, which a promotion would end: take it out first`);
  const { EndpointConfigName, EndpointConfigArn, CreationTime, $metadata, ProductionVariants, ShadowProductionVariants, ...rest } = config;
  return { configName, variant: variants[0], rest };
}

/** Whether a configuration has one production variant and no shadow: what a promotion starts from and ends with. */
export async function isPlain(ports: Ports, configName: string): Promise<boolean> {
  const config = await ports.sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: configName }));
  return config.ProductionVariants?.length === 1 && (config.ShadowProductionVariants?.length ?? 0) === 0;
}

/** Whether the endpoint serves the very package that wants to go live, on what it wants, and nothing else. */
export async function isLive(ports: Ports, request: PromotionRequest, configName: string): Promise<boolean> {
  const { ProductionVariants: variants = [], ShadowProductionVariants: shadows = [] } = await ports.sagemaker.send(
    new DescribeEndpointConfigCommand({ EndpointConfigName: configName }),
  );
  if (variants.length !== 1 || shadows.length > 0) return false;
  if ((await packageOf(ports, variants[0].ModelName!)) !== request.modelPackageArn) return false;
  const { InstanceType } = await wantedCapacity(ports, request.modelPackageArn);
  return InstanceType === undefined || InstanceType === variants[0].InstanceType;
}

/** Whether the live variant, once moved, runs on other instances. @throws Error where it runs on none */
export function changesInstances({ configName, variant, wanted = {} }: Base): boolean {
  if (wanted.InstanceType === undefined || wanted.InstanceType === variant.InstanceType) return false;
  if (variant.InstanceType === undefined)
    throw new Error(
      `the version wants ${wanted.InstanceType}, and ${configName} serves without instances of its own: it cannot become them`,
    );
  return true;
}

/** The package that a model was made from; null where it was made otherwise, or from several. */
export async function packageOf(ports: Ports, modelName: string): Promise<string | null> {
  const { PrimaryContainer, Containers } = await ports.sagemaker.send(new DescribeModelCommand({ ModelName: modelName }));
  const containers = Containers?.length ? Containers : [PrimaryContainer];
  return (containers.length === 1 ? containers[0]?.ModelPackageName : undefined) ?? null;
}

/** Creates the candidate's model from its package, in the role and the network of the live one. */
export async function createCandidateModel(ports: Ports, request: PromotionRequest, base: Base): Promise<void> {
  const live = await ports.sagemaker.send(new DescribeModelCommand({ ModelName: base.variant.ModelName }));
  await created(() =>
    ports.sagemaker.send(
      new CreateModelCommand({
        ModelName: namesOf(request).model,
        Containers: [{ ModelPackageName: request.modelPackageArn }],
        ExecutionRoleArn: live.ExecutionRoleArn,
        VpcConfig: live.VpcConfig,
        EnableNetworkIsolation: live.EnableNetworkIsolation,
        Tags: tagsOf(request),
      }),
    ),
  );
}

/**
 * The configurations of a promotion: mirrored, both serving, the live variant moved, the candidate variant gone. One share mirrored after another takes the names of both
 * shadows in turn: what serves is never the one that is made anew.
 */
export async function createConfiguration(
  ports: Ports,
  request: WholeRequest,
  base: Base,
  size: FleetSize,
  which: Shadow | 'canary' | 'live' | 'final',
  mirroredPercent = 100,
): Promise<void> {
  const names = namesOf(request);
  const live = sized(base.variant, size.live);
  const moved: ProductionVariant = { ...live, ModelName: names.model, InstanceType: base.wanted?.InstanceType ?? live.InstanceType };
  const candidate: ProductionVariant = { ...sized(moved, size.candidate), VariantName: CANDIDATE, InitialVariantWeight: 0 };
  const mirrors = which === 'shadow' || which === 'shadow2';
  const variants = mirrors ? [live] : { canary: [live, candidate], live: [moved, candidate], final: [moved] }[which];
  // SageMaker mirrors the share that the shadow's weight is of the production variant's.
  const shadow: ProductionVariant = {
    ...candidate,
    InitialVariantWeight: ((base.variant.InitialVariantWeight ?? 1) * mirroredPercent) / 100,
  };
  const wanted: CreateEndpointConfigCommandInput = {
    ...base.rest,
    EndpointConfigName: names[which],
    ProductionVariants: variants,
    ShadowProductionVariants: mirrors ? [shadow] : undefined,
    Tags: tagsOf(request),
  };
  const create = () => ports.sagemaker.send(new CreateEndpointConfigCommand(wanted));
  if (await created(create)) return;
  // Another share that was mirrored, or an earlier run under the same id when something else was live, may have left one.
  const standing = await ports.sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: names[which] }));
  if (variantsOf(standing) === variantsOf(wanted)) return;
  await deleteConfiguration(ports, names[which]);
  await created(create);
}

export async function deleteConfiguration(ports: Pick<Ports, 'sagemaker'>, name: string): Promise<void> {
  await gone(() => ports.sagemaker.send(new DeleteEndpointConfigCommand({ EndpointConfigName: name })));
}

export async function deleteModel(ports: Pick<Ports, 'sagemaker'>, name: string): Promise<void> {
  await gone(() => ports.sagemaker.send(new DeleteModelCommand({ ModelName: name })));
}

/** What is retained at an update is what runs; a configuration says it too, for the updates that retain nothing. */
const sized = (variant: ProductionVariant, instances: number): ProductionVariant =>
  variant.ServerlessConfig ? variant : { ...variant, InitialInstanceCount: instances };

const tagsOf = (request: PromotionRequest) => [{ Key: 'cdk-fledge:promotion', Value: request.promotionId }];

/** What tells configurations of one name apart. SageMaker keeps weights as floats of 32 bits. */
const variantsOf = ({ ProductionVariants = [], ShadowProductionVariants = [] }: Partial<CreateEndpointConfigCommandInput>): string =>
  [...ProductionVariants, ...ShadowProductionVariants]
    .map(
      ({ VariantName, ModelName, InstanceType, InitialInstanceCount, InitialVariantWeight = 1 }) =>
        `${VariantName}: ${ModelName} on ${InitialInstanceCount} ${InstanceType} at ${Math.fround(InitialVariantWeight)}`,
    )
    .join();

/** @returns false where it was there before */
async function created(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create();
    return true;
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
    return false;
  }
}

async function gone(remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
