import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { CfnMapping, Stack, Token } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { ImageFamily } from '../model';
import { packageRoot } from '../model/entry-point';
import type { ArtifactContents, BoundImage, ImageTarget } from './bindings';
import { registryAccounts } from './image-accounts';
import { type CataloguedFramework, IMAGE_CATALOGUE, type PublishedFramework, type PublishedImage } from './image-catalogue';
import { requireSameRegion } from './same-region';

/** How a container image is built by `cdk deploy`. */
export interface ImageBuildOptions {
  /**
   * The Dockerfile, below the directory.
   *
   * @default 'Dockerfile'
   */
  readonly file?: string;
  /**
   * Docker build arguments.
   *
   * @default - none
   */
  readonly buildArgs?: { [name: string]: string };
}

/**
 * The container image that serves a model.
 *
 * AWS's images are named by account, repository and tag as the SageMaker SDK names them, for the stack's region; in a stack without a region
 * by a mapping over all of them. The tag follows the instance type: CPU, GPU or Graviton.
 */
export abstract class ServingImage {
  /**
   * This package's own small container for ONNX models: built by `cdk deploy` (which needs Docker then, not at synth), for x86-64 or Graviton
   * as the instance type asks. It runs without network.
   */
  public static onnx(): ServingImage {
    const container = join(packageRoot(__dirname), 'lib', 'serving', 'container');
    if (!existsSync(join(container, 'dist')))
      throw new Error(`${container} has no server in it yet: build the package first (npm run build)`);
    return new BuiltImage('onnx', container, {}, true);
  }

  /**
   * AWS's scikit-learn image. Its archive must hold `code/inference.py` with a `model_fn`.
   *
   * @param version e.g. `1.4-2-py312`, or the start of one: `1.4`
   * @throws Error where AWS publishes no such version
   */
  public static sklearn(version: string): ServingImage {
    return new PublishedServingImage('sklearn', 'sklearn', version);
  }

  /**
   * AWS's XGBoost image.
   *
   * @param version e.g. `1.7-1`, or the start of one: `1.7`
   * @throws Error where AWS publishes no such version
   */
  public static xgboost(version: string): ServingImage {
    return new PublishedServingImage('xgboost', 'xgboost', version);
  }

  /**
   * AWS's PyTorch inference Deep Learning Container.
   *
   * @param version e.g. `2.6.0`, or the start of one: `2.6`
   * @throws Error where AWS publishes no such version
   */
  public static pytorch(version: string): ServingImage {
    return new PublishedServingImage('pytorch', 'pytorch', version);
  }

  /**
   * AWS's TensorFlow Serving Deep Learning Container.
   *
   * @param version e.g. `2.19.0`, or the start of one: `2.19`
   * @throws Error where AWS publishes no such version
   */
  public static tensorflow(version: string): ServingImage {
    return new PublishedServingImage('tensorflow', 'tensorflow', version);
  }

  /**
   * AWS's Hugging Face inference Deep Learning Container, on PyTorch.
   *
   * @param version of transformers, e.g. `4.51.3`, or the start of one: `4.51`
   * @throws Error where AWS publishes no such version
   */
  public static huggingface(version: string): ServingImage {
    return new PublishedServingImage('huggingface', 'huggingface', version);
  }

  /**
   * NVIDIA's Triton Inference Server as AWS publishes it.
   *
   * @param version e.g. `25.09`
   * @throws Error where AWS publishes no such version
   */
  public static triton(version: string): ServingImage {
    return new PublishedServingImage('triton', 'triton', version);
  }

  /**
   * AWS's DJL Large Model Inference container. GPU instances only.
   *
   * @param version of DJL, e.g. `0.36.0`, or the start of one: `0.36`
   * @throws Error where AWS publishes no such version
   */
  public static djl(version: string): ServingImage {
    return new PublishedServingImage('djl', 'djl-lmi', version);
  }

  /**
   * Any image in an ECR repository of the endpoint's region, of this account or another.
   *
   * @param repository in the endpoint's region: SageMaker pulls from no other
   * @param tagOrDigest a tag, or `sha256:...`; a digest cannot change under a live endpoint
   */
  public static fromEcrRepository(repository: IRepository, tagOrDigest: string): ServingImage {
    return new RepositoryImage(repository, tagOrDigest);
  }

  /**
   * An image built from a directory with a Dockerfile, by `cdk deploy`. It must answer GET /ping and POST /invocations on port 8080.
   *
   * @param directory the Docker build context
   */
  public static fromAsset(directory: string, options: ImageBuildOptions = {}): ServingImage {
    return new BuiltImage('custom', directory, options, false);
  }

  /** @internal */
  public abstract readonly _family: ImageFamily;

  /**
   * Whether the container does its work with no network at all.
   *
   * @internal
   */
  public abstract readonly _worksIsolated: boolean;

  /** @internal */
  public abstract _bind(scope: Construct, target: ImageTarget, contents: ArtifactContents): BoundImage;
}

/** Images that start a Python program named in the environment (the SageMaker inference toolkit). */
const TOOLKIT: readonly ImageFamily[] = ['sklearn', 'xgboost', 'pytorch', 'huggingface'];

class PublishedServingImage extends ServingImage {
  public readonly _worksIsolated = false;
  private readonly framework: PublishedFramework;
  private readonly version: string;
  private readonly image: PublishedImage;

