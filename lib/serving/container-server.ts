import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, Engine, Invocation, StreamedAnswer } from './engine';
import { failure } from './failure';
import { shortWay } from './http/short-way';

export interface ContainerServerProps {
  readonly engine: Engine;
  /** 0: any free port. @default 8080 */
  readonly port?: number;
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** Bytes of a request's body above which it is answered 413. @default 26214400, the 25 MiB that SageMaker passes on */
  readonly maxBytes?: number;
  /** Milliseconds after which an invocation is answered 504. @default 60000, as long as SageMaker waits */
  readonly timeoutMs?: number;
}

/** A server that listens. */
export interface ContainerServer {
  readonly port: number;
  /** Takes no more connections, answers what is under way, then closes the engine. */
  close(): Promise<void>;
}

const ATTRIBUTES = 'x-amzn-sagemaker-custom-attributes';

/** Longer than any client keeps an idle connection: a server that ends one first cuts a request that is on its way. */
const IDLE_MS = 120_000;
const SWEEP_MS = 20;

/**
 * Speaks what SageMaker asks of a container: `GET /ping` (200 while the model answers, else 503) and `POST /invocations`.
 * Source: the SageMaker developer guide, "Custom inference code with hosting services".
 *
 * @throws Error where the port is taken
 */
export async function containerServer(props: ContainerServerProps): Promise<ContainerServer> {
  const { engine, maxBytes = 25 * 1024 * 1024, timeoutMs = 60_000, port = 8080, host = '127.0.0.1' } = props;
  const server = createServer({ keepAliveTimeout: IDLE_MS, requestTimeout: 0, noDelay: true }, (request, response) => {
    route(request, response).catch(() => response.destroy());
  });
  const way = shortWay(server, {
    // An answer that comes in parts is written part by part, which is the long way.
    takes: ({ url, bodyLength }) => url === '/invocations' && bodyLength <= maxBytes && engine.stream === undefined,
    answer: async ({ headers, body }) => whole(await invoke(invocationOf(headers, body))),
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!.split('?', 1)[0];
    const allowed = path === '/ping' ? ['GET', 'HEAD'] : path === '/invocations' ? ['POST'] : undefined;
    if (allowed === undefined) return send(response, failure(404, `${path} is not here: GET /ping, POST /invocations`));
    if (!allowed.includes(request.method!)) {
      response.setHeader('allow', allowed.join(', '));
      return send(response, failure(405, `${path} answers ${allowed.join(', ')}`));
    }
    if (path === '/ping') return send(response, (await engine.ping()) ? PONG : failure(503, 'the model does not answer'));
    const body = await read(request, maxBytes);
    if (body === undefined) {
      response.setHeader('connection', 'close');
      return send(response, failure(413, `the body is longer than ${maxBytes} bytes`));
    }
    const invocation = invocationOf(request.headers, body);
    if (engine.stream === undefined) return send(response, await invoke(invocation));
    const answer = await inTime(engine.stream(invocation));
    return 'parts' in answer ? sendParts(response, answer) : send(response, answer);
  }

  function invoke(invocation: Invocation): Promise<Answer> {
    return inTime(engine.invoke(invocation));
  }

  function inTime<T>(asked: Promise<T>): Promise<T | Answer> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(failure(504, `the model did not answer within ${timeoutMs / 1000} s`)), timeoutMs);
      asked.then(
        (answer) => {
          clearTimeout(late);
          resolve(answer);
        },
        (error: Error) => {
          clearTimeout(late);
          resolve(failure(503, error.message));
        },
      );
    });
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
      await engine.close();
    },
  };
}

const PONG: Answer = { status: 200, contentType: 'text/plain', body: Buffer.alloc(0) };

function invocationOf(headers: IncomingHttpHeaders, body: Buffer): Invocation {
  return {
    body,
    contentType: headers['content-type'] ?? 'application/json',
    accept: headers.accept,
    customAttributes: headers[ATTRIBUTES] as string | undefined,
    targetModel: headers['x-amzn-sagemaker-target-model'] as string | undefined,
  };
}

function headersOf({ contentType, customAttributes }: Pick<Answer, 'contentType' | 'customAttributes'>): Record<string, string> {
  return customAttributes === undefined ? { 'content-type': contentType } : { 'content-type': contentType, [ATTRIBUTES]: customAttributes };
}

function whole(answer: Answer): { status: number; headers: Record<string, string>; body: Buffer } {
  return { status: answer.status, headers: headersOf(answer), body: answer.body };
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { ...headersOf(answer), 'content-length': answer.body.length });
  response.end(answer.body);
}

async function sendParts(response: ServerResponse, answer: StreamedAnswer): Promise<void> {
  response.writeHead(answer.status, headersOf(answer));
  for await (const part of answer.parts) {
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
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxBytes) return undefined;
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
