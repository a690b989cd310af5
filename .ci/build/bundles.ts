import { join } from 'node:path';
import { bundleCommand } from './command';
import { bundleServer } from './container';
import { bundleFunctions } from './lambda';
import { copyPlotLibrary } from './report';

/** All that the package holds beside what the compiler makes: `npm run build:bundles`. */

const root = join(__dirname, '../..');

bundleServer(join(root, 'lib/serving/container'));
bundleFunctions(join(root, 'dist/lambda'));
copyPlotLibrary(join(root, 'dist/lib/cli/report'));
bundleCommand(join(root, 'dist'));
