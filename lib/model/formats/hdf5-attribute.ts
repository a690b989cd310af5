import { type Message, objectMessages } from './hdf5-header';
import type { Hdf5Space } from './hdf5-space';

export interface Datatype {
  /** In numpy's words. */
  readonly name: string;
  readonly size: number;
  readonly variable: boolean;
}

/** A datatype message: class, sign, size. */
export function datatype(body: Buffer): Datatype {
  const kind = body[0]! & 0x0f;
  const size = body.readUInt32LE(4);
  const bits = size * 8;
  if (kind === 0) return { name: `${body[1]! & 8 ? '' : 'u'}int${bits}`, size, variable: false };
  if (kind === 1) return { name: `float${bits}`, size, variable: false };
  if (kind === 3) return { name: 'string', size, variable: false };
  if (kind === 9) return { name: (body[1]! & 0x0f) === 1 ? 'string' : 'sequence', size, variable: true };
  if (kind === 8) return { name: 'bool', size, variable: false };
  return { name: 'structured', size, variable: false };
}

/** A type that is kept as an object of its own. @throws Error where it is kept in a heap of shared messages */
export function sharedDatatype(space: Hdf5Space, body: Buffer): Datatype {
  const version = body[0]!;
  if (version >= 3 && body[1] !== 2) throw new Error('a type in a heap of shared messages');
  const message = objectMessages(space, space.needed(body, version === 1 ? 8 : 2)).find(({ type }) => type === 0x03);
  if (message === undefined || message.isShared) throw new Error('a type that is kept elsewhere, and is not there');
  return datatype(message.body);
}

export interface Attribute {
  readonly name: string;
  /** Undefined where it is no text. */
  readonly text?: string;
}

/** An attribute message. @throws Error where it is kept elsewhere, or damaged */
export function attribute(space: Hdf5Space, { isShared, body }: Message): Attribute {
  if (isShared) throw new Error('an attribute in a heap of shared messages');
  const version = body[0]!;
  const nameLength = body.readUInt16LE(2);
  const typeLength = body.readUInt16LE(4);
  const spaceLength = body.readUInt16LE(6);
  const pad = (length: number) => (version === 1 ? Math.ceil(length / 8) * 8 : length);
  const nameAt = version === 3 ? 9 : 8;
  const typeAt = nameAt + pad(nameLength);
  const dataAt = typeAt + pad(typeLength) + pad(spaceLength);
  const name = body.toString('utf8', nameAt, nameAt + nameLength).replace(/\0.*$/s, '');
  const typeBody = body.subarray(typeAt);
  const type = version > 1 && body[1]! & 1 ? sharedDatatype(space, typeBody) : datatype(typeBody);
  if (type.name !== 'string') return { name };
  const raw = type.variable ? heapObject(space, body.subarray(dataAt)) : body.subarray(dataAt, dataAt + type.size);
  return { name, text: raw?.toString('utf8').replace(/\0+$/, '') };
}

/** A variable-length value: its length, then where in which global heap it stands. */
function heapObject(space: Hdf5Space, reference: Buffer): Buffer | undefined {
  if (reference.length < 8 + space.offsetSize) return undefined;
  const length = reference.readUInt32LE();
  const collection = space.needed(reference, 4);
  const wanted = reference.readUInt32LE(4 + space.offsetSize);
  const headLength = 8 + space.lengthSize;
  const header = space.at(collection, headLength);
  if (header.toString('latin1', 0, 4) !== 'GCOL') throw new Error(`no global heap at byte ${collection}`);
  const end = space.size(header, 8);
  for (let at = headLength; at + headLength <= end; ) {
    const object = space.at(collection + at, headLength);
    const size = space.size(object, 8);
    if (object.readUInt16LE() === wanted) return space.at(collection + at + headLength, Math.min(length, size));
    if (object.readUInt16LE() === 0) return undefined;
    at += headLength + Math.ceil(size / 8) * 8;
  }
  return undefined;
}
