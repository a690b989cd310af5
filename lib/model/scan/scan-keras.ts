import type { Bytes } from '../formats/bytes';
import { readHdf5 } from '../formats/hdf5';
import { expandEntry, type ZipEntry } from '../formats/zip';
import type { ScanContext } from './scan-context';
import { scanKerasConfig } from './scan-keras-config';

const LARGEST_JSON = 64 * 1024 * 1024;

/** HDF5: the configuration in its attributes, and links to other files. */
export function scanHdf5(bytes: Bytes, path: string, context: ScanContext): true {
  const { attributes, external, datasets, unread } = readHdf5(bytes);
  for (const link of external) {
    context.add({
      grade: 'dangerous',
      code: 'hdf5-external-link',
      path,
      name: link,
      message: `it reads another file when it is loaded: ${link}`,
    });
  }
  for (const what of unread) context.add({ grade: 'unknown', code: 'hdf5-unread', path, message: `${what}, which was not looked into` });
  const objects = datasets.find(({ type }) => type === 'sequence');
  if (objects !== undefined)
    context.add({
      grade: 'unknown',
      code: 'hdf5-objects',
      path,
      name: objects.path,
      message: `${objects.path} holds sequences of any length, and no numbers`,
    });
  for (const name of ['model_config', 'training_config'])
    if (attributes[name] !== undefined) scanKerasJson(attributes[name], `${path}!${name}`, context);
  return true;
}

/** A .keras zip's configuration. */
export function scanKerasZip(bytes: Bytes, entries: readonly ZipEntry[], path: string, context: ScanContext): void {
  for (const entry of entries.filter(({ name }) => /(^|\/)(config|metadata)\.json$/.test(name))) {
    scanKerasJson(
      expandEntry(bytes, entry, Math.min(LARGEST_JSON, context.allowance)).output.toString('utf8'),
      `${path}!${entry.name}`,
      context,
    );
  }
}

/** Judges every class and function that a Keras configuration names. */
export function scanKerasJson(json: string, path: string, context: ScanContext): void {
  let config: unknown;
  try {
    config = JSON.parse(json);
  } catch {
    context.add({ grade: 'unknown', code: 'keras-config-broken', path, message: 'the configuration is not JSON' });
    return;
  }
  scanKerasConfig(config, path, context);
}
