import type { Bytes } from '../../formats/bytes';
import {
  asNumber,
  items,
  numbers,
  PickleBytes,
  PickleCall,
  PickleDict,
  type PickledArray,
  PickleGlobal,
  type PickleRun,
  PickleSequence,
  pickledArray,
  type RawArray,
  runPickle,
  scalar,
  typeName,
  type Value,
} from '../../formats/pickle';
import type { Framework, ModelFormat } from '../inspection';
import { counted, type Description, facts, few } from './description';

/** Packages whose objects are models, with the framework that serves them; the longest prefix counts. */
const FRAMEWORKS: readonly [prefix: string, framework: Framework][] = [
  ['sklearn', 'sklearn'],
  ['imblearn', 'sklearn'],
  ['xgboost', 'xgboost'],
  ['lightgbm', 'lightgbm'],
  ['catboost', 'catboost'],
  ['_catboost', 'catboost'],
  ['torch', 'pytorch'],
  ['keras', 'keras'],
  ['tensorflow', 'tensorflow'],
  ['transformers', 'huggingface'],
];

export interface PickleContents {
  readonly run: PickleRun;
  readonly globals: readonly PickleGlobal[];
  readonly arrays: readonly PickledArray[];
  /** Whether joblib wrote raw arrays between the opcodes. */
  readonly joblib: boolean;
}

/** Runs a pickle on the model machine and keeps what it imports and which arrays it holds. */
export function readPickle(bytes: Bytes): PickleContents {
  const globals = new Map<string, PickleGlobal>();
  const arrays: PickledArray[] = [];
  const raw: RawArray[] = [];
  const calls: PickleCall[] = [];
  const run = runPickle(bytes, 0, {
    listener: {
      imported: (global) => globals.set(global.path, global),
      called: (call) => calls.push(call),
      rawArray: (array) => raw.push(array),
    },
  });
  for (const call of calls) {
    const array = pickledArray(call);
    if (array !== undefined) arrays.push(array);
  }
  return {
    run,
    globals: [...globals.values()],
    arrays: [...arrays, ...raw],
    joblib: raw.length > 0 || [...globals.keys()].some((path) => path.startsWith('joblib.numpy_pickle')),
  };
}

export function describePickle(bytes: Bytes, compression: string | undefined): Description | undefined {
  const contents = readPickle(bytes);
  if (contents.run.stopped !== 'stop') return undefined;
  const { globals, arrays, run } = contents;
  const path = classOf(run.value);
  const framework = FRAMEWORKS.find(([prefix]) => path === prefix || path?.startsWith(`${prefix}.`))?.[1];
  const fitted = [run.value, ...pipeline(run.value).map(([, step]) => step ?? null)].map(stateOf);
  const attribute = (name: string) => fitted.find((state) => state?.get(name) !== undefined)?.get(name);
  const modules = [...new Set(globals.map(({ module }) => module.split('.')[0]!))].filter((module) => !STANDARD.has(module)).sort();
  const sklearn = findText(run.value, '_sklearn_version');
  const features = asNumber(attribute('n_features_in_'));
  const classes = labels(attribute('classes_'));
  const format: ModelFormat = contents.joblib || compression !== undefined ? 'joblib' : 'pickle';
  return {
    framework: framework ?? 'python',
    format,
    role: framework === undefined && (path === undefined || DATA.test(path)) ? 'data' : 'model',
    ...(arrays.length === 0 ? {} : counted(arrays.filter(({ type }) => type !== 'object'))),
    signature: features === undefined ? undefined : signature(features, classes),
    packages: sklearn === undefined ? {} : { 'scikit-learn': sklearn },
    runsCode: true,
    facts: facts({
      class: path,
      'pickle protocol': run.protocol,
      compression,
      'scikit-learn': sklearn,
      steps: few(steps(run.value)),
      features,
      'feature names': few(names(attribute('feature_names_in_'))),
      classes: few(classes.map(String)),
      packages: few(modules),
    }),
    findings: [],
  };
}

