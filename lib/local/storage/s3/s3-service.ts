import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { LocalContext } from '../../context';
import type { FaultPoint } from '../../faults';
import { type LocalRequest, type LocalResponse, type Service, ServiceError, signedService } from '../../server';
import type { DirectoryObjects } from '../directory-objects';
import { ALGORITHMS, type Algorithm } from './checksum';
import { fill, isBucketName, KeptObjects, type ObjectFacts } from './kept-objects';
import { listObjects } from './listing';
import { Multipart, type NamedPart, type Upload } from './multipart';
import { answerOf, checksumHeaders, isTag, preconditionFailed, rangeOf } from './object-answer';
import { checkAddress, notHere, operationOf } from './operation';
import { describedBy, parseS3, readSmall, receive, type S3Request } from './request';
import { readXml, writeXml, writeXmlError } from './xml';

type Handler = (s3: S3Request) => Promise<LocalResponse>;

/** A signature in the query: of version 4, or of version 2, which boto3 and the AWS CLI still presign with where nobody says otherwise. */
const PRESIGNED = /(^|&)(X-Amz-Credential=[^&]*%2Fs3%2F|AWSAccessKeyId=)/i;

/** S3 on a directory: objects, conditional writes, ranges, multipart uploads, checksums. No versions, no policies, no encryption: the directory is the user's own. */
export class S3Service implements Service {
  readonly name = 'S3';
  private readonly kept: KeptObjects;
  private readonly multipart: Multipart;
  private readonly operations: Readonly<Record<string, Handler>> = {
    ListBuckets: () => this.listBuckets(),
    CreateBucket: (s3) => this.createBucket(s3),
    HeadBucket: (s3) => this.headBucket(s3),
    DeleteBucket: (s3) => this.deleteBucket(s3),
    GetBucketLocation: (s3) => this.nothingOf('LocationConstraint', s3),
    GetBucketVersioning: (s3) => this.nothingOf('VersioningConfiguration', s3),
    ListObjects: (s3) => this.listObjects(s3),
    ListObjectsV2: (s3) => this.listObjects(s3),
    DeleteObjects: (s3) => this.deleteObjects(s3),
    PutObject: (s3) => this.putObject(s3),
    CopyObject: (s3) => this.copyObject(s3),
    GetObject: (s3) => this.getObject(s3),
    HeadObject: (s3) => this.getObject(s3),
    DeleteObject: (s3) => this.deleteObject(s3),
    GetObjectTagging: (s3) => this.tagging(s3),
    ListMultipartUploads: (s3) => this.listUploads(s3),
    CreateMultipartUpload: (s3) => this.begin(s3),
    UploadPart: (s3) => this.uploadPart(s3),
    UploadPartCopy: (s3) => this.uploadPart(s3),
    ListParts: (s3) => this.listParts(s3),
    AbortMultipartUpload: (s3) => this.abort(s3),
    CompleteMultipartUpload: (s3) => this.complete(s3),
  };

  constructor(
    private readonly context: Pick<LocalContext, 'clock'>,
    objects: DirectoryObjects,
  ) {
    this.kept = new KeptObjects(objects);
    this.multipart = new Multipart(this.kept);
  }

  handles(request: LocalRequest): boolean {
    const signed = signedService(request);
    return (
      signed === 's3' || (signed === undefined && (PRESIGNED.test(request.query) || /^AWS /.test(request.headers.authorization ?? '')))
    );
  }

  point(request: LocalRequest): FaultPoint {
    return { service: this.name, operation: operationOf(parseS3(request)) };
  }

  async handle(request: LocalRequest): Promise<LocalResponse> {
    const s3 = parseS3(request);
    checkAddress(s3);
    this.kept.checkKey(s3.bucket, s3.key);
    const name = operationOf(s3);
    const operation = this.operations[name];
    if (operation === undefined) throw notHere(name, s3);
    return operation(s3);
  }

  refuse(error: ServiceError, request: LocalRequest): LocalResponse {
    const { bucket, key } = parseS3(request);
    const code = error.code === 'ThrottlingException' ? 'SlowDown' : error.code;
    const status = code === 'SlowDown' ? 503 : error.status;
    const body = writeXmlError({ Code: code, Message: error.message, BucketName: bucket, Key: key, RequestId: randomUUID() });
    return { status, headers: { 'content-type': 'application/xml' }, body };
  }

