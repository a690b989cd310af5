import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHROMIUM, look, type Window } from './harness/browser';

const ROOT = join(__dirname, '..', '..');
const FLIGHTS = join(ROOT, 'model-artifacts', 'flight-delay');
const TRAFFIC = join(FLIGHTS, 'traffic.csv.gz');
const versions = (...names: number[]) => names.map((name) => join(FLIGHTS, String(name)));
const folder = mkdtempSync(join(tmpdir(), 'rehearsal-'));
const report = join(folder, 'report.html');
afterAll(() => rmSync(folder, { recursive: true }));

/** The built command, as a user runs it. */
function start(argv: readonly string[]): { child: ChildProcess; output: { out: string; err: string } } {
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'bin', 'fledge.js'), ...argv], { cwd: folder });
  const output = { out: '', err: '' };
  child.stdout!.on('data', (part) => (output.out += part));
  child.stderr!.on('data', (part) => (output.err += part));
  return { child, output };
}

async function said(output: { out: string; err: string }, what: RegExp, child: ChildProcess): Promise<RegExpExecArray> {
  for (;;) {
    const found = what.exec(output.out + output.err);
    if (found) return found;
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before it said ${what}:\n${output.out}${output.err}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('the rehearsal promotes the better version and none of the flawed ones', async () => {
  const expected = ['promoted', 'rolled-back', 'rolled-back', 'not-promoted'];
  const { child, output } = start([
    'rehearse',
    ...versions(1, 2, 3, 4, 5),
    '--traffic',
    TRAFFIC,
    '--json',
    '--expect',
    expected.join(),
    '--report',
    report,
  ]);
  const [code] = await once(child, 'exit');
  const result = JSON.parse(output.out) as {
    live: { p50: number; model: { p50: number } };
    promotions: { candidate: string; verdict: string; reason: string; counts: object }[];
  };
  const verdicts = result.promotions.map(({ candidate, verdict, reason }) => ({ candidate, verdict, reason }));
  expect(verdicts).toEqual([
    { candidate: '2', verdict: 'promoted', reason: expect.any(String) },
    { candidate: '3', verdict: 'rolled back', reason: expect.stringMatching(/5xx|model errors/) },
    { candidate: '4', verdict: 'rolled back', reason: expect.stringMatching(/latency/) },
    { candidate: '5', verdict: expect.stringMatching(/rolled back|held/), reason: expect.stringMatching(/wrong answers/) },
  ]);
  expect(result.live.model.p50).toBeLessThan(result.live.p50);
  expect(code).toBe(0);
  expect(existsSync(report)).toBe(true);
}, 400_000);

const testInBrowser = CHROMIUM === undefined ? test.skip : test;

testInBrowser.each<Window>([
  { width: 390, scheme: 'light' },
  { width: 390, scheme: 'dark' },
  { width: 1440, scheme: 'light' },
  { width: 1440, scheme: 'dark' },
])(
  'its report opens in a browser without a network, $width pixels wide, $scheme',
  async ({ width, scheme }) => {
    const seen = await look(CHROMIUM!, report, { width, scheme });
    expect(seen).toMatchObject({ complaints: [], overflow: 0 });
    expect(seen.text).toMatch(/flight-delay: 1 promoted, /);
    // Five charts a candidate: traffic, errors, latency, wrong answers, evidence.
    expect(seen.charts).toHaveLength(20);
    for (const drawn of seen.charts) expect(drawn).toBeGreaterThan(0.02);
    if (scheme === 'dark') expect(seen.brightness).toBeLessThan(64);
    else expect(seen.brightness).toBeGreaterThan(192);
  },
  60_000,
);

test('Ctrl-C ends a rehearsal and leaves no process behind', async () => {
  const { child, output } = start(['rehearse', ...versions(1, 2), '--traffic', TRAFFIC, '--requests', '200', '--no-report']);
  await said(output, /candidate/, child);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  expect(code).toBe(130);
  expect(output.err).toContain('interrupted');
}, 120_000);

test('a served model answers until Ctrl-C, and then its port is free', async () => {
  const { child, output } = start(['serve', join(FLIGHTS, '2'), '--port', '0']);
  const [, url] = await said(output, /answers at (http:\/\/127\.0\.0\.1:\d+)\//, child);
  const invoke = start([
    'invoke',
    'model',
    '--url',
    url,
    '--content-type',
    'text/csv',
    '--accept',
    'text/csv',
    '--body',
    'US,EWR,CLT,7,1,300,400,529,4,-1,12,199,75.02,87.5,3.5,0,1012.7,10',
  ]);
  expect(await once(invoke.child, 'exit')).toEqual([0, null]);
  expect(invoke.output.out).toMatch(/^0,0\.06/);
  child.kill('SIGINT');
  await once(child, 'exit');
  await expect(fetch(`${url}/endpoints/model/invocations`, { method: 'POST' })).rejects.toThrow();
}, 60_000);

test('any command that answers /ping and /invocations serves a model, is started again when it dies, and is ended with the server', async () => {
  const program = join(folder, 'server.cjs');
  writeFileSync(
    program,
    `require('node:http').createServer((request, response) => response.end(request.url + ' by ' + process.pid)).listen(process.env.SAGEMAKER_BIND_TO_PORT, '127.0.0.1');`,
  );
  const command = `exec '${process.execPath}' '${program}'`;
  const { child, output } = start(['serve', join(FLIGHTS, '2'), '--port', '0', '--command', command]);
  const [, url] = await said(output, /answers at (http:\/\/127\.0\.0\.1:\d+)\//, child);
  const processOf = async () => {
    const answer = await fetch(`${url}/endpoints/model/invocations`, { method: 'POST', body: 'x' });
    return Number(/^\/invocations by (\d+)$/.exec(await answer.text())?.[1]);
  };
  const first = await processOf();
  process.kill(first, 'SIGKILL');
  await said(output, /warning: model \S+ crashed and is started again \(restarts so far: 1\): its process was ended by SIGKILL/, child);
  let pid = Number.NaN;
  while (Number.isNaN(pid) || pid === first) pid = await processOf();
  child.kill('SIGINT');
  await once(child, 'exit');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
}, 60_000);
