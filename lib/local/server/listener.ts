import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ShortWay, shortWay, type WholeResponse } from '../../serving';
import type { Dispatch, Outcome } from './dispatch';
import { HttpRequest } from './http-request';
import { WholePost } from './whole-post';

/** Longer than any SDK keeps an idle connection, so that it is the client that ends it: a server that does cuts requests that are on their way. */
const IDLE_CONNECTION_MS = 120_000;

const SWEEP_MS = 20;

/** How long requests under way are waited for when the server closes: what SageMaker gives a container after SIGTERM. */
const GRACE_MS = 30_000;

/** Bodies up to this many bytes are copied to go out with the head. */
const ONE_WRITE = 64 * 1024;

/** An HTTP server on 127.0.0.1. */
export class Listener {
  /** `http://127.0.0.1:<port>` */
  url = '';
  private readonly server: Server;
  private readonly way: ShortWay;

  private constructor(dispatch: Dispatch) {
    this.server = createServer({ keepAliveTimeout: IDLE_CONNECTION_MS, requestTimeout: 0, noDelay: true }, (incoming, response) => {
      dispatch.handle(new HttpRequest(incoming)).then(
        (outcome) => write(outcome, incoming, response),
        () => incoming.socket.destroy(),
      );
    });
    this.way = shortWay(this.server, {
      takes: ({ url }) => url.startsWith('/endpoints/') && url.endsWith('/invocations'),
      answer: async (request) => whole(await dispatch.handle(new WholePost(request))),
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
      if (error.code !== 'EADDRINUSE') throw error;
      throw new Error(`port ${port} on 127.0.0.1 is taken: give another, or 0 for a free one`, { cause: error });
    });
    listener.url = `http://127.0.0.1:${(listener.server.address() as AddressInfo).port}`;
    return listener;
  }

  /** Takes no more connections; resolves when the requests under way are answered, or cut after half a minute as a container's are. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    // A connection that was busy when the server closed stays open once it is idle.
    const sweep = setInterval(() => this.server.closeIdleConnections(), SWEEP_MS);
    const cut = setTimeout(() => {
      this.way.cut();
      this.server.closeAllConnections();
    }, GRACE_MS);
    this.way.finish();
    this.server.closeIdleConnections();
    await closed;
    clearInterval(sweep);
    clearTimeout(cut);
  }
}

/** What goes back the short way. Answers that come in parts are never asked for on it. */
function whole(outcome: Outcome): WholeResponse | 'cut' {
  if (outcome === 'cut') return 'cut';
  const { status, headers, body = '' } = outcome;
  return typeof body === 'string' || Buffer.isBuffer(body) ? { status, headers, body } : 'cut';
}

function write(outcome: Outcome, incoming: IncomingMessage, response: ServerResponse): void {
  if (outcome === 'cut') {
    incoming.socket.destroy();
    return;
  }
  // What is left of a request whose reading broke off is never read: the next one on its connection would wait behind it for ever.
  if (incoming.destroyed && !incoming.complete) response.shouldKeepAlive = false;
  const { status, headers, body } = outcome;
  if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) {
    response.writeHead(status, headers);
    pipeline(Readable.from(body), response).catch(() => incoming.socket.destroy());
    return;
  }
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  const silent = incoming.method === 'HEAD';
  response.writeHead(status, silent ? headers : { ...headers, 'content-length': length });
  if (silent || body === undefined) response.end();
  // Node sends a string together with the head in one system call, and a buffer in a second one, which costs as much as all the rest.
  else if (Buffer.isBuffer(body) && length <= ONE_WRITE) response.end(body.toString('latin1'), 'latin1');
  else response.end(body);
}
