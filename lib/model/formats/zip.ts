import { type Bytes, Cursor, TruncatedError } from './bytes';
import { type Expanded, inflateRaw } from './inflate';

/** One file of a zip, as one of the zip's two directories tells it. */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflate; others are named and not opened. */
  readonly method: number;
  /** Bit 0 says encrypted; a reader decides by it, an attacker sets it for show. */
  readonly flags: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Unix mode bits, 0 where the zip was made elsewhere. */
  readonly mode: number;
  /** Where the local header starts. */
  readonly headerOffset: number;
  /** Where the bytes start. */
  readonly dataOffset: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;

export function startsLikeZip(head: Buffer): boolean {
  return head.length >= 4 && (head.readUInt32LE() === LOCAL || head.readUInt32LE() === END);
}

/**
 * The files as the central directory at the end lists them: what unzip, Python's zipfile and torch read.
 *
 * @throws Error when there is no end record, or the directory is damaged
 */
export function centralEntries(bytes: Bytes): ZipEntry[] {
  const { offset, count, shift } = endRecords(bytes)[0]!;
  const entries = directoryAt(bytes, offset + shift, shift, count);
  if (entries.length < count) throw new Error(`the zip's directory lists ${count} files and ends after ${entries.length}`);
  return entries;
}

/** What a zip's directories list, and how many files its end record counts. */
export interface ZipListing {
  readonly entries: ZipEntry[];
  readonly told: number;
  /** How many files the directory holds that the end record points to. */
  readonly found: number;
}

/**
 * The files as any reader of directories would list them, at most `most`: by their count or by the directory's size, from where the end record
 * says or from where the directory must begin to end there (Python's zipfile), with zip64's record at either place.
 *
 * @throws Error when there is no end record
 */
export function listedEntries(bytes: Bytes, most: number): ZipListing {
  const records = endRecords(bytes);
  const entries = new Map<string, ZipEntry>();
  let found = 0;
  for (const [index, { offset, size, end, shift }] of records.entries()) {
    const starts: readonly [start: number, shift: number][] = [
      [offset + shift, shift],
      [offset, 0],
      [end - size, end - size - offset],
    ];
    for (const [view, [start, moved]] of starts.entries()) {
      const listed = start < 0 ? [] : directoryAt(bytes, start, moved, most);
      if (index === 0 && view === 0) found = listed.length;
      // a directory that is read from a wrong place names files where none begins, and no reader opens one there
      for (const entry of listed)
        if (entry.headerOffset >= 0 && (moved === 0 || beginsAt(bytes, entry.headerOffset))) entries.set(keyOf(entry), entry);
    }
  }
  return { entries: [...entries.values()].slice(0, most), told: records[0]!.count, found };
}

function beginsAt(bytes: Bytes, headerOffset: number): boolean {
  const mark = bytes.read(headerOffset, 4);
  return mark.length === 4 && mark.readUInt32LE() === LOCAL;
}

function keyOf({ name, method, headerOffset, compressedSize }: ZipEntry): string {
  return `${headerOffset} ${method} ${compressedSize} ${name}`;
}

/** The records from `start` on, as long as they are some, at most `most` of them. */
function directoryAt(bytes: Bytes, start: number, shift: number, most: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  const cursor = new Cursor(bytes, start);
  try {
    while (entries.length < most && cursor.left >= 46 && cursor.u32() === CENTRAL) entries.push(...centralRecord(bytes, cursor, shift));
  } catch (error) {
    if (!(error instanceof TruncatedError)) throw error;
  }
  return entries;
}

/** One file of the directory; two where its zip64 fields are there twice, of which readers take the first or the last. */
function centralRecord(bytes: Bytes, cursor: Cursor, shift: number): ZipEntry[] {
  const fixed = cursor.take(42);
  const name = cursor.take(fixed.readUInt16LE(24));
  const extra = cursor.take(fixed.readUInt16LE(26));
  cursor.skip(Math.min(fixed.readUInt16LE(28), cursor.left));
  const narrow = [fixed.readUInt32LE(20), fixed.readUInt32LE(16), fixed.readUInt32LE(38)];
  const [last, first] = [wideFields(extra, narrow, 'last'), wideFields(extra, narrow, 'first')];
  const both = last.every((value, index) => value === first[index]) ? [last] : [last, first];
  return both.map(([size, compressedSize, offset]) => {
    const headerOffset = offset! + shift;
    const local = headerOffset < 0 ? Buffer.alloc(0) : bytes.read(headerOffset, 30);
    const isLocal = local.length === 30 && local.readUInt32LE() === LOCAL;
    return {
      name: name.toString('utf8'),
      flags: fixed.readUInt16LE(4),
      method: fixed.readUInt16LE(6),
      crc: fixed.readUInt32LE(12),
      size: size!,
      compressedSize: compressedSize!,
      mode: fixed[1] === 3 ? fixed.readUInt32LE(34) >>> 16 : 0,
      headerOffset,
      dataOffset: headerOffset + 30 + (isLocal ? local.readUInt16LE(26) + local.readUInt16LE(28) : name.length),
    };
  });
}

/**
 * Sizes and offsets of 0xffffffff stand in the zip64 extra field, in the order size, compressed size, offset. Where there are several such
 * fields, Python's zipfile takes what it still needs from one after another, others the last.
 */
function wideFields(extra: Buffer, narrow: readonly number[], which: 'first' | 'last' = 'last'): number[] {
  let result = [...narrow];
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const wide = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    let next = 0;
    result = (which === 'first' ? result : narrow).map((value) => {
      if (value !== 0xffffffff || next + 8 > wide.length) return value;
      next += 8;
      return Number(wide.readBigUInt64LE(next - 8));
    });
  }
  return result;
}

