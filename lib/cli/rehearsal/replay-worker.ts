import { parentPort, workerData } from 'node:worker_threads';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { ReplayCommand, ReplayOrder, ReplayReport, VariantTally } from './replay-messages';

/** Milliseconds between two reports, and between two looks at the pace. */
const REPORT_EVERY = 250;
const PACE_EVERY = 5;

const order = workerData as ReplayOrder;
const client = new SageMakerRuntimeClient({
  endpoint: order.url,
  region: order.region,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  maxAttempts: 1,
  // The same command, again and again: the client's stack of middleware is put together once.
  cacheMiddleware: true,
});

let next = 0;
let underWay = 0;
let perSecond = 0;
let clients = 0;
let owed = 0;
let since = performance.now();
let stopped = false;
let tallies: Record<string, { -readonly [K in keyof VariantTally]: VariantTally[K] }> = {};
let latencies: number[] = [];
let failures: string[] = [];
const told = new Set<string>();

async function ask(): Promise<void> {
  const i = next++ % order.bodies.length;
  const sent = performance.now();
  underWay += 1;
  try {
    const answer = await client.send(
      new InvokeEndpointCommand({
        EndpointName: order.endpointName,
        ContentType: order.contentType,
        Accept: 'text/csv',
        Body: Buffer.from(order.bodies[i]),
      }),
    );
    const tally = tallyOf(answer.InvokedProductionVariant ?? '');
    tally.requests += 1;
    if (order.outcomes) {
      tally.known += 1;
      const [first] = Buffer.from(answer.Body!)
        .toString('latin1')
        .split(/[,\r\n]/, 1);
      if (first !== order.outcomes[i]) tally.wrong += 1;
    }
  } catch (error) {
    fail(error as Error);
  }
  latencies.push(performance.now() - sent);
  underWay -= 1;
  if (perSecond === Number.POSITIVE_INFINITY && underWay < clients && !stopped) void ask();
}

/** Which variant failed, the error does not say: those requests are counted under no variant. */
function fail(error: Error): void {
  const tally = tallyOf('');
  tally.requests += 1;
  tally.failed += 1;
  const said = `${error.name}: ${error.message.slice(0, 200)}`;
  if (!told.has(error.name)) failures.push(said);
  told.add(error.name);
}

function tallyOf(variant: string) {
  tallies[variant] ??= { requests: 0, failed: 0, known: 0, wrong: 0 };
  return tallies[variant];
}

const pacing = setInterval(() => {
  const now = performance.now();
  if (perSecond !== Number.POSITIVE_INFINITY) owed = Math.min(owed + ((now - since) / 1000) * perSecond, clients);
  since = now;
  while (!stopped && perSecond > 0 && underWay < clients && (perSecond === Number.POSITIVE_INFINITY || owed >= 1)) {
    owed -= 1;
    void ask();
  }
}, PACE_EVERY);

function report(): void {
  const message: ReplayReport = { variants: tallies, latencies: Float64Array.from(latencies), failures };
  tallies = {};
  latencies = [];
  failures = [];
  parentPort!.postMessage(message, [message.latencies.buffer as ArrayBuffer]);
}
const reporting = setInterval(report, REPORT_EVERY);

parentPort!.on('message', (command: ReplayCommand) => {
  if (command.kind === 'pace') {
    ({ perSecond, clients } = command);
    owed = 0;
    return;
  }
  stopped = true;
  clearInterval(pacing);
  const leave = setInterval(() => {
    if (underWay > 0) return;
    clearInterval(leave);
    clearInterval(reporting);
    report();
    client.destroy();
    parentPort!.close();
  }, 10);
});
