import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';

/** A file of at most 1 MB that is made to keep a scanner busy. */
export interface HostileMegabyte {
  readonly name: string;
  write(path: string): void;
}

const MEGABYTE = 1_000_000;

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const filled = (head: string, unit: string) => () => latin1(head + unit.repeat(Math.floor((MEGABYTE - head.length) / unit.length)));

/** Bytes by another program's compressor; none where it is not installed. */
const compressed = (program: string, megabytes: number, source: 'zeros' | 'random') => () =>
  spawnSync(program, ['-c'], {
    input: source === 'zeros' ? Buffer.alloc(megabytes * MEGABYTE) : randomBytes(megabytes * MEGABYTE),
    maxBuffer: 2 ** 30,
  }).stdout?.subarray(0, MEGABYTE);

const MAKERS: Readonly<Record<string, () => Buffer | undefined>> = {
  'empty lists': filled('\x80\x02', ']'),
  'empty dictionaries': filled('\x80\x02', '}'),
  marks: filled('\x80\x02', '('),
  'memoised lists': filled('\x80\x04', ']\x94'),
  'memo reads': filled('\x80\x02]q\0', 'h\0'),
  imports: filled('\x80\x02', 'ca\nb\n'),
  'different imports': () => latin1(`\x80\x02${Array.from({ length: 90_000 }, (_, i) => `cm${i}\nb\n`).join('')}`),
  calls: filled('\x80\x02', 'ca\nb\n)R'),
  'pickles one after another': filled('', 'N.'),
  'announced pickles': filled('', '\x80\x04N.'),
  'pickles in byte strings': filled('\x80\x03', 'C\x04\x80\x02N.'),
  'zlib in byte strings': filled('\x80\x03', 'C\x06x\x9cabcd'),
  'doubled tuples': filled('\x80\x02N', '2\x86'),
  'a number of a million digits': () => latin1(`I${'9'.repeat(MEGABYTE - 4)}\n.`),
  'a line without an end': filled('c', 'a'),
  'zip headers': filled('', 'PK\x03\x04'),
  'JSON, nested': filled('', '[{"a":'),
  'a template': filled('', '{{ a }}'),
  'random bytes': () => randomBytes(MEGABYTE),
  'a gzip bomb': () => gzipSync(Buffer.alloc(900 * MEGABYTE)).subarray(0, MEGABYTE),
  'a zlib bomb of pickles': () =>
    deflateSync(latin1('\x80\x02]q\0'.repeat(40 * MEGABYTE)).subarray(0, 160 * MEGABYTE)).subarray(0, MEGABYTE),
  'a bzip2 bomb': compressed('bzip2', 400, 'zeros'),
  'bzip2 of noise': compressed('bzip2', 1, 'random'),
  'an xz bomb': compressed('xz', 400, 'zeros'),
};

/** @param quick leaves out those that take long to make */
export function hostileMegabytes(quick: boolean): HostileMegabyte[] {
  const slow = /bomb/;
  return Object.entries(MAKERS)
    .filter(([name]) => !quick || !slow.test(name) || name === 'a gzip bomb')
    .map(([name, make]) => ({
      name,
      write: (path) => writeFileSync(path, make() ?? Buffer.alloc(0)),
    }));
}
