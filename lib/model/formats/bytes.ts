import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes that are read where they are needed: a file, a buffer, or a part of either. */
export interface Bytes {
  readonly size: number;
  /** Reads at most `length` bytes from `offset`; fewer only at the end. The result may share memory: do not write to it. */
  read(offset: number, length: number): Buffer;
  /** Reads from `offset` into `target`, as much as there is and fits. @returns how many bytes */
  fill(target: Buffer, offset: number): number;
  /** The part from `offset`, at most `length` bytes long. */
  slice(offset: number, length?: number): Bytes;
}

/** Bytes that were promised by a length field and are not there. */
export class TruncatedError extends Error {
  constructor(offset: number, wanted: number, size: number) {
    super(`ends at byte ${size}, but ${wanted} bytes were expected at byte ${offset}`);
    this.name = 'TruncatedError';
  }
}

/** Reads exactly `length` bytes. @throws TruncatedError when there are fewer */
export function readExactly(bytes: Bytes, offset: number, length: number): Buffer {
  if (offset < 0 || length < 0 || offset + length > bytes.size) throw new TruncatedError(offset, length, bytes.size);
  return bytes.read(offset, length);
}

export class BufferBytes implements Bytes {
  readonly size: number;

  constructor(private readonly buffer: Buffer) {
    this.size = buffer.length;
  }

  read(offset: number, length: number): Buffer {
    return this.buffer.subarray(clamp(offset, this.size), clamp(offset + length, this.size));
  }

  fill(target: Buffer, offset: number): number {
    return this.buffer.copy(target, 0, clamp(offset, this.size));
  }

  slice(offset: number, length = this.size - offset): Bytes {
    return new BufferBytes(this.read(offset, length));
  }
}

const WINDOW = 64 * 1024;

/** Windows of files that were closed, for the next: dead buffers would pile up. */
const IDLE: Buffer[] = [];
const MOST_IDLE = 4;

/** A file read by position, through one window of 64 KiB; holds a descriptor until closed. */
export class FileBytes implements Bytes {
  readonly size: number;
  private readonly descriptor: number;
  private window: Buffer | undefined;
  private windowStart = 0;
  private windowLength = 0;

  /** @throws the file system's error when the file cannot be opened */
  constructor(path: string) {
    this.descriptor = openSync(path, 'r');
    this.size = fstatSync(this.descriptor).size;
  }

  read(offset: number, length: number): Buffer {
    const start = clamp(offset, this.size);
    const wanted = clamp(offset + length, this.size) - start;
    if (wanted > WINDOW / 2) return this.readInto(Buffer.allocUnsafe(wanted), start, wanted);
    this.window ??= IDLE.pop() ?? Buffer.allocUnsafeSlow(WINDOW);
    if (start < this.windowStart || start + wanted > this.windowStart + this.windowLength) {
      this.windowStart = start;
      this.windowLength = this.readInto(this.window, start, Math.min(WINDOW, this.size - start)).length;
    }
    const from = start - this.windowStart;
    return Buffer.from(this.window.subarray(from, Math.min(from + wanted, this.windowLength)));
  }

  fill(target: Buffer, offset: number): number {
    const start = clamp(offset, this.size);
    return this.readInto(target, start, Math.min(target.length, this.size - start)).length;
  }

  slice(offset: number, length = this.size - offset): Bytes {
    return new PartBytes(this, offset, length);
  }

  close(): void {
    closeSync(this.descriptor);
    if (this.window !== undefined && IDLE.length < MOST_IDLE) IDLE.push(this.window);
    this.window = undefined;
    this.windowLength = 0;
  }

  private readInto(target: Buffer, offset: number, length: number): Buffer {
    let filled = 0;
    while (filled < length) {
      const count = readSync(this.descriptor, target, filled, length - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return target.subarray(0, filled);
  }
}

/** A part of other bytes. */
export class PartBytes implements Bytes {
  readonly size: number;

  constructor(
    private readonly whole: Bytes,
    private readonly start: number,
    length: number,
  ) {
    this.size = Math.max(0, Math.min(length, whole.size - start));
  }

  read(offset: number, length: number): Buffer {
    const from = clamp(offset, this.size);
    return this.whole.read(this.start + from, clamp(offset + length, this.size) - from);
  }

  fill(target: Buffer, offset: number): number {
    const from = clamp(offset, this.size);
    return this.whole.fill(target.subarray(0, this.size - from), this.start + from);
  }

  slice(offset: number, length = this.size - offset): Bytes {
    return new PartBytes(this.whole, this.start + clamp(offset, this.size), Math.min(length, this.size - clamp(offset, this.size)));
  }
}

/** Opens a file for the time of `use`. */
export function withFile<T>(path: string, use: (bytes: FileBytes) => T): T {
  const file = new FileBytes(path);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

/** A place in bytes that moves on as numbers are read from it. Little-endian unless the name says otherwise. */
export class Cursor {
  constructor(
    readonly bytes: Bytes,
    public at = 0,
  ) {}

  get left(): number {
    return this.bytes.size - this.at;
  }

  take(length: number): Buffer {
    const taken = readExactly(this.bytes, this.at, length);
    this.at += length;
    return taken;
  }

  skip(length: number): void {
    if (length < 0 || length > this.left) throw new TruncatedError(this.at, length, this.bytes.size);
    this.at += length;
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  u16(): number {
    return this.take(2).readUInt16LE();
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  /** @throws RangeError above 2^53, which no length or offset in a real file reaches */
  u64(): number {
    return exact(this.take(8).readBigUInt64LE());
  }
}

/** A 64-bit number as a JavaScript one. @throws RangeError where that would lose digits */
export function exact(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`a length or offset of ${value} cannot be true`);
  return number;
}

function clamp(value: number, size: number): number {
  return Math.max(0, Math.min(value, size));
}
