/**
 * The gzip format as written here (RFC 1952): one member, whose deflate data (RFC 1951) is a row of pieces. A piece is deflate blocks of
 * which none is the last, ended on a byte boundary; so pieces made apart can be written one after the other.
 *
 * One member only: Python's `tarfile` in its streaming mode stops after the first.
 */

/** Magic, deflate, no flags, no time, no extra flags, unknown system: nothing that differs between machines. */
export const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** A deflate block that holds nothing and is the last. */
const LAST_BLOCK = Buffer.from([0x03, 0x00]);

/** The most bytes that one stored block can hold. */
export const LARGEST_STORED = 65_535;

/** What a stored block adds. */
export const STORED_OVERHEAD = 5;

/** What ends the member: the last block, the CRC-32 of the uncompressed bytes, and how many they are modulo 2^32. */
export function gzipEnd(crc: number, bytes: number): Buffer {
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc >>> 0, 0);
  end.writeUInt32LE(bytes % 2 ** 32, 4);
  return Buffer.concat([LAST_BLOCK, end]);
}

/** Stored blocks for `bytes`, as views that copy none of them. */
export function storedPieces(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += LARGEST_STORED) {
    const part = bytes.subarray(start, start + LARGEST_STORED);
    pieces.push(storedHeader(part.length), part);
  }
  return pieces;
}

/** The header of a stored block on a byte boundary: not the last, its length, and the complement of that. */
export function storedHeader(length: number): Buffer {
  const header = Buffer.alloc(STORED_OVERHEAD);
  header.writeUInt16LE(length, 1);
  header.writeUInt16LE(~length & 0xffff, 3);
  return header;
}

/**
 * The CRC-32 of two byte strings one after the other, from the CRC-32 of each. A CRC is a remainder of polynomials over GF(2), so
 * that bytes that follow multiply it by x^(8 * their number).
 */
export function crc32Combine(first: number, second: number, secondLength: number): number {
  return (multiply(first, powerOfX(8 * secondLength)) ^ second) >>> 0;
}

/** CRC-32's polynomial without x^32, bits reversed: bit 31 is x^0. */
const POLYNOMIAL = 0xedb88320;
const ONE = 0x80000000;

function multiply(a: number, b: number): number {
  let product = 0;
  for (let factor = a, term = b; factor !== 0; factor <<= 1) {
    if (factor & ONE) product ^= term;
    term = (term >>> 1) ^ (term & 1 ? POLYNOMIAL : 0);
  }
  return product >>> 0;
}

/** x^exponent modulo the polynomial, by squaring. */
function powerOfX(exponent: number): number {
  let result = ONE;
  let square = ONE >>> 1;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}
