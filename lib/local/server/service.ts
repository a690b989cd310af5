import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { FaultPoint } from '../faults';

/** A request as a service gets it, from a socket or from within the process. */
export interface LocalRequest {
  readonly method: string;
  /** What stands before the question mark, still percent-encoded. */
  readonly path: string;
  /** What stands after the question mark, still percent-encoded; empty where there is none. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Names, as they were spelled, and values in turn. Cheaper to go through than {@link headers} is to make. */
  readonly rawHeaders: readonly string[];
  /** The body as it arrives; read it once, by this or by {@link read}. */
  readonly body: Readable;
  /**
   * The whole body.
   *
   * @param limit bytes
   * @throws PayloadTooLarge beyond the limit
   */
  read(limit: number): Promise<Buffer>;
}

/** What a service answers. */
export interface LocalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is written as it comes; if it fails, the connection is cut. */
  readonly body?: Buffer | string | AsyncIterable<Uint8Array>;
}

/** One AWS service on the loopback server. The server asks each in turn whether a request is its own. */
export interface Service {
  /** The service's id as the SDKs know it: `SageMaker`, `SageMaker Runtime`, `CloudWatch`, `Application Auto Scaling`, `S3`, ... */
  readonly name: string;
  handles(request: LocalRequest): boolean;
  /** Which call this is, for faults to strike at. */
  point(request: LocalRequest): FaultPoint;
  /** @throws ServiceError, which {@link refuse} renders */
  handle(request: LocalRequest): Promise<LocalResponse>;
  /** An error in the form that this service's clients read. */
  refuse(error: ServiceError, request: LocalRequest): LocalResponse;
  /** Ends what the service runs; requests under way are over by then. */
  close?(): Promise<void>;
}

/** An error with the code and the status that AWS answers. */
export class ServiceError extends Error {
  /**
   * @param code e.g. `ValidationException`
   * @param message what AWS says in this case
   * @param status HTTP
   * @param details further members of the error's shape
   */
  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = code;
  }
}

/** A body above the limit that its reader set. */
export class PayloadTooLarge extends ServiceError {
  constructor(readonly limit: number) {
    super('RequestEntityTooLarge', `the request's body is larger than ${limit} bytes`, 413);
  }
}

/** The service that a request was signed for: the fourth part of the credential's scope (Signature Version 4). */
export function signedService(request: LocalRequest): string | undefined {
  const scope = /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(request.headers.authorization ?? '');
  return scope?.[1];
}
