import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { readError } from '../digest';
import { type Bytes, FileBytes } from '../formats/bytes';
import { HeldRoom } from '../formats/held-bytes';
import { type ModelTree, openTree } from '../inspect/model-tree';
import { ModelError } from '../model-error';
import { type Grade, type ScanFinding, worst } from './grade';
import { scanContent } from './scan-content';
import { ScanContext, type ScanLimits } from './scan-context';
import { ScanMemory } from './scan-memory';

export interface ScanOptions {
  /** @default - 0.5 s for each MiB and 16 times the size once expanded, at least 0.5 s and 32 MiB, at most 60 s and 1 GiB; 8 deep */
  readonly limits?: Partial<ScanLimits>;
  /** Where the grades of unchanged files are remembered. @default - `$XDG_CACHE_HOME/cdk-fledge`, else `~/.cache/cdk-fledge` */
  readonly cacheDirectory?: string;
}

/** What one file was graded. */
export interface FileScan {
  /** Below the scanned directory; the file's own name where a file was scanned. */
  readonly path: string;
  readonly size: number;
  readonly grade: Grade;
  readonly findings: readonly ScanFinding[];
  /** SHA-256 in hexadecimal, of files that are not safe: what an exception in model.yaml names. */
  readonly sha256?: string;
}

export interface ScanReport {
  /** What was scanned, as the caller named it. */
  readonly subject: string;
  readonly source: 'directory' | 'archive' | 'file';
  /** The worst of its files. */
  readonly grade: Grade;
  readonly files: readonly FileScan[];
  readonly bytes: number;
}

const MEGABYTE = 1024 * 1024;

/** By size: a small file has no use for minutes and gigabytes, an attacker has. */
function defaultLimits(size: number): ScanLimits {
  return {
    milliseconds: Math.min(60_000, Math.max(500, (500 * size) / MEGABYTE)),
    expandedBytes: Math.min(1024 * MEGABYTE, Math.max(32 * MEGABYTE, 16 * size)),
    depth: 8,
  };
}

/**
 * Looks for code in a model's files: by content, whatever their names, and without executing or importing anything. Each file has limits
 * of its own on time, memory and depth; a file of which something lies beyond them is graded dangerous.
 *
 * @param path a directory, or a .tar.gz archive of one, or one file
 * @throws ModelError `not-found`, `unreadable`, and what `inspect` throws for links that lead out and archives that are none
 */
export function scan(path: string, options: ScanOptions = {}): ScanReport {
  const tree = openModel(path);
  if (tree === undefined) return scanOneFile(path, options);
  try {
    return scanTree(tree, options);
  } finally {
    tree.close();
  }
}

/** A directory, or an archive, which is unpacked to disk; undefined for a file by itself, which an archive is too that is not safe to unpack. */
export function openModel(path: string): ModelTree | undefined {
  if (!isPlainFile(path)) return openTree(path);
  if (!/\.(tar\.gz|tgz)$/i.test(path)) return undefined;
  try {
    return openTree(path);
  } catch (error) {
    if (error instanceof ModelError && /^(unsafe|not-an)-archive$/.test(error.code)) return undefined;
    throw error;
  }
}

/** Scans a model's files where they are open already. */
export function scanTree(tree: ModelTree, options: ScanOptions = {}): ScanReport {
  const remembers = tree.source === 'directory' && options.limits === undefined;
  const memory = remembers ? new ScanMemory(tree.directory, options.cacheDirectory) : undefined;
  const scans = tree.files.map((file) => {
    const scanNow = () => file.open((bytes) => scanFile(bytes, file.path, options));
    return memory === undefined ? scanNow() : memory.recall(file, scanNow);
  });
  memory?.save(tree.files.map(({ path }) => path));
  return reportOf(tree.given, tree.source, scans);
}

/** One report of several files' scans. */
export function reportOf(subject: string, source: ScanReport['source'], files: readonly FileScan[]): ScanReport {
  return {
    subject,
    source,
    grade: worst(files.map(({ grade }) => grade)),
    files,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}

function isPlainFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    throw readError(path, error);
  }
}

/** Scans a file by itself. @throws ModelError `unreadable` */
export function scanOneFile(path: string, options: ScanOptions = {}): ScanReport {
  let bytes: FileBytes;
  try {
    bytes = new FileBytes(path);
  } catch (error) {
    throw readError(path, error);
  }
  try {
    return reportOf(path, 'file', [scanFile(bytes, basename(path), options)]);
  } finally {
    bytes.close();
  }
}

/** Scans one file's bytes. */
export function scanFile(bytes: Bytes, path: string, options: ScanOptions = {}): FileScan {
  const limits = { ...defaultLimits(bytes.size), ...options.limits };
  const context = new ScanContext(limits, scanContent);
  const held = ROOM.hold(bytes);
  scanContent(held, path, context, 0, {});
  const grade = worst(context.findings.map((finding) => finding.grade));
  const result = { path, size: bytes.size, grade, findings: context.findings };
  return grade === 'safe' ? result : { ...result, sha256: sha256(held) };
}

/** Files are scanned one after the other. */
const ROOM = new HeldRoom();

function sha256(bytes: Bytes): string {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(Math.min(MEGABYTE, bytes.size));
  for (let at = 0; at < bytes.size; at += chunk.length) hash.update(chunk.subarray(0, bytes.fill(chunk, at)));
  return hash.digest('hex');
}
