import fs, { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scan } from '../../lib/model/scan';

const folder = mkdtempSync(join(tmpdir(), 'scan-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

const model = join(folder, 'model');
const file = join(model, 'model.pkl');
const cacheDirectory = join(folder, 'cache');

/** A pickle of a long text, and of a call where that is asked for. */
function write(harmful: boolean): void {
  mkdirSync(model, { recursive: true });
  const text = Buffer.concat([Buffer.from('X\x00\x00\x08\x00', 'latin1'), Buffer.alloc(2 ** 19, 'a')]);
  const call = Buffer.from(harmful ? '0cos\nsystem\nU\x02id\x85R.' : '.', 'latin1');
  writeFileSync(file, Buffer.concat([Buffer.from('\x80\x02', 'latin1'), text, call]));
  utimesSync(file, 1, 1);
}

/** Whether the scan opened the file, and what it graded it. */
function scanned(): [opened: boolean, grade: string] {
  const opened = jest.spyOn(fs, 'openSync');
  const { grade } = scan(model, { cacheDirectory });
  const paths = opened.mock.calls.map(([path]) => path);
  opened.mockRestore();
  return [paths.includes(file), grade];
}

test('an unchanged file is not scanned again, a changed one is', async () => {
  write(false);
  // What was touched less than two seconds ago could change without a sign.
  expect([scanned(), scanned()]).toEqual([
    [true, 'safe'],
    [true, 'safe'],
  ]);
  await new Promise((resolve) => setTimeout(resolve, 2100));
  expect([scanned(), scanned()]).toEqual([
    [true, 'safe'],
    [false, 'safe'],
  ]);
  write(true);
  expect(scanned()).toEqual([true, 'dangerous']);
  await new Promise((resolve) => setTimeout(resolve, 2100));
  scanned();
  expect(scanned()).toEqual([false, 'dangerous']);
});

test('limits of the caller are not answered from memory', () => {
  expect(scan(model, { cacheDirectory, limits: { milliseconds: 0 } }).files[0]!.findings[0]!.code).toBe('out-of-time');
});
