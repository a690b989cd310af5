import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, StreamedAnswer } from '../engine';
import { failure } from '../failure';
import { type ShortWayProps, shortWay } from './short-way';

/** A request that has arrived whole. */
export interface HttpQuestion {
  readonly method: string;
  /** Without its query, still percent-encoded. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What goes back: a model's answer, whole or in parts, with headers beside its own. */
export type Reply = (Answer | StreamedAnswer) & { readonly headers?: Readonly<Record<string, string>> };

export interface HttpProps {
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
  /** Bytes of a body above which it is answered 413. */
  readonly maxBytes: number;
  reply(question: HttpQuestion): Promise<Reply>;
  /** Which POSTs go the short way; their replies must be whole. */
  readonly short: ShortWayProps['takes'];
}

/** A server that listens. */
export interface HttpServer {
  readonly port: number;
  /** Takes no more connections; resolves when what is under way is answered. */
  close(): Promise<void>;
}

export const ATTRIBUTES = 'x-amzn-sagemaker-custom-attributes';

/** Longer than any client keeps an idle connection: a server that ends one first cuts a request that is on its way. */
const IDLE_MS = 120_000;
const SWEEP_MS = 20;

/**
 * Listens, reads requests whole and writes replies.
 *
 * @throws Error where the port is taken
 */
export async function serveHttp({ port, host, maxBytes, reply, short }: HttpProps): Promise<HttpServer> {
  const server = createServer({ keepAliveTimeout: IDLE_MS, requestTimeout: 0, noDelay: true }, (request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const way = shortWay(server, {
    takes: (head) => head.bodyLength <= maxBytes && short(head),
    answer: async ({ url, headers, body }) => {
      const given = await reply({ method: 'POST', path: pathOf(url), headers, body });
      return 'parts' in given ? 'cut' : { status: given.status, headers: headersOf(given), body: given.body };
    },
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request, maxBytes);
    if (body === undefined) {
      // The rest is read and dropped: many a client listens only when it has sent all.
      request.resume();
      return send(response, failure(413, `the body is longer than ${maxBytes} bytes`));
    }
    const given = await reply({ method: request.method!, path: pathOf(request.url!), headers: request.headers, body });
    return 'parts' in given ? sendParts(response, given) : send(response, given);
  }

  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? new Error(`port ${port} on ${host} is taken: give another, or 0 for a free one`) : error;
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      way.finish();
      // A connection that was busy when the server closed stays open once it is idle.
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
      await closed;
      clearInterval(sweep);
    },
  };
}

function pathOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? url : url.slice(0, mark);
}

function headersOf({ contentType, customAttributes, headers }: Reply): Record<string, string> {
  const all: Record<string, string> = { 'content-type': contentType, ...headers };
  if (customAttributes !== undefined) all[ATTRIBUTES] = customAttributes;
  return all;
}

function send(response: ServerResponse, reply: Reply & Answer): void {
  response.writeHead(reply.status, { ...headersOf(reply), 'content-length': reply.body.length });
  response.end(reply.body);
}

async function sendParts(response: ServerResponse, reply: Reply & StreamedAnswer): Promise<void> {
  response.writeHead(reply.status, headersOf(reply));
  for await (const part of reply.parts) {
    if (response.destroyed) return;
    if (!response.write(part)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}

/** The body, or undefined once it is longer than allowed. */
async function read(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return undefined;
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxBytes) return undefined;
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
