import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const FLIGHTS = join(ROOT, 'model-artifacts', 'flight-delay');
const folder = mkdtempSync(join(tmpdir(), 'lost-output-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The command in a process of its own, with a folder of its own for what it leaves. */
function start(argv: readonly string[], stdout: 'pipe' | number) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'bin', 'fledge.ts'), ...argv], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: folder, XDG_CACHE_HOME: join(folder, 'cache') },
    stdio: ['ignore', stdout, 'pipe'],
  });
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return { child, said: () => said };
}

const left = () => readdirSync(folder).filter((name) => name.startsWith('fledge-'));
const REHEARSE = ['rehearse', join(FLIGHTS, '1'), join(FLIGHTS, '2'), '--traffic', join(FLIGHTS, 'traffic.csv.gz'), '--no-report'];

test('a rehearsal whose reader goes away judges nothing: it cleans up, says nothing and exits with 141', async () => {
  const { child, said } = start(REHEARSE, 'pipe');
  await once(child.stdout!, 'data');
  expect(left()).not.toEqual([]);
  child.stdout!.destroy();
  expect(await once(child, 'exit')).toEqual([141, null]);
  expect(said()).toBe('');
  expect(left()).toEqual([]);
});

test('so does a report whose reader goes away', async () => {
  const { child, said } = start(['inspect', join(FLIGHTS, '2')], 'pipe');
  child.stdout!.destroy();
  expect(await once(child, 'exit')).toEqual([141, null]);
  expect(said()).toBe('');
});

(existsSync('/dev/full') ? test.each([['inspect', join(FLIGHTS, '2')], REHEARSE, ['--version']]) : test.skip.each([['']]))(
  'fledge %s says in one line that its output does not fit on the disk',
  async (...argv) => {
    const { child, said } = start(argv, openSync('/dev/full', 'w'));
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(said()).toBe('error: the output cannot be written: no space left on the disk\n');
    expect(left()).toEqual([]);
  },
);
