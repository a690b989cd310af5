import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { firstValue, isSame, type KnownValue } from './known-value';
import type { Burst, ReplayCommand, ReplayOrder, ReplayReport, VariantTally } from './replay-messages';
import { printable, shown } from './traffic-file';

type Tally = { -readonly [K in keyof VariantTally]: VariantTally[K] };

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
let tallies: Record<string, Tally> = {};
let latencies: number[] = [];
let failures: string[] = [];
let wrongOne: string | undefined;
let wrongOneTold = false;
/** What is left of a burst, and since when it goes. */
let left = 0;
let begun: { at: number; load: EventLoopUtilization } | undefined;
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
        TargetVariant: order.variant,
        Body: Buffer.from(order.header === undefined ? order.bodies[i] : `${order.header}\n${order.bodies[i]}`),
      }),
    );
    const tally = tallyOf(answer.InvokedProductionVariant ?? '');
    tally.requests += 1;
    const outcome = order.outcomes?.[i] ?? null;
    if (outcome !== null) compare(tally, firstValue(answer.Body!, answer.ContentType), outcome);
  } catch (error) {
    fail(error as Error);
  }
  latencies.push(performance.now() - sent);
  underWay -= 1;
  if (begun === undefined || stopped) return;
  if (left > 0) {
    left -= 1;
    void ask();
  } else if (underWay === 0) {
    const { at, load } = begun;
    begun = undefined;
    const { active } = performance.eventLoopUtilization(load);
    report({ seconds: (performance.now() - at) / 1000, activeSeconds: active / 1000 });
  }
}

function compare(tally: Tally, answer: KnownValue, outcome: KnownValue): void {
  tally.known += 1;
  if (isSame(answer, outcome)) return;
  tally.wrong += 1;
  wrongOne ??= `${say(answer)} where the outcome is ${say(outcome)}`;
}

const say = (value: KnownValue): string => (value === null ? 'no value' : typeof value === 'string' ? shown(value) : String(value));

/** Which variant failed, the error does not say: those requests are counted under no variant. */
function fail(error: Error): void {
  const tally = tallyOf('');
  tally.requests += 1;
  tally.failed += 1;
  const said = printable(`${error.name}: ${error.message.slice(0, 200)}`);
  if (!told.has(error.name)) failures.push(said);
  told.add(error.name);
}

function tallyOf(variant: string): Tally {
  tallies[variant] ??= { requests: 0, failed: 0, known: 0, wrong: 0 };
  return tallies[variant];
}

const pacing = setInterval(() => {
  const now = performance.now();
  owed = Math.min(owed + ((now - since) / 1000) * perSecond, clients);
  since = now;
  while (!stopped && perSecond > 0 && underWay < clients && owed >= 1) {
    owed -= 1;
    void ask();
  }
}, PACE_EVERY);

function report(burst?: Burst): void {
  const told = wrongOneTold ? undefined : wrongOne;
  wrongOneTold = wrongOne !== undefined;
  const message: ReplayReport = { variants: tallies, latencies: Float64Array.from(latencies), failures, wrongOne: told, burst };
  tallies = {};
  latencies = [];
  failures = [];
  parentPort!.postMessage(message, [message.latencies.buffer as ArrayBuffer]);
}
const reporting = setInterval(() => report(), REPORT_EVERY);

parentPort!.on('message', (command: ReplayCommand) => {
  if (command.kind === 'pace') {
    ({ perSecond, clients } = command);
    owed = 0;
    return;
  }
  if (command.kind === 'burst') {
    perSecond = 0;
    begun = { at: performance.now(), load: performance.eventLoopUtilization() };
    const atOnce = Math.min(command.requests, command.clients);
    left = command.requests - atOnce;
    for (let i = 0; i < atOnce; i++) void ask();
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
