import { fromHalf, toHalf } from './half';
import type { ElementType, TensorData, TensorValue } from './signature';

/** How one element type is held, taken from JSON and from text. */
export interface Element {
  /** In words, for "must be ...". */
  readonly what: string;
  allocate(length: number): TensorData;
  /** Puts a JSON value in its place; false where it is not of this type. */
  put(data: TensorData, at: number, value: unknown): boolean;
  /** The JSON value that a field of text stands for; an empty field is a missing value. */
  fromText(text: string): unknown;
}

/** @param most what it holds; a number beyond would become an infinity, which no request means */
function float(
  type: ElementType,
  array: Float32ArrayConstructor | Float64ArrayConstructor | Uint16ArrayConstructor,
  most: number,
  stored: (value: number) => number = (value) => value,
): Element {
  const missing = stored(Number.NaN);
  return {
    what: `a number (${type})`,
    allocate: (length) => new array(length),
    put: (data, at, value) => {
      if (typeof value === 'number') {
        if (value > most || value < -most) return false;
        data[at] = stored(value);
      } else if (value === null) data[at] = missing;
      else return false;
      return true;
    },
    fromText: numberFromText,
  };
}

function numberFromText(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.toLowerCase() === 'nan') return null;
  const value = Number(trimmed);
  return Number.isNaN(value) ? text : value;
}

type IntegerArray =
  | Int8ArrayConstructor
  | Int16ArrayConstructor
  | Int32ArrayConstructor
  | Uint8ArrayConstructor
  | Uint16ArrayConstructor
  | Uint32ArrayConstructor;

function integer(array: IntegerArray, low: number, high: number): Element {
  return {
    what: `an integer from ${low} to ${high}`,
    allocate: (length) => new array(length),
    put: (data, at, value) => {
      if (!Number.isInteger(value) || (value as number) < low || (value as number) > high) return false;
      data[at] = value as number;
      return true;
    },
    fromText: numberFromText,
  };
}

function bigInteger(array: BigInt64ArrayConstructor | BigUint64ArrayConstructor, signed: boolean): Element {
  const [low, high] = signed ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  return {
    what: `an integer${signed ? '' : ' from 0'}`,
    allocate: (length) => new array(length),
    put: (data, at, value) => {
      if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return false;
      const exact = BigInt(value as number | bigint);
      if (exact < low || exact > high) return false;
      data[at] = exact;
      return true;
    },
    // Text can name integers that a double cannot hold; numbers of JSON beyond 2^53 are refused rather than rounded.
    fromText: (text) => (/^\s*[+-]?\d+\s*$/.test(text) ? BigInt(text.trim().replace(/^\+/, '')) : numberFromText(text)),
  };
}

const bool: Element = {
  what: 'true or false',
  allocate: (length) => new Uint8Array(length),
  put: (data, at, value) => {
    if (value !== true && value !== false && value !== 0 && value !== 1) return false;
    data[at] = value ? 1 : 0;
    return true;
  },
  fromText: (text) => ({ true: true, false: false, '1': 1, '0': 0 })[text.trim().toLowerCase()] ?? text,
};

const string: Element = {
  // The runtimes cut a string off at NUL.
  what: 'a string without NUL',
  allocate: (length) => new Array<string>(length).fill(''),
  put: (data, at, value) => {
    if (typeof value === 'string' && !value.includes('\0')) data[at] = value;
    else if (value === null) data[at] = '';
    else return false;
    return true;
  },
  fromText: (text) => text,
};

/** The value at a place of a tensor, as a number, bigint or string. */
export function valueAt({ type, data }: Pick<TensorValue, 'type' | 'data'>, at: number): number | bigint | string {
  return type === 'float16' ? fromHalf(data[at] as number) : data[at]!;
}

/** Every element type that a request can carry. */
export const ELEMENTS: Readonly<Record<ElementType, Element>> = {
  float16: float('float16', Uint16Array, 65_519.99, toHalf),
  float32: float('float32', Float32Array, 3.402_823_567e38),
  float64: float('float64', Float64Array, Number.MAX_VALUE),
  int8: integer(Int8Array, -128, 127),
  int16: integer(Int16Array, -32_768, 32_767),
  int32: integer(Int32Array, -(2 ** 31), 2 ** 31 - 1),
  int64: bigInteger(BigInt64Array, true),
  uint8: integer(Uint8Array, 0, 255),
  uint16: integer(Uint16Array, 0, 65_535),
  uint32: integer(Uint32Array, 0, 2 ** 32 - 1),
  uint64: bigInteger(BigUint64Array, false),
  bool,
  string,
};