/** Modules of Python itself and of pickling: no package to install. */
const STANDARD = new Set([
  'builtins',
  '__builtin__',
  'copyreg',
  'copy_reg',
  'collections',
  'functools',
  '_codecs',
  '__main__',
  'operator',
  'datetime',
  'types',
]);
/** Values that are no model by themselves. */
const DATA = /^(builtins|collections|numpy|pandas|datetime)\./;

/** The class of what the pickle holds, also where copyreg builds it. */
function classOf(value: Value): string | undefined {
  if (!(value instanceof PickleCall) || !(value.callee instanceof PickleGlobal)) return undefined;
  const { path } = value.callee;
  const [first] = items(value.args);
  if (/^copy_?reg\.(_reconstructor|__newobj__|__newobj_ex__)$/.test(path) && first instanceof PickleGlobal) return first.path;
  return path;
}

function stateOf(value: Value): PickleDict | undefined {
  return value instanceof PickleCall && value.state instanceof PickleDict ? value.state : undefined;
}

/** A text attribute of the object or of the first object within it that has one: pipelines hold theirs in their steps. */
function findText(root: Value, key: string): string | undefined {
  const waiting: Value[] = [root];
  const seen = new Set<Value>();
  for (let value = waiting.shift(); value !== undefined && seen.size < 10_000; value = waiting.shift()) {
    if (value === null || typeof value !== 'object' || seen.has(value)) continue;
    seen.add(value);
    const dict = value instanceof PickleDict ? value : stateOf(value);
    const found = dict?.get(key);
    if (typeof found === 'string') return found;
    if (dict?.entries !== undefined) waiting.push(...dict.entries.slice(0, 1000));
    if (value instanceof PickleSequence && value.items !== undefined) waiting.push(...value.items.slice(0, 1000));
  }
  return undefined;
}

/** A pipeline's steps as `name: class`. */
function steps(value: Value): string[] {
  return pipeline(value).map(([name, step]) => `${String(name)}: ${(classOf(step ?? null) ?? '?').split('.').at(-1)}`);
}

function pipeline(value: Value): (readonly Value[])[] {
  return items(stateOf(value)?.get('steps'))
    .map(items)
    .filter((step) => step.length === 2);
}

function signature(features: number, classes: readonly (string | number)[]) {
  return {
    inputs: [{ name: 'features', type: 'float64', shape: [-1, features] }],
    outputs: [
      { name: 'prediction', type: classes.length === 0 ? 'float64' : typeof classes[0] === 'string' ? 'string' : 'int64', shape: [-1] },
    ],
  };
}

/** The labels of an array: whole numbers, or Python objects that are texts or numbers. */
function labels(value: Value | undefined): (string | number)[] {
  if (!(value instanceof PickleCall)) return [];
  if (value.nested !== undefined) return labels(value.nested);
  const [, , , , content] = items(value.state);
  if (content instanceof PickleSequence)
    return items(content)
      .map((item) => (typeof item === 'string' ? item : scalar(item)))
      .filter((label) => label !== undefined);
  const array = pickledArray(value) ?? wrappedArray(value);
  const raw = value.raw ?? [...items(value.state), ...items(value.args)].find((item) => item instanceof PickleBytes)?.content();
  return array === undefined || raw === undefined ? [] : wholeNumbers(array, raw);
}

function names(value: Value | undefined): string[] {
  return labels(value).filter((label) => typeof label === 'string');
}

function wrappedArray({ state }: PickleCall): PickledArray | undefined {
  return state instanceof PickleDict ? { type: typeName(state.get('dtype')), shape: numbers(state.get('shape')) } : undefined;
}

const MOST_LABELS = 1000;

function wholeNumbers({ type, shape }: PickledArray, raw: Bytes): number[] {
  const width = Number(/^u?int(\d+)$/.exec(type)?.[1] ?? 0) / 8;
  const [count = 0] = shape;
  if (width === 0 || count > MOST_LABELS || raw.size < count * width) return [];
  const content = raw.read(0, count * width);
  return Array.from({ length: count }, (_, i) =>
    width === 8 ? Number(content.readBigInt64LE(i * 8)) : content.readIntLE(i * width, width),
  );
}
