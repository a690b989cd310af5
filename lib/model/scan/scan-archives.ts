import { BufferBytes, type Bytes } from '../formats/bytes';
import { type Compression, decompress } from '../formats/compression';
import type { Expanded } from '../formats/inflate';
import { tarEntries } from '../formats/tar';
import { centralEntries, expandEntry, localEntries, storedBytes, type ZipEntry } from '../formats/zip';
import type { PartHint, ScanContext } from './scan-context';

const MOST_ENTRIES = 20_000;

/** Scans a zip as both of its directories tell it: readers go by the one at the end, streams and repairers by the headers in between. */
export function scanZip(bytes: Bytes, path: string, context: ScanContext, depth: number): void {
  const central = listed(() => centralEntries(bytes));
  const local = localEntries(bytes, MOST_ENTRIES);
  if (central === undefined && local.length === 0) return;
  if (central === undefined) {
    context.add({
      grade: 'unknown',
      code: 'zip-no-directory',
      path,
      message: 'the zip has no directory at its end: it was cut short, or is made for readers that need none',
    });
  } else {
    differences(central, local, path, context);
  }
  const done = new Set<string>();
  for (const entry of [...(central ?? []), ...local]) {
    const key = `${entry.dataOffset} ${entry.method} ${entry.name}`;
    if (done.has(key)) continue;
    if (done.size >= MOST_ENTRIES) {
      context.add({
        grade: 'unknown',
        code: 'too-many-entries',
        path,
        message: `the zip holds more than ${MOST_ENTRIES} files: the rest was not looked at`,
      });
      return;
    }
    done.add(key);
    scanEntry(bytes, entry, path, context, depth);
  }
}

function listed(read: () => ZipEntry[]): ZipEntry[] | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A file that only one of the directories has, or that they name or compress differently. */
function differences(central: readonly ZipEntry[], local: readonly ZipEntry[], path: string, context: ScanContext): void {
  const byOffset = new Map(local.map((entry) => [entry.headerOffset, entry]));
  for (const entry of central) {
    const other = byOffset.get(entry.headerOffset);
    if (other === undefined || (other.name === entry.name && other.method === entry.method)) continue;
    context.add({
      grade: 'unknown',
      code: 'zip-views-differ',
      path: `${path}!${entry.name}`,
      offset: entry.headerOffset,
      message: `the zip calls one file ${entry.name} and ${other.name}: two readers see two things`,
    });
  }
}

function scanEntry(bytes: Bytes, entry: ZipEntry, path: string, context: ScanContext, depth: number): void {
  const inner = `${path}!${entry.name}`;
  if (leavesFolder(entry.name)) {
    context.add({
      grade: 'dangerous',
      code: 'zip-slip',
      path: inner,
      offset: entry.headerOffset,
      name: entry.name,
      message: `unpacked, it would write to ${entry.name}, outside of where it is unpacked`,
    });
  }
  if ((entry.mode & 0o170000) === 0o120000) {
    context.add({ grade: 'unknown', code: 'zip-link', path: inner, offset: entry.headerOffset, message: 'a symbolic link inside a zip' });
  }
  if (entry.name.endsWith('/') && entry.compressedSize === 0) return;
  if ((entry.flags & 1) !== 0) {
    context.add({
      grade: 'unknown',
      code: 'zip-encrypted',
      path: inner,
      offset: entry.headerOffset,
      message: 'it says that it is encrypted; what could be looked into was',
    });
  }
  const stored = storedBytes(bytes, entry);
  if (stored !== undefined) {
    const content = entry.compressedSize === 0 ? bytes.slice(entry.dataOffset, context.allowance) : stored;
    if (content.size > 0) context.part(content, inner, depth + 1);
    return;
  }
  const expanded = expandedEntry(bytes, entry, inner, context);
  if (expanded !== undefined) scanExpanded(expanded, inner, context, depth);
}

/** bzip2 and LZMA are zip's methods 12 and 14. */
function expandedEntry(bytes: Bytes, entry: ZipEntry, inner: string, context: ScanContext): Expanded | undefined {
  const limit = context.allowance;
  if (entry.method === 8) return expandEntry(bytes, entry, limit, context.deadline);
  const data = bytes.slice(entry.dataOffset, entry.compressedSize > 0 ? entry.compressedSize : undefined);
  if (entry.method === 12) return decompress(data, 'bz2', limit, context.deadline);
  if (entry.method === 14) {
    // two bytes of version, two of length, then LZMA's five of settings, and no length of the content
    const unsized = Buffer.concat([data.read(4, 5), Buffer.alloc(8, 0xff), data.read(9, data.size)]);
    return decompress(new BufferBytes(unsized), 'lzma', limit, context.deadline);
  }
  context.add({
    grade: 'unknown',
    code: 'zip-method',
    path: inner,
    offset: entry.headerOffset,
    message: `compressed or encrypted by zip method ${entry.method}, which cannot be looked into`,
  });
  return undefined;
}

function scanExpanded(expanded: Expanded, path: string, context: ScanContext, depth: number): void {
  context.spend(expanded.output.length);
  if (expanded.stopped === 'limit') {
    context.add({
      grade: 'unknown',
      code: 'expands-too-far',
      path,
      message: `it expands to more than ${context.limits.expandedBytes} bytes: what comes after was not looked at`,
    });
  }
  if (expanded.output.length > 0) context.part(new BufferBytes(expanded.output), path, depth + 1);
}

/** A whole file that is compressed: joblib's, or an archive's. */
export function scanCompressed(
  bytes: Bytes,
  compression: Compression,
  path: string,
  context: ScanContext,
  depth: number,
  hint: PartHint,
): true {
  const expanded = decompress(bytes, compression, context.allowance, context.deadline);
  // any bytes may begin like a compressed stream: inside of others it is one only if it also ends like one
  if (hint.embedded !== true || expanded.stopped !== 'broken') scanExpanded(expanded, `${path}!${compression}`, context, depth);
  return true;
}

export function scanTar(bytes: Bytes, path: string, context: ScanContext, depth: number): true {
  const entries = tarEntries(bytes, MOST_ENTRIES, 'forgiving');
  for (const { path: name, kind, target, offset, size } of entries) {
    const inner = `${path}!${name}`;
    if (leavesFolder(name)) {
      context.add({
        grade: 'dangerous',
        code: 'tar-slip',
        path: inner,
        offset,
        name,
        message: `unpacked, it would write to ${name}, outside of where it is unpacked`,
      });
    }
    if (kind === 'symlink' || kind === 'hardlink') {
      const outside = leavesFolder(target) || leavesFolder([...name.split('/').slice(0, -1), target].join('/'));
      context.add({
        grade: outside ? 'dangerous' : 'unknown',
        code: 'tar-link',
        path: inner,
        offset,
        name: target,
        message: `a link to ${target}${outside ? ', outside of where it is unpacked' : ''}`,
      });
    }
    if (kind === 'file' && size > 0) context.part(bytes.slice(offset, size), inner, depth + 1);
  }
  return true;
}

/** Absolute, on another drive, or above where it starts. */
function leavesFolder(name: string): boolean {
  if (/^([/\\]|[A-Za-z]:)/.test(name)) return true;
  let depth = 0;
  for (const part of name.split(/[/\\]/)) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
