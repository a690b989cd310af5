import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { shortWay } from '../../lib/serving';

const PLAIN = 'POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nX-Amzn-Trace: a b\r\nContent-Length: 5\r\n\r\nhello';

/** A server that notes what it is asked, with or without the short way. */
async function listener(short: boolean): Promise<{ server: Server; asked: string[] }> {
  const asked: string[] = [];
  const note = (url: string, headers: Record<string, unknown>, body: Buffer): void => {
    asked.push(JSON.stringify([url, headers['content-type'], headers['x-amzn-trace'], body.toString('latin1')]));
  };
  const server = createServer({ keepAliveTimeout: 10_000 }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      note(request.url!, request.headers, Buffer.concat(parts));
      response.end('ok');
    });
  });
  if (short) {
    shortWay(server, {
      takes: () => true,
      answer: async ({ url, headers, body }) => {
        note(url, headers, body);
        return { status: 200, headers: {}, body: 'ok' };
      },
    });
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, asked };
}

/** Sends bytes, and waits until the server ends the connection or has been silent for a while. */
function send(server: Server, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(150, () => socket.destroy());
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}

/** A plain request with up to three bytes put in, taken out or exchanged for such as parsers disagree about; another request follows. */
const spoiled = fc
  .array(
    fc.record({
      at: fc.nat(PLAIN.length - 1),
      cut: fc.nat(2),
      put: fc.constantFrom(
        '',
        '\r',
        '\n',
        '\r\n',
        ' ',
        '\t',
        ':',
        ',',
        '0',
        '5',
        '\0',
        '\x0b',
        '\x7f',
        '\x85',
        'é',
        '\r\nContent-Length: 4',
        '\r\nTransfer-Encoding: chunked',
        '\r\n folded',
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((edits) => {
    let text = PLAIN;
    for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut);
    return Buffer.from(text + PLAIN, 'latin1');
  });

test('the short way hears in any bytes just the requests that Node’s server hears', async () => {
  const [short, long] = await Promise.all([listener(true), listener(false)]);
  try {
    const samples = fc.sample(spoiled, { numRuns: 600, seed: 20, unbiased: true });
    for (let i = 0; i < samples.length; i += 50) {
      await Promise.all(samples.slice(i, i + 50).flatMap((bytes) => [send(short.server, bytes), send(long.server, bytes)]));
    }
    expect(short.asked.sort()).toEqual(long.asked.sort());
    // The samples are worth something only if both kinds are among them.
    expect(short.asked.length).toBeGreaterThan(50);
    expect(short.asked.length).toBeLessThan(1100);
  } finally {
    for (const { server } of [short, long]) {
      server.closeAllConnections();
      server.close();
    }
  }
});
