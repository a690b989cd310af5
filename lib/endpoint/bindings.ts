import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IDependable } from 'constructs';
import type { ImageFamily } from '../model';
import type { ModelStore } from './model-store';

/**
 * The hardware an image must run on.
 *
 * @internal
 */
export interface ImageTarget {
  /** Absent for serverless, which runs on x86-64 CPUs. */
  readonly instanceType?: string;
  readonly processor: 'cpu' | 'gpu' | 'arm' | 'arm-gpu' | 'neuron';
}

/**
 * What is known of an artifact's contents before it is placed.
 *
 * @internal
 */
export interface ArtifactContents {
  /** The image family that the bytes ask for; absent where they cannot be seen from here. */
  readonly family?: ImageFamily;
  /** The handler, below the model's directory. */
  readonly entryPoint?: string;
  readonly name: string;
}

/**
 * An object, or a prefix that ends in `/`.
 *
 * @internal
 */
export interface ArtifactLocation {
  readonly bucket: IBucket;
  readonly key: string;
}

/** @internal */
export interface BoundArtifact {
  /** Where the bytes lie, as far as is known. */
  readonly location?: ArtifactLocation;
  /** s3:// URL of one .tar.gz. */
  readonly archiveUrl?: string;
  /** Whether the archive lies where the CDK may clean up once no template names it. */
  readonly inAssetBucket?: boolean;
  /** The content, where the URL holds it. */
  readonly digest?: string;
  /** s3:// URL of an uncompressed prefix, ending in `/`. */
  readonly prefixUrl?: string;
  readonly modelPackageArn?: string;
  /** Set where new bytes could come under the same URL. */
  readonly environment: Record<string, string>;
  /** What the execution role must be allowed, to the object. */
  readonly statements: PolicyStatement[];
  /** What must exist before the model. */
  readonly dependencies: IDependable[];
  /** The repository of a model package's own image. */
  readonly imageRepositoryArn?: string;
}

/** @internal */
export interface ArtifactPlacement {
  readonly store?: ModelStore;
}

/** @internal */
export interface BoundImage {
  readonly uri: string;
  readonly repositoryArn: string;
  readonly environment: Record<string, string>;
}
