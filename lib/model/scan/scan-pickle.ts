import type { Bytes } from '../formats/bytes';
import {
  calleePath,
  items,
  PickleBytes,
  PickleCall,
  PickleGlobal,
  type PickleListener,
  type PickleRun,
  PickleUnknown,
  runPickle,
  type Value,
} from '../formats/pickle';
import { handedOn, judgeCallable, judgeWork } from './calls';
import type { ScanFinding } from './grade';
import { canonical, type Judgement, judgeCall, judgeName } from './names';
import { render, renderCall, texts } from './render';
import type { ScanContext } from './scan-context';

/** How sure it is that these bytes are a pickle that something would load. */
export type PickleView = 'sure' | 'guess';

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

/** Commands and code in texts that are handed to something unknown. */
const COMMANDS =
  /\b(__import__|exec\(|eval\(|os\.(system|popen|exec)|subprocess|socket\.|pty\.spawn|import\s+(os|sys|socket|subprocess|pty|requests|urllib)\b|\/bin\/(ba|z|da)?sh|bash\s+-[ci]|sh\s+-c|curl\s+\S|wget\s+\S|nc\s+-|powershell|cmd(\.exe)?\s+\/c|rm\s+-rf|chmod\s+\+x|\/etc\/(passwd|shadow)|base64\s+-d|b64decode|touch\s+\/|open\(['"])/i;

/** Judges what a pickle imports, calls and carries, as the machine tells of it. */
class PickleJudge implements PickleListener {
  sawRawArrays = false;
  /** Imports that are judged by what they are called with, and what they are when they are handed on instead. */
  private readonly watched = new Map<PickleGlobal, Judgement>();

  constructor(
    private readonly path: string,
    private readonly context: ScanContext,
    private readonly depth: number,
    private readonly view: PickleView,
  ) {}

  imported(global: PickleGlobal): void {
    const onceHandedOn = handedOn(global);
    if (onceHandedOn !== undefined) this.watched.set(global, onceHandedOn);
    if (isGetattr(global)) return;
    const judgement = judgeName(global.module, global.name);
    if (judgement.grade === 'safe') return;
    this.report(judgement, 'pickle-import', global, `imports ${global.path}: ${judgement.why}`);
  }

  called(call: PickleCall): void {
    const { callee } = call;
    if (callee instanceof PickleGlobal) {
      if (isGetattr(callee)) this.gotAttribute(call);
      else this.calledName(call, callee);
      return;
    }
    if (callee instanceof PickleCall) this.calledResult(call, callee);
    else if (callee instanceof PickleUnknown)
      this.reportCall({ grade: 'unknown', why: `what it calls cannot be known (${callee.why})` }, call);
    else this.reportCall({ grade: 'unknown', why: 'it calls something that is no function' }, call);
  }

  built(target: Value, state: Value, offset: number): void {
    if (target instanceof PickleCall && target.callee instanceof PickleGlobal && canonical(target.callee) === 'functools.partial')
      this.reportCall(judgeCallable(target), target);
    if (!(target instanceof PickleGlobal)) return;
    const judgement: Judgement = {
      grade: judgeName(target.module, target.name).grade === 'dangerous' ? 'dangerous' : 'unknown',
      why: `it changes ${target.path} itself, for the whole process`,
    };
    this.report(
      judgement,
      'pickle-build',
      { opcode: 'BUILD', offset, path: target.path },
      `sets ${render(state)} on ${target.path}: ${judgement.why}`,
    );
  }

  bytes(value: PickleBytes): void {
    if (value.length < 4 || this.view === 'guess') return;
    const content = value.content();
    const [first = 0, second = 0] = content.read(0, 2);
    if (!SPEAKING.has(first * 256 + second) && first !== 0x80) return;
    this.context.part(content, `${this.path}!bytes@${value.offset}`, this.depth + 1, { embedded: true });
  }

  /** Bytes that are loaded, whatever they begin with. */
  private unpickled(value: PickleBytes): void {
    this.context.part(value.content(), `${this.path}!bytes@${value.offset}`, this.depth + 1);
  }

  expanded(offset: number): void {
    this.context.add({
      grade: 'dangerous',
      code: 'pickle-bomb',
      path: this.path,
      offset,
      message: 'a few bytes that stand for more than 100,000,000 values: loading it would take all time or memory',
    });
  }

  rawArray(): void {
    this.sawRawArrays = true;
  }

  /** To be called when the pickle has ended. */
  finish(): void {
    for (const [global, judgement] of this.watched) {
      if (global.isHandedOn) this.report(judgement, 'pickle-import', global, `imports ${global.path} and hands it on: ${judgement.why}`);
    }
  }

  private calledName(call: PickleCall, callee: PickleGlobal): void {
    const judgement = judgeCall(callee.module, callee.name);
    const [given] = items(call.args);
    if (callee.path === 'torch.storage._load_from_bytes') {
      if (given instanceof PickleBytes) this.unpickled(given);
      else this.reportCall({ grade: 'unknown', why: 'it unpickles bytes that are not in the file as they are' }, call);
    }
    if (judgement.grade === 'dangerous') this.reportCall(judgement, call);
    else this.reportCall(judgeWork(call), call);
    if (judgement.grade !== 'unknown') return;
    const hostile = texts(call.args).find((text) => COMMANDS.test(text));
    if (hostile !== undefined) this.reportCall({ grade: 'dangerous', why: 'it is handed a command or code' }, call);
  }

  /** What the pickle has built itself is called. */
  private calledResult(call: PickleCall, callee: PickleCall): void {
    if (!isKerasRebuilder(callee)) this.reportCall(judgeWork(call), call);
  }

  /** Bound methods and enumerations are pickled by getattr; anything else taken by it is a way round. */
  private gotAttribute(call: PickleCall): void {
    const [from, name] = items(call.args);
    const attribute = typeof name === 'string' ? name : '?';
    if (from instanceof PickleGlobal && typeof name === 'string') {
      const judgement = judgeName(from.module, `${from.name}.${name}`);
      const owner = judgeName(from.module, from.name);
      const plain = /^_*[A-Z]/.test(from.name) && owner.grade !== 'dangerous' && judgement.grade !== 'dangerous';
      if (plain && owner.grade === 'safe' && /^(_unpickle_model|[A-Za-z][A-Za-z0-9_]*)$/.test(name)) return;
      this.reportCall(
        plain
          ? { grade: 'unknown', why: 'an attribute of a class that no list knows' }
          : { grade: 'dangerous', why: `it reaches ${from.path}.${name}` },
        call,
      );
      return;
    }
    const bound = from instanceof PickleCall && /^[a-z][a-z0-9_]*$/.test(attribute) && judgeName('x', attribute).grade !== 'dangerous';
    this.reportCall(
      bound ? { grade: 'unknown', why: 'a method of what it has built' } : { grade: 'dangerous', why: `it reaches for ${attribute}` },
      call,
    );
  }

  private reportCall(judgement: Judgement, call: PickleCall): void {
    const what = renderCall(call.callee, call.args, call.keywords);
    const name = call.callee instanceof PickleGlobal ? call.callee.path : calleePath(call.callee);
    this.report(
      judgement,
      'pickle-call',
      { opcode: call.opcode, offset: call.offset, path: name ?? '?' },
      `would call ${what}: ${judgement.why}`,
      what,
    );
  }

  private report(
    judgement: Judgement,
    code: string,
    where: { opcode: string; offset: number; path: string },
    message: string,
    call?: string,
  ): void {
    if (judgement.grade === 'safe' || (this.view === 'guess' && judgement.grade !== 'dangerous')) return;
    if (this.view === 'guess' && !PLAUSIBLE.test(where.path)) return;
    const finding: ScanFinding = {
      grade: judgement.grade,
      code,
      path: this.path,
      offset: where.offset,
      opcode: where.opcode,
      name: where.path,
      message,
    };
    this.context.add(call === undefined ? finding : { ...finding, call });
  }
}

/** Keras pickles a model as `getattr(its class, '_unpickle_model')`, called with the bytes of a .keras zip, which are scanned by themselves. */
function isKerasRebuilder({ callee, args }: PickleCall): boolean {
  const [from, name] = items(args);
  return (
    callee instanceof PickleGlobal &&
    isGetattr(callee) &&
    from instanceof PickleGlobal &&
    /^keras\./.test(from.module) &&
    name === '_unpickle_model'
  );
}

/** The first two bytes of what a byte string is looked into for; pickles begin with 0x80. */
const SPEAKING = new Set(
  [
    'PK',
    '\x93N',
    '\x89H',
    'GG',
    '\x1f\x8b',
    'BZ',
    '\xfd7',
    ']\0',
    '\x04"',
    '7z',
    '\x7fE',
    'MZ',
    '{"',
    '{L',
    'x\x01',
    'x\x5e',
    'x\x9c',
    'x\xda',
  ].map((mark) => Buffer.from(mark, 'latin1').readUInt16BE()),
);

/** In bytes that may be no pickle at all, only what is written like a Python name counts. */
const PLAUSIBLE = /^[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)+$/;

function isGetattr({ module, name }: PickleGlobal): boolean {
  return name === 'getattr' && /^(builtins|__builtin__)$/.test(module);
}
