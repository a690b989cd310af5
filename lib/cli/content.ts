import { archiveDigest, type ContentDigest, readDigest } from '../model';
import { isFile } from '../model/is-file';

/** The content of a model's directory or archive. @throws ModelError; `signal.reason` */
export function contentOf(model: string, signal: AbortSignal): Promise<ContentDigest> {
  return isFile(model) ? archiveDigest(model) : readDigest(model, { signal });
}
