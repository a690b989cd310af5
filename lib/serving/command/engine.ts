import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Answer, Engine, Invocation, StreamedAnswer } from '../engine';
import { failure } from '../failure';
import { type ServerCommand, ServerProcess } from './server-process';

const ATTRIBUTES = 'x-amzn-sagemaker-custom-attributes';
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
const LONGEST_DRAIN_MS = 60_000;
const CLOSED = ['ECONNRESET', 'EPIPE'];

/**
 * Serves by a command that speaks /ping and /invocations on a port: a container's own entry, or any server. When the process ends,
 * its requests are answered 500 and it is started again, after a pause that doubles while it keeps failing.
 *
 * @throws Error with its last lines where it does not come up
 */
export async function openCommandEngine(command: ServerCommand): Promise<Engine> {
  return new CommandEngine(command, await ServerProcess.start(command));
}

class CommandEngine implements Engine {
  restarts = 0;
  private readonly agent = new Agent({ keepAlive: true, noDelay: true });
  private server: ServerProcess | undefined;
  private underWay = 0;
  private closed = false;
  private idle?: () => void;
  private wake?: () => void;
  private lastEnd = '';

  constructor(
    private readonly command: ServerCommand,
    server: ServerProcess,
  ) {
    void this.watch(server);
  }

  async ping(): Promise<boolean> {
    return (await this.server?.ping()) ?? false;
  }

  async invoke(invocation: Invocation): Promise<Answer> {
    const { parts, ...head } = await this.stream(invocation);
    try {
      const all: Buffer[] = [];
      for await (const part of parts) all.push(part);
      return { ...head, body: Buffer.concat(all) };
    } catch (error) {
      return failure(500, `the model broke off its answer: ${(error as Error).message}`);
    }
  }

  async stream(invocation: Invocation): Promise<StreamedAnswer> {
    if (this.closed) throw new Error('the engine is closed');
    const { server } = this;
    if (server === undefined) return whole(failure(503, `the model is being restarted: its process ${this.lastEnd}`));
    this.underWay++;
    let response: IncomingMessage;
    try {
      response = await this.send(server, invocation);
    } catch (error) {
      this.done();
      const how = await Promise.race([server.ended, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 100))]);
      const why = how === undefined ? (error as Error).message : `its process ${how}${server.lastLines()}`;
      return whole(failure(500, `the model crashed while it answered: ${why}`));
    }
    response.once('close', () => this.done());
    const { headers, statusCode } = response;
    return {
      status: statusCode!,
      contentType: headers['content-type'] ?? 'application/octet-stream',
      customAttributes: headers[ATTRIBUTES] as string | undefined,
      parts: response,
    };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.wake?.();
    if (this.underWay > 0) {
      await new Promise<void>((resolve) => {
        // A streamed answer that nobody reads to its end would hold the process for ever.
        const late = setTimeout(resolve, LONGEST_DRAIN_MS);
        this.idle = () => {
          clearTimeout(late);
          resolve();
        };
      });
    }
    this.agent.destroy();
    await this.server?.stop();
  }

  private done(): void {
    this.underWay--;
    if (this.underWay === 0) this.idle?.();
  }

  private async send(
    server: ServerProcess,
    { body, contentType, accept, customAttributes, targetModel }: Invocation,
  ): Promise<IncomingMessage> {
    const headers: Record<string, string | number> = { 'content-type': contentType, 'content-length': body.length };
    if (accept !== undefined) headers.accept = accept;
    if (customAttributes !== undefined) headers[ATTRIBUTES] = customAttributes;
    if (targetModel !== undefined) headers['x-amzn-sagemaker-target-model'] = targetModel;
    for (;;) {
      const sent = request(`${server.url}/invocations`, { method: 'POST', agent: this.agent, headers });
      // Once the answer has begun it is the answer that breaks off, but the request is told too: of bytes behind the answer, say.
      sent.on('error', () => {});
      sent.end(body);
      try {
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        return response;
      } catch (error) {
        // A connection that was kept, and that the server closed as the request went out: others follow, at last a new one.
        if (!sent.reusedSocket || !CLOSED.includes((error as NodeJS.ErrnoException).code!)) throw error;
      }
    }
  }

  /** Starts the process again whenever it ends, until the engine is closed. */
  private async watch(first: ServerProcess): Promise<void> {
    this.server = first;
    for (let delay = FIRST_DELAY_MS; ; ) {
      if (this.server !== undefined) {
        const since = Date.now();
        this.lastEnd = await this.server.ended;
        this.server = undefined;
        if (this.closed) return;
        this.restarts++;
        this.command.onRestart?.(this.restarts, `its process ${this.lastEnd}`);
        if (Date.now() - since > LONGEST_DELAY_MS) delay = FIRST_DELAY_MS;
      }
      await this.pause(delay);
      delay = Math.min(2 * delay, LONGEST_DELAY_MS);
      if (this.closed) return;
      try {
        const server = await ServerProcess.start(this.command);
        if (this.closed) return void server.stop();
        this.server = server;
      } catch (error) {
        this.lastEnd = `does not come up: ${(error as Error).message}`;
        this.command.log((error as Error).message);
      }
    }
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function whole({ body, ...head }: Answer): StreamedAnswer {
  return { ...head, parts: one(body) };
}

async function* one(part: Buffer): AsyncIterable<Buffer> {
  yield part;
}
