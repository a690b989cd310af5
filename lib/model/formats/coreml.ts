import type { Bytes } from './bytes';
import { fields, int, ints, text } from './protobuf';
import type { NamedTensor } from './safetensors';

export interface CoremlModel {
  readonly specificationVersion: number;
  /** The model's kind by its field in Model.proto: neural network, tree ensemble, ML program, ... */
  readonly kind: string;
  readonly inputs: NamedTensor[];
  readonly outputs: NamedTensor[];
}

/** The oneof `Type` of Core ML's Model.proto; numbers from 200 up are model kinds. */
const KINDS: Record<number, string> = {
  200: 'pipeline classifier',
  201: 'pipeline regressor',
  202: 'pipeline',
  300: 'linear regressor',
  301: 'support vector regressor',
  302: 'tree ensemble regressor',
  303: 'neural network regressor',
  400: 'linear classifier',
  401: 'support vector classifier',
  402: 'tree ensemble classifier',
  403: 'neural network classifier',
  500: 'neural network',
  501: 'item similarity recommender',
  502: 'ML program',
  555: 'custom model',
  600: 'one-hot encoder',
  601: 'imputer',
  602: 'feature vectorizer',
  603: 'dictionary vectorizer',
  604: 'scaler',
  606: 'categorical mapping',
  607: 'normalizer',
  609: 'array feature extractor',
  900: 'identity',
};

const ARRAY_TYPES: Record<number, string> = { 65568: 'float32', 65600: 'float64', 131104: 'int32', 65552: 'float16' };

/** Whether the first bytes could be a Core ML Model: a specification version, then a description message. */
export function startsLikeCoreml(head: Buffer): boolean {
  return head.length > 3 && head[0] === 0x08 && head[1]! >= 1 && head[1]! <= 20 && head[2] === 0x12;
}

/** Reads a Core ML model's description, no weights. @throws ProtobufError, or Error when no model kind is in it */
export function readCoreml(bytes: Bytes): CoremlModel {
  let specificationVersion = 0;
  let kind: string | undefined;
  const inputs: NamedTensor[] = [];
  const outputs: NamedTensor[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 1) specificationVersion = int(field);
    else if (field.number >= 200) kind = KINDS[field.number] ?? `kind ${field.number}`;
    else if (field.number === 2) {
      for (const described of fields(field.bytes)) {
        if (described.number === 1) inputs.push(feature(described.bytes));
        else if (described.number === 10) outputs.push(feature(described.bytes));
      }
    }
  }
  if (kind === undefined) throw new Error('it holds no model kind');
  return { specificationVersion, kind, inputs, outputs };
}

function feature(bytes: Bytes): NamedTensor {
  let name = '';
  let type: Pick<NamedTensor, 'type' | 'shape'> = { type: 'unknown', shape: [] };
  for (const field of fields(bytes)) {
    if (field.number === 1) name = text(field);
    else if (field.number === 3) type = featureType(field.bytes);
  }
  return { name, ...type };
}

function featureType(bytes: Bytes): Pick<NamedTensor, 'type' | 'shape'> {
  for (const field of fields(bytes)) {
    if (field.number === 1) return { type: 'int64', shape: [] };
    if (field.number === 2) return { type: 'float64', shape: [] };
    if (field.number === 3) return { type: 'string', shape: [] };
    if (field.number === 4) return { type: 'image', shape: [] };
    if (field.number === 5) return array(field.bytes);
    if (field.number === 6) return { type: 'dictionary', shape: [] };
  }
  return { type: 'unknown', shape: [] };
}

function array(bytes: Bytes): Pick<NamedTensor, 'type' | 'shape'> {
  const shape: number[] = [];
  let type = 'float32';
  for (const field of fields(bytes)) {
    if (field.number === 1) shape.push(...ints(field));
    else if (field.number === 2) type = ARRAY_TYPES[int(field)] ?? 'float32';
  }
  return { type, shape };
}
