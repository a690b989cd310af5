import { createServer, type Socket } from 'node:net';
import { InferenceSession } from 'onnxruntime-node';

/**
 * A server that reads no HTTP. With a model it asks the session, once for all requests that came together, its tensors filled again; without one each request gets the same answer, as
 * long as a real one. What remains is what a request costs any server in Node: the socket's calls, the event loop around them, and the session.
 */

type Ask = (bodies: readonly string[]) => Promise<string[]>;

const BODY = '{"predictions":[{"label":0,"probability":0.06323391199111938}]}';
/** What a body of JSON begins and ends with: a request's head and its body may arrive apart. */
const OPEN = '{';
const CLOSE = '}'.charCodeAt(0);
const TURNS = 16;

async function askOf(model: string): Promise<Ask> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const blank = (rows: number) =>
    Object.fromEntries(
      session.inputMetadata.map((one) => {
        const type = one.isTensor ? one.type : 'float32';
        const data = type === 'string' ? new Array<string>(rows).fill('') : new Float32Array(rows);
        return [one.name, { type, data, dims: [rows, 1], location: 'cpu' }];
      }),
    );
  /** Of so many rows, those that no call under way uses. */
  const kept = new Map<number, ReturnType<typeof blank>[]>();
  return async (bodies) => {
    const free = kept.get(bodies.length) ?? [];
    kept.set(bodies.length, free);
    const feeds = free.pop() ?? blank(bodies.length);
    bodies.forEach((body, i) => {
      const row = JSON.parse(body).instances[0] as Record<string, string | number | null>;
      for (const name in feeds) feeds[name]!.data[i] = row[name] ?? Number.NaN;
    });
    const { label, probability } = await session.run(feeds as unknown as InferenceSession.FeedsType);
    free.push(feeds);
    return bodies.map((_, i) => JSON.stringify({ predictions: [{ label: Number(label!.data[i]), probability: probability!.data[i] }] }));
  };
}

/** Asks for all requests at once that arrive within as many turns of the event loop as our own server waits, until as many are there as came together before. */
function together(ask: Ask, answer: (socket: Socket, body: string) => void): (socket: Socket, body: string) => void {
  let waiting: { readonly socket: Socket; readonly body: string }[] = [];
  let expected = 1;
  const flush = async (): Promise<void> => {
    const these = waiting;
    waiting = [];
    expected = Math.max(these.length, expected - 1);
    const answers = await ask(these.map(({ body }) => body));
    for (const [i, { socket }] of these.entries()) answer(socket, answers[i]!);
  };
  const flushIn = (turns: number): void => {
    if (turns === 0 || waiting.length >= expected) void flush();
    else setImmediate(() => flushIn(turns - 1));
  };
  return (socket, body) => {
    if (waiting.push({ socket, body }) === 1) setImmediate(() => flushIn(TURNS));
  };
}

async function main(port: number, model: string | undefined): Promise<void> {
  const answer = (body: string): string =>
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const same = answer(BODY);
  const ask = model === undefined ? undefined : together(await askOf(model), (socket, body) => socket.write(answer(body), 'latin1'));
  createServer({ noDelay: true }, (socket) => {
    socket.on('data', (bytes) => {
      if (bytes[bytes.length - 1] !== CLOSE) return;
      if (ask === undefined) {
        socket.write(same, 'latin1');
        return;
      }
      const text = bytes.toString('latin1');
      ask(socket, text.slice(text.indexOf(OPEN)));
    });
    socket.on('error', () => socket.destroy());
  }).listen(port, '127.0.0.1');
}

void main(Number(process.argv[2]), process.argv[3]);
