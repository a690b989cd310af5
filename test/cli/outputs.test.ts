import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newLocalKey } from '../../lib/model';
import { fledge } from './fledge';

const ROOT = join(__dirname, '..', '..');
const MODEL = join(ROOT, 'model-artifacts', 'flight-delay', '2');
const folder = mkdtempSync(join(tmpdir(), 'outputs-'));
const cache = mkdtempSync(join(tmpdir(), 'outputs-cache-'));
const environment = { ...process.env };
beforeAll(() => Object.assign(process.env, { XDG_CACHE_HOME: cache }));
afterAll(() => {
  process.env = environment;
  for (const made of [folder, cache]) rmSync(made, { recursive: true });
});

const file = join(folder, 'file');
writeFileSync(file, 'as it was');
const key = join(folder, 'key.pem');
writeFileSync(key, newLocalKey());

/** Commands that write one file, each without the name that comes last. */
const WRITERS = [
  ['sign', MODEL, '--key', key, '--output'],
  ['bom', MODEL, '--output'],
  ['scan', MODEL, '--sarif'],
  ['rehearse', MODEL, MODEL, '--traffic', join(MODEL, '..', 'traffic.csv.gz'), '--report'],
];

/** Places that take no file, on any machine with Linux. */
const NO_FILE: [string, string, RegExp][] = [
  ['a folder', folder, /is a folder; name a file$/m],
  ['in no folder', join(folder, 'none', 'file'), /there is no such folder$/m],
  ['below a file', join(file, 'file'), /a part of its path is no folder$/m],
  ...(existsSync('/proc/self') ? [['below /proc', '/proc/cdk-fledge', /cannot be written: /] as [string, string, RegExp]] : []),
];

describe.each(WRITERS.map((argv) => [argv[0]!, argv] as const))('fledge %s', (_, argv) => {
  test.each(NO_FILE)('says in one line why it cannot write %s, and leaves nothing', async (_, target, said) => {
    const before = readdirSync(folder);
    const { code, out, err } = await fledge(...argv, target);
    expect(err).toMatch(/^error: .*\n$/);
    expect(err).toMatch(said);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(readdirSync(folder)).toEqual(before);
    expect(readFileSync(file, 'utf8')).toBe('as it was');
  });
});

test('an attestation does not replace the key that signed it', async () => {
  const before = readFileSync(key, 'utf8');
  const { code, err } = await fledge('sign', MODEL, '--key', key, '--output', key);
  expect(err).toBe(`error: ${key} is the key itself: name another file for the attestation\n`);
  expect(code).toBe(1);
  expect(readFileSync(key, 'utf8')).toBe(before);
});

const full = existsSync('/dev/full') ? test : test.skip;
full('a full disk is called that', async () => {
  const { code, err } = await fledge('bom', MODEL, '--output', '/dev/full');
  expect(err).toBe('error: /dev/full cannot be written: no space left on the disk\n');
  expect(code).toBe(1);
});

test('what was there is replaced as a whole', async () => {
  const bom = join(folder, 'bom.json');
  writeFileSync(bom, 'as it was');
  expect((await fledge('bom', MODEL, '--output', bom)).code).toBe(0);
  expect(JSON.parse(readFileSync(bom, 'utf8'))).toMatchObject({ bomFormat: 'CycloneDX' });
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

const NO_FOLDER = [
  ['a file', file, /is there already, and is not a directory$/m],
  ['below a file', join(file, 'below'), /a part of it is no folder$/m],
] as const;

describe.each([
  ['package', ['package', MODEL, '--output']],
  ['local', ['local', '--port', '0', '--state']],
])('fledge %s', (_, argv) => {
  test.each(NO_FOLDER)('says in one line that there is no folder: %s', async (_, target, said) => {
    const { code, err } = await fledge(...argv, target);
    expect(err).toMatch(/^error: .*\n$/);
    expect(err).toMatch(said);
    expect(code).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe('as it was');
  });

  (process.getuid?.() === 0 ? test.skip : test)('says in one line that a folder may not be written to (nobody forbids root)', async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o500 });
    const { code, err } = await fledge(...argv, closed);
    chmodSync(closed, 0o700);
    expect(err).toMatch(/^error: .*permission denied\n$/);
    expect(code).toBe(1);
    expect(readdirSync(closed)).toEqual([]);
    rmSync(closed, { recursive: true });
  });
});

test.each(NO_FOLDER)('a cache that cannot be kept costs time only: %s', async (_, cache) => {
  const output = mkdtempSync(join(folder, 'out-'));
  process.env.XDG_CACHE_HOME = cache;
  expect(await fledge('package', MODEL, '--output', output)).toMatchObject({ code: 0, err: '' });
});

// Linux has a place where Node's own recursion never ended: in a process of its own, as the caller's thread could not end it.
(existsSync('/proc/self') ? test : test.skip)('a folder that cannot be made below /proc is refused in one line', () => {
  const command = ['--import', 'tsx', join(ROOT, 'bin', 'fledge.ts'), 'package', MODEL, '--output', '/proc/cdk-fledge/below'];
  const { status, stderr } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8', timeout: 120_000, killSignal: 'SIGKILL' });
  expect(stderr).toBe('error: /proc/cdk-fledge: no folder can be made there\n');
  expect(status).toBe(1);
});

test('fledge local says in one line that its state cannot be read', async () => {
  const state = join(folder, 'damaged-state');
  mkdirSync(state);
  writeFileSync(join(state, 'models.json'), '{"half');
  const { code, err } = await fledge('local', '--port', '0', '--state', state);
  expect(err).toMatch(/^error: .*models\.json is not readable as JSON: .*; remove it to start empty\n$/);
  expect(code).toBe(1);
});
