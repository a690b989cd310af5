import { type Bytes, TruncatedError } from '../bytes';
import { rawArrayAfter } from './joblib';
import { OPCODES } from './opcodes';
import type { PickleFault, PickleListener, PickleOptions, PickleRun } from './pickle-run';
import { PickleReader, unescapedUnicode, unquoted } from './reader';
import {
  asNumber,
  items,
  PickleBytes,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PicklePersistent,
  PickleSequence,
  PickleUnknown,
  type Value,
  weightOf,
} from './values';

/** Runs one pickle from `offset` to its STOP: a stack and a memo, and no Python. */
export function runPickle(bytes: Bytes, offset = 0, options: PickleOptions = {}): PickleRun {
  return new Machine(bytes, offset, options).run();
}

const MOST_OPCODES = 50_000_000;
/** Values that are held at once, some 50 bytes each: three for each word of a vocabulary, which takes more than four bytes for each. */
const LEAST_LIMIT = 8_000_000;
const GREATEST_LIMIT = 20_000_000;
const BYTES_A_VALUE = 4;
const MOST_FAULTS = 100;
const DEEPEST = 16;
const HEAVY = 100_000_000;
const CLOCK_EVERY = 1024;
/** Byte strings up to this are told as text where Python 2 wrote them as such. */
const LONGEST_PYTHON2_TEXT = 1024;

/** Opcodes that protocol 1 brought, in pickles that announce no protocol. */
const BINARY: ReadonlySet<number> = new Set(
  Object.entries(OPCODES)
    .filter(([, name]) =>
      /^(BININT|BININT1|BININT2|BINFLOAT|BINSTRING|SHORT_BINSTRING|BINUNICODE|EMPTY_TUPLE|EMPTY_LIST|EMPTY_DICT|BINGET|LONG_BINGET|BINPUT|LONG_BINPUT|BINPERSID)$/.test(
        name,
      ),
    )
    .map(([byte]) => Number(byte)),
);

class Machine {
  /** What each opcode does, by its name. */
  private static readonly STEPS: Readonly<Record<string, (m: Machine) => void>> = {
    PROTO: (m) => {
      m.protocol = Math.max(m.protocol, m.reader.u8());
    },
    FRAME: (m) => m.frame(m.reader.u64()),
    MARK: (m) => m.marks.push(m.stack.length),
    POP: (m) => m.popOrUnmark(),
    POP_MARK: (m) => m.popMark(),
    DUP: (m) => m.stack.push(m.top()),
    NONE: (m) => m.stack.push(null),
    NEWTRUE: (m) => m.stack.push(true),
    NEWFALSE: (m) => m.stack.push(false),
    INT: (m) => m.stack.push(integer(m.reader.line())),
    LONG: (m) => m.stack.push(integer(m.reader.line().replace(/L$/, ''))),
    BININT: (m) => m.stack.push(m.reader.i32()),
    BININT1: (m) => m.stack.push(m.reader.u8()),
    BININT2: (m) => m.stack.push(m.reader.u16()),
    LONG1: (m) => m.stack.push(m.reader.long(m.reader.u8()) ?? new PickleUnknown('a long number')),
    LONG4: (m) => m.stack.push(m.reader.long(m.length(m.reader.i32())) ?? new PickleUnknown('a long number')),
    FLOAT: (m) => m.stack.push(Number.parseFloat(m.reader.line())),
    BINFLOAT: (m) => m.stack.push(m.reader.f64()),
    STRING: (m) => m.stack.push(unquoted(m.reader.line())),
    UNICODE: (m) => m.stack.push(unescapedUnicode(m.reader.line())),
    BINSTRING: (m) => m.python2Text(m.length(m.reader.i32())),
    SHORT_BINSTRING: (m) => m.python2Text(m.reader.u8()),
    BINUNICODE: (m) => m.stack.push(m.reader.text(m.reader.u32(), 'utf8')),
    SHORT_BINUNICODE: (m) => m.stack.push(m.reader.text(m.reader.u8(), 'utf8')),
    BINUNICODE8: (m) => m.stack.push(m.reader.text(m.reader.u64(), 'utf8')),
    BINBYTES: (m) => m.pushBytes(m.reader.u32()),
    SHORT_BINBYTES: (m) => m.pushBytes(m.reader.u8()),
    BINBYTES8: (m) => m.pushBytes(m.reader.u64()),
    BYTEARRAY8: (m) => m.pushBytes(m.reader.u64()),
    NEXT_BUFFER: (m) => m.stack.push(new PickleUnknown('a buffer from outside the pickle')),
    READONLY_BUFFER: () => undefined,
    EMPTY_TUPLE: (m) => m.stack.push(new PickleSequence('tuple')),
    EMPTY_LIST: (m) => m.stack.push(new PickleSequence('list')),
    EMPTY_DICT: (m) => m.stack.push(new PickleDict()),
    EMPTY_SET: (m) => m.stack.push(new PickleSequence('set')),
    TUPLE: (m) => m.sequence('tuple', m.popMark()),
    LIST: (m) => m.sequence('list', m.popMark()),
    FROZENSET: (m) => m.sequence('frozenset', m.popMark()),
    DICT: (m) => m.dict(m.popMark()),
    TUPLE1: (m) => m.tuple(1),
    TUPLE2: (m) => m.tuple(2),
    TUPLE3: (m) => m.tuple(3),
    APPEND: (m) => m.append([m.pop()]),
    APPENDS: (m) => m.append(m.popMark()),
    ADDITEMS: (m) => m.append(m.popMark()),
    SETITEM: (m) => m.set(m.popSeveral(2)),
    SETITEMS: (m) => m.set(m.popMark()),
    GET: (m) => m.get(integer(m.reader.line())),
    BINGET: (m) => m.get(m.reader.u8()),
    LONG_BINGET: (m) => m.get(m.reader.u32()),
    PUT: (m) => m.put(integer(m.reader.line())),
    BINPUT: (m) => m.put(m.reader.u8()),
    LONG_BINPUT: (m) => m.put(m.reader.u32()),
    MEMOIZE: (m) => m.put(m.memo.size),
    GLOBAL: (m) => m.stack.push(m.import(m.reader.line(), m.reader.line())),
    STACK_GLOBAL: (m) => m.stackGlobal(),
    EXT1: (m) => m.extension(m.reader.u8()),
    EXT2: (m) => m.extension(m.reader.u16()),
    EXT4: (m) => m.extension(m.reader.i32()),
    REDUCE: (m) => m.reduce(),
    NEWOBJ: (m) => m.reduce(),
    NEWOBJ_EX: (m) => m.newObjectEx(),
    INST: (m) => m.instance(m.reader.line(), m.reader.line()),
    OBJ: (m) => m.object(m.popMark()),
    BUILD: (m) => m.build(),
    PERSID: (m) => m.persistent(m.reader.line()),
    BINPERSID: (m) => m.persistent(m.pop()),
  };

