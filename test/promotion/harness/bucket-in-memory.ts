import { createHash } from 'node:crypto';
import { type LocalRequest, type LocalResponse, type Service, ServiceError } from '../../../lib/local/server';
import { parseS3, type S3Request } from '../../../lib/local/storage/s3/request';
import { writeXml } from '../../../lib/local/storage/s3/xml';

interface Held {
  readonly bytes: Buffer;
  /** With its quotes. */
  readonly etag: string;
}

const LARGEST = 4 * 1024 * 1024;

/** One bucket of S3 that is nowhere but in memory, as far as a stage uses it: objects, conditional writes, one page of keys. The local S3 writes files, which a thousand promotions feel. */
export class BucketInMemory implements Service {
  readonly name = 'S3';
  private readonly objects = new Map<string, Held>();

  constructor(readonly bucket: string) {}

  handles(request: LocalRequest): boolean {
    return parseS3(request).bucket === this.bucket && /\/s3\/aws4_request/.test(request.headers.authorization ?? '');
  }

  point(request: LocalRequest) {
    return { service: this.name, operation: operationOf(parseS3(request)) };
  }

  async handle(request: LocalRequest): Promise<LocalResponse> {
    const s3 = parseS3(request);
    switch (operationOf(s3)) {
      case 'PutObject':
        return this.put(s3, await request.read(LARGEST));
      case 'ListObjectsV2':
        return this.list(s3.query.get('prefix') ?? '');
      default:
        return this.get(s3);
    }
  }

  refuse(error: ServiceError): LocalResponse {
    const code = error.code === 'ThrottlingException' ? 'SlowDown' : error.code;
    return xml('Error', { Code: code, Message: error.message }, code === 'SlowDown' ? 503 : error.status);
  }

  private get({ key, method }: S3Request): LocalResponse {
    const held = this.objects.get(key);
    if (!held) throw new ServiceError('NoSuchKey', 'The specified key does not exist.', 404);
    const headers = { etag: held.etag, 'content-type': 'application/json', 'content-length': String(held.bytes.length) };
    return { status: 200, headers, body: method === 'HEAD' ? undefined : held.bytes };
  }

  private put({ key, header }: S3Request, bytes: Buffer): LocalResponse {
    const standing = this.objects.get(key);
    const match = header('if-match');
    if (match !== undefined && !standing) throw new ServiceError('NoSuchKey', 'The specified key does not exist.', 404);
    if ((header('if-none-match') === '*' && standing) || (match !== undefined && match !== standing!.etag))
      throw new ServiceError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    this.objects.set(key, { bytes, etag });
    return { status: 200, headers: { etag } };
  }

  private list(prefix: string): LocalResponse {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    if (keys.length > 1000) throw new Error(`${keys.length} keys below ${prefix} do not fit a page`);
    return xml('ListBucketResult', { Name: this.bucket, IsTruncated: false, Contents: keys.map((Key) => ({ Key })) });
  }
}

function operationOf({ method, key }: S3Request): string {
  if (method === 'PUT') return 'PutObject';
  if (method === 'HEAD') return 'HeadObject';
  return key === '' ? 'ListObjectsV2' : 'GetObject';
}

const xml = (root: string, members: Record<string, unknown>, status = 200): LocalResponse => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: writeXml(root, members),
});
