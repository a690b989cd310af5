import {
  calleePath,
  items,
  PickleBytes,
  PickleCall,
  PickleGlobal,
  type PickleListener,
  PickleUnknown,
  type Value,
} from '../formats/pickle';
import { handedOn, judgeCallable, judgeWork } from './calls';
import type { ScanFinding } from './grade';
import { canonical, type Judgement, judgeCall, judgeName } from './names';
import { judgeState } from './pickle-state';
import { render, renderCall, texts } from './render';
import type { ScanContext } from './scan-context';

/** How sure it is that these bytes are a pickle that something would load. */
export type PickleView = 'sure' | 'guess';

/** Commands and code in texts that are handed to something unknown. */
const COMMANDS =
  /\b(__import__|exec\(|eval\(|os\.(system|popen|exec)|subprocess|socket\.|pty\.spawn|import\s+(os|sys|socket|subprocess|pty|requests|urllib)\b|\/bin\/(ba|z|da)?sh|bash\s+-[ci]|sh\s+-c|curl\s+\S|wget\s+\S|nc\s+-|powershell|cmd(\.exe)?\s+\/c|rm\s+-rf|chmod\s+\+x|\/etc\/(passwd|shadow)|base64\s+-d|b64decode|touch\s+\/|open\(['"])/i;

/** Classes whose constructor fetches a model by its name; what was pickled is made without it. */
const FETCHES = /^sentence_transformers\b.*\.(SentenceTransformer|CrossEncoder|SparseEncoder|Transformer)$/;

/** Judges what a pickle imports, calls and carries, as the machine tells of it. */
export class PickleJudge implements PickleListener {
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
    const set = judgeState(target, state);
    const of = target instanceof PickleGlobal ? target.path : (calleePath(target) ?? '?');
    this.report(set, 'pickle-build', { opcode: 'BUILD', offset, path: of }, `sets ${render(state)} on ${of}: ${set.why}`);
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
    else if (FETCHES.test(callee.path) && !/^NEWOBJ/.test(call.opcode) && items(call.args).length > 0)
      this.reportCall({ grade: 'dangerous', why: 'made by its constructor, it fetches a model and the code that comes with it' }, call);
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
    if (judgement.grade === 'safe') return;
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
