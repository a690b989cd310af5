import { BufferBytes, type Bytes } from '../formats/bytes';
import { type Compression, decompress } from '../formats/compression';
import type { Expanded } from '../formats/inflate';
import { tarEntries } from '../formats/tar';
import { expandEntry, listedEntries, localEntries, startsLikeZip, storedBytes, type ZipEntry, type ZipListing } from '../formats/zip';
import type { PartHint, ScanContext } from './scan-context';

const MOST_ENTRIES = 20_000;

/** Scans a zip as both of its directories tell it: readers go by the one at the end, streams and repairers by the headers in between. */
export function scanZip(bytes: Bytes, path: string, context: ScanContext, depth: number): void {
  const central = directoryOf(bytes);
  const local = localEntries(bytes, MOST_ENTRIES + 1);
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
  const listed = central?.entries ?? [];
  const byOffset = new Map(listed.map((entry) => [entry.headerOffset, entry]));
  const inner = listed.filter((entry) => storedZip(bytes, entry));
  const entries = [...listed, ...local.filter((entry) => !covers(byOffset.get(entry.headerOffset), entry) && !isWithin(entry, inner))];
  if (entries.length > MOST_ENTRIES) tooMany('zip', path, context);
  for (const entry of entries.slice(0, MOST_ENTRIES)) scanEntry(bytes, entry, path, context, depth);
}

/** The files that a zip's directories list; undefined where it has none. */
function directoryOf(bytes: Bytes): ZipListing | undefined {
  try {
    return listedEntries(bytes, MOST_ENTRIES + 1);
  } catch {
    return undefined;
  }
}

/** Whether a zip's directory is there, and lists anything. */
export function listsFiles(bytes: Bytes): boolean {
  return (directoryOf(bytes)?.entries.length ?? 0) > 0;
}

/** The files of a zip by its directories, else by the headers before each. */
export function zipEntries(bytes: Bytes): ZipEntry[] {
  return directoryOf(bytes)?.entries ?? localEntries(bytes, MOST_ENTRIES);
}

/** Whether a file's header says nothing that the directory has not said. Streams are written before their size is known. */
function covers(listed: ZipEntry | undefined, { name, method, compressedSize, flags }: ZipEntry): boolean {
  if (listed === undefined || listed.name !== name || listed.method !== method) return false;
  return listed.compressedSize === compressedSize || (compressedSize === 0 && (flags & 8) !== 0);
}

/** Whether a listed file is a zip that is stored as it is: the headers in it are looked at with it, and once more would double with each level. */
function storedZip(bytes: Bytes, entry: ZipEntry): boolean {
  return startsLikeZip(storedBytes(bytes, entry)?.read(0, 4) ?? Buffer.alloc(0));
}

function isWithin({ headerOffset }: ZipEntry, files: readonly ZipEntry[]): boolean {
  return files.some(({ dataOffset, compressedSize }) => headerOffset >= dataOffset && headerOffset < dataOffset + compressedSize);
}

function tooMany(what: 'zip' | 'tar', path: string, context: ScanContext): void {
  context.add({
    grade: 'dangerous',
    code: 'too-many-entries',
    path,
    message: `the ${what} holds more than ${MOST_ENTRIES} files: the rest was not looked at`,
  });
}

/** A file that only one of the directories has, or that they name or compress differently. */
function differences({ entries, told, found }: ZipListing, local: readonly ZipEntry[], path: string, context: ScanContext): void {
  if (told !== found && found <= MOST_ENTRIES) {
    context.add({
      grade: 'unknown',
      code: 'zip-views-differ',
      path,
      message: `the zip's end counts ${told} files and its directory holds ${found}: two readers see two things`,
    });
  }
  const byOffset = new Map(local.map((entry) => [entry.headerOffset, entry]));
  for (const entry of entries) {
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
  if (expanded.stopped === 'broken') {
    context.add({
      grade: 'unknown',
      code: 'compressed-broken',
      path,
      message: 'the compressed stream is broken, or goes on in a way that is not read: what comes after was not looked at',
    });
  }
  if (expanded.stopped === 'limit') {
    context.add({
      grade: 'dangerous',
      code: 'expands-too-far',
      path,
      message: `it expands to more than ${context.limits.expandedBytes} bytes: what comes after was not looked at, and may do anything`,
    });
  }
  scanPart(expanded, path, context, depth);
}

function scanPart({ output }: Expanded, path: string, context: ScanContext, depth: number): void {
  if (output.length > 0) context.part(new BufferBytes(output), path, depth + 1);
}

/** A whole file that is compressed: joblib's, or an archive's. False where it only begins like one: a text may. */
export function scanCompressed(
  bytes: Bytes,
  compression: Compression,
  path: string,
  context: ScanContext,
  depth: number,
  { embedded = false, text = false }: PartHint & { readonly text?: boolean },
): boolean {
  const expanded = decompress(bytes, compression, context.allowance, context.deadline);
  const broken = expanded.stopped === 'broken';
  if (broken && text) {
    scanPart(expanded, `${path}!${compression}`, context, depth);
    return false;
  }
  // any bytes may begin like a compressed stream: inside of others it is one only if it also ends like one
  if (embedded && broken) return true;
  scanExpanded(expanded, `${path}!${compression}`, context, depth);
  if (!embedded && expanded.stopped === 'end' && expanded.consumed < bytes.size) {
    context.add({
      grade: 'unknown',
      code: 'compressed-trailing',
      path,
      offset: expanded.consumed,
      message: `${bytes.size - expanded.consumed} bytes follow the compressed stream, and are none that is known`,
    });
  }
  return true;
}

export function scanTar(bytes: Bytes, path: string, context: ScanContext, depth: number): true {
  const entries = tarEntries(bytes, MOST_ENTRIES + 1, 'forgiving', (fault) =>
    context.add({ grade: 'unknown', code: 'tar-broken', path, message: `${fault}: what comes after was not looked at` }),
  );
  if (entries.length > MOST_ENTRIES) tooMany('tar', path, context);
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
