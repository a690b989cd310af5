import type { Bytes } from './bytes';
import { type Field, fields, int, text } from './protobuf';

export interface SavedTensor {
  readonly name: string;
  readonly type: string;
  /** -1 for an unknown size; undefined for an unknown rank. */
  readonly shape?: number[];
}

export interface SavedSignature {
  readonly inputs: SavedTensor[];
  readonly outputs: SavedTensor[];
}

export interface SavedModel {
  readonly tags: string[];
  readonly tensorflow: string;
  readonly signatures: Record<string, SavedSignature>;
  /** Operators of the graph and of its functions, each once. */
  readonly operators: ReadonlySet<string>;
}

/** DataType of TensorFlow's types.proto. */
const TYPES = [
  'invalid',
  'float32',
  'float64',
  'int32',
  'uint8',
  'int16',
  'int8',
  'string',
  'complex64',
  'int64',
  'bool',
  'qint8',
  'quint8',
  'qint32',
  'bfloat16',
  'qint16',
  'quint16',
  'uint16',
  'complex128',
  'float16',
  'resource',
  'variant',
  'uint32',
  'uint64',
  'float8e5m2',
  'float8e4m3fn',
];

export function tensorflowType(number: number): string {
  return TYPES[number] ?? `type ${number}`;
}

/** Reads a saved_model.pb: tags, signatures and operators of its graphs. @throws ProtobufError when it is no protobuf */
export function readSavedModel(bytes: Bytes): SavedModel {
  const tags: string[] = [];
  const signatures: Record<string, SavedSignature> = {};
  const operators = new Set<string>();
  let tensorflow = '';
  let graphs = 0;
  for (const model of numbered(bytes, 2)) {
    graphs++;
    for (const field of fields(model.bytes)) {
      if (field.number === 1) {
        for (const info of fields(field.bytes)) {
          if (info.number === 4) tags.push(text(info));
          else if (info.number === 5) tensorflow = text(info);
        }
      } else if (field.number === 2) {
        graphOperators(field.bytes, operators);
      } else if (field.number === 5) {
        const [name, signature] = mapEntry(field);
        signatures[name] = signatureOf(signature);
      }
    }
  }
  if (graphs === 0) throw new Error('it holds no graph');
  return { tags, tensorflow, signatures, operators };
}

/**
 * What Keras wrote of its layers before it had a file of its own for it, as JSON, and still reads where that file is not there: each graph's
 * object graph (field 7), its nodes' user objects (tensorflow/core/protobuf/saved_object_graph.proto).
 */
export function* kerasMetadata(bytes: Bytes): Generator<Bytes> {
  for (const model of numbered(bytes, 2))
    for (const objects of numbered(model.bytes, 7)) for (const node of numbered(objects.bytes, 1)) yield* metadataOf(node.bytes);
}

/** A field that is there twice is merged from both. */
function* metadataOf(node: Bytes): Generator<Bytes> {
  const objects = [...numbered(node, 4)].flatMap((object) => [...fields(object.bytes)]);
  const isKeras = objects.some((field) => field.number === 1 && text(field).startsWith('_tf_keras_'));
  if (isKeras) for (const { number, wire, bytes } of objects) if (number === 3 && wire === 2 && bytes.size > 0) yield bytes;
}

function* numbered(bytes: Bytes, number: number): Generator<Field> {
  for (const field of fields(bytes)) if (field.number === number && field.wire === 2) yield field;
}

/** GraphDef: nodes in field 1; a library of functions in field 2, their nodes in field 3. */
function graphOperators(graph: Bytes, into: Set<string>): void {
  for (const node of numbered(graph, 1)) addOperator(node.bytes, into);
  for (const library of numbered(graph, 2)) {
    for (const definition of numbered(library.bytes, 1)) for (const node of numbered(definition.bytes, 3)) addOperator(node.bytes, into);
  }
}

function addOperator(node: Bytes, into: Set<string>): void {
  for (const field of numbered(node, 2)) into.add(text(field));
}

function mapEntry(entry: Field): [name: string, value: Bytes] {
  let name = '';
  let value = entry.bytes.slice(0, 0);
  for (const field of fields(entry.bytes)) {
    if (field.number === 1) name = text(field);
    else if (field.number === 2) value = field.bytes;
  }
  return [name, value];
}

function signatureOf(bytes: Bytes): SavedSignature {
  const inputs: SavedTensor[] = [];
  const outputs: SavedTensor[] = [];
  for (const field of fields(bytes)) {
    if (field.number !== 1 && field.number !== 2) continue;
    const [name, info] = mapEntry(field);
    (field.number === 1 ? inputs : outputs).push({ name, ...tensorInfo(info) });
  }
  return { inputs: byName(inputs), outputs: byName(outputs) };
}

function byName(tensors: SavedTensor[]): SavedTensor[] {
  return tensors.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function tensorInfo(bytes: Bytes): Pick<SavedTensor, 'type' | 'shape'> {
  let type = 'invalid';
  let shape: number[] | undefined;
  for (const field of fields(bytes)) {
    if (field.number === 2) type = tensorflowType(int(field));
    else if (field.number === 3) shape = shapeOf(field.bytes);
  }
  return shape === undefined ? { type } : { type, shape };
}

/** TensorShapeProto; undefined where the rank is unknown. */
export function shapeOf(bytes: Bytes): number[] | undefined {
  const shape: number[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 3 && int(field) !== 0) return undefined;
    if (field.number === 2) {
      let size = 0;
      for (const dim of fields(field.bytes)) if (dim.number === 1) size = int(dim);
      shape.push(size);
    }
  }
  return shape;
}
