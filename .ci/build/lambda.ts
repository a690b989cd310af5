import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync, type Metafile } from 'esbuild';

const root = join(__dirname, '../..');

/** Function's name, as the constructs find it in `dist/lambda`, and its entry. */
export const FUNCTIONS: Readonly<Record<string, string>> = {
  'await-promotion': 'lib/promotion/functions/await-promotion.ts',
  'first-configuration': 'lib/promotion/functions/first-configuration.ts',
  promotion: 'lib/promotion/handler.ts',
  'receive-version': 'lib/promotion/functions/receive-version.ts',
  'rollout-judge': 'lib/promotion/functions/rollout-judge.ts',
};

/**
 * Bundles each Lambda function of the constructs with its SDK clients, so that a user's synth needs no bundler.
 *
 * @param directory made anew: `<directory>/<function>/index.js`
 * @returns what went into each
 */
export function bundleFunctions(directory: string): Metafile {
  rmSync(directory, { recursive: true, force: true });
  return buildSync({
    absWorkingDir: root,
    entryPoints: Object.entries(FUNCTIONS).map(([name, entry]) => ({ in: entry, out: join(name, 'index') })),
    outdir: directory,
    bundle: true,
    minify: true,
    // The SDK's ES modules: of a client's hundreds of operations only those that are called come along.
    mainFields: ['module', 'main'],
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    metafile: true,
    logLevel: 'warning',
  }).metafile;
}
