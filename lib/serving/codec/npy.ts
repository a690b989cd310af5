import { ELEMENTS, valueAt } from './element';
import { type Layout, shown } from './layout';
import { BadRequest, type Batch, type ElementType, type TensorData, type TensorValue } from './signature';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

/** NumPy's type names of what a typed array holds; strings and objects have none here. */
const DTYPES: readonly (readonly [string, ElementType])[] = [
  ['<f2', 'float16'],
  ['<f4', 'float32'],
  ['<f8', 'float64'],
  ['|i1', 'int8'],
  ['<i2', 'int16'],
  ['<i4', 'int32'],
  ['<i8', 'int64'],
  ['|u1', 'uint8'],
  ['<u2', 'uint16'],
  ['<u4', 'uint32'],
  ['<u8', 'uint64'],
  ['|b1', 'bool'],
];

/**
 * Decodes a NumPy .npy array, for models of one numeric input. Format: NEP 1 of NumPy; little-endian, C order.
 *
 * @throws BadRequest
 */
export function decodeNpy(layout: Layout, body: Buffer): Batch {
  const spec = layout.inputs[0]!;
  if (layout.inputs.length !== 1 || spec.type === 'string') {
    throw new BadRequest('application/x-npy is taken by models of one numeric input: send application/json', 415);
  }
  const { type, shape, bytes } = parseNpy(body);
  const length = shape.reduce((a, b) => a * b, 1);
  const { BYTES_PER_ELEMENT } = ELEMENTS[type].allocate(0) as Exclude<TensorData, string[]>;
  if (bytes.length !== length * BYTES_PER_ELEMENT) {
    throw new BadRequest(
      `the array's shape [${shape.join(', ')}] asks for ${length * BYTES_PER_ELEMENT} bytes, the body has ${bytes.length}`,
    );
  }
  const source = ELEMENTS[type].allocate(length) as Exclude<TensorData, string[]>;
  new Uint8Array(source.buffer).set(bytes);
  const fits = spec.shape.every((dimension, i) => typeof dimension !== 'number' || dimension === shape[i]);
  if (type === spec.type && shape.length === spec.shape.length && fits) {
    return { rows: shape[0] ?? 1, tensors: { [spec.name]: { type, data: source, dims: shape, location: 'cpu' } } };
  }
  const values = Array.from({ length }, (_, at) => {
    const value = valueAt({ type, data: source }, at);
    return typeof value === 'bigint' && spec.type !== 'int64' && spec.type !== 'uint64' ? Number(value) : value;
  });
  return layout.ofRows(nested(values, shape) as unknown[], (row) => `row ${row + 1}`);
}

function nested(values: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length <= 1) return shape.length === 0 ? [values[0]] : values;
  const size = values.length / Math.max(1, shape[0]!);
  return Array.from({ length: shape[0]! }, (_, i) => nested(values.slice(i * size, (i + 1) * size), shape.slice(1)));
}

function parseNpy(body: Buffer): { type: ElementType; shape: number[]; bytes: Buffer } {
  if (body.length < 12 || !body.subarray(0, 6).equals(MAGIC))
    throw new BadRequest('the body is not a .npy array: it does not begin with \\x93NUMPY');
  const long = body[6]! > 1;
  const start = long ? 12 : 10;
  const headerLength = long ? body.readUInt32LE(8) : body.readUInt16LE(8);
  const header = body.toString('latin1', start, start + headerLength);
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (descr === undefined || shape === undefined) throw new BadRequest(`the array's header cannot be read: ${shown(header)}`);
  if (/'fortran_order':\s*True/.test(header)) throw new BadRequest('the array is in Fortran order: send numpy.ascontiguousarray(x)');
  const type = DTYPES.find(([name]) => name === descr)?.[1];
  if (type === undefined) throw new BadRequest(`arrays of dtype ${descr} are not taken: ${DTYPES.map(([name]) => name).join(', ')}`);
  const dims = shape
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map(Number);
  return { type, shape: dims, bytes: body.subarray(start + headerLength) };
}

/** A tensor as a .npy array, version 1.0. */
export function encodeNpy(tensor: TensorValue): Buffer {
  const dtype = DTYPES.find(([, type]) => type === tensor.type)?.[0];
  if (dtype === undefined) throw new BadRequest(`an output of ${tensor.type} has no application/x-npy form: accept application/json`, 406);
  const shape = tensor.dims.length === 1 ? `${tensor.dims[0]},` : tensor.dims.join(', ');
  const dictionary = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${shape}), }`;
  const padded = `${dictionary.padEnd(Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 11)}\n`;
  const head = Buffer.alloc(10);
  MAGIC.copy(head);
  head[6] = 1;
  head.writeUInt16LE(padded.length, 8);
  const data = tensor.data as Exclude<TensorData, string[]>;
  return Buffer.concat([head, Buffer.from(padded, 'latin1'), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}
