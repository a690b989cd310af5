import { Readable } from 'node:stream';
import type { Dispatch } from './dispatch';
import { type LocalRequest, PayloadTooLarge } from './service';

/** What an SDK client hands to its request handler, as far as it is read here. */
interface SdkRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly response: { readonly statusCode: number; readonly headers: Record<string, string>; readonly body: Readable };
}

/**
 * Answers the AWS SDK's calls without a socket: give it to a client as its `requestHandler`. Everything else is as over the socket; a connection that a
 * fault cuts is an ECONNRESET.
 */
export class InProcessHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(private readonly dispatch: Dispatch) {}

  async handle(request: SdkRequest): Promise<SdkResponse> {
    const outcome = await this.dispatch.handle(new SdkLocalRequest(request));
    if (outcome === 'cut') throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', name: 'TimeoutError' });
    const { status, headers, body = '' } = outcome;
    const stream = typeof body === 'string' ? new Whole(Buffer.from(body)) : Buffer.isBuffer(body) ? new Whole(body) : Readable.from(body);
    return { response: { statusCode: status, headers: { ...headers }, body: stream } };
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {}
}

/** A body that is there already: `Readable.from` would start a generator for it. */
class Whole extends Readable {
  constructor(bytes: Buffer) {
    super({ highWaterMark: bytes.length + 1 });
    if (bytes.length > 0) this.push(bytes);
    this.push(null);
  }

  override _read(): void {}
}

class SdkLocalRequest implements LocalRequest {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(private readonly request: SdkRequest) {
    this.query = queryOf(request.query);
    this.headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]));
  }

  get rawHeaders(): readonly string[] {
    return Object.entries(this.request.headers).flat();
  }

  get method(): string {
    return this.request.method;
  }

  get path(): string {
    return this.request.path;
  }

  get body(): Readable {
    const { body } = this.request;
    if (body instanceof Readable) return body;
    return Readable.from(body === undefined ? [] : [bytesOf(body)]);
  }

  async read(limit: number): Promise<Buffer> {
    const { body } = this.request;
    const bytes = body instanceof Readable ? await collected(body) : bytesOf(body);
    if (bytes.length > limit) throw new PayloadTooLarge(limit);
    return bytes;
  }
}

function bytesOf(body: unknown): Buffer {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body);
  const { buffer, byteOffset, byteLength } = body as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}

async function collected(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

function queryOf(query: SdkRequest['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    const encoded = encodeURIComponent(name);
    if (value === null) return [encoded];
    return [value].flat().map((one) => `${encoded}=${encodeURIComponent(one)}`);
  });
  return pairs.join('&');
}
