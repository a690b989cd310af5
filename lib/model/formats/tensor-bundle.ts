import { BufferBytes, type Bytes, readExactly } from './bytes';
import { fields, int } from './protobuf';
import type { NamedTensor } from './safetensors';
import { shapeOf, tensorflowType } from './saved-model';

const FOOTER = 48;
const MAGIC = 0xdb4775248b80fb57n;
/** Values beyond this belong to no index. */
const LARGEST_BLOCK = 64 * 1024 * 1024;

/**
 * Lists the variables of a SavedModel from variables.index: a LevelDB table of BundleEntryProto (tensorflow/core/util/tensor_bundle).
 *
 * @throws Error when it is none, or is compressed, which TensorFlow's writer does not do
 */
export function readTensorBundle(bytes: Bytes): NamedTensor[] {
  const footer = readExactly(bytes, Math.max(0, bytes.size - FOOTER), FOOTER);
  if (footer.readBigUInt64LE(40) !== MAGIC) throw new Error('it does not end like a table of variables');
  const [, afterMeta] = handle(footer, 0);
  const [index] = handle(footer, afterMeta);
  const tensors: NamedTensor[] = [];
  for (const [, pointer] of entries(block(bytes, index))) {
    for (const [key, value] of entries(block(bytes, handle(pointer, 0)[0]))) {
      if (key.length > 0) tensors.push(variable(key.toString('utf8'), value));
    }
  }
  return tensors;
}

interface Handle {
  readonly offset: number;
  readonly size: number;
}

function handle(buffer: Buffer, at: number): [Handle, next: number] {
  const [offset, middle] = varint(buffer, at);
  const [size, next] = varint(buffer, middle);
  return [{ offset, size }, next];
}

function block(bytes: Bytes, { offset, size }: Handle): Buffer {
  if (size > LARGEST_BLOCK) throw new Error(`a block of ${size} bytes`);
  const read = readExactly(bytes, offset, size + 1);
  if (read[size] !== 0) throw new Error('its blocks are compressed');
  return read.subarray(0, size);
}

/** Keys share their beginning with the one before. */
function* entries(data: Buffer): Generator<[key: Buffer, value: Buffer]> {
  const end = data.length - 4 - 4 * data.readUInt32LE(data.length - 4);
  let key: Buffer = Buffer.alloc(0);
  for (let at = 0; at < end; ) {
    const [shared, afterShared] = varint(data, at);
    const [own, afterOwn] = varint(data, afterShared);
    const [length, start] = varint(data, afterOwn);
    key = Buffer.concat([key.subarray(0, shared), data.subarray(start, start + own)]);
    yield [key, data.subarray(start + own, start + own + length)];
    at = start + own + length;
  }
}

function varint(buffer: Buffer, at: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = buffer[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, at + i + 1];
  }
  throw new Error('a number is cut short');
}

function variable(name: string, value: Buffer): NamedTensor {
  let type = 'invalid';
  let shape: number[] | undefined = [];
  for (const field of fields(new BufferBytes(value))) {
    if (field.number === 1) type = tensorflowType(int(field));
    else if (field.number === 2) shape = shapeOf(field.bytes);
  }
  return { name, type, shape: shape ?? [] };
}
