import { type Bytes, Cursor, exact } from './bytes';
import type { NamedTensor } from './safetensors';

export interface GgufFile {
  readonly version: number;
  /** Scalar and text values by key; arrays as their length. */
  readonly metadata: Record<string, string | number | boolean>;
  readonly tensors: NamedTensor[];
}

/** gguf_metadata_value_type 0-12: bytes of each fixed type; text and arrays read themselves. */
const WIDTHS: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const TEXT = 8;
const ARRAY = 9;

/** ggml_type of ggml.h. */
const TENSOR_TYPES: Record<number, string> = {
  0: 'float32',
  1: 'float16',
  2: 'q4_0',
  3: 'q4_1',
  6: 'q5_0',
  7: 'q5_1',
  8: 'q8_0',
  9: 'q8_1',
  10: 'q2_k',
  11: 'q3_k',
  12: 'q4_k',
  13: 'q5_k',
  14: 'q6_k',
  15: 'q8_k',
  16: 'iq2_xxs',
  17: 'iq2_xs',
  18: 'iq3_xxs',
  19: 'iq1_s',
  20: 'iq4_nl',
  21: 'iq3_s',
  22: 'iq2_s',
  23: 'iq4_xs',
  24: 'int8',
  25: 'int16',
  26: 'int32',
  27: 'int64',
  28: 'float64',
  29: 'iq1_m',
  30: 'bfloat16',
  34: 'tq1_0',
  35: 'tq2_0',
  39: 'mxfp4',
};

const MOST_ENTRIES = 1_000_000;

/** Reads the metadata and the tensor list of a GGUF file, versions 2 and 3, no weights. @throws Error when it is damaged */
export function readGguf(bytes: Bytes): GgufFile {
  const cursor = new Cursor(bytes, 4);
  const version = cursor.u32();
  if (version < 2 || version > 3) throw new Error(`GGUF version ${version} is not read (2 and 3 are)`);
  const tensorCount = bounded(cursor.u64(), 'tensors');
  const keyCount = bounded(cursor.u64(), 'keys');
  const metadata: GgufFile['metadata'] = {};
  for (let i = 0; i < keyCount; i++) metadata[string(cursor)] = value(cursor, cursor.u32(), 0);
  const tensors: NamedTensor[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = string(cursor);
    const rank = cursor.u32();
    if (rank > 16) throw new Error(`tensor ${name} claims ${rank} dimensions`);
    const shape = Array.from({ length: rank }, () => cursor.u64()).reverse();
    const type = cursor.u32();
    cursor.skip(8);
    tensors.push({ name, type: TENSOR_TYPES[type] ?? `ggml type ${type}`, shape });
  }
  return { version, metadata, tensors };
}

function bounded(count: number, what: string): number {
  if (count > MOST_ENTRIES) throw new Error(`it claims ${count} ${what}`);
  return count;
}

function string(cursor: Cursor): string {
  return cursor.take(cursor.u64()).toString('utf8');
}

function value(cursor: Cursor, type: number, depth: number): string | number | boolean {
  if (type === TEXT) return string(cursor);
  if (type === ARRAY) return array(cursor, depth);
  const width = WIDTHS[type];
  if (width === undefined) throw new Error(`metadata type ${type} does not exist`);
  const raw = cursor.take(width);
  if (type === 0 || type === 2 || type === 4) return raw.readUIntLE(0, width);
  if (type === 1 || type === 3 || type === 5) return raw.readIntLE(0, width);
  if (type === 6) return raw.readFloatLE();
  if (type === 7) return raw[0] !== 0;
  if (type === 10) return exact(raw.readBigUInt64LE());
  if (type === 11) return Number(raw.readBigInt64LE());
  return raw.readDoubleLE();
}

function array(cursor: Cursor, depth: number): number {
  if (depth > 8) throw new Error('metadata arrays nest too deep');
  const type = cursor.u32();
  const count = cursor.u64();
  const width = WIDTHS[type];
  if (width !== undefined) cursor.skip(count * width);
  else for (let i = 0; i < count; i++) value(cursor, type, depth + 1);
  return count;
}
