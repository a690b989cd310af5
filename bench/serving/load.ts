import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

/** The load of the bench, a process of its own: so many connections, each sending its next request when it has its answer. */

export interface LoadOrder {
  readonly port: number;
  readonly path: string;
  readonly clients: number;
  readonly seconds: number;
}

/** Latencies in milliseconds. */
export interface LoadReport {
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

/** Bodies, one a line, in the file that the process was started with. */
const bodies = process.argv[2] === undefined ? [] : readFileSync(process.argv[2], 'utf8').trimEnd().split('\n');
let next = 0;

function load({ port, path, clients, seconds }: LoadOrder): Promise<LoadReport> {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nAccept: application/json\r\n`;
  const requests = bodies.map((body) => Buffer.from(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`));
  const latencies: number[] = [];
  let failed = 0;
  const from = performance.now();
  const until = from + seconds * 1000;
  const client = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let heard = '';
      let sent = 0;
      const send = (): void => {
        sent = performance.now();
        socket.write(requests[next++ % requests.length]!);
      };
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('data', (data) => {
        heard += data.toString('latin1');
        if (!complete(heard)) return;
        const now = performance.now();
        latencies.push(now - sent);
        if (!heard.startsWith('HTTP/1.1 200')) failed++;
        heard = '';
        if (now < until) send();
        else {
          socket.destroy();
          resolve();
        }
      });
    });
  return Promise.all(Array.from({ length: clients }, client)).then(() => {
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))]!;
    return { requests: latencies.length, failed, seconds: (performance.now() - from) / 1000, p50: at(0.5), p99: at(0.99) };
  });
}

/** Whether an answer with a Content-Length has arrived whole; each server here gives one. */
function complete(heard: string): boolean {
  const head = heard.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(heard.slice(0, head))?.[1];
  if (length === undefined) throw new Error(`no Content-Length in ${heard.slice(0, head)}`);
  return heard.length >= head + 4 + Number(length);
}

process.on('message', (order: LoadOrder) => {
  load(order).then(
    (report) => process.send!(report),
    (error: Error) => process.send!({ error: error.message }),
  );
});
