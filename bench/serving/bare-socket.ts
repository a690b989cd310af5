import { createServer } from 'node:net';
import { InferenceSession } from 'onnxruntime-node';

/**
 * A server that reads no HTTP. With a model it asks the session of each request, its tensors filled again; without one each request gets the same answer, as long as a real one. What
 * remains is what a request costs any server in Node: the socket's calls, the event loop around them, and the session.
 */

type Ask = (json: string) => Promise<string>;

const BODY = '{"predictions":[{"label":0,"probability":0.06323391199111938}]}';
/** What a body of JSON begins and ends with: a request's head and its body may arrive apart. */
const OPEN = '{';
const CLOSE = '}'.charCodeAt(0);

async function askOf(model: string): Promise<Ask> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const feeds = Object.fromEntries(
    session.inputMetadata.map((one) => {
      const type = one.isTensor ? one.type : 'float32';
      return [one.name, { type, data: type === 'string' ? [''] : new Float32Array(1), dims: [1, 1], location: 'cpu' }];
    }),
  );
  return async (json) => {
    const row = JSON.parse(json).instances[0] as Record<string, string | number | null>;
    for (const name in feeds) feeds[name]!.data[0] = row[name] ?? Number.NaN;
    const { label, probability } = await session.run(feeds as unknown as InferenceSession.FeedsType);
    return JSON.stringify({ predictions: [{ label: Number(label!.data[0]), probability: probability!.data[0] }] });
  };
}

async function main(port: number, model: string | undefined): Promise<void> {
  const ask = model === undefined ? undefined : await askOf(model);
  const answer = (body: string): string =>
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const same = answer(BODY);
  createServer({ noDelay: true }, (socket) => {
    socket.on('data', (bytes) => {
      if (bytes[bytes.length - 1] !== CLOSE) return;
      if (ask === undefined) {
        socket.write(same, 'latin1');
        return;
      }
      const text = bytes.toString('latin1');
      void ask(text.slice(text.indexOf(OPEN))).then((body) => socket.write(answer(body), 'latin1'));
    });
    socket.on('error', () => socket.destroy());
  }).listen(port, '127.0.0.1');
}

void main(Number(process.argv[2]), process.argv[3]);
