import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Annotations, Arn, ArnFormat, Size, Token } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { archiveSync } from '../model/archive';
import { type Inspection, inspect, inspectArchive } from '../model/inspect';
import { archiveOutput, stageArchive } from './archive-staging';
import { readObject, readStatements } from './artifact-access';
import type { ArtifactContents, ArtifactPlacement, BoundArtifact } from './bindings';
import { takeArchive } from './existing-archive';
import { refuseOversize } from './oversize';
import { requireSameRegion } from './same-region';
import { keepInStore } from './store-copy';

export interface DirectoryOptions {
  /**
   * Above this total size the directory is not read at synth: the error says how to publish it, and what to pin then.
   *
   * @default Size.gibibytes(2)
   */
  readonly sizeLimit?: Size;
}

export interface ModelPackageOptions {
  /**
   * Where the package's model data lies, for the endpoint's role to read.
   *
   * @default - the role is given no bucket; the package's data must be readable otherwise
   */
  readonly dataBucket?: IBucket;

  /**
   * The key of the package's model data, or its prefix, ending in `/`.
   *
   * @default - needed with dataBucket
   */
  readonly dataKey?: string;

  /**
   * Where the package's image lies, for the endpoint's role to pull.
   *
   * @default - the role is given no repository
   */
  readonly imageRepository?: IRepository;
}

/** A trained model: where its bytes are, and what is known of them. */
export abstract class ModelArtifact {
  /**
   * A directory of this machine, checked here and now without executing any of it, and archived at synth by its content: the same files give
   * the same template, whatever their dates, owner and order.
   *
   * Without a `modelStore` on the endpoint, `cdk deploy` uploads the archive to the CDK's asset bucket and the endpoint may read that one
   * object; with one, the deployment copies it there.
   *
   * @throws Error when the directory is empty, holds no model or several, cannot be read, lacks what its container wants, or is over the
   * size limit
   */
  public static fromDirectory(directory: string, options: DirectoryOptions = {}): ModelArtifact {
    refuseOversize(directory, options.sizeLimit ?? Size.gibibytes(2));
    return new DirectoryArtifact(inspect(directory));
  }

  /**
   * An existing `model.tar.gz` of this machine, taken as it is once checked.
   *
   * @throws Error when it is no gzip-compressed tar, or holds no model
   */
  public static fromArchive(archive: string): ModelArtifact {
    return new ArchiveArtifact(inspectArchive(archive));
  }

  /**
   * An archive, or an uncompressed prefix, that is in S3 already: published by `fledge publish` or written by a training job.
   *
   * Best where the key holds the digest. Where it does not, a new digest still deploys a new model, but whoever overwrites the object
   * changes what a live endpoint loads when it scales out: the construct warns.
   *
   * @param bucket in the endpoint's region
   * @param key of one `.tar.gz`; or a prefix ending in `/` for an uncompressed model
   * @param digest what the bytes are: it must change when they do
   * @throws Error when the key is neither, or the digest is empty
   */
  public static fromBucket(bucket: IBucket, key: string, digest: string): ModelArtifact {
    if (!Token.isUnresolved(key) && !/(\.tar\.gz|[^/]\/)$/.test(key)) {
      throw new Error(`the key of a model ends in .tar.gz, or in / for an uncompressed prefix, got '${key}'`);
    }
    if (digest === '') throw new Error('the digest is empty: give what fledge publish printed, so that new bytes deploy a new model');
    return new StoredArtifact(bucket, key, digest);
  }

  /**
   * A version of a SageMaker model package group. The package names its image and data: the endpoint takes no `image`.
   *
   * @param modelPackageArn with its version: `arn:aws:sagemaker:eu-west-1:111122223333:model-package/flight-delay/3`
   * @throws Error when the ARN has no version
   */
  public static fromModelPackage(modelPackageArn: string, options: ModelPackageOptions = {}): ModelArtifact {
    if (!Token.isUnresolved(modelPackageArn) && !/^arn:[\w-]+:sagemaker:[\w-]+:\d{12}:model-package\/[\w-]+\/\d+$/.test(modelPackageArn)) {
      throw new Error(
        `a model package is named by its versioned ARN (arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION), got '${modelPackageArn}'`,
      );
    }
    if ((options.dataBucket === undefined) !== (options.dataKey === undefined)) {
      throw new Error('dataBucket and dataKey of a model package belong together: give both or neither');
    }
    return new PackagedArtifact(modelPackageArn, options);
  }

  /** @internal */
  public abstract readonly _contents: ArtifactContents;

