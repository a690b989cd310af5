import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Dispatch, Outcome } from './dispatch';
import { HttpRequest } from './http-request';

/** Longer than any SDK keeps an idle connection, so that it is the client that ends it: a server that does cuts requests that are on their way. */
const IDLE_CONNECTION_MS = 120_000;

/** An HTTP server on 127.0.0.1. */
export class Listener {
  private readonly server: Server;

  private constructor(dispatch: Dispatch) {
    this.server = createServer({ keepAliveTimeout: IDLE_CONNECTION_MS, requestTimeout: 0, noDelay: true }, (incoming, response) => {
      dispatch.handle(new HttpRequest(incoming)).then(
        (outcome) => write(outcome, incoming, response),
        () => incoming.socket.destroy(),
      );
    });
  }

  /**
   * @param port 0 takes a free one
   * @throws Error when the port is taken
   */
  static async open(dispatch: Dispatch, port: number): Promise<Listener> {
    const listener = new Listener(dispatch);
    listener.server.listen(port, '127.0.0.1');
    await once(listener.server, 'listening').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EADDRINUSE' ? new Error(`port ${port} on 127.0.0.1 is taken: give another, or 0 for a free one`) : error;
    });
    return listener;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Takes no more connections; resolves when the requests under way are answered. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeIdleConnections();
    await closed;
  }
}

function write(outcome: Outcome, incoming: IncomingMessage, response: ServerResponse): void {
  if (outcome === 'cut') {
    incoming.socket.destroy();
    return;
  }
  const { status, headers, body } = outcome;
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
    const bytes = body === undefined ? 0 : Buffer.byteLength(body);
    response.writeHead(status, incoming.method === 'HEAD' ? headers : { ...headers, 'content-length': String(bytes) });
    response.end(incoming.method === 'HEAD' ? undefined : body);
    return;
  }
  response.writeHead(status, headers);
  writeParts(body, response).catch(() => incoming.socket.destroy());
}

async function writeParts(parts: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  for await (const part of parts) {
    if (response.destroyed) return;
    if (!response.write(part)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}
