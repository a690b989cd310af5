import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const root = join(__dirname, '../..');

/**
 * Bundles the server and its worker into the serving container's context.
 *
 * @param context the folder with the Dockerfile; its `dist/` is made anew, laid out as this package's
 */
export function bundleServer(context: string): void {
  rmSync(join(context, 'dist'), { recursive: true, force: true });
  buildSync({
    absWorkingDir: root,
    entryPoints: ['lib/serving/serve.ts', 'lib/serving/onnx/worker.ts'],
    outbase: '.',
    outdir: join(context, 'dist'),
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    external: ['onnxruntime-node', 'onnxruntime-web'],
    logLevel: 'warning',
  });
}
