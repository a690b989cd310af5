import type { Bytes } from '../formats/bytes';
import { type Hdf5File, readHdf5 } from '../formats/hdf5';
import { fields } from '../formats/protobuf';
import { decodePythonJson, readPythonJson } from '../formats/python-json';
import { kerasMetadata } from '../formats/saved-model';
import { expandEntry, type ZipEntry } from '../formats/zip';
import type { ScanContext } from './scan-context';
import { scanKerasConfig } from './scan-keras-config';

const LARGEST_JSON = 64 * 1024 * 1024;

/** Root attributes in which Keras keeps a model's configuration. */
const CONFIGURATIONS = ['model_config', 'training_config'];

/** HDF5: the configuration in its attributes, and links to other files. */
export function scanHdf5(bytes: Bytes, path: string, context: ScanContext): true {
  const file = opened(bytes, path, context);
  if (file === undefined) return true;
  for (const link of file.external) {
    context.add({
      grade: 'dangerous',
      code: 'hdf5-external-link',
      path,
      name: link,
      message: `it reads another file when it is loaded: ${link}`,
    });
  }
  for (const what of file.unread)
    context.add({ grade: 'unknown', code: 'hdf5-unread', path, name: what, message: `${what}: it was not looked into` });
  const objects = file.datasets.find(({ type }) => type === 'sequence');
  if (objects !== undefined)
    context.add({
      grade: 'unknown',
      code: 'hdf5-objects',
      path,
      name: objects.path,
      message: `${objects.path} holds sequences of any length, and no numbers`,
    });
  if (file.attributesUnread !== undefined) configUnread(path, `the root group's attributes: ${file.attributesUnread}`, context);
  for (const { name, text } of file.rootAttributes) {
    if (!CONFIGURATIONS.includes(name)) continue;
    if (text === undefined) configUnread(`${path}!${name}`, 'it is no text', context);
    else scanKerasJson(text, `${path}!${name}`, context);
  }
  return true;
}

/** A file that cannot be opened may be a model to a reader that forgives more. */
function opened(bytes: Bytes, path: string, context: ScanContext): Hdf5File | undefined {
  try {
    return readHdf5(bytes);
  } catch (error) {
    configUnread(path, (error as Error).message, context);
    return undefined;
  }
}

function configUnread(path: string, why: string, context: ScanContext): void {
  context.add({
    grade: 'dangerous',
    code: 'keras-config-unread',
    path,
    message: `the configuration, in which code may stand, cannot be read: ${why.slice(0, 160)}`,
  });
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

/** A saved_model.pb, whose object graph holds the same JSON where an older TensorFlow wrote it. */
export function scanKerasObjects(bytes: Bytes, path: string, context: ScanContext): void {
  for (const json of kerasMetadata(bytes)) scanKerasJson(json.read(0, json.size), path, context);
}

/** Judges every class and function that a Keras configuration names. What Keras could not read either is refused: nothing can be said of it. */
export function scanKerasJson(json: string | Buffer, path: string, context: ScanContext): void {
  let config: unknown;
  try {
    config = readPythonJson(typeof json === 'string' ? json : decodePythonJson(json));
  } catch (error) {
    configUnread(path, (error as Error).message, context);
    return;
  }
  scanKerasConfig(config, path, context);
}
