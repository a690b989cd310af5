/** Pickles, read as what they would do: a stack, a memo and a record of imports and calls, and nothing executed. */
export type { RawArray } from './joblib';
export { runPickle } from './machine';
export { numbers, type PickledArray, pickledArray, scalar, typeName } from './numpy';
export { OPCODES } from './opcodes';
export type { PickleFault, PickleListener, PickleOptions, PickleRun } from './pickle-run';
export {
  asNumber,
  calleePath,
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