  private async listBuckets(): Promise<LocalResponse> {
    return xml('ListAllMyBucketsResult', { Buckets: { Bucket: (await this.kept.buckets()).map((Name) => ({ Name })) } });
  }

  private async listObjects(s3: S3Request): Promise<LocalResponse> {
    await this.mustHave(s3.bucket);
    return xml('ListBucketResult', await listObjects(this.kept, s3));
  }

  private async createBucket({ bucket }: S3Request): Promise<LocalResponse> {
    if (!isBucketName(bucket)) throw new ServiceError('InvalidBucketName', `The specified bucket is not valid: ${bucket}`);
    await this.kept.createBucket(bucket);
    return empty(200, { location: `/${bucket}` });
  }

  private async headBucket({ bucket }: S3Request): Promise<LocalResponse> {
    return empty((await this.kept.hasBucket(bucket)) ? 200 : 404);
  }

  private async deleteBucket({ bucket }: S3Request): Promise<LocalResponse> {
    await this.mustHave(bucket);
    await this.kept.deleteBucket(bucket);
    return empty(204);
  }

  private async putObject(s3: S3Request): Promise<LocalResponse> {
    await this.mustHave(s3.bucket);
    const { draft, arrived } = await receive(this.kept, s3);
    const facts: ObjectFacts = {
      size: arrived.size,
      etag: `"${arrived.md5}"`,
      modified: this.context.clock.now(),
      ...describedBy(s3),
      algorithm: arrived.algorithm,
      checksum: arrived.checksum,
      checksumType: arrived.algorithm && 'FULL_OBJECT',
    };
    await this.adopt(s3, draft, facts);
    return empty(200, { etag: facts.etag, ...checksumHeaders(facts) });
  }

  private async copyObject(s3: S3Request): Promise<LocalResponse> {
    await this.mustHave(s3.bucket);
    const source = await this.source(s3);
    const draft = await this.kept.draft();
    const arrived = await fill(draft, this.kept.read(source.bucket, source.key), algorithmOf(s3) ?? source.facts.algorithm);
    const facts = {
      ...source.facts,
      ...(s3.header('x-amz-metadata-directive') === 'REPLACE' ? describedBy(s3) : {}),
      algorithm: arrived.algorithm,
      etag: `"${arrived.md5}"`,
      modified: this.context.clock.now(),
      checksum: arrived.checksum,
      checksumType: arrived.algorithm && ('FULL_OBJECT' as const),
    };
    await this.adopt(s3, draft, facts);
    return xml('CopyObjectResult', {
      ETag: facts.etag,
      LastModified: new Date(facts.modified).toISOString(),
      ChecksumType: facts.checksumType,
      ...checksumMembers(facts.algorithm, facts.checksum),
    });
  }

  /** Moves a draft in unless a condition of the request speaks against it. */
  private async adopt(s3: S3Request, draft: string, facts: ObjectFacts): Promise<void> {
    await this.kept.alone(s3.bucket, s3.key, async () => {
      const standing = await this.kept.facts(s3.bucket, s3.key);
      const match = s3.header('if-match');
      const problem =
        s3.header('if-none-match') === '*' && standing
          ? preconditionFailed()
          : match !== undefined && !standing
            ? noSuchKey()
            : match !== undefined && !isTag(match, standing!)
              ? preconditionFailed()
              : undefined;
      if (problem) {
        await rm(draft, { force: true });
        throw problem;
      }
      await this.kept.adopt(draft, s3.bucket, s3.key, facts);
    });
  }

  private async getObject(s3: S3Request): Promise<LocalResponse> {
    await this.mustHave(s3.bucket);
    const held = await this.kept.open(s3.bucket, s3.key);
    if (!held) throw noSuchKey();
    const { facts, file } = held;
    let isHanded = false;
    try {
      const { status, headers, range } = answerOf(s3, facts);
      if (s3.method === 'HEAD' || status === 304) return { status, headers };
      if (facts.size === 0) return { status, headers, body: Buffer.alloc(0) };
      isHanded = true;
      return { status, headers, body: file.createReadStream(range) };
    } finally {
      if (!isHanded) await file.close();
    }
  }

