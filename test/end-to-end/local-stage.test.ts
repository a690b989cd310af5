import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStage } from '../../lib/cli/local-stage';
import { awsPorts } from '../../lib/promotion';
import { FLEDGE, fledge as run } from './harness/fledge';

const ROOT = join(__dirname, '..', '..');
const FLIGHTS = join(ROOT, 'model-artifacts', 'flight-delay');
const folder = mkdtempSync(join(tmpdir(), 'local-stage-'));
const plan = join(folder, 'plan.json');
const bake = { kind: 'percent', bakeSeconds: 3 };

let server: ChildProcess;
let environment: NodeJS.ProcessEnv = {};
let said = '';

/** A command of another shell, with the variables that the server printed. */
const fledge = (...argv: string[]) => run({ ...process.env, ...environment }, ...argv);

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}:\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const ended = async () => {
  const { out } = await fledge('history', 'flights', '--json');
  return (JSON.parse(out) as { promotions: { promotionId: string; verdict: string; reason: string }[] }).promotions;
};

const stepReached = async (step: string) => {
  const before = (await ended()).length;
  return until(async () => {
    const { out } = await fledge('status', 'flights', '--json');
    const { underWay } = JSON.parse(out) as { underWay: { progress: { during: string } | null } | null };
    if (underWay?.progress?.during === step) return underWay;
    const last = (await ended())[before];
    if (last) throw new Error(`before ${step}, ${last.promotionId} was ${last.verdict}: ${last.reason}`);
    return undefined;
  });
};

beforeAll(async () => {
  writeFileSync(plan, JSON.stringify({ steps: [5, 50].map((percent) => ({ ...bake, percent })), approval: 'manual', onDeadline: 'hold' }));
  const traffic = ['--traffic', join(FLIGHTS, 'traffic.csv.gz'), '--rate', '150'];
  const argv = ['local', '--port', '0', '--stage', 'flights', '--live', join(FLIGHTS, '1'), '--plan', plan, ...traffic];
  server = spawn(process.execPath, [FLEDGE, ...argv], { cwd: folder });
  server.stdout!.on('data', (part) => (said += part));
  server.stderr!.on('data', (part) => (said += part));
  await until(() => (said.includes('flights is live') ? true : undefined));
  environment = Object.fromEntries([...said.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  Object.assign(process.env, environment);
  const stage = await LocalStage.open(awsPorts(), 'flights');
  for (const version of ['2', '3']) await stage.publish(join(FLIGHTS, version), 'PendingManualApproval');
}, 120_000);
afterAll(() => {
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

test('a version goes live once a person approved it, and the reviewer is told why', async () => {
  const promoted = await fledge('promote', 'flights', '2', '--by', 'ana', '--reason', 'beats 1 on July');
  expect(promoted).toMatchObject({ code: 0, out: expect.stringContaining('version 2 is approved') });
  await stepReached('approval');
  const both = /live \d+\/s, 5xx [\d.]+ %, p99 [\d.]+ ms; candidate \d+\/s, 5xx [\d.]+ %, p99 [\d.]+ ms/;
  const status = await fledge('status', 'flights');
  expect(status.out).toMatch(both);
  const watching = fledge('watch', 'flights', '--every', '1');
  expect(await fledge('approve', 'flights', '--by', 'bo')).toMatchObject({ code: 0 });
  const watched = await watching;
  expect(watched.out).toMatch(both);
  expect(watched.out).toMatch(/promoted: /);
  expect(watched.code).toBe(0);

  const explained = await fledge('explain', 'flights', '2');
  expect(explained.code).toBe(0);
  expect(explained.out).toMatch(/^version 2 on flights: promoted/);
  expect(explained.out).toMatch(/approval +approved by ana: beats 1 on July/);
  expect(explained.out).toMatch(/before it +version 1/);
  expect(explained.out).toMatch(/approve \(bo\)/);
  expect(explained.out).toMatch(/(\d+) of \1 verdicts are the same/);
}, 300_000);

test('a version that is live already is not promoted again, and one that does not exist is named', async () => {
  expect(await fledge('promote', 'flights', '2')).toMatchObject({ code: 1, err: 'error: version 2 is live on flights already\n' });
  expect((await fledge('promote', 'flights', '9')).err).toMatch(/^error: there is no version 9 of .*: its newest are 3, 2, 1\n$/);
  expect(await fledge('watch', 'flights', '--newest')).toMatchObject({ code: 0, out: expect.stringContaining('is live on flights') });
}, 60_000);

test('a candidate that fails is rolled back, and the one who watches it has exit code 3', async () => {
  const { code, out } = await fledge('promote', 'flights', '3', '--watch', '--every', '1');
  expect(out).toMatch(/rolled back at .*(5xx|model errors)/);
  expect(code).toBe(3);
  // A pipeline that looks again hears the same.
  expect(await fledge('watch', 'flights', '--newest')).toMatchObject({ code: 3, out: expect.stringContaining('rolled back') });
}, 300_000);

test('a rollback brings the version before back, by its own promotion; a second rollback aborts that', async () => {
  const back = await fledge('rollback', 'flights', '--by', 'ana', '--reason', 'pager');
  expect(back).toMatchObject({ code: 0, out: expect.stringContaining('version 1, live before version 2, comes back') });
  await stepReached('50 %');
  const abort = await fledge('rollback', 'flights', '--by', 'bo', '--reason', 'false alarm', '--watch', '--every', '1');
  expect(abort.out).toMatch(/is under way: it is aborted/);
  expect(abort.code).toBe(0);
  expect((await ended()).at(-1)).toMatchObject({
    promotionId: expect.stringMatching(/^v1-/),
    verdict: 'rolled back',
    reason: 'aborted by bo: false alarm',
  });
  expect((await fledge('pause', 'flights')).err).toMatch(/^error: flights has no promotion under way: the last, v1-.*, was rolled back\n$/);
}, 300_000);

test('Ctrl-C stops only the watching; on the server it leaves no process and no port', async () => {
  await fledge('promote', 'flights', '1');
  await stepReached('5 %');
  const watcher = spawn(process.execPath, [FLEDGE, 'watch', 'flights', '--every', '1'], { env: { ...process.env, ...environment } });
  let seen = '';
  watcher.stdout!.on('data', (part) => (seen += part));
  await until(() => (seen.includes('% of the requests') ? true : undefined));
  watcher.kill('SIGINT');
  expect(await once(watcher, 'exit')).toEqual([130, null]);
  expect(seen).toMatch(/stopped watching; the promotion goes on/);

  server.kill('SIGINT');
  expect(await once(server, 'exit')).toEqual([0, null]);
  await expect(fetch(environment.AWS_ENDPOINT_URL!)).rejects.toThrow();
  const gone = await fledge('status', 'flights');
  expect(gone).toMatchObject({ code: 1, err: expect.stringMatching(/^error: nothing answers at 127\.0\.0\.1:\d+/) });
}, 300_000);
