import type { RawArray } from './joblib';
import type { PickleBytes, PickleCall, PickleGlobal, Value } from './values';

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
  /** `limit`: of opcodes, of time, or of the values that a pickle holds at once: one for each four bytes, at least 8,000,000 and at most 20,000,000. */
  readonly stopped: 'stop' | 'truncated' | 'not-an-opcode' | 'limit';
  /** From PROTO; 0 without one, or 1 where a binary opcode of protocol 1 was seen. */
  readonly protocol: number;
  readonly opcodes: number;
  readonly faults: readonly PickleFault[];
  /** The first name that pickle.load would import: before it stands neither a fault nor an object from outside, which it has no way to get. */
  readonly firstImport: PickleGlobal | undefined;
  /** Ends of frames that an opcode's argument reached across: a reader by frames goes on there. */
  readonly brokenFrames: readonly number[];
}
