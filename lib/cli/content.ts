import { statSync } from 'node:fs';
import { archiveDigest, type ContentDigest, readDigest } from '../model';

/** Whether a model is given as an archive. */
export const isFile = (model: string): boolean => statSync(model, { throwIfNoEntry: false })?.isFile() ?? false;

/** The content of a model's directory or archive. @throws ModelError; `signal.reason` */
export function contentOf(model: string, signal: AbortSignal): Promise<ContentDigest> {
  return isFile(model) ? archiveDigest(model) : readDigest(model, { signal });
}