  /** @internal */
  public abstract _bind(scope: Construct, placement: ArtifactPlacement): BoundArtifact;
}

abstract class LocalArtifact extends ModelArtifact {
  public readonly _contents: ArtifactContents;

  constructor(protected readonly inspection: Inspection) {
    super();
    refuseUnservable(inspection);
    this._contents = { name: inspection.name, family: inspection.needs.image, entryPoint: inspection.needs.entryPoint };
  }

  /** An archive in the directory, named by its content. */
  protected abstract archive(output: string): { readonly path: string; readonly digest: string };

  /** @internal */
  public _bind(scope: Construct, { store }: ArtifactPlacement): BoundArtifact {
    const { path, digest } = this.archive(archiveOutput(scope));
    const staged = stageArchive(scope, path, digest, this._contents.name);
    if (store !== undefined) return keepInStore(scope, store, staged, digest);
    return {
      archiveUrl: staged.url,
      inAssetBucket: true,
      digest,
      environment: {},
      statements: [readObject(scope, staged.bucketName, staged.objectKey)],
      dependencies: [],
    };
  }
}

class DirectoryArtifact extends LocalArtifact {
  protected archive(output: string) {
    // Scanned when it was inspected.
    return archiveSync(this.inspection.directory, { output, scan: false });
  }
}

class ArchiveArtifact extends LocalArtifact {
  protected archive(output: string) {
    return takeArchive(this.inspection.directory, output);
  }
}

class StoredArtifact extends ModelArtifact {
  public readonly _contents: ArtifactContents;

  constructor(
    private readonly bucket: IBucket,
    private readonly key: string,
    private readonly digest: string,
  ) {
    super();
    this._contents = { name: key };
  }

  /** @internal */
  public _bind(scope: Construct): BoundArtifact {
    requireSameRegion(scope, `the bucket ${this.bucket.node.path}`, this.bucket.env.region);
    const named = this.key.includes(this.digest);
    if (!named && !Token.isUnresolved(this.key)) {
      Annotations.of(scope).addWarningV2(
        'cdk-fledge:artifactNotNamedByContent',
        `the key '${this.key}' does not hold the digest: an object overwritten in place changes what the live endpoint loads when it scales out. Publish it with fledge publish, or keep the object as it is`,
      );
    }
    const url = this.bucket.s3UrlForObject(this.key);
    const prefix = this.key.endsWith('/');
    return {
      ...(prefix ? { prefixUrl: url } : { archiveUrl: url }),
      location: { bucket: this.bucket, key: this.key },
      ...(named && { digest: this.digest }),
      environment: named ? {} : { MODEL_ARTIFACT_DIGEST: this.digest },
      statements: readStatements(scope, this.bucket, this.key),
      dependencies: [],
    };
  }
}

class PackagedArtifact extends ModelArtifact {
  public readonly _contents: ArtifactContents;

  constructor(
    private readonly modelPackageArn: string,
    private readonly options: ModelPackageOptions,
  ) {
    super();
    this._contents = { name: modelPackageArn };
  }

  /** @internal */
  public _bind(scope: Construct): BoundArtifact {
    const { dataBucket, dataKey, imageRepository } = this.options;
    if (!Token.isUnresolved(this.modelPackageArn)) {
      const { region } = Arn.split(this.modelPackageArn, ArnFormat.SLASH_RESOURCE_NAME);
      requireSameRegion(scope, `the model package ${this.modelPackageArn}`, region!);
    }
    const statements = [
      new PolicyStatement({
        sid: 'UseModelPackage',
        actions: ['sagemaker:AccessModelPackage', 'sagemaker:DescribeModelPackage'],
        resources: [this.modelPackageArn],
      }),
    ];
    if (dataBucket !== undefined && dataKey !== undefined) statements.push(...readStatements(scope, dataBucket, dataKey));
    return {
      modelPackageArn: this.modelPackageArn,
      location: dataBucket && dataKey !== undefined ? { bucket: dataBucket, key: dataKey } : undefined,
      environment: {},
      statements,
      dependencies: [],
      imageRepositoryArn: imageRepository?.repositoryArn,
    };
  }
}

/** What the container would not load is refused before anything is uploaded. */
function refuseUnservable(inspection: Inspection): void {
  const errors = inspection.findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const lines = errors.map(({ path, message, remedy }) => `  ${path === undefined ? '' : `${path}: `}${message}; ${remedy}`);
  throw new Error(`the model in ${inspection.directory} cannot be served:\n${lines.join('\n')}`);
}
