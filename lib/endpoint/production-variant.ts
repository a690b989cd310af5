import { type CfnEndpointConfig, CfnModel } from 'aws-cdk-lib/aws-sagemaker';
import { Stack } from 'aws-cdk-lib/core';
import { Construct, DependencyGroup } from 'constructs';
import type { ArtifactContents, ArtifactLocation } from './bindings';
import { Capacity } from './capacity';
import { requireEnvironment } from './environment';
import type { ExecutionRole } from './execution-role';
import { imageTarget } from './image-target';
import type { ModelArtifact } from './model-artifact';
import type { ModelStore } from './model-store';
import { requireWritten } from './range';
import { requireSageMakerName } from './sagemaker-name';
import type { Scaling } from './scaling';
import { ServingImage } from './serving-image';

/** A model version and what serves it. */
export interface VariantOptions {
  /** The trained model. */
  readonly artifact: ModelArtifact;

  /**
   * The container that serves it.
   *
   * @default - ServingImage.onnx() for an ONNX model; needed for every other, as its version must fit the one trained with; refused for a
   * model package, which names its own
   */
  readonly image?: ServingImage;

  /**
   * What bears the requests.
   *
   * @default Capacity.instances({ instanceType: 'ml.c6i.large', min: 2 })
   */
  readonly capacity?: Capacity;

  /**
   * How capacity follows load, between the capacity's minimum and maximum. SageMaker refuses to change the instance type of a variant that
   * scales: deploy once without scaling, once with the new type, then with scaling again.
   *
   * @default - none
   */
  readonly scaling?: Scaling[];

  /**
   * Settings for the container: at most 100 entries, 1,024 characters a value, 32 KB together, no secrets.
   *
   * @default - what the image needs
   */
  readonly environment?: { [name: string]: string };

  /**
   * The share of requests as a weight beside the other variants', 0 or more.
   *
   * @default 1 for the endpoint's first variant, 0 for others
   */
  readonly weight?: number;
}

/** @internal */
export interface ProductionVariantProps {
  readonly variantName: string;
  readonly options: VariantOptions;
  readonly role: ExecutionRole;
  readonly store?: ModelStore;
  readonly vpcConfig?: CfnModel.VpcConfigProperty;
  /** As the user asked; by default as the image allows. */
  readonly networkIsolation?: boolean;
  readonly defaultWeight: number;
}

/**
 * What a variant's model is made of, for whoever makes it in the template's stead.
 *
 * @internal
 */
export interface VariantModel {
  readonly container: CfnModel.ContainerDefinitionProperty;
  readonly executionRoleArn: string;
  readonly enableNetworkIsolation?: boolean;
  readonly vpcConfig?: CfnModel.VpcConfigProperty;
  readonly inAssetBucket: boolean;
  readonly location?: ArtifactLocation;
  /** The content, where the artifact's URL holds it. */
  readonly digest?: string;
  /** What must exist before the model. */
  readonly dependencies: DependencyGroup;
}

/**
 * A model in SageMaker, and its part of the endpoint's configuration.
 *
 * @internal
 */
export class ProductionVariant extends Construct {
  public readonly variantName: string;
  public readonly capacity: Capacity;
  public readonly scaling: Scaling[];
  public readonly model: VariantModel;
  private readonly resource: CfnModel;
  private readonly weight: number;

  constructor(scope: Construct, props: ProductionVariantProps) {
    super(scope, requireSageMakerName("a variant's", props.variantName));
    const { options, role } = props;
    this.variantName = props.variantName;
    this.capacity = options.capacity ?? Capacity.instances({ instanceType: 'ml.c6i.large', min: 2 });
    this.scaling = options.scaling ?? [];
    this.weight = requireWeight(options.weight ?? props.defaultWeight);

    const artifact = options.artifact._bind(this, { store: props.store });
    const image = chooseImage(options, artifact.modelPackageArn !== undefined);
    const boundImage = image?._bind(this, imageTarget(this.capacity._instance?.instanceType), options.artifact._contents);
    const environment = { ...boundImage?.environment, ...artifact.environment, ...options.environment };
    requireEnvironment(Stack.of(this).resolve(environment));
    const serverless = this.capacity._kind === 'serverless';
    if (serverless) refuseServerless(props, artifact.prefixUrl);

    for (const statement of artifact.statements) {
      const wildcard = artifact.prefixUrl === undefined ? undefined : 'every file of one uncompressed model, below its own prefix';
      role.allow(statement, wildcard);
    }
    const repositoryArn = boundImage?.repositoryArn ?? artifact.imageRepositoryArn;
    if (repositoryArn !== undefined) role.allowToPull(repositoryArn);

    this.model = {
      executionRoleArn: role.role.roleArn,
      enableNetworkIsolation: serverless ? undefined : (props.networkIsolation ?? image?._worksIsolated ?? false),
      vpcConfig: props.vpcConfig,
      container: {
        image: boundImage?.uri,
        modelDataUrl: artifact.archiveUrl,
        modelDataSource: artifact.prefixUrl
          ? { s3DataSource: { s3Uri: artifact.prefixUrl, s3DataType: 'S3Prefix', compressionType: 'None' } }
          : undefined,
        modelPackageName: artifact.modelPackageArn,
        environment: Object.keys(environment).length === 0 ? undefined : environment,
      },
      inAssetBucket: artifact.inAssetBucket ?? false,
      location: artifact.location,
      digest: artifact.digest,
      dependencies: new DependencyGroup(role.policies, ...artifact.dependencies),
    };
    const { executionRoleArn, enableNetworkIsolation, vpcConfig, container: primaryContainer } = this.model;
    this.resource = new CfnModel(this, 'Model', { executionRoleArn, enableNetworkIsolation, vpcConfig, primaryContainer });
    this.resource.node.addDependency(this.model.dependencies);
  }

