import { statSync } from 'node:fs';

/** Whether a model is given as a file, which is an archive, and not as a directory; false where nothing is there. */
export const isFile = (model: string): boolean => statSync(model, { throwIfNoEntry: false })?.isFile() ?? false;
