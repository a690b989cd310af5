import { type Bytes, TruncatedError } from '../bytes';
import { type RawArray, rawArrayAfter } from './joblib';
import { OPCODES } from './opcodes';
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
} from './values';

/** Is told of what the pickle would do, in the order in which it would do it. */
export interface PickleListener {
  imported?(global: PickleGlobal): void;
  /** A call by REDUCE, INST, OBJ, NEWOBJ or NEWOBJ_EX. */
  called?(call: PickleCall): void;
  /** State handed to an object by BUILD. */
  built?(target: Value, state: Value, offset: number): void;
  /** Byte strings, which may hold pickles again. */
  bytes?(bytes: PickleBytes): void;
  /** A sequence or dictionary that stands for more than 100,000,000 values, by sharing. */
  expanded?(offset: number): void;
  /** Raw array bytes in the stream, as joblib writes them. */
  rawArray?(array: RawArray): void;
}

export interface PickleOptions {
  readonly listener?: PickleListener;
  /** @default 50,000,000 */
  readonly mostOpcodes?: number;
  /** Time, in `performance.now()`'s milliseconds, after which the run stops. @default - none */
  readonly until?: number;
  /** Whether raw arrays after a joblib wrapper are skipped, as joblib.load does, or read as opcodes, as pickle.load would. @default true */
  readonly skipRawArrays?: boolean;
  /** How many pickles this one stands in. @default 0 */
  readonly depth?: number;
}

/** A place where a strict unpickler would raise; the run goes on behind it where it can. */
export interface PickleFault {
  readonly offset: number;
  readonly what: string;
}

export interface PickleRun {
  /** What lay on top at the end. */
  readonly value: Value;
  /** Where the run ended: behind STOP, or where it could not go on. */
  readonly end: number;
  readonly stopped: 'stop' | 'truncated' | 'not-an-opcode' | 'limit';
  /** From PROTO; 0 without one, or 1 where a binary opcode of protocol 1 was seen. */
  readonly protocol: number;
  readonly opcodes: number;
  readonly faults: readonly PickleFault[];
  /** Ends of frames that an opcode's argument reached across: a reader by frames goes on there. */
  readonly brokenFrames: readonly number[];
}

/** Runs one pickle from `offset` to its STOP: a stack and a memo, and no Python. */
export function runPickle(bytes: Bytes, offset = 0, options: PickleOptions = {}): PickleRun {
  return new Machine(bytes, offset, options).run();
}

const MOST_OPCODES = 50_000_000;
const MOST_FAULTS = 100;
const DEEPEST = 16;
const HEAVY = 100_000_000;
const CLOCK_EVERY = 1024;
/** Byte strings up to this are told as text where Python 2 wrote them as such. */
const LONGEST_PYTHON2_TEXT = 1024;

