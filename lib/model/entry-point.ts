import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A file that a worker thread or a child process can be started from, and the Node flags that it needs. */
export interface EntryPoint {
  readonly path: string;
  readonly execArgv: readonly string[];
}

/**
 * Finds a program of this package from wherever the caller runs: sources under tsx or jest, compiled files, or the bundled command.
 *
 * @param name path below the package's root without its ending, e.g. `lib/serving/onnx-worker`
 * @throws Error when neither the compiled file nor the source exists
 */
export function entryPoint(name: string): EntryPoint {
  const root = packageRoot(__dirname);
  const compiled = join(root, 'dist', `${name}.js`);
  const source = join(root, `${name}.ts`);
  if (!__filename.endsWith('.ts') && existsSync(compiled)) return { path: compiled, execArgv: [] };
  // Not `--import tsx`: Node 20 does not apply it to worker threads.
  if (existsSync(source)) return { path: source, execArgv: ['--require', createRequire(source).resolve('tsx/cjs')] };
  throw new Error(`${name} is not in ${root}: build the package first (npm run build)`);
}

/** The nearest folder at or above `from` that holds a package.json. */
export function packageRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json above ${from}`);
  }
}
