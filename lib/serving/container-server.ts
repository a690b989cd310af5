import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, type Engine, type Invocation, streamed } from './engine';
import { failure } from './onnx/answer';

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

/**
 * Speaks what SageMaker asks of a container: `GET /ping` (200 while the model answers, else 503) and `POST /invocations`.
 * Source: the SageMaker developer guide, "Custom inference code with hosting services".
 *
 * @throws Error where the port is taken
 */
export async function containerServer(props: ContainerServerProps): Promise<ContainerServer> {
  const { engine } = props;
  const maxBytes = props.maxBytes ?? 25 * 1024 * 1024;
  const timeoutMs = props.timeoutMs ?? 60_000;
  let closing = false;
  const server = createServer((request, response) => {
    if (closing) response.setHeader('connection', 'close');
    void route(request, response).catch((error: Error) => {
      if (response.headersSent) response.destroy();
      else send(response, failure(500, error.message));
    });
  });
  // SageMaker keeps connections open between requests: never the side that closes first.
  server.keepAliveTimeout = 75_000;
  server.requestTimeout = 0;

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0];
    if (path === '/ping') {
      if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'GET');
      send(
        response,
        (await engine.ping())
          ? { status: 200, contentType: 'text/plain', body: Buffer.alloc(0) }
          : failure(503, 'the model does not answer'),
      );
    } else if (path === '/invocations') {
      if (request.method !== 'POST') return refuse(response, 405, 'POST');
      const body = await read(request, maxBytes);
      if (body === undefined) {
        response.setHeader('connection', 'close');
        send(response, failure(413, `the body is longer than ${maxBytes} bytes`));
      } else await invoke(request, response, body);
    } else send(response, failure(404, `${request.url} is not here: GET /ping, POST /invocations`));
  }

  async function invoke(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const { headers } = request;
    const invocation: Invocation = {
      body,
      contentType: headers['content-type'] ?? 'application/json',
      accept: headers.accept,
      customAttributes: headers[ATTRIBUTES] as string | undefined,
      targetModel: headers['x-amzn-sagemaker-target-model'] as string | undefined,
    };
    const late = setTimeout(() => {
      if (!response.headersSent) send(response, failure(504, `the model did not answer within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    try {
      if (engine.stream === undefined) {
        const answer = await engine.invoke(invocation);
        if (!response.headersSent) send(response, answer);
      } else {
        const answer = await streamed(engine, invocation);
        if (response.headersSent) return;
        response.writeHead(answer.status, head(answer));
        for await (const part of answer.parts) {
          if (!response.write(part)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
        }
        response.end();
      }
    } finally {
      clearTimeout(late);
    }
  }

  await listen(server, props.port ?? 8080, props.host ?? '127.0.0.1');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
      await engine.close();
    },
  };
}

function head(answer: Pick<Answer, 'contentType' | 'customAttributes'>): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': answer.contentType };
  if (answer.customAttributes !== undefined) headers[ATTRIBUTES] = answer.customAttributes;
  return headers;
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { ...head(answer), 'content-length': answer.body.length });
  response.end(answer.body);
}

function refuse(response: ServerResponse, status: 405, allowed: string): void {
  response.setHeader('allow', allowed);
  send(response, failure(status, `only ${allowed} is answered here`));
}

/** The body, or undefined once it is longer than allowed. */
async function read(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxBytes) return undefined;
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
