import type { Bytes } from '../formats/bytes';
import { type PickleRun, runPickle } from '../formats/pickle';
import { judgeName } from './names';
import { PickleJudge, type PickleView } from './pickle-judge';
import type { ScanContext } from './scan-context';

const MOST_PICKLES = 10_000;
/** As many as the time for any file allows: a vocabulary has four for each word. */
const MOST_OPCODES = 1_000_000_000;

export interface PickleVerdict {
  /** Whether the bytes ran like a pickle from the first to a STOP without a fault. */
  readonly clean: boolean;
  readonly end: number;
}

/**
 * Scans the pickles that begin at `offset`: one after another, since loaders read several from one file, and past errors, since unpicklers
 * differ on what is one. In a guess only names that are known to be dangerous count.
 */
export function scanPickles(bytes: Bytes, path: string, context: ScanContext, depth: number, view: PickleView, offset = 0): PickleVerdict {
  let at = offset;
  let clean = false;
  for (let count = 0; at < bytes.size; count++) {
    if (count >= MOST_PICKLES || context.isLate) {
      context.add({
        grade: 'dangerous',
        code: 'out-of-time',
        path,
        offset: at,
        message: 'more pickles follow one another than could be looked at',
      });
      break;
    }
    const first = at === offset;
    const next = bytes.read(at, 2);
    const announced = next[0] === 0x80 && next[1]! <= 5;
    const run = scanOne(bytes, path, context, depth, first || announced ? view : 'guess', at, true);
    limitOf(run, path, context);
    if (first) {
      clean = run.stopped === 'stop' && run.faults.length === 0;
      if (view === 'sure') faultsOf(run, path, context);
    }
    for (const frameEnd of run.brokenFrames) scanBuried(bytes, frameEnd, path, context);
    if (run.stopped !== 'stop' || run.end <= at) {
      scanBuried(bytes, at, path, context);
      break;
    }
    at = run.end;
  }
  if (view === 'sure') scanBuried(bytes, at, path, context);
  return { clean, end: at };
}

/** What a module and a name are made of that can be imported. */
const IMPORTABLE = /^[^\p{Cc}\ufffd]{1,256}$/u;

/** Scans bytes that are told to be something else as an unpickler reads them, which looks at no mark: one file may be both. */
export function scanAsPickle(bytes: Bytes, path: string, context: ScanContext, depth: number): void {
  const run = scanOne(bytes, path, context, depth, 'guess', 0, true);
  limitOf(run, path, context);
  const { firstImport } = run;
  if (firstImport === undefined || !IMPORTABLE.test(firstImport.module) || !IMPORTABLE.test(firstImport.name)) return;
  context.add({
    grade: 'unknown',
    code: 'polyglot',
    path,
    offset: firstImport.offset,
    message: `it is also a pickle that imports ${firstImport.path}: two readers see two things`,
  });
  scanPickles(bytes, path, context, depth, 'sure');
}

const BURIED_BYTES = 1024 * 1024;
/** Bytes that are looked at in one go, which overlap by as much as an import of a name that is known may take: long texts would pile up. */
const BURIED_STEP = 64 * 1024;
const LONGEST_IMPORT = 1024;
/** GLOBAL or INST with two names, or two short texts and STACK_GLOBAL. */
const BURIED = /[ci]([A-Za-z_][\w.]*)\n([A-Za-z_][\w.]*)\n|\x8c[\s\S]([A-Za-z_][\w.]*)\x94?\x8c[\s\S]([A-Za-z_][\w.]*)\x94?\x93/g;

/**
 * Looks for imports in bytes that the machine did not reach: behind an error, behind the last STOP, behind a frame that an argument reaches
 * out of, where CPython's own unpicklers go on at different places (cpython#154848).
 */
function scanBuried(bytes: Bytes, from: number, path: string, context: ScanContext): void {
  const end = Math.min(from + BURIED_BYTES, bytes.size);
  for (let at = from; at < end && !context.isLate; at += BURIED_STEP - LONGEST_IMPORT) scanBuriedStep(bytes, at, path, context);
}

function scanBuriedStep(bytes: Bytes, from: number, path: string, context: ScanContext): void {
  const text = bytes.read(from, BURIED_STEP).toString('latin1');
  for (const match of text.matchAll(BURIED)) {
    if (context.isLate) return;
    const [module = '', name = ''] = [match[1] ?? match[3], match[2] ?? match[4]];
    const judgement = judgeName(module, name);
    if (judgement.grade !== 'dangerous') continue;
    context.add({
      grade: 'dangerous',
      code: 'pickle-buried',
      path,
      offset: from + match.index,
      name: `${module}.${name}`,
      message: `imports ${module}.${name} where a pickle does not reach by itself: ${judgement.why}`,
    });
  }
}

/** One pickle; where it holds raw arrays, also as an unpickler reads it that does not know of them. */
function scanOne(
  bytes: Bytes,
  path: string,
  context: ScanContext,
  depth: number,
  view: PickleView,
  at: number,
  skipRawArrays: boolean,
): PickleRun {
  const judge = new PickleJudge(path, context, depth, view);
  const options = { listener: judge, until: context.deadline, mostOpcodes: MOST_OPCODES, skipRawArrays };
  const run = runPickle(bytes, at, options);
  judge.finish();
  if (judge.sawRawArrays && skipRawArrays) scanOne(bytes, path, context, depth, 'guess', at, false);
  return run;
}

/** What ran without a fault up to a limit is a pickle, of which nobody knows the rest. */
function limitOf({ stopped, faults, end }: PickleRun, path: string, context: ScanContext): void {
  if (stopped !== 'limit' || faults.length > 0) return;
  context.add({
    grade: 'dangerous',
    code: 'out-of-time',
    path,
    offset: end,
    message: 'the pickle is too long to be followed to its end: what comes after was not looked at, and may do anything',
  });
}

function faultsOf(run: PickleRun, path: string, context: ScanContext): void {
  if (run.stopped === 'limit' && run.faults.length > 0) {
    context.add({
      grade: 'unknown',
      code: 'out-of-time',
      path,
      offset: run.end,
      message: 'the pickle is broken, and too long to be followed to its end',
    });
  } else if (run.stopped !== 'stop' && run.stopped !== 'limit') {
    const how = run.stopped === 'truncated' ? 'it ends in the middle' : 'a byte there is no opcode';
    context.add({ grade: 'unknown', code: 'pickle-broken', path, offset: run.end, message: `the pickle is broken: ${how}` });
  }
  const [fault] = run.faults;
  if (fault !== undefined)
    context.add({ grade: 'unknown', code: 'pickle-odd', path, offset: fault.offset, message: `no pickler writes this: ${fault.what}` });
}