interface EndRecord {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
  /** Where the directory ends. */
  readonly end: number;
  /** The length of what was put before the zip, which readers forgive. */
  readonly shift: number;
}

/** The end record, and before it zip64's, wherever readers look for it: at least one. @throws Error when there is none */
function endRecords(bytes: Bytes): EndRecord[] {
  const tailStart = Math.max(0, bytes.size - 65_557);
  const tail = bytes.read(tailStart, 65_557);
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(END);
  const at = tail.lastIndexOf(mark, tail.length - 22);
  if (at < 0) throw new Error('the zip has no end record: it was cut short, or is not a zip');
  const end = tailStart + at;
  const [size, offset] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
  const narrow = { offset, size, count: tail.readUInt16LE(at + 10), end, shift: Math.max(0, end - size - offset) };
  return [...wideEndRecords(bytes, end), narrow];
}

function wideEndRecords(bytes: Bytes, end: number): EndRecord[] {
  const locator = bytes.read(end - 20, 20);
  if (locator.length < 20 || locator.readUInt32LE() !== END64_LOCATOR) return [];
  const told = Number(locator.readBigUInt64LE(8));
  return [...new Set([told, end - 20 - 56])].flatMap((at) => {
    const record = bytes.read(at, 56);
    if (record.length < 56 || record.readUInt32LE() !== END64) return [];
    const [size, offset] = [Number(record.readBigUInt64LE(40)), Number(record.readBigUInt64LE(48))];
    return [{ offset, size, count: Number(record.readBigUInt64LE(32)), end: at, shift: Math.max(0, at - size - offset) }];
  });
}

/**
 * The files as the headers before each file tell them: what a streaming reader sees, and what is left when the directory lies or is gone.
 * Looks for every local header, also after a damaged one, and at most `most` of them.
 */
export function localEntries(bytes: Bytes, most = 100_000): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  while (entries.length < most && at + 30 <= bytes.size) {
    const found = findSignature(bytes, at, LOCAL);
    if (found === undefined) break;
    const entry = localEntry(bytes, found);
    if (entry === undefined) {
      at = found + 4;
      continue;
    }
    entries.push(entry);
    const sizeKnown = entry.compressedSize > 0 && (entry.flags & 8) === 0 && entry.dataOffset + entry.compressedSize <= bytes.size;
    at = entry.dataOffset + (sizeKnown ? entry.compressedSize : 0);
  }
  return entries;
}

function localEntry(bytes: Bytes, headerOffset: number): ZipEntry | undefined {
  const fixed = bytes.read(headerOffset, 30);
  if (fixed.length < 30) return undefined;
  const nameLength = fixed.readUInt16LE(26);
  const extraLength = fixed.readUInt16LE(28);
  const rest = bytes.read(headerOffset + 30, nameLength + extraLength);
  if (nameLength === 0 || rest.length < nameLength) return undefined;
  const wide = wideFields(rest.subarray(nameLength), [fixed.readUInt32LE(22), fixed.readUInt32LE(18)]);
  const dataOffset = headerOffset + 30 + nameLength + extraLength;
  return {
    name: rest.subarray(0, nameLength).toString('utf8'),
    flags: fixed.readUInt16LE(6),
    method: fixed.readUInt16LE(8),
    crc: fixed.readUInt32LE(14),
    size: wide[0]!,
    compressedSize: wide[1]!,
    mode: 0,
    headerOffset,
    dataOffset,
  };
}

const STEP = 1024 * 1024;

/** Room for one step through a large file, used again for the next: dead buffers would pile up. */
let room: Buffer | undefined;

/** One step's bytes, good until the next are read. */
function stepAt(bytes: Bytes, at: number): Buffer {
  if (bytes.size <= 8 * STEP) return bytes.read(at, STEP);
  room ??= Buffer.allocUnsafeSlow(STEP);
  return room.subarray(0, bytes.fill(room, at));
}

function findSignature(bytes: Bytes, from: number, signature: number): number | undefined {
  const wanted = Buffer.alloc(4);
  wanted.writeUInt32LE(signature);
  for (let at = from; at < bytes.size; at += STEP - 3) {
    const found = stepAt(bytes, at).indexOf(wanted);
    if (found >= 0) return at + found;
  }
  return undefined;
}

/** The bytes of a stored file, without a copy; undefined for a compressed one. */
export function storedBytes(bytes: Bytes, entry: ZipEntry): Bytes | undefined {
  return entry.method === 0 ? bytes.slice(entry.dataOffset, entry.compressedSize) : undefined;
}

/** A file's content, at most `limit` bytes of it. @throws Error for a method other than stored and deflate */
export function expandEntry(bytes: Bytes, entry: ZipEntry, limit: number, until?: number): Expanded {
  if (entry.method === 0) {
    const output = bytes.read(entry.dataOffset, Math.min(entry.compressedSize, limit));
    return { output, consumed: output.length, stopped: output.length < entry.compressedSize ? 'limit' : 'end' };
  }
  if (entry.method !== 8) throw new Error(`${entry.name} is compressed by zip method ${entry.method}, which is not read`);
  const told = entry.compressedSize > 0 ? entry.compressedSize : bytes.size - entry.dataOffset;
  // deflate never needs more than five bytes for each 65,535 of output, plus what a stored byte takes
  return inflateRaw(bytes.read(entry.dataOffset, Math.min(told, limit + Math.ceil(limit / 16_384) * 5 + 64)), limit, until);
}
