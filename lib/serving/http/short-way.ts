import { type Server as HttpServer, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type Head, isFieldValue, plainHead } from './head';

/** A POST that has arrived whole. */
export interface WholeRequest {
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names, as they were spelled, and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** An answer that is known whole. */
export interface WholeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

export interface ShortWayProps {
  /** Whether a POST with this head goes the short way. */
  takes(head: Head): boolean;
  /** Answers it; 'cut' ends the connection without an answer. */
  answer(request: WholeRequest): Promise<WholeResponse | 'cut'>;
}

/** The connections that are on the short way. */
export interface ShortWay {
  /** Ends them, those with a request under way, or on its way, once it is answered. Call it with the server's `close()`. */
  finish(): void;
  /** Ends them at once. */
  cut(): void;
}

/** Longer requests go the long way: its cost is nothing beside reading them. */
const LONGEST = 64 * 1024;

/** Longer than any SDK keeps an idle connection, so that it is the client that ends it. */
const IDLE_MS = 120_000;

/**
 * Gives a server a short way for short requests. Node's HTTP server spends two to three times as long on a small POST as reading and
 * writing the socket takes; where a model answers in microseconds that is most of the time. Plain, small, whole POSTs are read here,
 * and each connection is handed to Node's own code at the first request that is anything else.
 */
export function shortWay(server: HttpServer, props: ShortWayProps): ShortWay {
  const connections = new Set<Connection>();
  const long = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const connection = new Connection(socket, props, (handedOver) => {
      connections.delete(connection);
      if (handedOver) for (const listener of long) listener.call(server, socket);
    });
    connections.add(connection);
  });
  return {
    finish: () => {
      for (const connection of connections) connection.finish();
    },
    cut: () => {
      for (const connection of connections) connection.cut();
    },
  };
}

class Connection {
  private rest: Buffer | undefined;
  private busy = false;
  private finishing = false;

  constructor(
    private readonly socket: Socket,
    private readonly props: ShortWayProps,
    private readonly left: (handedOver: boolean) => void,
  ) {
    socket.setNoDelay(true);
    socket.setTimeout(IDLE_MS);
    socket.on('data', this.read).on('end', this.ended).on('timeout', this.idle).on('error', this.gone).on('close', this.gone);
  }

  /** Answers what is under way, a request that has begun to arrive included, then ends the connection. */
  finish(): void {
    this.finishing = true;
    if (!this.busy && this.rest === undefined) this.socket.end();
  }

  cut(): void {
    this.socket.destroy();
  }

  private readonly read = (bytes: Buffer): void => {
    this.rest = this.rest === undefined ? bytes : Buffer.concat([this.rest, bytes]);
    // The next request on this connection waits until the one before is answered, and so does the socket when much waits.
    if (this.busy || this.socket.writableNeedDrain) {
      if (this.rest.length > LONGEST) this.socket.pause();
    } else this.next();
  };

  /** The client sends no more. */
  private readonly ended = (): void => {
    this.finishing = true;
    if (!this.busy) this.socket.end();
  };

  private readonly idle = (): void => {
    if (!this.busy) this.socket.destroy();
  };

  private readonly gone = (): void => {
    this.socket.destroy();
    this.left(false);
  };

  private next(): void {
    const bytes = this.rest;
    if (bytes === undefined) return;
    const head = plainHead(bytes);
    if (head === undefined || head.bodyLength > LONGEST || !this.props.takes(head)) {
      this.handOver(bytes);
      return;
    }
    const end = head.length + head.bodyLength;
    if (bytes.length < end) return;
    this.rest = bytes.length === end ? undefined : bytes.subarray(end);
    this.busy = true;
    void this.answer(head, bytes.subarray(head.length, end));
  }

  private async answer({ url, headers, rawHeaders }: Head, body: Buffer): Promise<void> {
    let response: WholeResponse | 'cut';
    try {
      response = await this.props.answer({ url, headers, rawHeaders, body });
    } catch {
      response = 'cut';
    }
    this.busy = false;
    if (this.socket.destroyed) return;
    if (response === 'cut') {
      this.socket.destroy();
      return;
    }
    this.write(response);
    // A client that does not read its answers is given no more of them to keep here.
    if (this.socket.writableNeedDrain) this.socket.once('drain', this.goOn);
    else this.goOn();
  }

  private readonly goOn = (): void => {
    if (this.finishing) this.socket.end();
    else {
      if (this.socket.isPaused()) this.socket.resume();
      this.next();
    }
  };

  private write({ status, headers, body }: WholeResponse): void {
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ndate: ${date()}\r\n`;
    for (const name in headers) {
      const value = headers[name]!;
      if (!isFieldValue(value)) {
        this.socket.destroy(new Error(`header ${name} holds a control character`));
        return;
      }
      head += `${name}: ${value}\r\n`;
    }
    if (this.finishing) head += 'connection: close\r\n';
    head += `content-length: ${typeof body === 'string' ? Buffer.byteLength(body) : body.length}\r\n\r\n`;
    // One write, one packet; as a string, which the socket takes without a buffer made around it.
    if (typeof body === 'string') this.socket.write(head + body);
    else if (body.length <= LONGEST) this.socket.write(head + body.toString('latin1'), 'latin1');
    else {
      this.socket.write(head, 'latin1');
      this.socket.write(body);
    }
  }

  private handOver(bytes: Buffer): void {
    const { socket } = this;
    socket.off('data', this.read).off('end', this.ended).off('timeout', this.idle).off('error', this.gone).off('close', this.gone);
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(bytes);
    this.left(true);
    socket.resume();
  }
}

let second = 0;
let text = '';

/** The time as HTTP writes it, made once a second. */
function date(): string {
  const now = Math.trunc(Date.now() / 1000);
  if (now !== second) {
    second = now;
    text = new Date(now * 1000).toUTCString();
  }
  return text;
}
