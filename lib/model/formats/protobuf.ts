import { BufferBytes, type Bytes } from './bytes';

/** One field of a protobuf message. */
export class Field {
  constructor(
    readonly number: number,
    /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
    readonly wire: number,
    /** The value of a varint, or of the four or eight bytes read as an unsigned number; the length of length-delimited content. */
    readonly value: number | bigint,
    private readonly message: Bytes,
    private readonly at: number,
  ) {}

  /** The content of a length-delimited field, unread. */
  get bytes(): Bytes {
    return this.message.slice(this.at, this.wire === 2 ? Number(this.value) : 0);
  }
}

/** Bytes that are not the protobuf message they should be. */
export class ProtobufError extends Error {
  constructor(at: number, what: string) {
    super(`not a protobuf message: ${what} at byte ${at}`);
    this.name = 'ProtobufError';
  }
}

const AHEAD = 4096;
/** Messages up to this are read in one go; of larger ones only the tags and lengths are. */
const SMALL = 1024 * 1024;

/**
 * Walks the fields of a message in the order they stand. Large content is not read: a weight of two gigabytes costs nothing.
 *
 * @throws ProtobufError when the bytes are no message
 */
export function* fields(given: Bytes): Generator<Field> {
  const message = given.size <= SMALL ? new BufferBytes(given.read(0, given.size)) : given;
  const reader = new VarintReader(message);
  while (reader.at < message.size) {
    const start = reader.at;
    const tag = Number(reader.varint());
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0) throw new ProtobufError(start, 'field number 0');
    if (wire === 0) {
      yield new Field(number, wire, reader.varint(), message, reader.at);
    } else if (wire === 1 || wire === 5) {
      const width = wire === 1 ? 8 : 4;
      const raw = message.read(reader.at, width);
      if (raw.length < width) throw new ProtobufError(start, 'a number cut short');
      reader.at += width;
      yield new Field(number, wire, width === 8 ? raw.readBigUInt64LE() : raw.readUInt32LE(), message, reader.at);
    } else if (wire === 2) {
      const length = Number(reader.varint());
      if (length > message.size - reader.at)
        throw new ProtobufError(start, `a field of ${length} bytes where ${message.size - reader.at} are left`);
      yield new Field(number, wire, length, message, reader.at);
      reader.at += length;
    } else {
      throw new ProtobufError(start, `wire type ${wire}`);
    }
  }
}

class VarintReader {
  at = 0;
  private ahead: Buffer = Buffer.alloc(0);
  private aheadAt = 0;

  constructor(private readonly message: Bytes) {}

  varint(): number | bigint {
    if (this.at < this.aheadAt || this.at + 10 > this.aheadAt + this.ahead.length) {
      this.ahead = this.message.read(this.at, AHEAD);
      this.aheadAt = this.at;
    }
    const start = this.at - this.aheadAt;
    let value = 0;
    for (let i = 0; i < 7; i++) {
      const byte = this.ahead[start + i];
      if (byte === undefined) throw new ProtobufError(this.at, 'a number cut short');
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) {
        this.at += i + 1;
        return value;
      }
    }
    return this.longVarint(start, BigInt(value));
  }

  private longVarint(start: number, low: bigint): bigint {
    let value = low;
    for (let i = 7; i < 10; i++) {
      const byte = this.ahead[start + i];
      if (byte === undefined) throw new ProtobufError(this.at, 'a number cut short');
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) {
        this.at += i + 1;
        return BigInt.asUintN(64, value);
      }
    }
    throw new ProtobufError(this.at, 'a number of more than ten bytes');
  }
}

/** A field that is text, at most 64 KiB of it. */
export function text(field: Field): string {
  return field.bytes.read(0, 65_536).toString('utf8');
}

/** A field that is a signed 64-bit number. */
export function int(field: Field): number {
  return signed(field.value);
}

/** The numbers of a repeated integer field, packed or one by one. */
export function ints(field: Field): number[] {
  if (field.wire !== 2) return [int(field)];
  const reader = new VarintReader(field.bytes);
  const numbers: number[] = [];
  while (reader.at < field.bytes.size) numbers.push(signed(reader.varint()));
  return numbers;
}

function signed(value: number | bigint): number {
  return typeof value === 'number' ? value : Number(BigInt.asIntN(64, value));
}
