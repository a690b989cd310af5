import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../../model/entry-point';

/** What the page carries with it. */
export interface Assets {
  readonly style: string;
  /** Run in this order. */
  readonly scripts: readonly string[];
}

/**
 * The page's own style and script, and uPlot's: from the library where it is installed, else from the copy that `npm run build` put beside the compiled command.
 *
 * @throws Error that names a file that is not there
 */
export function readAssets(): Assets {
  const root = packageRoot(__dirname);
  const own = (name: string) => readFileSync(join(root, 'lib', 'cli', 'report', 'page', name), 'utf8');
  const plot = (name: string) => {
    const copy = join(root, 'dist', 'lib', 'cli', 'report', name);
    return readFileSync(existsSync(copy) ? copy : createRequire(join(root, 'package.json')).resolve(`uplot/dist/${name}`), 'utf8');
  };
  return { style: plot('uPlot.min.css') + own('page.css'), scripts: [plot('uPlot.iife.min.js'), own('draw.js')] };
}