  private static readonly BY_BYTE = Array.from({ length: 256 }, (_, byte) => Machine.STEPS[OPCODES[byte] ?? '']);

  private readonly reader: PickleReader;
  private readonly stack: Value[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, Value>();
  private readonly extensions = new Map<number, PickleGlobal>();
  private readonly faults: PickleFault[] = [];
  private readonly brokenFrames: number[] = [];
  private readonly listener: PickleListener;
  private frameEnd = Number.POSITIVE_INFINITY;
  private protocol = 0;
  private opcodes = 0;
  /** Values that were put into others, which hold them. */
  private contained = 0;
  /** Where the present opcode stands. */
  private start = 0;
  private opcode = 0;
  private firstImport: PickleGlobal | undefined;
  private sawPersistent = false;
  private toldOfWeight = false;

  constructor(
    private readonly bytes: Bytes,
    offset: number,
    private readonly options: PickleOptions,
  ) {
    this.reader = new PickleReader(bytes, offset);
    this.listener = options.listener ?? {};
  }

  run(): PickleRun {
    const most = this.options.mostOpcodes ?? MOST_OPCODES;
    const mostValues = Math.min(GREATEST_LIMIT, Math.max(LEAST_LIMIT, this.bytes.size / BYTES_A_VALUE));
    const until = this.options.until ?? Number.POSITIVE_INFINITY;
    try {
      for (;;) {
        if (this.opcodes >= most) return this.ended('limit');
        if (this.opcodes % CLOCK_EVERY === 0 && (performance.now() > until || this.values > mostValues)) return this.ended('limit');
        this.opcodes++;
        this.start = this.reader.at;
        this.opcode = this.reader.u8();
        if (this.opcode === 0x2e) return this.ended('stop');
        if (!this.step()) {
          this.reader.at = this.start;
          return this.ended('not-an-opcode');
        }
        if (this.reader.at > this.frameEnd) this.leaveFrame();
      }
    } catch (error) {
      if (!(error instanceof TruncatedError)) throw error;
      return this.ended('truncated');
    }
  }

  private get values(): number {
    return this.stack.length + this.marks.length + this.memo.size + this.contained;
  }

  private ended(stopped: PickleRun['stopped']): PickleRun {
    return {
      value: this.stack.at(-1) ?? new PickleUnknown('nothing was left on the stack'),
      end: this.reader.at,
      stopped,
      protocol: this.protocol,
      opcodes: this.opcodes,
      faults: this.faults,
      firstImport: this.firstImport,
      brokenFrames: this.brokenFrames,
    };
  }

  private leaveFrame(): void {
    if (this.start < this.frameEnd) {
      this.fault('an argument reaches across the end of its frame');
      if (this.brokenFrames.length < 16) this.brokenFrames.push(this.frameEnd);
    }
    this.frameEnd = Number.POSITIVE_INFINITY;
  }

  /** Carries out one opcode; false when the byte is none. */
  private step(): boolean {
    if (this.protocol === 0 && BINARY.has(this.opcode)) this.protocol = 1;
    const act = Machine.BY_BYTE[this.opcode];
    act?.(this);
    return act !== undefined;
  }

  private fault(what: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push({ offset: this.start, what });
  }

  private length(length: number): number {
    if (length >= 0) return length;
    this.fault(`a length of ${length}`);
    throw new TruncatedError(this.reader.at, length, this.bytes.size);
  }

  private frame(length: number): void {
    this.frameEnd = this.reader.at + length;
    if (this.frameEnd > this.bytes.size) this.fault(`a frame of ${length} bytes where ${this.bytes.size - this.reader.at} are left`);
  }

  private top(): Value {
    const value = this.stack.at(-1);
    if (value !== undefined) return value;
    this.fault('the stack is empty');
    return new PickleUnknown('the stack was empty');
  }

  private pop(): Value {
    const value = this.stack.pop();
    if (value === undefined) {
      this.fault('the stack is empty');
      return new PickleUnknown('the stack was empty');
    }
    while (this.marks.length > 0 && this.marks.at(-1)! > this.stack.length) {
      this.fault('a mark was passed');
      this.marks.pop();
    }
    return value;
  }

  private popOrUnmark(): void {
    if (this.marks.at(-1) === this.stack.length) this.marks.pop();
    else this.pop();
  }

  private popSeveral(count: number): Value[] {
    const { stack, marks } = this;
    if (stack.length >= count && (marks.length === 0 || marks.at(-1)! <= stack.length - count)) return stack.splice(stack.length - count);
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  private popMark(): Value[] {
    const mark = this.marks.pop();
    if (mark === undefined) this.fault('no mark was set');
    return this.stack.splice(Math.min(mark ?? 0, this.stack.length));
  }

  private sequence(kind: PickleSequence['kind'], items: Value[]): void {
    const sequence = new PickleSequence(kind, items);
    this.contained += items.length;
    this.stack.push(sequence);
    this.weighed(sequence.weight);
  }

  private tuple(length: number): void {
    this.sequence('tuple', this.popSeveral(length));
  }

  private weighed(weight: number): void {
    if (weight > HEAVY && !this.toldOfWeight) {
      this.toldOfWeight = true;
      this.listener.expanded?.(this.start);
    }
  }

  private dict(entries: Value[]): void {
    const dict = new PickleDict();
    dict.entries = entries;
    dict.weigh(entries);
    this.contained += entries.length;
    this.stack.push(dict);
  }

  private python2Text(length: number): void {
    if (length <= LONGEST_PYTHON2_TEXT) this.stack.push(this.reader.text(length, 'latin1'));
    else this.pushBytes(length);
  }

  private pushBytes(length: number): void {
    const bytes = new PickleBytes(this.bytes, this.reader.skip(length), length);
    this.stack.push(bytes);
    this.listener.bytes?.(bytes);
  }

  private append(values: Value[]): void {
    const target = this.top();
    if (!(target instanceof PickleSequence || target instanceof PickleCall)) return;
    this.contained += values.length;
    if (target.items === undefined) target.items = values;
    else for (const value of values) target.items.push(value);
    if (target instanceof PickleCall) {
      weightOf(values);
      return;
    }
    target.weigh(values);
    this.weighed(target.weight);
  }

  private set(entries: Value[]): void {
    const target = this.top();
    if (!(target instanceof PickleDict || target instanceof PickleCall)) return;
    if (entries.length % 2 !== 0) this.fault('an odd number of keys and values');
    this.contained += entries.length;
    if (target.entries === undefined) target.entries = entries;
    else for (const value of entries) target.entries.push(value);
    if (target instanceof PickleCall) {
      weightOf(entries);
      return;
    }
    target.weigh(entries);
    this.weighed(target.weight);
  }

  private get(index: Value): void {
    const value = typeof index === 'number' ? this.memo.get(index) : undefined;
    if (value === undefined) this.fault('the memo holds nothing there');
    this.stack.push(value === undefined ? new PickleUnknown('the memo held nothing there') : value);
  }

  private put(index: Value): void {
    if (typeof index === 'number') this.memo.set(index, this.top());
    else this.fault('a memo index that is no number');
  }

  private import(module: string, name: string): PickleGlobal {
    const global = new PickleGlobal(module, name, OPCODES[this.opcode]!, this.start);
    if (this.faults.length === 0 && !this.sawPersistent) this.firstImport ??= global;
    this.listener.imported?.(global);
    return global;
  }

  private persistent(id: Value): void {
    this.sawPersistent = true;
    this.stack.push(new PicklePersistent(id, this.start));
  }

  private stackGlobal(): void {
    const [module, name] = this.popSeveral(2);
    if (typeof module !== 'string' || typeof name !== 'string') this.fault('a name to import that is computed');
    this.stack.push(this.import(typeof module === 'string' ? module : '?', typeof name === 'string' ? name : '?'));
  }

  private extension(code: number): void {
    const known = this.extensions.get(code);
    this.stack.push(known === undefined ? this.import('copyreg extension', String(code)) : this.import(known.module, known.name));
  }

  private reduce(): void {
    const [callee, args] = this.popSeveral(2);
    this.call(callee!, args!, undefined);
  }

  private newObjectEx(): void {
    const [callee, args, keywords] = this.popSeveral(3);
    this.call(callee!, args!, keywords);
  }

  private instance(module: string, name: string): void {
    const callee = this.import(module, name);
    this.call(callee, new PickleSequence('tuple', this.popMark()), undefined);
  }

  private object(values: Value[]): void {
    if (values.length === 0) this.fault('no class to make an object of');
    this.call(values[0] ?? new PickleUnknown('no class was given'), new PickleSequence('tuple', values.slice(1)), undefined);
  }

  private call(callee: Value, args: Value, keywords: Value | undefined): void {
    const call = new PickleCall(callee, args, keywords, OPCODES[this.opcode]!, this.start);
    this.stack.push(call);
    this.listener.called?.(call);
    if (callee instanceof PickleGlobal && /^copy_?reg$/.test(callee.module) && callee.name === 'add_extension') this.register(items(args));
  }

  /** copyreg.add_extension(module, name, code), called by the pickle itself. */
  private register([module, name, code]: readonly Value[]): void {
    const number = asNumber(code);
    if (number === undefined) return;
    this.extensions.set(number, new PickleGlobal(String(module), String(name), 'EXT', this.start));
  }

  private build(): void {
    const state = this.pop();
    weightOf([state]);
    const target = this.top();
    if (target instanceof PickleCall) target.state = state;
    this.listener.built?.(target, state, this.start);
    if (!(target instanceof PickleCall)) return;
    if (this.options.skipRawArrays === false) return;
    const array = rawArrayAfter(target, this.bytes, this.reader.at);
    if (array === undefined) return;
    this.listener.rawArray?.(array);
    // joblib ends its frame before the array and begins none after it
    this.frameEnd = Number.POSITIVE_INFINITY;
    if (array.pickled) {
      this.reader.at = this.objectArray(array.offset, target);
    } else {
      target.raw = this.bytes.slice(array.offset, array.end - array.offset);
      this.reader.at = array.end;
    }
  }

  /** joblib writes an array of Python objects as a pickle inside the pickle. */
  private objectArray(offset: number, described: PickleCall): number {
    const depth = (this.options.depth ?? 0) + 1;
    if (depth > DEEPEST) {
      this.fault('pickles in pickles too deep to follow');
      return offset;
    }
    const run = runPickle(this.bytes, offset, {
      ...this.options,
      depth,
      mostOpcodes: (this.options.mostOpcodes ?? MOST_OPCODES) - this.opcodes,
    });
    described.nested = run.value;
    this.opcodes += run.opcodes;
    for (const fault of run.faults) this.faults.push(fault);
    return run.end;
  }
}

function integer(line: string): Value {
  const text = line.trim();
  if (text === '00') return false;
  if (text === '01') return true;
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  return /^-?\d{1,40}$/.test(text) ? BigInt(text) : new PickleUnknown('a long number');
}
