import type { Bytes } from '../bytes';
import { elementSize, holdsObjects, typeName } from './numpy';
import { asNumber, calleePath, items, type PickleCall, PickleDict } from './values';

/** An array whose bytes joblib wrote into the stream, right behind the object that describes it. */
export interface RawArray {
  readonly type: string;
  readonly shape: readonly number[];
  /** Where the numbers begin. */
  readonly offset: number;
  /** Where they end; where a pickle of its own begins, for an array of Python objects. */
  readonly end: number;
  readonly pickled: boolean;
}

const WRAPPER = /^(sklearn\.externals\.)?joblib\.numpy_pickle\.NumpyArrayWrapper$/;

/** The raw array that follows a finished NumpyArrayWrapper (joblib 0.10 and newer); undefined when none does. */
export function rawArrayAfter(wrapper: PickleCall, bytes: Bytes, at: number): RawArray | undefined {
  const path = wrapperPath(wrapper);
  if (path === undefined || !WRAPPER.test(path) || !(wrapper.state instanceof PickleDict)) return undefined;
  const dtype = wrapper.state.get('dtype');
  const shape = items(wrapper.state.get('shape')).map((size) => asNumber(size) ?? 0);
  const alignment = asNumber(wrapper.state.get('numpy_array_alignment_bytes'));
  const type = typeName(dtype);
  if (holdsObjects(dtype)) return { type, shape, offset: at, end: at, pickled: true };
  const offset = alignment === undefined || alignment === 0 ? at : at + 1 + (bytes.read(at, 1)[0] ?? 0);
  const length = shape.reduce((product, size) => product * size, 1) * elementSize(dtype);
  if (!Number.isSafeInteger(length) || length < 0 || offset + length > bytes.size) return undefined;
  return { type, shape, offset, end: offset + length, pickled: false };
}

/** The wrapper's class: called itself (NEWOBJ), or handed to copyreg's reconstructor. */
function wrapperPath(call: PickleCall): string | undefined {
  const path = calleePath(call);
  if (path === 'copyreg._reconstructor' || path === 'copy_reg._reconstructor') {
    const [made] = items(call.args);
    return made !== undefined && made !== null && typeof made === 'object' && 'path' in made ? made.path : undefined;
  }
  return path;
}
