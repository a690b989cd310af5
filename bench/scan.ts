import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { pythonEnvironment } from './python-environment';
import { hostileMegabytes } from './scan/hostile-megabytes';

/**
 * `npm run bench:scan [-- --quick] [--malicious DIR]... [--benign DIR]... [--python PATH]`: what our scan and picklescan find, in one run on
 * the same artifacts. An artifact is an entry of a directory: a file, or a model's directory. Without directories they are made by
 * bench/scan/make-*.py with the libraries of bench/scan/requirements.txt, or (`--quick`, `--python`) with those that a Python has, and the
 * models of test/model/fixtures join the benign ones.
 */

const PICKLESCAN = 'picklescan==1.0.5';
/** Artifacts of the fixtures that are not models of this set: scripts, and the one that is meant to be found. */
const LEFT_OUT = /\.py$|^keras-lambda$|^__pycache__$/;

const quick = process.argv.includes('--quick');
const root = join(__dirname, '..');
const work = mkdtempSync(join(tmpdir(), 'bench-scan-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const makes = !quick && !(process.argv.includes('--malicious') && process.argv.includes('--benign'));
const python = valuesOf('--python')[0] ?? (makes ? join(pythonEnvironment(join(__dirname, 'scan'), 'up to 9 GB'), 'python') : 'python3');
const malicious = directories('malicious');
const benign = directories('benign');

/** Ours as a user runs it: compiled. */
const program = join(work, 'package/scan-set.js');
buildSync({ entryPoints: [join(root, 'bench/scan/scan-set.ts')], outfile: program, bundle: true, platform: 'node', logLevel: 'error' });

interface Row {
  readonly path: string;
  /** `safe`, `unknown`, `dangerous` or `error`. */
  readonly grade: string;
  /** Whether the default policy refuses it. */
  readonly refused: boolean;
}

interface Outcome {
  readonly rows: readonly Row[];
  readonly seconds: number;
  /** Processor time, seconds. */
  readonly cpu: number;
  readonly megabytes: number;
}

const peer = installPicklescan();
/** In turn, three times (quick: once), of which the fastest counts: the machine may have other work. */
const mine = [process.execPath, program];
const rounds = (quick ? [1] : [1, 2, 3]).map(() => ({ ours: both(mine), theirs: peer === undefined ? undefined : both(peer) }));
const ours = fastest(rounds.map((round) => round.ours));
const theirs = peer === undefined ? undefined : fastest(rounds.map((round) => round.theirs!));

show('ours', ours);
if (theirs !== undefined) show('picklescan', theirs);
const missed = ours.malicious.rows.filter(({ grade }) => grade !== 'dangerous');
for (const { path, grade } of missed.slice(0, 20)) console.log(`  ours calls ${path} ${grade}`);
const refused = ours.benign.rows.filter((row) => row.refused);
for (const { path } of refused.slice(0, 20)) console.log(`  ours refuses ${path}`);
const worst = megabytes();

const share = (rows: readonly Row[], is: (row: Row) => boolean) => (100 * rows.filter(is).length) / Math.max(1, rows.length);
const noticed = share(ours.malicious.rows, ({ grade }) => grade === 'dangerous' || grade === 'unknown');
const dangerous = share(ours.malicious.rows, ({ grade }) => grade === 'dangerous');
const refusedShare = share(ours.benign.rows, (row) => row.refused);
const errors = [...ours.malicious.rows, ...ours.benign.rows].filter(({ grade }) => grade === 'error').length;
goal('malicious artifacts graded dangerous or unknown', `${noticed.toFixed(2)} %`, '100 %', noticed === 100);
goal('malicious artifacts graded dangerous', `${dangerous.toFixed(2)} %`, 'at least 98 %', dangerous >= 98);
goal('benign artifacts refused', `${refusedShare.toFixed(2)} %`, 'below 3 %', refusedShare < 3);
goal('artifacts that ended in an error', String(errors), '0', errors === 0);
goal('slowest of any 1 MB', `${worst.seconds.toFixed(2)} s (${worst.slowest})`, 'at most 1 s', worst.seconds <= 1);
goal('most memory for any 1 MB', `${worst.megabytes.toFixed(0)} MB (${worst.largest})`, 'at most 200 MB', worst.megabytes <= 200);
if (theirs !== undefined) {
  const [ratio, cpuRatio] = (['seconds', 'cpu'] as const).map((time) => sum(theirs, time) / sum(ours, time)) as [number, number];
  goal('speed against picklescan', `${ratio.toFixed(2)} times, ${cpuRatio.toFixed(2)} by processor time`, 'above 1', ratio > 1);
} else {
  console.log(`picklescan could not be installed (${PICKLESCAN}): what it finds and how fast it is was not measured`);
}

function goal(name: string, figure: string, wanted: string, met: boolean): void {
  console.log(`goal ${name}: ${figure} (wanted ${wanted}) ${met ? 'met' : 'missed'}`);
}

function valuesOf(option: string): string[] {
  return process.argv.flatMap((argument, index) => (argument === option ? [process.argv[index + 1] ?? ''] : []));
}

function directories(kind: 'malicious' | 'benign'): string[] {
  const given = valuesOf(`--${kind}`).map((path) => resolve(path));
  if (given.length > 0) return given;
  const target = join(work, kind);
  const { stderr } = spawnSync(python, [join(root, `bench/scan/make-${kind}.py`), target], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  for (const [line] of stderr.matchAll(/^left out \w+: .*/gm)) console.log(`${kind}: ${line}`);
  const made = existsSync(target) ? [target] : [];
  return kind === 'benign' ? [...made, join(root, 'test/model/fixtures')] : made;
}

/** picklescan in a virtual environment of this run; undefined where it cannot be had. */
function installPicklescan(): string[] | undefined {
  const environment = join(work, 'venv');
  try {
    execFileSync(python, ['-m', 'venv', environment], { stdio: 'ignore' });
    execFileSync(join(environment, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', PICKLESCAN, 'numpy'], {
      stdio: 'ignore',
    });
    return [join(environment, 'bin/python'), join(root, 'bench/scan/picklescan-set.py')];
  } catch {
    return undefined;
  }
}

function run(command: readonly string[], from: readonly string[]): Outcome {
  const artifacts = from.flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => !LEFT_OUT.test(name))
      .map((name) => join(directory, name)),
  );
  const { stdout, stderr, status } = spawnSync(command[0]!, command.slice(1), {
    input: artifacts.join('\n'),
    // Nothing is remembered from one round to the next.
    env: { ...process.env, XDG_CACHE_HOME: mkdtempSync(join(work, 'cache-')) },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr.slice(0, 500)}`);
  return JSON.parse(stdout) as Outcome;
}

interface Both {
  readonly malicious: Outcome;
  readonly benign: Outcome;
}

function both(command: readonly string[]): Both {
  return { malicious: run(command, malicious), benign: run(command, benign) };
}

function sum({ malicious, benign }: Both, time: 'seconds' | 'cpu'): number {
  return malicious[time] + benign[time];
}

function fastest(outcomes: readonly Both[]): Both {
  const least = (kind: keyof Both) => outcomes.map((outcome) => outcome[kind]).reduce((a, b) => (b.seconds < a.seconds ? b : a));
  return { malicious: least('malicious'), benign: least('benign') };
}

function show(name: string, { malicious: bad, benign: good }: Both): void {
  const count = (outcome: Outcome, grade: string) => outcome.rows.filter((row) => row.grade === grade).length;
  for (const [kind, outcome] of [
    ['malicious', bad],
    ['benign', good],
  ] as const) {
    const grades = ['dangerous', 'unknown', 'safe', 'error'].map((grade) => `${count(outcome, grade)} ${grade}`).join(', ');
    console.log(
      `${name.padEnd(10)} ${kind.padEnd(9)} ${outcome.rows.length} artifacts: ${grades}; ${outcome.rows.filter((row) => row.refused).length} refused; ${outcome.seconds.toFixed(2)} s, ${outcome.cpu.toFixed(2)} CPU s, ${outcome.megabytes.toFixed(0)} MB`,
    );
  }
}

/** Each hostile megabyte in a process of its own, so that its memory is its own. */
function megabytes(): { seconds: number; slowest: string; megabytes: number; largest: string } {
  let result = { seconds: 0, slowest: '', megabytes: 0, largest: '' };
  const folder = join(work, 'megabytes');
  mkdirSync(folder);
  for (const { name, write } of hostileMegabytes(quick)) {
    const path = join(folder, name);
    write(path);
    const {
      rows,
      seconds,
      megabytes: used,
    } = JSON.parse(spawnSync(process.execPath, [program], { input: path, encoding: 'utf8' }).stdout) as Outcome;
    console.log(`  1 MB of ${name.padEnd(24)} ${rows[0]!.grade.padEnd(9)} ${seconds.toFixed(2)} s ${used.toFixed(0)} MB`);
    if (seconds > result.seconds) result = { ...result, seconds, slowest: name };
    if (used > result.megabytes) result = { ...result, megabytes: used, largest: name };
  }
  return result;
}
