import type { ContainerDefinition } from '@aws-sdk/client-sagemaker';
import { parseS3Uri } from '../storage/objects';

/** Where a container's model lies. */
export interface ModelDataPlace {
  readonly uri: string;
  /** undefined for a `file://` place, which only the local SageMaker knows. */
  readonly bucket?: string;
  /** An object's key, or the prefix of many; a path for a `file://` place. */
  readonly key: string;
  /** Files below a prefix, as they are, rather than one archive. */
  readonly prefix: boolean;
  /** MD5 or multipart ETag that the object must have, where the model says one. */
  readonly etag?: string;
}

/** @returns undefined for a container without a model */
export function modelDataUri(container: ContainerDefinition & { readonly ModelDataETag?: string }): ModelDataPlace | undefined {
  const source = container.ModelDataSource?.S3DataSource;
  const uri = source?.S3Uri ?? container.ModelDataUrl;
  if (uri === undefined) return undefined;
  const prefix = source?.S3DataType === 'S3Prefix';
  const etag = source?.ETag ?? container.ModelDataETag;
  if (uri.startsWith('file://')) return { uri, key: decodeURIComponent(new URL(uri).pathname), prefix };
  const place = parseS3Uri(httpsToS3(uri));
  return place === undefined ? { uri, key: uri, prefix, etag } : { uri, ...place, prefix, etag };
}

/** `https://bucket.s3.region.amazonaws.com/key` and the path style, which SageMaker takes too. */
function httpsToS3(uri: string): string {
  return uri
    .replace(/^https:\/\/([^/.][^/]*?)\.s3[.-][^/]*amazonaws\.com(?:\.cn)?\//, 's3://$1/')
    .replace(/^https:\/\/s3[.-][^/]*amazonaws\.com(?:\.cn)?\//, 's3://');
}