  constructor(
    name: CataloguedFramework,
    public readonly _family: ImageFamily,
    version: string,
  ) {
    super();
    this.framework = IMAGE_CATALOGUE[name];
    this.version = newestMatch(this.framework, version);
    this.image = this.framework.versions[this.version] as PublishedImage;
  }

  /** @internal */
  public _bind(scope: Construct, target: ImageTarget, contents: ArtifactContents): BoundImage {
    const [repository, tag] = this.imageFor(target).split(':') as [string, string];
    const stack = Stack.of(scope);
    const account = this.account(scope, target);
    return {
      uri: `${account}.dkr.ecr.${stack.region}.${stack.urlSuffix}/${repository}:${tag}`,
      repositoryArn: stack.formatArn({ service: 'ecr', account, resource: 'repository', resourceName: repository }),
      environment: this.environment(contents),
    };
  }

  private imageFor(target: ImageTarget): string {
    const { cpu, gpu, arm } = this.image;
    const image = { cpu, gpu, arm, 'arm-gpu': undefined, neuron: undefined }[target.processor];
    if (image !== undefined) return image;
    const others = Object.entries(this.framework.versions).filter(([, { arm }]) => arm !== undefined);
    const hint =
      target.processor === 'arm' && others.length > 0
        ? `versions with one: ${others.map(([version]) => version).join(', ')}`
        : 'take an instance type of another family, or ServingImage.fromEcrRepository';
    throw new Error(
      `${this.framework.title} ${this.version} has no image for ${target.instanceType ?? 'serverless'} (${KIND[target.processor]}): ${hint}`,
    );
  }

  private account(scope: Construct, target: ImageTarget): string {
    const stack = Stack.of(scope);
    const absent = target.processor === 'arm' ? (this.image.armAbsentFrom ?? this.image.absentFrom) : this.image.absentFrom;
    const accounts = Object.entries(registryAccounts(this.framework.registry)).filter(([region]) => !absent.includes(region));
    if (Token.isUnresolved(stack.region)) {
      const id = `FledgeImageAccounts${this.framework.title.replace(/\W/g, '')}${this.version.replace(/\W/g, '')}${target.processor}`;
      const mapping =
        (stack.node.tryFindChild(id) as CfnMapping | undefined) ??
        new CfnMapping(stack, id, { mapping: Object.fromEntries(accounts.map(([region, account]) => [region, { account }])) });
      return mapping.findInMap(stack.region, 'account');
    }
    const account = accounts.find(([region]) => region === stack.region)?.[1];
    if (account === undefined) {
      throw new Error(
        `AWS publishes no ${this.framework.title} ${this.version} image in ${stack.region}: copy it to a repository there and use ServingImage.fromEcrRepository; regions with it: ${accounts.map(([region]) => region).join(', ')}`,
      );
    }
    return account;
  }

  private environment(contents: ArtifactContents): Record<string, string> {
    if (!TOOLKIT.includes(this._family)) return {};
    const program = contents.entryPoint ?? (this._family === 'sklearn' ? 'code/inference.py' : undefined);
    if (program === undefined) return {};
    return { SAGEMAKER_PROGRAM: program.replace(/^code\//, ''), SAGEMAKER_SUBMIT_DIRECTORY: '/opt/ml/model/code' };
  }
}

class RepositoryImage extends ServingImage {
  public readonly _family = 'custom';
  public readonly _worksIsolated = false;

  constructor(
    private readonly repository: IRepository,
    private readonly tagOrDigest: string,
  ) {
    super();
    if (tagOrDigest === '') throw new Error('the image needs a tag or a digest, got an empty string');
  }

  /** @internal */
  public _bind(scope: Construct): BoundImage {
    requireSameRegion(scope, `the repository ${this.repository.node.path}`, this.repository.env.region);
    return {
      uri: this.repository.repositoryUriForTagOrDigest(this.tagOrDigest),
      repositoryArn: this.repository.repositoryArn,
      environment: {},
    };
  }
}

class BuiltImage extends ServingImage {
  constructor(
    public readonly _family: ImageFamily,
    private readonly directory: string,
    private readonly options: ImageBuildOptions,
    public readonly _worksIsolated: boolean,
  ) {
    super();
  }

  /** @internal */
  public _bind(scope: Construct, target: ImageTarget): BoundImage {
    const arm = target.processor === 'arm' || target.processor === 'arm-gpu';
    const asset = new DockerImageAsset(scope, 'Image', {
      directory: this.directory,
      file: this.options.file,
      buildArgs: this.options.buildArgs,
      platform: arm ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
    });
    return { uri: asset.imageUri, repositoryArn: asset.repository.repositoryArn, environment: {} };
  }
}

const KIND = { cpu: 'x86-64', gpu: 'GPU', arm: 'Graviton', 'arm-gpu': 'Graviton with GPU', neuron: 'Neuron' };

/** `2.6` is the newest version that starts so, at a boundary: `1.1` is not the start of `1.10`. */
function newestMatch(framework: PublishedFramework, wanted: string): string {
  const versions = Object.keys(framework.versions);
  const found = versions.filter((version) => version === wanted || version.startsWith(`${wanted}.`) || version.startsWith(`${wanted}-`));
  const newest = found.at(-1);
  if (newest === undefined) {
    throw new Error(
      `AWS publishes no ${framework.title} ${wanted} image known to this package: take one of ${versions.join(', ')}, or ServingImage.fromEcrRepository`,
    );
  }
  return newest;
}
