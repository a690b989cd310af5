import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { pythonEnvironment } from './python-environment';
import type { LoopReport } from './serving/bare-loop';
import { answer, bounds, bundle, contenders, MODEL, type Running, start } from './serving/contenders';
import { goals, type Served } from './serving/goals';
import type { LoadOrder, LoadReport } from './serving/load';
import { cpuSecondsOf, signalTree } from './serving/process-tree';

/**
 * `npm run bench:serving [-- --quick]`: the flight-delay model, one flight a request, served by us and by Python servers, each in one
 * process on this machine, in turns; the same model called in a loop without a server; and sockets without HTTP. The last two say how much of a goal that is missed was to
 * be had at all.
 */

const quick = process.argv.includes('--quick');
const rounds = quick ? 1 : 5;
const seconds = quick ? 1.5 : 4;
const CLIENTS = [1, 8, 64];
const FLIGHTS = 5000;

interface Figures extends LoadReport {
  /** Microseconds of processor a request, of the server and all its processes. */
  readonly cpu: number;
}

/** A loop without a server: rows a call, and how it is called. */
interface Loop {
  readonly name: string;
  readonly rows: number;
  readonly command: readonly string[];
}

const work = mkdtempSync(join(tmpdir(), 'bench-serving-'));
const running: Running[] = [];
process.on('exit', () => {
  for (const { process: child } of running) {
    signalTree(child.pid!, 'SIGCONT');
    signalTree(child.pid!, 'SIGKILL');
  }
  rmSync(work, { recursive: true, force: true });
});

/** The first flights of the replayed months, as the requests of a client that knows the inputs by name. */
function flightBodies(): string[] {
  const [header, ...lines] = gunzipSync(readFileSync(join(MODEL, '../traffic.csv.gz')))
    .toString()
    .split('\n', FLIGHTS + 1);
  const columns = header!.split(',');
  return lines.map((line) => {
    const values = line.split(',');
    const cells = columns.map((name, i): [string, unknown] => {
      const text = values[i]!;
      return [name, ['carrier', 'origin', 'dest'].includes(name) ? text : text === '' ? null : Number(text)];
    });
    return JSON.stringify({ instances: [Object.fromEntries(cells.filter(([name]) => name !== 'time' && name !== 'outcome'))] });
  });
}

async function ask(generator: ChildProcess, order: LoadOrder): Promise<LoadReport> {
  const reported = once(generator, 'message');
  generator.send(order);
  const [report] = (await reported) as [LoadReport & { error?: string }];
  if (report.error !== undefined) throw new Error(`the load on port ${order.port} failed: ${report.error}`);
  return report;
}

async function measure(generator: ChildProcess, server: Running, clients: number, warm: number): Promise<Figures> {
  const { port, path } = server;
  const pid = server.process.pid!;
  signalTree(pid, 'SIGCONT');
  await ask(generator, { port, path, clients, seconds: warm });
  const before = cpuSecondsOf(pid);
  const report = await ask(generator, { port, path, clients, seconds });
  const cpu = ((cpuSecondsOf(pid) - before) / report.requests) * 1e6;
  // The others must not take a share of the processor that is not theirs.
  signalTree(pid, 'SIGSTOP');
  if (report.failed > 0) throw new Error(`${server.name} failed ${report.failed} of ${report.requests} requests`);
  return { ...report, cpu };
}

