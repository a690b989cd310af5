import { BufferBytes, type Bytes } from '../formats/bytes';
import { readHdf5 } from '../formats/hdf5';
import { expandEntry, type ZipEntry } from '../formats/zip';
import { type KerasNode, nodes } from '../inspect/describe/describe-keras';
import { judgeName } from './names';
import type { ScanContext } from './scan-context';

/** Layers and helpers of Keras that load files or code by what their configuration says. */
const LOADERS: Readonly<Record<string, string>> = {
  Lambda: 'a Lambda layer: Python code inside the model',
  __lambda__: 'Python code inside the model',
  TFSMLayer: 'a layer that loads another SavedModel from a path',
  TorchModuleWrapper: 'a layer that unpickles a torch module',
  JaxLayer: 'a layer that carries a serialised function',
  FlaxLayer: 'a layer that carries a serialised function',
};

/** Keras 2 saved its own optimizers as if they were custom. */
const OPTIMIZERS = /^Custom>(Adam|AdamW|Adamax|Adagrad|Adadelta|Adafactor|Ftrl|Lion|Nadam|RMSprop|SGD|LossScaleOptimizer\w*)$/;

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
  for (const node of nodes(config)) judgeNode(node, path, context);
}

function judgeNode(node: KerasNode, path: string, context: ScanContext): void {
  const className = text(node.class_name);
  const module = text(node.module);
  if (className !== undefined && LOADERS[className] !== undefined) judgeLoader(node, className, path, context);
  if (className !== undefined && module !== undefined) judgeImport(node, module, className, path, context);
  else if (className?.includes('>') === true && !/^(keras|tf|TensorFlow)>/i.test(className) && !OPTIMIZERS.test(className))
    custom(className, path, context);
}

/** A Lambda that names a function registered elsewhere carries no code. */
function judgeLoader(node: KerasNode, className: string, path: string, context: ScanContext): void {
  const inner = typeof node.config === 'object' && node.config !== null ? (node.config as KerasNode) : {};
  const onlyNamed = className === 'Lambda' && typeof inner.function === 'string' && inner.function_type !== 'lambda';
  context.add({
    grade: onlyNamed ? 'unknown' : 'dangerous',
    code: 'keras-lambda',
    path,
    name: className,
    message: onlyNamed
      ? `a Lambda layer that looks up the function ${String(inner.function)} where it is loaded`
      : `${LOADERS[className]}, which loading runs`,
  });
  const pickled = text(inner.module) ?? text((inner.module as KerasNode | undefined)?.value);
  if (className === 'TorchModuleWrapper' && pickled !== undefined)
    context.part(new BufferBytes(Buffer.from(pickled, 'base64')), `${path}!module`, 1);
}

/** Keras 3 writes the module and the class of every object, and imports them. */
function judgeImport(node: KerasNode, module: string, className: string, path: string, context: ScanContext): void {
  if (module === 'builtins' && /^(function|type|bool|int|float|str|tuple|list|dict|set|slice|NoneType|Ellipsis)$/.test(className)) return;
  if (/^(keras|tf_keras)(\.|$)/.test(module) && /^[A-Z_]/.test(className) && judgeName(module, className).grade !== 'dangerous') return;
  if (
    /^keras(\.src)?\.(activations|losses|metrics|initializers|constraints|regularizers|ops|optimizers|random)(\.|$)/.test(module) &&
    /^\w+$/.test(className)
  )
    return;
  const judged = judgeName(module, className);
  if (judged.grade === 'safe') return;
  context.add({
    grade: judged.grade,
    code: 'keras-import',
    path,
    name: `${module}.${className}`,
    message: `loading imports ${module}.${className} (registered as ${String(node.registered_name)}): ${judged.why}`,
  });
}

function custom(className: string, path: string, context: ScanContext): void {
  context.add({
    grade: 'unknown',
    code: 'keras-custom-class',
    path,
    name: className,
    message: `it needs the class ${className}, which is not of Keras`,
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