  /** Takes the model out of the template: somebody else makes it. */
  public handOver(): VariantModel {
    this.node.tryRemoveChild('Model');
    return this.model;
  }

  /** Its part of the endpoint's configuration. */
  public render(): CfnEndpointConfig.ProductionVariantProperty {
    return {
      variantName: this.variantName,
      modelName: this.resource.attrModelName,
      initialVariantWeight: this.weight,
      ...this.capacity._bind(),
    };
  }
}

function requireWeight(weight: number): number {
  requireWritten('weight', weight);
  if (weight >= 0 && Number.isFinite(weight)) return weight;
  throw new Error(`a variant's weight is a finite number of 0 or more, got ${weight}`);
}

function refuseServerless(props: ProductionVariantProps, prefixUrl?: string): void {
  const remedy = 'use Capacity.instances, or leave it out';
  if (props.vpcConfig !== undefined) throw new Error(`a serverless endpoint cannot stand in a VPC: ${remedy}`);
  if (props.networkIsolation === true) throw new Error(`a serverless endpoint cannot be isolated from the network: ${remedy}`);
  if (prefixUrl !== undefined) {
    throw new Error('a serverless endpoint takes one .tar.gz, not an uncompressed prefix: publish an archive, or use Capacity.instances');
  }
}

function chooseImage(options: VariantOptions, packaged: boolean): ServingImage | undefined {
  const { artifact, image } = options;
  if (packaged) {
    if (image !== undefined) throw new Error('a model package names its own image: leave image out');
    return undefined;
  }
  const { family } = artifact._contents;
  if (image === undefined) {
    if (family === 'onnx') return ServingImage.onnx();
    throw new Error(
      family === undefined
        ? 'the artifact does not say which container serves it: give image, e.g. ServingImage.onnx()'
        : `the model '${artifact._contents.name}' needs image, ${SUGGESTION[family]}`,
    );
  }
  refuseMismatch(image, artifact._contents);
  return image;
}

const SUGGESTION = {
  onnx: 'ServingImage.onnx()',
  sklearn: "ServingImage.sklearn('1.4'), of the version that it was trained with",
  xgboost: "ServingImage.xgboost('1.7'), of the version that it was trained with",
  pytorch: "ServingImage.pytorch('2.6')",
  tensorflow: "ServingImage.tensorflow('2.19')",
  huggingface: "ServingImage.huggingface('4.51')",
  triton: "ServingImage.triton('25.09')",
  'djl-lmi': "ServingImage.djl('0.36')",
  custom: 'ServingImage.fromAsset(directory) or ServingImage.fromEcrRepository(repository, tag)',
};

/** Python images that run whatever `code/inference.py` loads. */
const HANDLERS = ['sklearn', 'xgboost', 'pytorch', 'huggingface', 'djl-lmi'];

/** An image that cannot load the model fails only after minutes of deployment, with an empty reason. */
function refuseMismatch(image: ServingImage, { family, entryPoint, name }: ArtifactContents): void {
  if (family === undefined || image._family === 'custom' || image._family === family) return;
  if (entryPoint !== undefined && HANDLERS.includes(image._family)) return;
  if (image._family === 'djl-lmi' && family === 'huggingface') return;
  throw new Error(
    `the image for ${image._family} cannot load the model '${name}', which needs ${SUGGESTION[family]}; a Python image can where the model has a code/inference.py that loads it`,
  );
}
