import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { now, StatCache } from '../digest';
import { packageRoot } from '../entry-point';
import type { TreeFile } from '../inspect/model-tree';
import type { ScanFinding } from './grade';

/** Bytes from which remembering a scan saves time. */
const WORTH_REMEMBERING = 256 * 1024;

/** Remembers what unchanged files of a directory were graded by this very scanner. It saves time and nothing else, as StatCache does. */
export class ScanMemory {
  /** Read once a file is worth it: most directories hold none. */
  private cache: StatCache | undefined;

  constructor(
    private readonly directory: string,
    private readonly cacheDirectory?: string,
  ) {}

  /** What the file was graded before, or what `scan` makes of it now. */
  recall<T extends { readonly findings: readonly ScanFinding[] }>(file: TreeFile, scan: () => T): T {
    if (file.stat === undefined || file.size < WORTH_REMEMBERING) return scan();
    this.cache ??= new StatCache(this.directory, this.cacheDirectory, `scans ${scanner()}`);
    const before = this.cache.get(file.path, file.stat);
    if (before !== undefined) return JSON.parse(before) as T;
    const readAt = now();
    const graded = scan();
    // A busy machine runs into the limits sooner: another time the file may be looked at to its end.
    if (!graded.findings.some(({ code }) => code === 'out-of-time')) this.cache.set(file.path, file.stat, JSON.stringify(graded), readAt);
    return graded;
  }

  /** @param paths of all files that are there */
  save(paths: Iterable<string>): void {
    this.cache?.save(paths);
  }
}

/** Which scanner this is: another version, or another build of it, may know more. */
function scanner(): string {
  const { size, mtimeMs } = statSync(__filename);
  return `${version()} ${size} ${mtimeMs}`;
}

/** Of the package; bundled into somebody's program, it has none. */
function version(): string {
  try {
    return (JSON.parse(readFileSync(join(packageRoot(__dirname), 'package.json'), 'utf8')) as { version?: string }).version ?? '';
  } catch {
    return '';
  }
}
