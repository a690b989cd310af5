import type { Bytes } from '../formats/bytes';
import { readHdf5 } from '../formats/hdf5';
import { fields } from '../formats/protobuf';
import { decodePythonJson, readPythonJson } from '../formats/python-json';
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

/** Whether Keras would take a zip for a model: it asks for nothing but the configuration (keras/src/saving/saving_lib.py). */
export function holdsKerasConfig(entries: readonly ZipEntry[]): boolean {
  return entries.some(({ name }) => pythonName(name) === 'config.json');
}

/** A .keras zip's configuration. */
export function scanKerasZip(bytes: Bytes, entries: readonly ZipEntry[], path: string, context: ScanContext): void {
  for (const entry of entries.filter(({ name }) => /(^|\/)(config|metadata)\.json$/.test(pythonName(name)))) {
    const { output } = expandEntry(bytes, entry, Math.min(LARGEST_JSON, context.allowance));
    scanKerasJson(output, `${path}!${entry.name}`, context);
  }
}

/** Python's zipfile ends a name at its first zero. */
function pythonName(name: string): string {
  return name.split('\0', 1)[0]!;
}

/** A SavedModel's keras_metadata.pb: each node's metadata is JSON (tensorflow/python/keras/protobuf/saved_metadata.proto). */
export function scanKerasMetadata(bytes: Bytes, path: string, context: ScanContext): void {
  for (const node of fields(bytes)) {
    if (node.number !== 1 || node.wire !== 2) continue;
    for (const { number, wire, bytes: json } of fields(node.bytes))
      if (number === 5 && wire === 2 && json.size > 0) scanKerasJson(json.read(0, json.size), path, context);
  }
}

/** Judges every class and function that a Keras configuration names. What Keras could not read either is refused: nothing can be said of it. */
export function scanKerasJson(json: string | Buffer, path: string, context: ScanContext): void {
  let config: unknown;
  try {
    config = readPythonJson(typeof json === 'string' ? json : decodePythonJson(json));
  } catch (error) {
    context.add({
      grade: 'dangerous',
      code: 'keras-config-unread',
      path,
      message: `the configuration, in which code may stand, cannot be read: ${(error as Error).message.slice(0, 160)}`,
    });
    return;
  }
  scanKerasConfig(config, path, context);
}
