import type { Readable } from 'node:stream';

/** A body that is cut into chunks with their sizes before them and headers behind them, as the SDKs send streams (S3 user guide, "aws-chunked"). */
export interface ChunkedBody {
  readonly content: AsyncIterable<Buffer>;
  /** Headers behind the last chunk, names in lower case; complete once the content has been read. */
  readonly trailers: Map<string, string>;
}

/** @throws Error, while it is read, where the framing is broken or the body ends too early */
export function readChunked(body: Readable): ChunkedBody {
  const trailers = new Map<string, string>();
  return { content: chunks(body, trailers), trailers };
}

async function* chunks(body: Readable, trailers: Map<string, string>): AsyncIterable<Buffer> {
  let buffered: Buffer = Buffer.alloc(0);
  let left = 0;
  let state = 'size' as 'size' | 'data' | 'end of data' | 'trailers';
  for await (const part of body as AsyncIterable<Buffer>) {
    buffered = buffered.length === 0 ? part : Buffer.concat([buffered, part]);
    for (;;) {
      if (state === 'data') {
        const taken = buffered.subarray(0, left);
        if (taken.length > 0) yield taken;
        left -= taken.length;
        buffered = buffered.subarray(taken.length);
        if (left > 0) break;
        state = 'end of data';
      }
      const end = buffered.indexOf('\r\n');
      if (end < 0) break;
      const line = buffered.subarray(0, end).toString('latin1');
      buffered = buffered.subarray(end + 2);
      if (state === 'end of data') {
        state = 'size';
      } else if (state === 'size') {
        left = Number.parseInt(line, 16);
        if (!(left >= 0)) throw new Error(`an aws-chunked body has '${line.slice(0, 40)}' where a chunk's size belongs`);
        state = left === 0 ? 'trailers' : 'data';
      } else {
        const colon = line.indexOf(':');
        if (colon > 0) trailers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
      }
    }
  }
  if (state !== 'trailers') throw new Error('an aws-chunked body ended before its last chunk');
}
