import { type Bytes, readExactly } from './bytes';

/** The addresses of an HDF5 file, from its superblock on, and numbers of the sizes that the superblock gives. */
export class Hdf5Space {
  constructor(
    readonly bytes: Bytes,
    readonly offsetSize: number,
    readonly lengthSize: number,
  ) {}

  at(address: number, length: number): Buffer {
    return readExactly(this.bytes, address, length);
  }

  /** Undefined where all bits are set, which stands for none. */
  address(buffer: Buffer, at: number): number | undefined {
    const raw = buffer.subarray(at, at + this.offsetSize);
    if (raw.length === this.offsetSize && raw.every((byte) => byte === 0xff)) return undefined;
    return this.uint(buffer, at, this.offsetSize);
  }

  needed(buffer: Buffer, at: number): number {
    const address = this.address(buffer, at);
    if (address === undefined) throw new Error('an address that is needed is not given');
    return address;
  }

  size(buffer: Buffer, at: number): number {
    return this.uint(buffer, at, this.lengthSize);
  }

  /** A little-endian number of any width. @throws RangeError past the buffer's end, and above 2^53 */
  uint(buffer: Buffer, at: number, width: number): number {
    if (at < 0 || at + width > buffer.length) throw new RangeError(`a number of ${width} bytes where ${buffer.length - at} are left`);
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + buffer[at + i]!;
    if (!Number.isSafeInteger(value)) throw new RangeError(`a length or an address of ${value} cannot be true`);
    return value;
  }
}

/** Bytes that a number up to `most` takes. */
export function widthOf(most: number): number {
  return Math.floor(Math.log2(Math.max(1, most)) / 8) + 1;
}