class Machine {
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
  /** Where the present opcode stands. */
  private start = 0;
  private opcode = 0;
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
    const until = this.options.until ?? Number.POSITIVE_INFINITY;
    try {
      for (;;) {
        if (this.opcodes >= most) return this.ended('limit');
        if (this.opcodes % CLOCK_EVERY === 0 && performance.now() > until) return this.ended('limit');
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

  private ended(stopped: PickleRun['stopped']): PickleRun {
    return {
      value: this.stack.at(-1) ?? new PickleUnknown('nothing was left on the stack'),
      end: this.reader.at,
      stopped,
      protocol: this.protocol,
      opcodes: this.opcodes,
      faults: this.faults,
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
    const { reader, stack } = this;
    switch (this.opcode) {
      case 0x80:
        this.protocol = Math.max(this.protocol, reader.u8());
        break; // PROTO
      case 0x95:
        this.frame(reader.u64());
        break; // FRAME
      case 0x28:
        this.marks.push(stack.length);
        break; // MARK
      case 0x30:
        this.popOrUnmark();
        break; // POP
      case 0x31:
        this.popMark();
        break; // POP_MARK
      case 0x32:
        stack.push(this.top());
        break; // DUP
      case 0x4e:
        stack.push(null);
        break; // NONE
      case 0x88:
        stack.push(true);
        break; // NEWTRUE
      case 0x89:
        stack.push(false);
        break; // NEWFALSE
      case 0x49:
        stack.push(integer(reader.line()));
        break; // INT
      case 0x4c:
        stack.push(integer(reader.line().replace(/L$/, '')));
        break; // LONG
      case 0x4a:
        this.binary();
        stack.push(reader.i32());
        break; // BININT
      case 0x4b:
        this.binary();
        stack.push(reader.u8());
        break; // BININT1
      case 0x4d:
        this.binary();
        stack.push(reader.u16());
        break; // BININT2
      case 0x8a:
        stack.push(reader.long(reader.u8()) ?? new PickleUnknown('a long number'));
        break; // LONG1
      case 0x8b:
        stack.push(reader.long(this.length(reader.i32())) ?? new PickleUnknown('a long number'));
        break; // LONG4
      case 0x46:
        stack.push(Number.parseFloat(reader.line()));
        break; // FLOAT
      case 0x47:
        this.binary();
        stack.push(reader.f64());
        break; // BINFLOAT
      case 0x53:
        stack.push(unquoted(reader.line()));
        break; // STRING
      case 0x56:
        stack.push(unescapedUnicode(reader.line()));
        break; // UNICODE
      case 0x54:
        this.binary();
        this.python2Text(this.length(reader.i32()));
        break; // BINSTRING
      case 0x55:
        this.binary();
        this.python2Text(reader.u8());
        break; // SHORT_BINSTRING
      case 0x58:
        this.binary();
        stack.push(reader.text(reader.u32(), 'utf8'));
        break; // BINUNICODE
      case 0x8c:
        stack.push(reader.text(reader.u8(), 'utf8'));
        break; // SHORT_BINUNICODE
      case 0x8d:
        stack.push(reader.text(reader.u64(), 'utf8'));
        break; // BINUNICODE8
      case 0x42:
        this.pushBytes(reader.u32());
        break; // BINBYTES
      case 0x43:
        this.pushBytes(reader.u8());
        break; // SHORT_BINBYTES
      case 0x8e:
        this.pushBytes(reader.u64());
        break; // BINBYTES8
      case 0x96:
        this.pushBytes(reader.u64());
        break; // BYTEARRAY8
      case 0x97:
        stack.push(new PickleUnknown('a buffer from outside the pickle'));
        break; // NEXT_BUFFER
      case 0x98:
        break; // READONLY_BUFFER
      case 0x29:
        this.binary();
        stack.push(new PickleSequence('tuple'));
        break; // EMPTY_TUPLE
      case 0x5d:
        this.binary();
        stack.push(new PickleSequence('list'));
        break; // EMPTY_LIST
      case 0x7d:
        this.binary();
        stack.push(new PickleDict());
        break; // EMPTY_DICT
      case 0x8f:
        stack.push(new PickleSequence('set'));
        break; // EMPTY_SET
      case 0x74:
        this.sequence('tuple', this.popMark());
        break; // TUPLE
      case 0x6c:
        this.sequence('list', this.popMark());
        break; // LIST
      case 0x91:
        this.sequence('frozenset', this.popMark());
        break; // FROZENSET
      case 0x64:
        this.dict(this.popMark());
        break; // DICT
      case 0x85:
        this.tuple(1);
        break; // TUPLE1
      case 0x86:
        this.tuple(2);
        break; // TUPLE2
      case 0x87:
        this.tuple(3);
        break; // TUPLE3
      case 0x61:
        this.append([this.pop()]);
        break; // APPEND
      case 0x65:
        this.append(this.popMark());
        break; // APPENDS
      case 0x90:
        this.append(this.popMark());
        break; // ADDITEMS
      case 0x73:
        this.set(this.popSeveral(2));
        break; // SETITEM
      case 0x75:
        this.set(this.popMark());
        break; // SETITEMS
      case 0x67:
        this.get(integer(reader.line()));
        break; // GET
      case 0x68:
        this.binary();
        this.get(reader.u8());
        break; // BINGET
      case 0x6a:
        this.binary();
        this.get(reader.u32());
        break; // LONG_BINGET
      case 0x70:
        this.put(integer(reader.line()));
        break; // PUT
      case 0x71:
        this.binary();
        this.put(reader.u8());
        break; // BINPUT
      case 0x72:
        this.binary();
        this.put(reader.u32());
        break; // LONG_BINPUT
      case 0x94:
        this.put(this.memo.size);
        break; // MEMOIZE
      case 0x63:
        stack.push(this.import(reader.line(), reader.line()));
        break; // GLOBAL
      case 0x93:
        this.stackGlobal();
        break; // STACK_GLOBAL
      case 0x82:
        this.extension(reader.u8());
        break; // EXT1
      case 0x83:
        this.extension(reader.u16());
        break; // EXT2
      case 0x84:
        this.extension(reader.i32());
        break; // EXT4
      case 0x52:
        this.reduce();
        break; // REDUCE
      case 0x81:
        this.reduce();
        break; // NEWOBJ
      case 0x92:
        this.newObjectEx();
        break; // NEWOBJ_EX
      case 0x69:
        this.instance(reader.line(), reader.line());
        break; // INST
      case 0x6f:
        this.object(this.popMark());
        break; // OBJ
      case 0x62:
        this.build();
        break; // BUILD
      case 0x50:
        stack.push(new PicklePersistent(reader.line(), this.start));
        break; // PERSID
      case 0x51:
        this.binary();
        stack.push(new PicklePersistent(this.pop(), this.start));
        break; // BINPERSID
      default:
        return false;
    } // prettier-ignore
    return true;
  }

  private binary(): void {
    if (this.protocol === 0) this.protocol = 1;
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
    if (target.items === undefined) target.items = values;
    else for (const value of values) target.items.push(value);
    if (target instanceof PickleSequence) {
      target.weigh(values);
      this.weighed(target.weight);
    }
  }

  private set(entries: Value[]): void {
    const target = this.top();
    if (!(target instanceof PickleDict || target instanceof PickleCall)) return;
    if (entries.length % 2 !== 0) this.fault('an odd number of keys and values');
    if (target.entries === undefined) target.entries = entries;
    else for (const value of entries) target.entries.push(value);
    if (target instanceof PickleDict) {
      target.weigh(entries);
      this.weighed(target.weight);
    }
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
    this.listener.imported?.(global);
    return global;
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
    const target = this.top();
    this.listener.built?.(target, state, this.start);
    if (!(target instanceof PickleCall)) return;
    target.state = state;
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
