import { ServiceError } from '../../server';
import type { S3Request } from './request';

/** Parameters that say how an operation is done; every other one says which operation it is. */
const PARAMETERS =
  /^(list-type|prefix|delimiter|max-keys|marker|continuation-token|start-after|encoding-type|fetch-owner|versionId|partNumber|uploadId|max-parts|part-number-marker|key-marker|upload-id-marker|max-uploads|max-buckets|bucket-region|response-.*|x-.*|AWSAccessKeyId|Signature|Expires)$/i;

const BUCKET: Readonly<Record<string, string>> = {
  PUT: 'CreateBucket',
  HEAD: 'HeadBucket',
  DELETE: 'DeleteBucket',
  GET: 'ListObjectsV2',
  'GET uploads': 'ListMultipartUploads',
  'GET location': 'GetBucketLocation',
  'GET versioning': 'GetBucketVersioning',
  'POST delete': 'DeleteObjects',
};

const OBJECT: Readonly<Record<string, string>> = {
  PUT: 'PutObject',
  GET: 'GetObject',
  HEAD: 'HeadObject',
  DELETE: 'DeleteObject',
  'GET tagging': 'GetObjectTagging',
  'POST uploads': 'CreateMultipartUpload',
};

const UPLOAD: Readonly<Record<string, string>> = {
  PUT: 'UploadPart',
  GET: 'ListParts',
  DELETE: 'AbortMultipartUpload',
  POST: 'CompleteMultipartUpload',
};

/** The operation that a request asks for, by the name that S3 gives it; `GET acl` and the like for one that is not here. */
export function operationOf({ method, bucket, key, query, header }: S3Request): string {
  const which = [...query.keys()].find((name) => !PARAMETERS.test(name));
  const asked = which === undefined ? method : `${method} ${which}`;
  if (bucket === '') return asked === 'GET' ? 'ListBuckets' : asked;
  const table = key === '' ? BUCKET : query.has('uploadId') ? UPLOAD : OBJECT;
  const name = table[asked] ?? asked;
  if (name === 'ListObjectsV2' && query.get('list-type') !== '2') return 'ListObjects';
  if (header('x-amz-copy-source') === undefined) return name;
  return { PutObject: 'CopyObject', UploadPart: 'UploadPartCopy' }[name] ?? name;
}

/** S3's answer to an operation that is not here: it must never be taken for its namesake without the parameter. */
export function notHere(operation: string, { method }: S3Request): ServiceError {
  return operation === method
    ? new ServiceError('MethodNotAllowed', `The specified method ${method} is not allowed against this resource.`, 405)
    : new ServiceError('NotImplemented', `The local S3 has no ${operation}.`, 501);
}

/**
 * Refuses what can be meant for no object here.
 *
 * @throws ServiceError InvalidURI, NoSuchVersion
 */
export function checkAddress({ request, query }: S3Request): void {
  try {
    decodeURIComponent(request.path);
  } catch {
    throw new ServiceError('InvalidURI', "Couldn't parse the specified URI.");
  }
  const version = query.get('versionId');
  if (version !== null && version !== 'null') throw new ServiceError('NoSuchVersion', 'The specified version does not exist.', 404);
}
