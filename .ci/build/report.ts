import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Puts the plot library beside the compiled command, whose reports carry it: `npm run build:report`. */

const library = dirname(require.resolve('uplot/dist/uPlot.min.css'));
const folder = join(__dirname, '../../dist/lib/cli/report');

mkdirSync(folder, { recursive: true });
for (const name of ['uPlot.iife.min.js', 'uPlot.min.css']) copyFileSync(join(library, name), join(folder, name));