  private async deleteObject({ bucket, key, header }: S3Request): Promise<LocalResponse> {
    await this.mustHave(bucket);
    const match = header('if-match');
    await this.kept.alone(bucket, key, async () => {
      if (match !== undefined && !isTag(match, await this.mustFind(bucket, key))) throw preconditionFailed();
      await this.kept.delete(bucket, key);
    });
    return empty(204);
  }

  /** What a bucket has none of. */
  private async nothingOf(root: string, { bucket }: S3Request): Promise<LocalResponse> {
    await this.mustHave(bucket);
    return xml(root, {});
  }

  private async tagging({ bucket, key }: S3Request): Promise<LocalResponse> {
    await this.mustFind(bucket, key);
    return xml('Tagging', { TagSet: '' });
  }

  private async deleteObjects(s3: S3Request): Promise<LocalResponse> {
    await this.mustHave(s3.bucket);
    const { Object: asked = [], Quiet: quiet } = readXml(await readSmall(s3)) as { Object?: { Key: string }[]; Quiet?: string };
    for (const { Key } of asked) await this.kept.alone(s3.bucket, Key, () => this.kept.delete(s3.bucket, Key));
    return xml('DeleteResult', { Deleted: quiet === 'true' ? [] : asked.map(({ Key }) => ({ Key })) });
  }

  private async begin(s3: S3Request): Promise<LocalResponse> {
    await this.mustHave(s3.bucket);
    const algorithm = algorithmOf(s3);
    const full = s3.header('x-amz-checksum-type') === 'FULL_OBJECT' || algorithm === 'crc64nvme';
    if (full && algorithm?.startsWith('sha'))
      throw new ServiceError('InvalidRequest', `The FULL_OBJECT checksum type cannot be used with the ${algorithm} checksum algorithm.`);
    const checksumType = full ? 'FULL_OBJECT' : 'COMPOSITE';
    const begun = this.context.clock.now();
    const id = await this.multipart.begin({
      bucket: s3.bucket,
      key: s3.key,
      begun,
      ...describedBy(s3),
      algorithm,
      checksumType,
    });
    const headers: Record<string, string> = algorithm
      ? { 'x-amz-checksum-algorithm': algorithm.toUpperCase(), 'x-amz-checksum-type': checksumType }
      : {};
    return xml('InitiateMultipartUploadResult', { Bucket: s3.bucket, Key: s3.key, UploadId: id }, headers);
  }

  private async uploadPart(s3: S3Request): Promise<LocalResponse> {
    const upload = await this.upload(s3);
    const number = Number(s3.query.get('partNumber'));
    if (!(Number.isInteger(number) && number >= 1 && number <= 10_000))
      throw new ServiceError('InvalidArgument', `Part number must be an integer between 1 and 10000, inclusive: ${number}`);
    const modified = this.context.clock.now();
    if (s3.header('x-amz-copy-source') === undefined) {
      const { draft, arrived } = await receive(this.kept, s3, upload.algorithm);
      await this.multipart.put(upload, number, arrived, draft, modified);
      return empty(200, {
        etag: `"${arrived.md5}"`,
        ...(arrived.algorithm ? { [`x-amz-checksum-${arrived.algorithm}`]: arrived.checksum! } : {}),
      });
    }
    const source = await this.source(s3);
    const draft = await this.kept.draft();
    const range = rangeOf(s3.header('x-amz-copy-source-range'), source.facts.size);
    const arrived = await fill(draft, this.kept.read(source.bucket, source.key, range), upload.algorithm);
    await this.multipart.put(upload, number, arrived, draft, modified);
    return xml('CopyPartResult', {
      ETag: `"${arrived.md5}"`,
      LastModified: new Date(modified).toISOString(),
      ...checksumMembers(arrived.algorithm, arrived.checksum),
    });
  }

