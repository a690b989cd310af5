import { Readable } from 'node:stream';
import type { WholeRequest } from '../../serving';
import { type LocalRequest, PayloadTooLarge } from './service';

/** A POST that came the short way: it has arrived whole. */
export class WholePost implements LocalRequest {
  readonly method = 'POST';
  readonly path: string;
  readonly query = '';

  constructor(private readonly request: WholeRequest) {
    this.path = request.url;
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.request.headers;
  }

  get body(): Readable {
    return Readable.from([this.request.body]);
  }

  async read(limit: number): Promise<Buffer> {
    const { body } = this.request;
    if (body.length > limit) throw new PayloadTooLarge(limit);
    return body;
  }
}
