import type { Bytes } from './bytes';
import { isSequence, type Literal, parseLiteral } from './python-literal';

export interface NpyHeader {
  /** In numpy's words; `object` is an embedded pickle. */
  readonly type: string;
  /** Whether it is one number, boolean, text or date, as numpy writes such: certainly no pickle follows. */
  readonly isPlain: boolean;
  readonly shape: number[];
  readonly fortranOrder: boolean;
  /** Where the numbers (or the pickle) begin. */
  readonly dataOffset: number;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

export function startsLikeNpy(head: Buffer): boolean {
  return head.subarray(0, 6).equals(MAGIC);
}

/** Where the header ends, and its text, of which at most 64 KiB are read. @throws Error when it is damaged */
export function npyParts(bytes: Bytes): { readonly header: string; readonly dataOffset: number } {
  const head = bytes.read(0, 12);
  if (head.length < 10 || !startsLikeNpy(head)) throw new Error('it does not start with \\x93NUMPY');
  const wide = head[6]! >= 2;
  const length = wide ? head.readUInt32LE(8) : head.readUInt16LE(8);
  const start = wide ? 12 : 10;
  if (start + length > bytes.size) throw new Error(`its header claims ${length} bytes and the file has ${bytes.size}`);
  const header = bytes.read(start, Math.min(length, LONGEST_HEADER)).toString(head[6]! >= 3 ? 'utf8' : 'latin1');
  return { header, dataOffset: start + length };
}

const LONGEST_HEADER = 65_536;

/** Reads the header of a .npy file (numpy.lib.format, versions 1-3), a Python literal. @throws Error when it is damaged */
export function readNpy(bytes: Bytes): NpyHeader {
  const { header, dataOffset } = npyParts(bytes);
  const literal = parseLiteral(header);
  if (!(literal instanceof Map)) throw new Error(`its header is no dictionary: ${header.slice(0, 80)}`);
  const shape = literal.get('shape');
  if (!isSequence(shape)) throw new Error(`its header names no shape: ${header.slice(0, 80)}`);
  const types = elementTypes(literal.get('descr'));
  const plain = typeof literal.get('descr') === 'string' && types.length === 1;
  return {
    type: types.some((type) => OBJECTS.test(type)) ? 'object' : plain ? numpyType(types[0]!) : 'structured',
    isPlain: plain && PLAIN.test(types[0]!),
    shape: shape.items.map(Number),
    fortranOrder: literal.get('fortran_order') === true,
    dataOffset,
  };
}

/** Numbers, booleans, texts and dates, as numpy writes them. */
const PLAIN = /^[<>|=]?[?bBiufcSUaMm]\d*(\[\w+\])?$/;
const OBJECTS = /O|obj/;

/** The types of an array's elements, of all fields where they are records. A text may name several, by commas. */
function elementTypes(descr: Literal | undefined): string[] {
  if (typeof descr === 'string') return descr.split(',');
  if (!isSequence(descr)) return [];
  // (type, shape), or a list of fields: (name, type) or (name, type, shape)
  if (descr.kind === 'tuple') return elementTypes(descr.items[0]);
  return descr.items.flatMap((field) => (isSequence(field) ? elementTypes(field.items[1]) : []));
}

/** A dtype string such as `<f4` in words. */
export function numpyType(descr: string): string {
  const match = /^[<>|=]?([a-zA-Z?])(\d*)/.exec(descr);
  const kind = match?.[1] ?? 'V';
  const bits = Number(match?.[2] ?? 0) * 8;
  if (kind === 'f') return `float${bits}`;
  if (kind === 'i') return `int${bits}`;
  if (kind === 'u') return `uint${bits}`;
  if (kind === 'c') return `complex${bits}`;
  if (kind === 'b' || kind === '?') return 'bool';
  if (kind === 'O') return 'object';
  if (kind === 'U' || kind === 'S' || kind === 'a') return 'string';
  if (kind === 'M' || kind === 'm') return 'datetime';
  return 'structured';
}
