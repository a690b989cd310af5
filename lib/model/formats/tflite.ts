import { type Bytes, readExactly } from './bytes';
import { Table } from './flatbuffer';
import type { NamedTensor } from './safetensors';

export interface TfliteModel {
  readonly version: number;
  readonly description: string;
  readonly inputs: NamedTensor[];
  readonly outputs: NamedTensor[];
  readonly operators: string[];
  /** Tensors that hold data: the weights. */
  readonly weights: NamedTensor[];
}

/** TensorType of TensorFlow Lite's schema.fbs. */
const TYPES = [
  'float32',
  'float16',
  'int32',
  'uint8',
  'int64',
  'string',
  'bool',
  'int16',
  'complex64',
  'int8',
  'float64',
  'complex128',
  'uint64',
  'resource',
  'variant',
  'uint32',
  'uint16',
  'int4',
  'bfloat16',
];

/** Beyond this a mobile model is not one. */
const LARGEST = 2 ** 31 - 1;

export function startsLikeTflite(head: Buffer): boolean {
  return head.toString('latin1', 4, 8) === 'TFL3';
}

/** Reads a TensorFlow Lite model's main subgraph. @throws RangeError when its offsets leave the file */
export function readTflite(bytes: Bytes): TfliteModel {
  const model = Table.root(readExactly(bytes, 0, Math.min(bytes.size, LARGEST)));
  const graph = model.tables(2)[0];
  if (graph === undefined) throw new RangeError('it holds no graph');
  const buffers = model.tables(4);
  const tables = graph.tables(0);
  const tensors = tables.map(tensor);
  return {
    version: model.int(0),
    description: model.text(3),
    inputs: graph.ints(1).flatMap((index) => tensors[index] ?? []),
    outputs: graph.ints(2).flatMap((index) => tensors[index] ?? []),
    operators: model
      .tables(1)
      .map((code) => code.text(1))
      .filter((name) => name !== ''),
    weights: tensors.filter((_, index) => (buffers[tables[index]!.int(2)]?.length(0) ?? 0) > 0),
  };
}

function tensor(table: Table): NamedTensor {
  const shape = table.ints(0);
  const signature = table.ints(7);
  return { name: table.text(3), type: TYPES[table.byte(1)] ?? 'unknown', shape: signature.length > 0 ? signature : shape };
}
