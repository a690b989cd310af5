import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { contentDigest } from '../lib/model/digest';
import { bundled } from './bundled';
import { writeModelFiles } from './model-files';
import { installed, type ProcessCost, processCost } from './process-cost';

/**
 * `npm run bench:archive [-- --quick] [-- --goals]`: our archive beside the ways in use, on 1 GiB (quick: 96 MiB) of mixed model files;
 * `--goals` leaves out the slow peers that no goal names.
 */

interface Contender {
  readonly name: string;
  /** The slow ones run once, the others five times in turn, of which the median counts. */
  readonly slow?: boolean;
  command(source: string, target: string): string[];
}

interface Measured extends ProcessCost {
  /** Bytes of what it wrote. */
  readonly size: number;
}

const ROUNDS = 5;
const quick = process.argv.includes('--quick');
const onlyGoals = process.argv.includes('--goals');
const bytes = (quick ? 96 : 1024) * 2 ** 20;
const work = mkdtempSync(join(tmpdir(), 'bench-archive-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const [program] = bundled(join(work, 'package'), ['bench/archive-program']) as [string];

const python = 'import sys, tarfile\nwith tarfile.open(sys.argv[2], "w:gz") as tar: tar.add(sys.argv[1], arcname=".")';
const npmTar = 'require(process.argv[3]).c({ gzip: true, file: process.argv[2], cwd: process.argv[1] }, ["."])';
const shell = (line: string) => ['sh', '-c', line];
/** No peer looks for code in what it packs: the archive alone is compared, and what our scan adds has a row of its own. Memory is of both. */
const ours = (mode: string): Contender => ({
  name: `cdk-fledge, ${mode}`,
  command: (source, target) => ['node', program, source, mode, `${target}.d`],
});
const scanned: Contender = {
  name: 'cdk-fledge, size + scan',
  command: (source, target) => ['node', program, source, 'size', `${target}.d`, 'scanned'],
};

const BASELINE = 'Python tarfile, level 9';

const contenders: Contender[] = [
  { name: BASELINE, slow: true, command: (source, target) => ['python3', '-c', python, source, target] },
  { name: 'tar czf', slow: true, command: (source, target) => ['tar', 'czf', target, '-C', source, '.'] },
  ...(installed('pigz') ? [{ name: 'tar + pigz', slow: true, command: piped('pigz') }] : []),
  ...(installed('igzip') ? [{ name: 'tar + igzip -1', command: piped('igzip -1') }] : []),
  {
    name: 'npm tar',
    slow: true,
    command: (source, target) => ['node', '-e', npmTar, source, target, require.resolve('tar')],
  },
  ours('size'),
  scanned,
  ours('speed'),
  ours('stored'),
  { name: 'cp -r', command: (source, target) => ['cp', '-r', source, `${target}.d`] },
];

function piped(compressor: string): Contender['command'] {
  return (source, target) => shell(`tar cf - -C '${source}' . | ${compressor} > '${target}'`);
}

function measure(contender: Contender, source: string): Measured {
  const target = join(work, 'out.tar.gz');
  const cost = processCost(contender.command(source, target));
  const size = archiveBytes(target);
  for (const path of [target, `${target}.d`]) rmSync(path, { recursive: true, force: true });
  return { ...cost, size };
}

/** Bytes of the archive: a file, or the one file that our program names itself; 0 for a copy. */
function archiveBytes(target: string): number {
  const found = statSync(target, { throwIfNoEntry: false });
  if (found !== undefined) return found.size;
  const archives = readdirSync(`${target}.d`).filter((name) => name.endsWith('.tar.gz'));
  return archives.reduce((sum, name) => sum + statSync(join(`${target}.d`, name)).size, 0);
}

function compare(source: string): Map<string, Measured> {
  const runs = new Map<string, Measured[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of contenders) {
      if (contender.slow && (round > 0 || (onlyGoals && contender.name !== BASELINE))) continue;
      runs.set(contender.name, [...(runs.get(contender.name) ?? []), measure(contender, source)]);
    }
  }
  return new Map([...runs].map(([name, all]) => [name, typical(all)]));
}

/** The run whose time is the median, and the most memory that one of them took. */
function typical(runs: readonly Measured[]): Measured {
  const middle = [...runs].sort((one, other) => one.wall - other.wall)[Math.floor(runs.length / 2)]!;
  return { ...middle, memory: Math.max(...runs.map(({ memory }) => memory)) };
}

function goal(name: string, figure: string, wanted: string, met: boolean, why = ''): void {
  console.log(`goal ${name}: ${figure} (wanted ${wanted}) ${met ? 'met' : `missed${why}`}`);
}

/** Seconds that gzip's CRC-32 and the digest's SHA-256 of the source take on one core, each by itself: a copy has neither. */
function sumSeconds(): number {
  const part = randomBytes(16 * 2 ** 20);
  const from = performance.now();
  for (let i = 0; i < 8; i++) {
    crc32(part);
    createHash('sha256').update(part).digest();
  }
  return ((performance.now() - from) / 1000) * (bytes / (8 * part.length));
}

const source = join(work, 'model');
mkdirSync(source);
const files = writeModelFiles(source, bytes);
console.log(`${bytes / 2 ** 20} MiB in ${files} files: fp32, bf16, fp16 and int8 weights, pages of zeros, text\n`);

const results = compare(source);
const baseline = results.get(BASELINE)!;
console.log('                          wall s    CPU s  output MB  memory MiB  against Python level 9');
for (const [name, { wall, cpu, size, memory }] of results) {
  const columns = [
    wall.toFixed(2).padStart(9),
    cpu.toFixed(2).padStart(9),
    (size / 1e6).toFixed(1).padStart(11),
    memory.toFixed(0).padStart(12),
  ];
  console.log(`${name.padEnd(24)}${columns.join('')}  ${(baseline.wall / wall).toFixed(1).padStart(7)}x`);
}
console.log();

if (quick) console.log('the goals are for 1 GiB: of 96 MiB, starting Node and its threads is much of our time\n');

const small = join(work, 'quarter');
mkdirSync(small);
writeModelFiles(small, bytes / 4);
const quarter = measure(scanned, small);

const second = secondDigest();
const size = results.get('cdk-fledge, size')!;
const stored = results.get('cdk-fledge, stored')!;
const copy = results.get('cp -r')!;
const peak = Math.max(...[...results].filter(([name]) => name.startsWith('cdk-fledge')).map(([, { memory }]) => memory));
const ratio = (a: number, b: number) => `${(a / b).toFixed(2)}x`;
const added = results.get(scanned.name)!;
console.log(
  `the scan that goes first by default adds ${(added.wall - size.wall).toFixed(2)} s, ${(added.cpu - size.cpu).toFixed(2)} CPU s and ${(added.memory - size.memory).toFixed(0)} MiB at its peak\n`,
);
goal('archive against Python level 9', ratio(baseline.wall, size.wall), '>= 12x', baseline.wall >= 12 * size.wall);
goal('output against Python level 9', ratio(size.size, baseline.size), '<= 1x', size.size <= baseline.size);
goal('stored against Python level 9', ratio(baseline.wall, stored.wall), '>= 35x', baseline.wall >= 35 * stored.wall);
const sums = `; of its ${stored.cpu.toFixed(2)} CPU s, ${sumSeconds().toFixed(2)} are CRC-32 and SHA-256, which cp with its ${copy.cpu.toFixed(2)} CPU s does not make`;
goal('stored against cp -r', ratio(copy.wall, stored.wall), '>= 0.4x', copy.wall >= 0.4 * stored.wall, sums);
goal('peak memory', `${peak.toFixed(0)} MiB`, '< 160 MiB', peak < 160);
goal('memory at four times the input', ratio(added.memory, quarter.memory), '<= 1.15x', added.memory <= 1.15 * quarter.memory);
goal('second digest of an unchanged 2 GB directory', `${second.toFixed(3)} s`, '< 0.1 s', second < 0.1);

/** Seconds that a second digest takes when nothing changed. */
function secondDigest(): number {
  const directory = join(work, 'two-gigabytes');
  const cacheDirectory = join(work, 'cache');
  mkdirSync(directory);
  writeModelFiles(directory, 16 * 2 ** 20);
  writeFileSync(join(directory, 'large.weight'), '');
  truncateSync(join(directory, 'large.weight'), 2e9);
  // Files that were touched in the last two seconds are never trusted.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2100);
  const first = contentDigest(directory, { cacheDirectory });
  const start = performance.now();
  const again = contentDigest(directory, { cacheDirectory });
  const seconds = (performance.now() - start) / 1000;
  if (again.digest !== first.digest) throw new Error('two digests of one directory differ');
  return seconds;
}
