import { numpyType } from '../npy';
import { asNumber, calleePath, items, PickleBytes, PickleCall, type Value } from './values';

/** An array that a pickle holds. */
export interface PickledArray {
  readonly type: string;
  readonly shape: readonly number[];
}

/** NPY_ITEM_HASOBJECT of numpy's ndarraytypes.h. */
const HAS_OBJECT = 0x01;

/** The code that numpy.dtype was called with: `f8`, `V24`, `O8`. */
function code(dtype: Value | undefined): string {
  if (!(dtype instanceof PickleCall) || calleePath(dtype)?.endsWith('dtype') !== true) return '';
  const [first] = items(dtype.args);
  return typeof first === 'string' ? first : '';
}

/** numpy.dtype's state: version, byte order, subtype, names, fields, size, alignment, flags. */
function state(dtype: Value | undefined): readonly Value[] {
  return dtype instanceof PickleCall ? items(dtype.state) : [];
}

/** An array's element type in numpy's words; `structured` for records. */
export function typeName(dtype: Value | undefined): string {
  return numpyType(code(dtype));
}

/** Bytes of one element. */
export function elementSize(dtype: Value | undefined): number {
  const given = asNumber(state(dtype)[5]);
  if (given !== undefined && given > 0) return given;
  const match = /([A-Za-z?])(\d+)$/.exec(code(dtype));
  if (match === null) return 1;
  return Number(match[2]) * (match[1] === 'U' ? 4 : 1);
}

export function holdsObjects(dtype: Value | undefined): boolean {
  return /O\d*$/.test(code(dtype)) || ((asNumber(state(dtype)[7]) ?? 0) & HAS_OBJECT) !== 0;
}

/** The array that a call makes: ndarray by _reconstruct and state, or by _frombuffer, or a numpy scalar; undefined otherwise. */
export function pickledArray(call: PickleCall): PickledArray | undefined {
  const path = calleePath(call);
  if (path === undefined || !/^numpy\.(_?core)\./.test(path)) return undefined;
  if (path.endsWith('._reconstruct')) {
    const [, shape, dtype] = items(call.state);
    return shape === undefined ? undefined : { type: typeName(dtype), shape: numbers(shape) };
  }
  if (path.endsWith('._frombuffer')) {
    const [, dtype, shape] = items(call.args);
    return { type: typeName(dtype), shape: numbers(shape) };
  }
  return undefined;
}

/** A numpy scalar's value, for the integer types that class labels come in. */
export function scalar(value: Value | undefined): number | undefined {
  if (!(value instanceof PickleCall) || calleePath(value)?.endsWith('multiarray.scalar') !== true) return asNumber(value);
  const [dtype, raw] = items(value.args);
  if (!(raw instanceof PickleBytes) || raw.length > 6)
    return raw instanceof PickleBytes && raw.length === 8 ? eight(dtype, raw) : undefined;
  return raw.content().read(0, raw.length).readIntLE(0, raw.length);
}

function eight(dtype: Value | undefined, raw: PickleBytes): number {
  const content = raw.content().read(0, 8);
  return typeName(dtype).startsWith('float') ? content.readDoubleLE() : Number(content.readBigInt64LE());
}

export function numbers(value: Value | undefined): number[] {
  return items(value).map((item) => asNumber(item) ?? 0);
}
