import type { Bytes } from './bytes';
import { type Field, fields, int, ints, text } from './protobuf';

export interface OnnxTensor {
  readonly name: string;
  readonly type: string;
  /** -1 for a symbolic or unknown size; undefined where the rank is not given. */
  readonly shape?: number[];
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly modelVersion: number;
  /** Operator set versions by domain; the default domain is `ai.onnx`. */
  readonly opsets: Record<string, number>;
  readonly inputs: OnnxTensor[];
  readonly outputs: OnnxTensor[];
  /** Numbers in initializers and in tree and linear operators' attributes, by element type. */
  readonly dtypes: Record<string, number>;
  /** Files beside the model that hold weights, as the model writes them. */
  readonly externalData: string[];
  /** Operators by `domain:name`, with their count. */
  readonly operators: Record<string, number>;
  readonly metadata: Record<string, string>;
}

/** TensorProto.DataType of onnx.proto. */
const TYPES = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
] as const;

/** Graphs nest in the bodies of If, Loop and Scan; deeper than this none is real. */
const DEEPEST = 64;

/**
 * Reads what an ONNX file says of itself, skipping over the weights (onnx.proto: ModelProto).
 *
 * @throws ProtobufError when it is no protobuf, Error when it holds no graph
 */
export function readOnnx(bytes: Bytes): OnnxModel {
  const reader = new OnnxReader();
  reader.model(bytes);
  return reader.result();
}

/** Whether the first bytes could be a ModelProto: field 1, ir_version, 1-20. */
export function startsLikeOnnx(head: Buffer): boolean {
  return head.length > 4 && head[0] === 0x08 && head[1]! >= 1 && head[1]! <= 20 && ONNX_NEXT.has(head[2]!);
}

/** The tags that may follow ir_version: producer name and version, domain, model version, documentation, graph, opset, metadata, functions. */
const ONNX_NEXT = new Set([0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72]);

class OnnxReader {
  private irVersion = 0;
  private producer = '';
  private producerVersion = '';
  private domain = '';
  private modelVersion = 0;
  private hasGraph = false;
  private readonly opsets: Record<string, number> = {};
  private readonly inputs: OnnxTensor[] = [];
  private readonly outputs: OnnxTensor[] = [];
  private readonly initialized = new Set<string>();
  private readonly dtypes: Record<string, number> = {};
  private readonly externalData = new Set<string>();
  private readonly operators: Record<string, number> = {};
  private readonly metadata: Record<string, string> = {};

  model(bytes: Bytes): void {
    for (const field of fields(bytes)) {
      if (field.number === 1) this.irVersion = int(field);
      else if (field.number === 2) this.producer = text(field);
      else if (field.number === 3) this.producerVersion = text(field);
      else if (field.number === 4) this.domain = text(field);
      else if (field.number === 5) this.modelVersion = int(field);
      else if (field.number === 7) this.graph(field.bytes, 0);
      else if (field.number === 8) this.opset(field.bytes);
      else if (field.number === 14) this.property(field.bytes);
      else if (field.number === 25) this.function(field.bytes);
    }
  }

  result(): OnnxModel {
    if (!this.hasGraph) throw new Error('the ONNX file holds no graph');
    return {
      irVersion: this.irVersion,
      producer: this.producer,
      producerVersion: this.producerVersion,
      domain: this.domain,
      modelVersion: this.modelVersion,
      opsets: this.opsets,
      inputs: this.inputs.filter(({ name }) => !this.initialized.has(name)),
      outputs: this.outputs,
      dtypes: this.dtypes,
      externalData: [...this.externalData].sort(),
      operators: this.operators,
      metadata: this.metadata,
    };
  }

  private opset(bytes: Bytes): void {
    let domain = '';
    let version = 0;
    for (const field of fields(bytes)) {
      if (field.number === 1) domain = text(field);
      else if (field.number === 2) version = int(field);
    }
    this.opsets[domain === '' ? 'ai.onnx' : domain] = version;
  }

  private property(bytes: Bytes): void {
    let key = '';
    let value = '';
    for (const field of fields(bytes)) {
      if (field.number === 1) key = text(field);
      else if (field.number === 2) value = text(field);
    }
    this.metadata[key] = value;
  }

  private function(bytes: Bytes): void {
    for (const field of fields(bytes)) if (field.number === 7) this.node(field.bytes, 1);
  }

  private graph(bytes: Bytes, depth: number): void {
    if (depth > DEEPEST) throw new Error(`the ONNX file nests graphs more than ${DEEPEST} deep`);
    if (depth === 0) this.hasGraph = true;
    for (const field of fields(bytes)) {
      if (field.number === 1) this.node(field.bytes, depth);
      else if (field.number === 5) this.initializer(field.bytes);
      else if (field.number === 15) this.sparseInitializer(field.bytes);
      else if (field.number === 11 && depth === 0) this.inputs.push(valueInfo(field.bytes));
      else if (field.number === 12 && depth === 0) this.outputs.push(valueInfo(field.bytes));
    }
  }

