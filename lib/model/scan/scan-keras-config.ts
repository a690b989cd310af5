import { BufferBytes } from '../formats/bytes';
import { type KerasNode, nodes } from '../inspect/describe/describe-keras';
import { inTime } from './in-time';
import { judgeKerasName, judgeTensorflowName } from './keras-names';
import type { ScanContext } from './scan-context';
import { scanTensorflowOperator } from './scan-graphs';

/** Layers and helpers of Keras that load files or code by what their configuration says. */
const LOADERS: Readonly<Record<string, string>> = {
  Lambda: 'a Lambda layer: Python code inside the model',
  __lambda__: 'Python code inside the model',
  TFSMLayer: 'a layer that loads another SavedModel from a path',
  TorchModuleWrapper: 'a layer that unpickles a torch module',
  JaxLayer: 'a layer that carries a serialised function',
  FlaxLayer: 'a layer that carries a serialised function',
};

/** Layers of a functional model that call a function of TensorFlow by its name. */
const TENSORFLOW_CALLS = /^(TFOpLambda|SlicingOpLambda|ClassMethod|InstanceMethod|InstanceProperty)$/;

/** Keras 2 saved its own optimizers as if they were custom. */
const OPTIMIZERS = /^Custom>(Adam|AdamW|Adamax|Adagrad|Adadelta|Adafactor|Ftrl|Lion|Nadam|RMSprop|SGD|LossScaleOptimizer\w*)$/;

/** Values that are made without a name being looked up. */
const VALUES = /^__(keras_tensor|tensor|numpy|bytes|ellipsis|slice|tuple|lambda)__$/;

/** Judges every class and function that a Keras configuration names. */
export function scanKerasConfig(config: unknown, path: string, context: ScanContext): void {
  const late = () =>
    context.add({
      grade: 'dangerous',
      code: 'keras-config-unread',
      path,
      message: `the configuration was not read to its end within ${context.limits.milliseconds} ms`,
    });
  for (const node of inTime(nodes(config, Number.POSITIVE_INFINITY), context, late)) judgeNode(node, path, context);
}

function judgeNode(node: KerasNode, path: string, context: ScanContext): void {
  const className = text(node.class_name);
  if (className === undefined) return;
  const names = looksUp(node, className);
  const loader = [className, ...names].map(lastPart).find((name) => Object.hasOwn(LOADERS, name));
  if (loader !== undefined) judgeLoader(node, loader, path, context);
  const called = lastPart(className);
  if (TENSORFLOW_CALLS.test(called)) judgeTensorflowCall(node, called, path, context);
  if (called === 'TensorFlowOpLayer') judgeNodeDef(node, path, context);
  if (text(node.module) !== undefined && node.module !== '') for (const name of names) judgeImport(node, name, path, context);
  else if (isCustom(className)) custom(className, path, context);
}

/** The names that Keras looks up in the node's module: the class's or the function's, and the registered one where there is no such. */
function looksUp(node: KerasNode, className: string): string[] {
  if (VALUES.test(className)) return [];
  const name = className === 'function' ? text(node.config) : className === '__typespec__' ? text(node.spec_name) : className;
  const registered = text(node.registered_name);
  const other = registered === undefined || /^function$|>/.test(registered) ? undefined : registered;
  return [...new Set([name, other].filter((found) => found !== undefined))];
}

/** Before Keras 3 a class is looked up among Keras's own and those that are registered. */
function isCustom(className: string): boolean {
  if (OPTIMIZERS.test(className) || /^(keras|tf|TensorFlow)>/i.test(className)) return false;
  return !/^[A-Z]\w*$|^__\w+__$|^function$/.test(className);
}

/** A Lambda that names a function registered elsewhere carries no code. */
function judgeLoader(node: KerasNode, className: string, path: string, context: ScanContext): void {
  const inner = typeof node.config === 'object' && node.config !== null ? (node.config as KerasNode) : {};
  const hasCode =
    ['function', 'output_shape', 'mask'].some((key) => inner[`${key}_type`] === 'lambda') || typeof inner.function !== 'string';
  const onlyNamed = className === 'Lambda' && !hasCode;
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

function judgeTensorflowCall(node: KerasNode, className: string, path: string, context: ScanContext): void {
  const name = text((node.config as KerasNode | null | undefined)?.function);
  if (name === undefined) return;
  const { grade, why } = judgeTensorflowName(name);
  if (grade !== 'safe')
    context.add({
      grade,
      code: 'keras-tensorflow-call',
      path,
      name: `tf.${name}`,
      message: `the layer ${className} calls tf.${name}: ${why}`,
    });
}

/** A layer that is one node of a TensorFlow graph: as JSON, or as the bytes of a protobuf, which Keras itself does not write. */
function judgeNodeDef(node: KerasNode, path: string, context: ScanContext): void {
  const given = (node.config as KerasNode | null | undefined)?.node_def;
  const operator = text((given as KerasNode | null | undefined)?.op);
  if (operator !== undefined) scanTensorflowOperator(operator, path, context);
  else if (given !== undefined)
    context.add({
      grade: 'dangerous',
      code: 'tensorflow-operator',
      path,
      name: 'TensorFlowOpLayer',
      message: 'the operator of a TensorFlowOpLayer is not written as Keras writes it, and cannot be read',
    });
}

/** Keras 3 writes the module and the class of every object, and imports them; names may have modules before a dot. */
function judgeImport(node: KerasNode, name: string, path: string, context: ScanContext): void {
  const parts = [...String(node.module).split('.'), ...name.split('.')];
  const module = parts.slice(0, -1).join('.');
  const last = parts.at(-1)!;
  const isFunction = node.class_name === 'function';
  const isCalled = isFunction && Array.isArray(node.inbound_nodes) && node.inbound_nodes.length > 0;
  const judged = judgeKerasName({ module, name: last, isFunction, isCalled });
  if (judged.grade === 'safe') return;
  if (module === 'builtins' && judged.grade === 'unknown') {
    custom(last, path, context);
    return;
  }
  context.add({
    grade: judged.grade,
    code: 'keras-import',
    path,
    name: `${module}.${last}`,
    message: `loading imports ${module}.${last} (registered as ${String(node.registered_name)}): ${judged.why}`,
  });
}

function custom(name: string, path: string, context: ScanContext): void {
  context.add({
    grade: 'unknown',
    code: 'keras-custom-class',
    path,
    name,
    message: `it needs ${name}, which is not of Keras`,
  });
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
