/**
 * The tar format as written here (POSIX.1-2001, "pax"): one 512-byte header a member, its bytes padded to 512, two empty headers at the
 * end. What a plain header cannot hold (a name over 100 bytes or not ASCII, 8 GiB and more) stands in an extended header before it.
 * Owner 0, group 0 and one fixed time, so that equal files make equal bytes.
 */

export interface TarMember {
  /** Path with `/`; a directory's ends in `/`. */
  readonly path: string;
  readonly mode: number;
  /** Bytes; 0 for a directory. */
  readonly size: number;
}

export const RECORD = 512;

/** 1980-01-01T00:00:00Z in seconds: the earliest time that every archive format and reader takes without complaint. */
export const FIXED_TIME = 315_532_800;

/** Bytes that end a tar file. */
export const TAR_END = Buffer.alloc(2 * RECORD);

const NAME_BYTES = 100;
/** Eleven octal digits. */
const LARGEST_PLAIN_SIZE = 0o77777777777;

/** The header of one member, with its extended header before it where it needs one. */
export function tarHeader({ path, mode, size }: TarMember): Buffer {
  const records: [string, string][] = [];
  const name = Buffer.from(path);
  if (name.length > NAME_BYTES || /[^\x20-\x7e]/.test(path)) records.push(['path', path]);
  if (size > LARGEST_PLAIN_SIZE) records.push(['size', `${size}`]);

  const type = path.endsWith('/') ? '5' : '0';
  const plain = record(asciiName(path), mode, Math.min(size, LARGEST_PLAIN_SIZE), type);
  if (records.length === 0) return plain;
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([record('PaxHeader', 0o644, body.length, 'x'), body, Buffer.alloc(padding(body.length)), plain]);
}

/** Bytes between the end of `size` bytes and the next header. */
export function padding(size: number): number {
  return (RECORD - (size % RECORD)) % RECORD;
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + `${rest}`.length;
  if (`${length}`.length > `${rest}`.length) length++;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

/** What readers without pax see: the name cut to 100 bytes, everything but printable ASCII as `_`. */
function asciiName(path: string): string {
  const ascii = path.replace(/[^\x20-\x7e]/g, '_');
  return path.endsWith('/') ? `${ascii.slice(0, -1).slice(0, NAME_BYTES - 1)}/` : ascii.slice(0, NAME_BYTES);
}

function record(name: string, mode: number, size: number, type: string): Buffer {
  const header = Buffer.alloc(RECORD);
  header.write(name, 0, NAME_BYTES, 'latin1');
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(FIXED_TIME, 11), 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\0' + '00', 257);
  header.write(octal(0, 7), 329);
  header.write(octal(0, 7), 337);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
