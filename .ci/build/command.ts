import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';

/**
 * Bundles the command, what it starts threads and processes from, and the entries that import the SDK, each with what it needs, over the
 * compiled files of the same names: the package then needs nothing beside it but the CDK, for the constructs, and an ONNX runtime, for serving.
 */

const root = join(__dirname, '../..');

const ENTRIES = [
  'bin/fledge',
  'lib/cli/rehearsal/replay-worker',
  'lib/local/index',
  'lib/model/archive/archive-process',
  'lib/model/archive/block-worker',
  'lib/model/archive/hash-worker',
  'lib/model/publish/index',
  'lib/serving/index',
  'lib/serving/onnx/worker',
];

const DURABLE = '@aws/durable-execution-sdk-js';
const RUNNER = `${DURABLE}-testing`;
const runner = require.resolve(RUNNER);

/** @param directory where the compiled files are */
export function bundleCommand(directory: string): void {
  buildSync({
    absWorkingDir: root,
    entryPoints: [
      ...ENTRIES.map((entry) => ({ in: `${entry}.ts`, out: entry })),
      // The runner of durable functions starts a thread from this file beside itself.
      { in: join(dirname(runner), 'checkpoint-server/index.js'), out: 'bin/checkpoint-server/index' },
    ],
    outdir: directory,
    // The runner's ES modules look for themselves by their URL, which a bundle does not have; and the two share what is in their modules.
    alias: { [RUNNER]: runner, [DURABLE]: require.resolve(DURABLE) },
    bundle: true,
    // Names stay: errors say theirs.
    minifySyntax: true,
    minifyWhitespace: true,
    platform: 'node',
    // As ES modules the clients' unused commands fall away.
    mainFields: ['module', 'main'],
    target: 'node20',
    format: 'cjs',
    external: ['onnxruntime-node', 'onnxruntime-web'],
    logLevel: 'warning',
  });
}