  private async listParts(s3: S3Request): Promise<LocalResponse> {
    const upload = await this.upload(s3);
    const most = Number(s3.query.get('max-parts') ?? 1000);
    const after = (await this.multipart.parts(upload)).filter((part) => part.number > Number(s3.query.get('part-number-marker') ?? 0));
    const shown = after.slice(0, most);
    return xml('ListPartsResult', {
      Bucket: s3.bucket,
      Key: s3.key,
      UploadId: upload.id,
      MaxParts: most,
      IsTruncated: after.length > shown.length,
      NextPartNumberMarker: shown.at(-1)?.number ?? 0,
      ChecksumAlgorithm: upload.algorithm?.toUpperCase(),
      ChecksumType: upload.algorithm && upload.checksumType,
      Part: shown.map((part) => ({
        PartNumber: part.number,
        ETag: `"${part.md5}"`,
        Size: part.size,
        LastModified: new Date(part.modified).toISOString(),
        ...checksumMembers(part.algorithm, part.checksum),
      })),
    });
  }

  private async listUploads({ bucket, query }: S3Request): Promise<LocalResponse> {
    await this.mustHave(bucket);
    const uploads = (await this.multipart.list(bucket)).filter((upload) => upload.key.startsWith(query.get('prefix') ?? ''));
    const Upload = uploads
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ key, id, begun }) => ({ Key: key, UploadId: id, Initiated: new Date(begun).toISOString() }));
    return xml('ListMultipartUploadsResult', { Bucket: bucket, IsTruncated: false, Upload });
  }

  private async abort(s3: S3Request): Promise<LocalResponse> {
    await this.multipart.abort(await this.upload(s3));
    return empty(204);
  }

  private async complete(s3: S3Request): Promise<LocalResponse> {
    const upload = await this.upload(s3);
    const given = (readXml(await readSmall(s3)).Part ?? []) as Record<string, string>[];
    const member = upload.algorithm && `Checksum${upload.algorithm.toUpperCase()}`;
    const named: NamedPart[] = given.map((part) => ({
      number: Number(part.PartNumber),
      etag: part.ETag,
      checksum: member && part[member],
    }));
    const expected = upload.algorithm && s3.header(`x-amz-checksum-${upload.algorithm}`);
    const { draft, facts } = await this.multipart.complete(upload, named, expected, this.context.clock.now());
    await this.adopt(s3, draft, facts);
    await this.multipart.abort(upload);
    return xml('CompleteMultipartUploadResult', {
      Bucket: s3.bucket,
      Key: s3.key,
      ETag: facts.etag,
      ChecksumType: facts.checksumType,
      ...checksumMembers(facts.algorithm, facts.checksum),
    });
  }

  private upload({ bucket, key, query }: S3Request): Promise<Upload> {
    return this.multipart.find(bucket, key, query.get('uploadId') ?? '');
  }

  private async source(s3: S3Request): Promise<{ bucket: string; key: string; facts: ObjectFacts }> {
    const [bucket, ...key] = decodeURIComponent(s3.header('x-amz-copy-source')!.split('?')[0]).replace(/^\//, '').split('/');
    const facts = await this.mustFind(bucket, key.join('/'));
    const match = s3.header('x-amz-copy-source-if-match');
    if (match !== undefined && !isTag(match, facts)) throw preconditionFailed();
    return { bucket, key: key.join('/'), facts };
  }

  private async mustHave(bucket: string): Promise<void> {
    if (!(await this.kept.hasBucket(bucket))) throw new ServiceError('NoSuchBucket', 'The specified bucket does not exist', 404);
  }

  private async mustFind(bucket: string, key: string): Promise<ObjectFacts> {
    await this.mustHave(bucket);
    const facts = await this.kept.facts(bucket, key);
    if (!facts) throw noSuchKey();
    return facts;
  }
}

/** The sum that a request wants made. */
function algorithmOf(s3: S3Request): Algorithm | undefined {
  const algorithm = s3.header('x-amz-checksum-algorithm')?.toLowerCase() as Algorithm | undefined;
  if (algorithm && !ALGORITHMS.includes(algorithm))
    throw new ServiceError('InvalidRequest', `Checksum algorithm provided is unsupported: ${algorithm}`);
  return algorithm;
}

const noSuchKey = (): ServiceError => new ServiceError('NoSuchKey', 'The specified key does not exist.', 404);

const empty = (status: number, headers: Readonly<Record<string, string>> = {}): LocalResponse => ({ status, headers });

function xml(root: string, members: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}): LocalResponse {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body: writeXml(root, members) };
}

const checksumMembers = (algorithm: Algorithm | undefined, checksum: string | undefined) =>
  algorithm ? { [`Checksum${algorithm.toUpperCase()}`]: checksum } : {};
