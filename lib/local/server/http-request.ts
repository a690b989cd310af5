import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type LocalRequest, PayloadTooLarge } from './service';

/** A request from a socket. */
export class HttpRequest implements LocalRequest {
  readonly path: string;
  readonly query: string;

  constructor(readonly body: IncomingMessage) {
    const url = body.url!;
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
  }

  get method(): string {
    return this.body.method!;
  }

  get rawHeaders(): readonly string[] {
    return this.body.rawHeaders;
  }

  get headers(): IncomingHttpHeaders {
    return this.body.headers;
  }

  read(limit: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const { body } = this;
      let first: Buffer | undefined;
      let parts: Buffer[] | undefined;
      let size = 0;
      body.on('data', (part: Buffer) => {
        size += part.length;
        if (size > limit) {
          reject(new PayloadTooLarge(limit));
          body.removeAllListeners('data');
          body.resume();
        } else if (first === undefined) {
          first = part;
        } else {
          parts ??= [first];
          parts.push(part);
        }
      });
      body.on('end', () => resolve(parts === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(parts, size)));
      body.on('error', reject);
      body.on('close', () => {
        if (!body.complete) reject(new Error('the client went away before its request had arrived'));
      });
    });
  }
}
