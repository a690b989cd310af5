import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { LocalStage } from '../../lib/cli/local-stage';
import { type LocalSageMaker, startLocal } from '../../lib/local';
import { awsPorts } from '../../lib/promotion';
import { fledge } from './fledge';

const FLIGHTS = join(__dirname, '..', '..', 'model-artifacts', 'flight-delay');
const folder = mkdtempSync(join(tmpdir(), 'invoke-test-'));
const bodies = join(folder, 'bodies');
const before = { ...process.env };
const started: LocalSageMaker[] = [];

/** A SageMaker with one endpoint, `m`. */
async function serving(command?: readonly string[]): Promise<LocalSageMaker> {
  const local = await startLocal({ engines: { command }, timings: { start: 0 }, warn: () => {} });
  started.push(local);
  Object.assign(process.env, local.environment());
  const stage = await LocalStage.open(awsPorts(), 'm');
  await stage.deploy('m', await stage.publish(join(FLIGHTS, '1')));
  return local;
}

let flights: LocalSageMaker;
/** Answers what the request says, and keeps the bodies. */
let echo: LocalSageMaker;
beforeAll(async () => {
  process.env.BODIES = bodies;
  flights = await serving();
  echo = await serving([process.execPath, join(__dirname, 'answering.cjs')]);
}, 60_000);
afterAll(async () => {
  for (const local of started) await local.close();
  process.env = before;
  rmSync(folder, { recursive: true });
});
beforeEach(() => rmSync(bodies, { force: true }));

const sent = (): string[] =>
  existsSync(bodies)
    ? readFileSync(bodies, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as string)
    : [];
const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const replay = async (local: LocalSageMaker, file: string, ...argv: string[]) => {
  const { code, out, err } = await fledge('invoke', 'm', '--url', local.url, '--traffic', file, '--json', ...argv);
  return {
    code,
    err,
    ...(JSON.parse(out) as { requests: number; failed: number; known: number; accuracy: number | null; perSecond: number }),
  };
};

describe('fledge invoke --traffic', () => {
  test('sends the columns by their names, whatever their order and whatever else the file holds', async () => {
    const [names, ...rows] = gunzipSync(readFileSync(join(FLIGHTS, 'traffic.csv.gz')))
      .toString()
      .split('\n', 201);
    const turned = (line: string) => [...line.split(',').reverse(), 'x'].join();
    const inOrder = write('in-order.csv', [names, ...rows].join('\n'));
    const otherwise = write('otherwise.csv', [`${names.split(',').reverse().join()},more`, ...rows.map(turned)].join('\n'));
    const straight = await replay(flights, inOrder, '--requests', '200');
    expect(straight).toMatchObject({ code: 0, requests: 200, failed: 0, known: 200 });
    expect(straight.accuracy).toBeGreaterThan(0.5);
    expect(await replay(flights, otherwise, '--requests', '200')).toMatchObject({ code: 0, failed: 0, accuracy: straight.accuracy });
  });

  test('sends as many requests as it was told to, in the order of the file, and reports every one', async () => {
    const file = write('five.csv', 'a,outcome\n1,1\n2,2\n3,3\n4,4\n5,5\n');
    for (const requests of [1, 7]) {
      rmSync(bodies, { force: true });
      const result = await replay(echo, file, '--requests', String(requests), '--clients', '3', '--no-header');
      expect(result).toMatchObject({ code: 0, requests, failed: 0, known: requests, accuracy: 1 });
      expect(result.perSecond).toBeGreaterThan(0);
      expect(result.perSecond).toBeLessThan(1e6);
      expect(sent().sort()).toEqual(['1', '2', '3', '4', '5', '1', '2'].slice(0, requests).sort());
    }
  });

  test('compares answers by their values, whatever form they come in', async () => {
    const row = (outcome: unknown, answer: string, type?: string) => JSON.stringify({ inputs: { answer, type }, outcome });
    const file = write(
      'forms.jsonl',
      [
        row(true, '1\n'),
        row('1.0', '1, 0, 1'),
        row('spät, sehr', '"spät, sehr",0.5\n'),
        row(0, '{"predictions":[{"label":false}]}', 'application/json'),
        row(null, '7\n'),
        row(1, '0\n'),
      ].join('\n'),
    );
    const { code, err, known, accuracy } = await replay(echo, file, '--requests', '6');
    expect({ code, known, accuracy }).toEqual({ code: 0, known: 5, accuracy: 0.8 });
    expect(err).toContain(`warning: 1 of 6 requests in ${file} have no outcome: they do not count among right and wrong answers\n`);
  });

  test('warns where no answer is its outcome', async () => {
    const file = write('scores.csv', 'a,outcome\n0.97,late\n0.95,late\n');
    const { err } = await replay(echo, file, '--requests', '2', '--no-header');
    expect(err).toMatch(
      /^warning: none of 2 answers is its outcome \(the first: 0\.9\d where the outcome is "late"\): if the two are not of one form/m,
    );
  });

  test('asks the variant that it was told to', async () => {
    const file = write('one.csv', 'a\n1\n');
    expect(await replay(echo, file, '--requests', '3', '--variant', 'live')).toMatchObject({ code: 0, failed: 0 });
    const { code, failed, err } = await replay(echo, file, '--requests', '3', '--variant', 'other');
    expect({ code, failed }).toEqual({ code: 1, failed: 3 });
    expect(err).not.toContain('--no-header');
    expect(sent()).toHaveLength(3);
  });

  test('exits with 1 where a request failed', async () => {
    const row = (status: number) => JSON.stringify({ inputs: { status, answer: '1' } });
    const file = write('failing.jsonl', [row(200), row(500)].join('\n'));
    expect(await replay(echo, file, '--requests', '4')).toMatchObject({ code: 1, requests: 4, failed: 2 });
  });

  test('says how to leave the header out where nothing was answered', async () => {
    const { code, err } = await replay(flights, write('unlike.csv', 'x\n1\n'), '--requests', '2');
    expect(code).toBe(1);
    expect(err).toMatch(/--no-header$/m);
  });
});

describe('fledge invoke', () => {
  test.each([
    ['neither a body nor traffic', [], 2, /^error: give either --body or --traffic$/m],
    ['both', ['--body', '1', '--traffic', 'x'], 2, /^error: give either --body or --traffic$/m],
    ['traffic for AWS', ['--traffic', 'x', '--url', ''], 2, /^error: --traffic wants the --url of a SageMaker on this machine/],
    ['a body of no file', ['--body', '@'], 2, /^error: --body @ names no file/],
    ['what is no URL', ['--body', '1', '--url', 'foo'], 2, /^error: 'foo' is no URL of --url or AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME/],
    ['a host alone', ['--body', '1', '--url', 'localhost:8080'], 2, /^error: 'localhost:8080' is no URL/],
    ['a file that is not there', ['--body', '@nope'], 1, /^error: --body cannot be read: nope: there is no such file or folder\n$/],
    ['a folder', ['--body', `@${folder}`], 1, /^error: --body cannot be read: \S+ is a folder, not a file\n$/],
  ])('refuses %s', async (_, argv, exit, said) => {
    const { code, out, err } = await fledge('invoke', 'm', ...argv);
    expect(err).toMatch(said);
    expect({ code, out }).toEqual({ code: exit, out: '' });
  });
  test('says its exit codes', async () => {
    expect((await fledge('invoke', '--help')).out).toMatch(/Exit codes: 0 every request was answered, 1 one was not/);
  });
});