  private sparseInitializer(bytes: Bytes): void {
    for (const field of fields(bytes)) if (field.number === 1) this.initializer(field.bytes);
  }

  private initializer(bytes: Bytes): void {
    const tensor = this.tensor(bytes);
    this.initialized.add(tensor.name);
    this.count(tensor.type, tensor.elements);
  }

  private tensor(bytes: Bytes): { name: string; type: string; elements: number } {
    const dims: number[] = [];
    let type = 0;
    let name = '';
    for (const field of fields(bytes)) {
      if (field.number === 1) dims.push(...ints(field));
      else if (field.number === 2) type = int(field);
      else if (field.number === 8) name = text(field);
      else if (field.number === 13) this.external(field.bytes);
    }
    return { name, type: typeName(type), elements: dims.reduce((product, dim) => product * dim, 1) };
  }

  private external(bytes: Bytes): void {
    let key = '';
    let value = '';
    for (const field of fields(bytes)) {
      if (field.number === 1) key = text(field);
      else if (field.number === 2) value = text(field);
    }
    if (key === 'location') this.externalData.add(value);
  }

  private node(bytes: Bytes, depth: number): void {
    let operator = '';
    let domain = '';
    for (const field of fields(bytes)) {
      if (field.number === 4) operator = text(field);
      else if (field.number === 5) this.attribute(field.bytes, depth);
      else if (field.number === 7) domain = text(field);
    }
    const key = `${domain === '' ? 'ai.onnx' : domain}:${operator}`;
    this.operators[key] = (this.operators[key] ?? 0) + 1;
  }

  /** Bodies of control flow, constant tensors, and the number lists that ai.onnx.ml's trees and linear models keep their weights in. */
  private attribute(bytes: Bytes, depth: number): void {
    let floats = 0;
    for (const field of fields(bytes)) {
      if (field.number === 5) this.countTensor(field);
      else if (field.number === 6) this.graph(field.bytes, depth + 1);
      else if (field.number === 10) this.countTensor(field);
      else if (field.number === 11) this.graph(field.bytes, depth + 1);
      else if (field.number === 7) floats += field.wire === 2 ? field.bytes.size / 4 : 1;
    }
    if (floats > 0) this.count('float32', floats);
  }

  private countTensor(field: Field): void {
    const tensor = this.tensor(field.bytes);
    this.count(tensor.type, tensor.elements);
  }

  private count(type: string, elements: number): void {
    this.dtypes[type] = (this.dtypes[type] ?? 0) + elements;
  }
}

function valueInfo(bytes: Bytes): OnnxTensor {
  let name = '';
  let described: Pick<OnnxTensor, 'type' | 'shape'> = { type: 'undefined' };
  for (const field of fields(bytes)) {
    if (field.number === 1) name = text(field);
    else if (field.number === 2) described = typeOf(field.bytes);
  }
  return { name, ...described };
}

/** TypeProto: a tensor, or a sequence, map or optional of something. */
function typeOf(bytes: Bytes): Pick<OnnxTensor, 'type' | 'shape'> {
  for (const field of fields(bytes)) {
    if (field.number === 1 || field.number === 8) return tensorType(field.bytes);
    if (field.number === 4) return { type: `sequence(${inner(field.bytes)})` };
    if (field.number === 5) return { type: `map(${inner(field.bytes)})` };
    if (field.number === 9) return { type: `optional(${inner(field.bytes)})` };
  }
  return { type: 'undefined' };
}

function inner(bytes: Bytes): string {
  const parts: string[] = [];
  for (const field of fields(bytes)) parts.push(field.wire === 0 ? typeName(int(field)) : typeOf(field.bytes).type);
  return parts.join(',');
}

function tensorType(bytes: Bytes): Pick<OnnxTensor, 'type' | 'shape'> {
  let type = 'undefined';
  let shape: number[] | undefined;
  for (const field of fields(bytes)) {
    if (field.number === 1) type = typeName(int(field));
    else if (field.number === 2)
      shape = [...fields(field.bytes)].filter(({ number }) => number === 1).map(({ bytes: dim }) => dimension(dim));
  }
  return shape === undefined ? { type } : { type, shape };
}

function dimension(bytes: Bytes): number {
  for (const field of fields(bytes)) if (field.number === 1) return Math.max(int(field), -1);
  return -1;
}

function typeName(number: number): string {
  return TYPES[number] ?? `type ${number}`;
}
