import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fledge } from './fledge';

const FLIGHTS = join(__dirname, '..', '..', 'model-artifacts', 'flight-delay');
const folder = mkdtempSync(join(tmpdir(), 'cli-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const zipMap = mkdtempSync(join(folder, 'zip-map-'));
copyFileSync(join(__dirname, '..', 'serving', 'fixtures', 'zipmap.onnx'), join(zipMap, 'model.onnx'));

describe('fledge', () => {
  test('shows its commands', async () => {
    const { code, out } = await fledge('--help');
    expect(code).toBe(0);
    for (const command of [
      'inspect',
      'package',
      'scan',
      'publish',
      'sign',
      'verify',
      'bom',
      'serve',
      'local',
      'invoke',
      'rehearse',
      'plan',
      'status',
      'history',
      'explain',
    ])
      expect(out).toContain(command);
  });
  test('says its version', async () => {
    const { version } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8'));
    expect(await fledge('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });
  test('says what it did not understand, and exits with 2', async () => {
    const { code, err } = await fledge('hatch');
    expect(code).toBe(2);
    expect(err).toContain("unknown command 'hatch'");
  });
});

describe('fledge inspect', () => {
  test('says that the probabilities of a ZipMap are left out of the answers, and what to do', async () => {
    const { code, out } = await fledge('inspect', zipMap);
    expect(out).toContain(
      'warning: answers leave out "probabilities" (sequence(map(int64,float32))): only tensors can be read; ' +
        "export it with tensors for outputs: for skl2onnx options={'zipmap': False}\n",
    );
    expect(code).toBe(0);
  });
  test('says what a model is', async () => {
    const { code, out } = await fledge('inspect', join(FLIGHTS, '2'));
    expect(code).toBe(0);
    expect(out).toMatch(/flight-delay 2: onnx/);
    expect(out).toMatch(/input +carrier +string/);
  });
  test('says it as one JSON document', async () => {
    const { out } = await fledge('inspect', join(FLIGHTS, '2'), '--json');
    expect(JSON.parse(out)).toMatchObject({ name: 'flight-delay', version: '2', framework: 'onnx' });
  });
  test.each([
    ['a folder that is not there', () => join(folder, 'nothing'), /nothing/],
    ['an empty folder', () => mkdtempSync(join(folder, 'empty-')), /empty/],
  ])('refuses %s in one line', async (_, path, said) => {
    const { code, err } = await fledge('inspect', path());
    expect(code).toBe(1);
    expect(err).toMatch(/^error: .*\n$/);
    expect(err).toMatch(said);
  });
});

describe('fledge package', () => {
  test('packs a model into one archive named by its content, and once only', async () => {
    const output = mkdtempSync(join(folder, 'out-'));
    const first = await fledge('package', join(FLIGHTS, '1'), '--output', output, '--json');
    expect(first.code).toBe(0);
    const packed = JSON.parse(first.out) as { digest: string; reused: boolean };
    expect(readdirSync(output)).toEqual([`${packed.digest}.tar.gz`]);
    expect(packed.reused).toBe(false);
    const second = await fledge('package', join(FLIGHTS, '1'), '--output', output, '--json');
    expect(JSON.parse(second.out)).toMatchObject({ digest: packed.digest, reused: true });
  });
});

describe('fledge local', () => {
  test('names a port that is taken, in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, err } = await fledge('local', '--port', String(port));
    taken.close();
    expect(err).toBe(`error: port ${port} of 127.0.0.1 is taken: name another with --port, or 0 for a free one\n`);
    expect(code).toBe(1);
  });
  test.each([
    [['--live', join(FLIGHTS, '1')], 2, /--live is of a stage: name its endpoint with --stage/],
    [['--stage', 'flights', '--speed', '60'], 2, /a stage runs in real time/],
    [['--stage', 'flights', '--port', '0'], 1, /there is no endpoint flights yet: --live names the model directory/],
    [['--stage', 'flights', '--plan', join(folder, 'no.json')], 1, /no\.json: there is no such file/],
  ])('refuses %s with %i, in one line', async (argv, exit, said) => {
    const before = { ...process.env };
    const { code, err } = await fledge('local', ...argv);
    process.env = before;
    expect(err).toMatch(said);
    expect(code).toBe(exit);
  });
});

describe('fledge plan', () => {
  test('says what a verdict costs', async () => {
    const { code, out } = await fledge('plan', '--rate', '50', '--bad-rate', '0.1', '--json');
    expect(code).toBe(0);
    const { shares } = JSON.parse(out) as { shares: { share: number; promotion: { requests: number }[] }[] };
    expect(shares.map(({ share }) => share)).toEqual([0.05, 0.1, 0.25, 0.5]);
    expect(shares[0].promotion[0].requests).toBeGreaterThan(shares[3].promotion[0].requests);
  });
  test('says the same times in its sentence as in its table', async () => {
    const { out } = await fledge('plan', '--rate', '100', '--bad-rate', '1');
    const said = [.../ ([\d.]+ (?:s|min|h|days)) at/g[Symbol.matchAll](out)].map(([, time]) => time);
    const rows = out.split('\n').filter((line) => /^ *\d+ %/.test(line));
    expect(rows.map((row) => / +[\d,]+ +([\d.]+ \w+)/.exec(row.slice(row.indexOf('%')))![1])).toEqual(said);
    expect(said).toHaveLength(4);
  });
  test('names each share as it was given', async () => {
    const { out } = await fledge('plan', '--rate', '100', '--bad-rate', '1', '--steps', '0.1,7,29');
    expect([...out.matchAll(/^ *([\d.]+) %/gm)].map(([, share]) => share)).toEqual(['0.1', '7', '29']);
  });
  test('names no candidate of which more than all requests go wrong', async () => {
    expect((await fledge('plan', '--rate', '10', '--bad-rate', '30')).out).toMatch(/rolled back if 2 times as bad$/m);
    expect(await fledge('plan', '--rate', '10', '--bad-rate', '60')).toMatchObject({ code: 0, out: expect.not.stringContaining('rolled') });
  });
  test.each([
    [['--rate', 'many', '--bad-rate', '1'], /'many'/],
    [['--rate', '1e400', '--bad-rate', '1'], /'1e400'/],
    [['--rate', '10', '--bad-rate', '1', '--margin', '1e400'], /'1e400'/],
    [['--rate', '10', '--bad-rate', '1', '--steps', '50,5'], /must rise/],
    [['--rate', '10', '--bad-rate', '1', '--steps', '90'], /at most 50/],
    [['--rate', '10', '--bad-rate', '100'], /must be above 0 and below 100, got '100'/],
    [['--rate', '10', '--bad-rate', '1', '--objective', '100'], /must be above 0 and below 100, got '100'/],
  ])('refuses %s', async (argv, said) => {
    const { code, err } = await fledge('plan', ...argv);
    expect(code).toBe(2);
    expect(err).toMatch(said);
  });
});

describe('fledge rehearse', () => {
  const traffic = join(FLIGHTS, 'traffic.csv.gz');
  const unfit = join(folder, 'unfit.jsonl');
  writeFileSync(unfit, '{"inputs":{"carrier":7}}\n');
  test.each([
    ['one model only', [join(FLIGHTS, '1'), '--traffic', traffic], 2, /at least two model directories/],
    [
      'an expectation too few',
      [join(FLIGHTS, '1'), join(FLIGHTS, '2'), '--traffic', traffic, '--expect', 'promoted,held'],
      2,
      /names 2 verdicts for 1 candidate$/m,
    ],
    [
      'a word it does not know',
      [join(FLIGHTS, '1'), join(FLIGHTS, '2'), '--traffic', traffic, '--expect', 'fine'],
      2,
      /'fine' is none of promoted/,
    ],
    [
      'half a request',
      [join(FLIGHTS, '1'), join(FLIGHTS, '2'), '--traffic', unfit, '--requests', '100.5'],
      2,
      /must be a whole number from 100 to 1000000000, got '100\.5'/,
    ],
    ['a model that is not there', [join(FLIGHTS, '1'), join(folder, 'nothing'), '--traffic', traffic], 1, /nothing is not a directory/],
    [
      'requests of which the live version answers none',
      [join(FLIGHTS, '1'), join(FLIGHTS, '2'), '--traffic', unfit, '--requests', '100', '--no-report'],
      1,
      /answered none of \d+ requests, so there is nothing to compare with: ModelError: .*carrier/,
    ],
  ])('refuses %s, and leaves nothing running', async (_, argv, exit, said) => {
    const { code, err } = await fledge('rehearse', ...argv);
    expect(err).toMatch(said);
    expect(code).toBe(exit);
  });
});

describe('fledge serve', () => {
  test('says what serves a model that is no ONNX file, and not where it was unpacked', async () => {
    const { code, err } = await fledge('serve', join(__dirname, '..', 'model', 'fixtures', 'xgboost-json'), '--port', '0');
    expect(err).toMatch(/^error: .*xgboost-json does not come up: .*holds no \.onnx file and no code\/inference\.py: .*--command/);
    expect(err).not.toContain('fledge-models-');
    expect(code).toBe(1);
  });
  test("says with which option a model's own code may run", async () => {
    const directory = mkdtempSync(join(folder, 'code-'));
    cpSync(zipMap, directory, { recursive: true });
    mkdirSync(join(directory, 'code'));
    writeFileSync(join(directory, 'code', 'inference.py'), '');
    const { code, err } = await fledge('serve', directory, '--port', '0');
    expect(err).toContain('code/inference.py answers for this model, and its code runs only where it is allowed (--allow-code');
    expect(err).toContain('answers leave out "probabilities"');
    expect(code).toBe(1);
  });
  test('takes a name by the rule of SageMaker only', async () => {
    const { code, err } = await fledge('serve', zipMap, '--endpoint', 'bad name!');
    expect(err).toContain("must be letters, digits and hyphens within, at most 63, got 'bad name!'");
    expect(code).toBe(2);
  });
});

describe('fledge scan', () => {
  test('reports what was scanned, then the path that is missing', async () => {
    const evil = join(folder, 'evil.pkl');
    writeFileSync(evil, Buffer.from('\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.', 'latin1'));
    const missing = join(folder, 'missing');
    const safe = join(FLIGHTS, '2');
    const all = await fledge('scan', evil, missing, safe);
    expect(all.out).toMatch(/dangerous[\s\S]*accepted/);
    expect(all.err).toMatch(/^error: .*missing/);
    expect(all.code).toBe(5);
    const some = await fledge('scan', missing, safe, '--json');
    expect(JSON.parse(some.out)).toMatchObject({ scans: [{}], errors: [{ path: missing }] });
    expect(some.code).toBe(1);
  });
});

test('fledge rehearse warns of probabilities that answers leave out', async () => {
  const traffic = join(folder, 'x.jsonl');
  writeFileSync(traffic, '{"inputs":{"x":"none"}}\n');
  const { err } = await fledge('rehearse', zipMap, zipMap, '--traffic', traffic, '--requests', '100', '--no-report');
  expect(err).toContain(`warning: ${join(zipMap, 'model.onnx')}: answers leave out "probabilities"`);
  expect(err).toContain("options={'zipmap': False}\n");
});

test('fledge rehearse misses its traffic before anything is packed', async () => {
  const { code, out, err } = await fledge('rehearse', join(FLIGHTS, '1'), join(FLIGHTS, '2'), '--traffic', join(folder, 'no.csv'));
  expect(err).toMatch(/there is no such file/);
  expect({ code, out }).toEqual({ code: 1, out: '' });
});
