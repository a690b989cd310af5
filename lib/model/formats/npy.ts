import type { Bytes } from './bytes';

export interface NpyHeader {
  /** In numpy's words; `object` is an embedded pickle. */
  readonly type: string;
  readonly shape: number[];
  readonly fortranOrder: boolean;
  /** Where the numbers (or the pickle) begin. */
  readonly dataOffset: number;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

export function startsLikeNpy(head: Buffer): boolean {
  return head.subarray(0, 6).equals(MAGIC);
}

/** Reads the header of a .npy file (numpy.lib.format, versions 1-3). @throws Error when it is damaged */
export function readNpy(bytes: Bytes): NpyHeader {
  const head = bytes.read(0, 12);
  if (head.length < 10 || !startsLikeNpy(head)) throw new Error('it does not start with \\x93NUMPY');
  const wide = head[6]! >= 2;
  const length = wide ? head.readUInt32LE(8) : head.readUInt16LE(8);
  const start = wide ? 12 : 10;
  if (start + length > bytes.size) throw new Error(`its header claims ${length} bytes and the file has ${bytes.size}`);
  const header = bytes.read(start, Math.min(length, 65_536)).toString('utf8');
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header);
  if (shape === null) throw new Error(`its header names no shape: ${header.slice(0, 80)}`);
  return {
    type: numpyType(/'descr':\s*'([^']*)'/.exec(header)?.[1] ?? 'V'),
    shape: shape[1]!
      .split(',')
      .map((size) => size.trim())
      .filter((size) => size !== '')
      .map(Number),
    fortranOrder: /'fortran_order':\s*True/.test(header),
    dataOffset: start + length,
  };
}

/** A dtype string such as `<f4` in words. */
export function numpyType(descr: string): string {
  const match = /^[<>|=]?([a-zA-Z?])(\d*)/.exec(descr);
  const kind = match?.[1] ?? 'V';
  const bits = Number(match?.[2] ?? 0) * 8;
  if (kind === 'f') return `float${bits}`;
  if (kind === 'i') return `int${bits}`;
  if (kind === 'u') return `uint${bits}`;
  if (kind === 'c') return `complex${bits}`;
  if (kind === 'b' || kind === '?') return 'bool';
  if (kind === 'O') return 'object';
  if (kind === 'U' || kind === 'S' || kind === 'a') return 'string';
  if (kind === 'M' || kind === 'm') return 'datetime';
  return 'structured';
}