/** Each server must give the same answers, or their speeds say nothing. */
async function compareAnswers(bodies: readonly string[]): Promise<void> {
  for (const body of bodies) {
    const [first, ...others] = await Promise.all(running.map((server) => answer(server, body)));
    others.forEach((other, i) => {
      const same = other[0]!.label === first![0]!.label && Math.abs(other[0]!.probability - first![0]!.probability) < 1e-5;
      if (!same) throw new Error(`${running[i + 1]!.name} answers ${JSON.stringify(other)}, ${running[0]!.name} ${JSON.stringify(first)}`);
    });
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function table(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '));
}

function bareLoops(programs: string, python: string, bodies: string): Loop[] {
  const model = join(MODEL, 'model.onnx');
  const time = String(seconds / 4);
  const node = CLIENTS.map((rows) => ({
    name: rows === 1 ? 'onnxruntime-node in a loop' : `onnxruntime-node in a loop, ${rows} rows a call`,
    rows,
    command: [process.execPath, join(programs, 'bench/serving/bare-loop.js'), model, bodies, time, String(rows)],
  }));
  const inPython = {
    name: 'onnxruntime in a Python loop',
    rows: 1,
    command: [join(python, 'python'), join(__dirname, 'serving/bare_loop.py'), bodies, time],
  };
  return [...node, inPython];
}

function runLoop({ command: [program, ...rest] }: Loop): LoopReport {
  return JSON.parse(execFileSync(program!, rest, { env: { ...process.env, MODEL: join(MODEL, 'model.onnx') } }).toString());
}

async function main(): Promise<void> {
  // Of every contender: the runtimes report to Microsoft otherwise.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  const python = pythonEnvironment(join(__dirname, 'serving'));
  const programs = bundle(work);
  const bodies = flightBodies();
  const bodiesFile = join(work, 'bodies');
  writeFileSync(bodiesFile, bodies.join('\n'));
  for (const contender of contenders(programs, python)) running.push(await start(contender, bodies[0]!));
  const bound = bounds(programs);
  const session = await start(bound.session, bodies[0]!);
  running.push(session);
  await compareAnswers(bodies.slice(0, 50));
  const socket = await start(bound.socket, bodies[0]!);
  running.push(socket);
  for (const { process: child } of running) signalTree(child.pid!, 'SIGSTOP');

  const generator = fork(join(programs, 'bench/serving/load.js'), [bodiesFile]);
  // Compilers and caches are warm in a server that has run for a while.
  for (const server of running) await measure(generator, server, 64, quick ? 2 : 10);
  const loops = bareLoops(programs, python, bodiesFile);
  const looped = new Map<Loop, LoopReport[]>(loops.map((loop) => [loop, []]));
  const figures = new Map<string, Figures[]>();
  for (let round = 0; round < rounds; round++) {
    for (const loop of loops) looped.get(loop)!.push(runLoop(loop));
    for (const clients of CLIENTS) {
      for (const server of running) {
        const key = `${server.name} ${clients}`;
        figures.set(key, [...(figures.get(key) ?? []), await measure(generator, server, clients, 0.3)]);
      }
    }
  }
  generator.disconnect();

  /** The median over the rounds, of each figure by itself. */
  const of = ({ name }: Running, clients: number, figure: keyof Figures | 'perSecond'): number =>
    median(figures.get(`${name} ${clients}`)!.map((one) => (figure === 'perSecond' ? one.requests / one.seconds : one[figure])));
  const rowsPerSecond = (loop: Loop): number => median(looped.get(loop)!.map(({ calls, seconds }) => (calls * loop.rows) / seconds));
  const rowCpu = (loop: Loop): number => median(looped.get(loop)!.map(({ calls, cpuSeconds }) => (cpuSeconds / calls / loop.rows) * 1e6));

  console.log(
    `flight-delay 2, one flight a request, ${availableParallelism()} cores shared with the load; median of ${rounds} rounds of ${seconds} s`,
  );
  table([
    ['', 'clients', 'requests/s', 'p50 ms', 'p99 ms', 'CPU us/request', 'requests/CPU s'],
    ...CLIENTS.flatMap((clients) =>
      running.map((server) => [
        server.name,
        String(clients),
        of(server, clients, 'perSecond').toFixed(0),
        of(server, clients, 'p50').toFixed(2),
        of(server, clients, 'p99').toFixed(2),
        of(server, clients, 'cpu').toFixed(0),
        (1e6 / of(server, clients, 'cpu')).toFixed(0),
      ]),
    ),
    ...loops.map((loop) => [
      loop.name,
      '',
      rowsPerSecond(loop).toFixed(0),
      '',
      '',
      rowCpu(loop).toFixed(0),
      (1e6 / rowCpu(loop)).toFixed(0),
    ]),
  ]);

  const peers = running.filter(({ role }) => role === 'peer');
  for (const clients of CLIENTS) {
    const figure = (server: Running): Served => ({
      name: server.name,
      perSecond: of(server, clients, 'perSecond'),
      p99: of(server, clients, 'p99'),
      cpu: of(server, clients, 'cpu'),
    });
    for (const line of goals({
      clients,
      endpoint: figure(running[0]!),
      peers: peers.map(figure),
      bound: figure(session),
      loopPerSecond: rowsPerSecond(loops[0]!),
    }))
      console.log(line);
  }
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    console.error(error.stack);
    process.exit(1);
  },
);
