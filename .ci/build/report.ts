import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Puts the plot library into a folder beside the compiled command, whose reports carry it. */
export function copyPlotLibrary(folder: string): void {
  const library = dirname(require.resolve('uplot/dist/uPlot.min.css'));
  mkdirSync(folder, { recursive: true });
  for (const name of ['uPlot.iife.min.js', 'uPlot.min.css']) copyFileSync(join(library, name), join(folder, name));
}
