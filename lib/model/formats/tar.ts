import type { Bytes } from './bytes';

/** One entry of a tar, as ustar, GNU tar and pax write them. */
export interface TarEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  readonly size: number;
  readonly mode: number;
  /** What a link leads to. */
  readonly target: string;
  /** Where the bytes start. */
  readonly offset: number;
}

const BLOCK = 512;
const LONGEST_EXTENSION = 1024 * 1024;
const KINDS: Record<string, TarEntry['kind']> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'directory',
};

/** Whether the block is a tar header: its checksum says so, which text and weights do not survive. */
export function startsLikeTar(head: Buffer): boolean {
  return head.length >= BLOCK && head[0] !== 0 && checksum(head) === octal(head, 148, 8);
}

/**
 * Lists a tar. A forgiving reading ends where a strict one throws, and tells why.
 *
 * @throws Error where a header's checksum is wrong or the last entry is cut short
 */
export function tarEntries(
  bytes: Bytes,
  most = 1_000_000,
  reading: 'strict' | 'forgiving' = 'strict',
  ended?: (why: string) => void,
): TarEntry[] {
  const entries: TarEntry[] = [];
  let pax: Record<string, string> = {};
  let longPath: string | undefined;
  let longTarget: string | undefined;
  for (let at = 0; at + BLOCK <= bytes.size && entries.length < most; ) {
    const head = bytes.read(at, BLOCK);
    if (head.every((byte) => byte === 0)) break;
    let fault: string | undefined;
    if (checksum(head) !== octal(head, 148, 8)) fault = `the tar header at byte ${at} is damaged`;
    const type = String.fromCharCode(head[156]!);
    const size = pax.size === undefined ? number(head, 124, 12) : Number(pax.size);
    const offset = at + BLOCK;
    if (!Number.isSafeInteger(size) || size < 0 || offset + size > bytes.size)
      fault ??= `the tar is cut short: ${text(head, 0, 100)} claims ${size} bytes and ${bytes.size - offset} are left`;
    if (fault !== undefined) {
      if (reading === 'strict') throw new Error(fault);
      ended?.(fault);
      break;
    }
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'x') pax = { ...pax, ...paxRecords(bytes.read(offset, Math.min(size, LONGEST_EXTENSION))) };
    else if (type === 'L') longPath = text(bytes.read(offset, Math.min(size, LONGEST_EXTENSION)), 0, size);
    else if (type === 'K') longTarget = text(bytes.read(offset, Math.min(size, LONGEST_EXTENSION)), 0, size);
    else if (type !== 'g') {
      const prefix = head.toString('latin1', 257, 262) === 'ustar' && head[262] === 0 ? text(head, 345, 155) : '';
      entries.push({
        path: pax.path ?? longPath ?? (prefix === '' ? text(head, 0, 100) : `${prefix}/${text(head, 0, 100)}`),
        kind: KINDS[type] ?? 'other',
        size,
        mode: octal(head, 100, 8) & 0o7777,
        target: pax.linkpath ?? longTarget ?? text(head, 157, 100),
        offset,
      });
      pax = {};
      longPath = undefined;
      longTarget = undefined;
    }
  }
  return entries;
}

function checksum(head: Buffer): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : head[i]!;
  return sum;
}

function octal(head: Buffer, at: number, length: number): number {
  const digits = text(head, at, length).trim();
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** GNU's base-256 for sizes over 8 GiB: the first bit set, the rest a number. */
function number(head: Buffer, at: number, length: number): number {
  if ((head[at]! & 0x80) === 0) return octal(head, at, length);
  let value = head[at]! & 0x7f;
  for (let i = 1; i < length; i++) value = value * 256 + head[at + i]!;
  return value;
}

function text(buffer: Buffer, at: number, length: number): string {
  const end = buffer.indexOf(0, at);
  return buffer.toString('utf8', at, end < 0 || end > at + length ? at + length : end);
}

/** `length key=value\n`, the length counting itself. */
function paxRecords(body: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(body.toString('latin1', at, space));
    if (!Number.isInteger(length) || length <= space - at) break;
    const record = body.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    records[record.slice(0, equals)] = record.slice(equals + 1);
    at += length;
  }
  return records;
}
