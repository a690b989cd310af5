import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** What packing starts threads and processes from. */
const WORKERS = ['block-worker', 'hash-worker', 'archive-process'].map((name) => `lib/model/archive/${name}`);

/**
 * Compiles programs of this package as a user runs them, not through a loader of TypeScript.
 *
 * @param programs paths below the package's root, without ending
 * @returns where each program is
 */
export function bundled(directory: string, programs: readonly string[]): string[] {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{}');
  buildSync({
    entryPoints: [...programs, ...WORKERS].map((program) => `${program}.ts`),
    absWorkingDir: join(__dirname, '..'),
    outbase: '.',
    outdir: join(directory, 'dist'),
    bundle: true,
    platform: 'node',
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'error',
  });
  return programs.map((program) => join(directory, 'dist', `${program}.js`));
}
