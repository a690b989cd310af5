import { parse } from 'yaml';
import { ModelError } from '../model-error';
import type { Fact } from './inspection';
import type { ModelTree, TreeFile } from './model-tree';
import type { Signature, TensorSpec } from './signature';

/** An MLflow model's own account of itself. */
export interface MlflowModel {
  /** The file or directory that holds the model, below the tree, by its most telling flavor. */
  readonly data?: string;
  readonly flavor: string;
  readonly signature?: Signature;
  readonly packages: Readonly<Record<string, string>>;
  readonly python?: string;
  readonly facts: readonly Fact[];
}

type Flavor = Readonly<Record<string, unknown>>;

/** Keys under which flavors name their data, and their package. */
const DATA = ['pickled_model', 'model_data', 'data', 'model_path', 'model_weights', 'model_binary'];
const PACKAGES: Record<string, string> = { sklearn: 'scikit-learn', pytorch: 'torch' };

/** Reads MLmodel at the root, where there is one. @throws ModelError `mlmodel-invalid` */
export function readMlflow(tree: ModelTree): MlflowModel | undefined {
  const file = tree.files.find(({ path }) => path === 'MLmodel');
  if (file === undefined) return undefined;
  const document = read(tree, file);
  const flavors = (document.flavors ?? {}) as Record<string, Flavor>;
  const flavor = Object.keys(flavors).find((name) => name !== 'python_function') ?? 'python_function';
  const own = flavors[flavor] ?? {};
  const data = DATA.map((key) => own[key]).find((value) => typeof value === 'string') ?? flavors.python_function?.data;
  const packages = Object.entries(own).flatMap(([key, value]): [string, string][] => {
    const name = /^(.*)_version$/.exec(key)?.[1];
    return name === undefined ? [] : [[PACKAGES[name] ?? name, String(value)]];
  });
  return {
    data: typeof data === 'string' ? data : undefined,
    flavor,
    signature: signature(document.signature),
    packages: Object.fromEntries(packages),
    python: text(flavors.python_function?.python_version),
    facts: [
      { name: 'MLflow flavors', value: Object.keys(flavors).join(', ') },
      ...(text(document.mlflow_version) === undefined ? [] : [{ name: 'MLflow', value: text(document.mlflow_version)! }]),
      ...(text(document.run_id) === undefined ? [] : [{ name: 'MLflow run', value: text(document.run_id)! }]),
    ],
  };
}

function read(tree: ModelTree, file: TreeFile): Record<string, unknown> {
  const wrong = (what: string) =>
    new ModelError('mlmodel-invalid', `${tree.given}/MLmodel`, `${tree.given}/MLmodel ${what}: log the model again`);
  let document: unknown;
  try {
    document = parse(file.open((bytes) => bytes.read(0, Math.min(bytes.size, 4 * 1024 * 1024)).toString('utf8')));
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw wrong(`is not YAML (${(error as Error).message.split('\n')[0]})`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw wrong('holds no keys and values');
  return document as Record<string, unknown>;
}

/** Inputs and outputs are JSON inside the YAML: columns, or tensors. */
function signature(value: unknown): Signature | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { inputs, outputs } = value as Record<string, unknown>;
  if (inputs === undefined && outputs === undefined) return undefined;
  return { inputs: specs(inputs), outputs: specs(outputs) };
}

function specs(value: unknown): TensorSpec[] {
  if (typeof value !== 'string') return [];
  let list: unknown;
  try {
    list = JSON.parse(value);
  } catch {
    return [];
  }
  return (Array.isArray(list) ? list : []).map((item: Record<string, unknown>, index) => {
    const tensor = item['tensor-spec'] as { dtype?: string; shape?: number[] } | undefined;
    const name = text(item.name) ?? `${index}`;
    return tensor === undefined
      ? { name, type: COLUMNS[text(item.type) ?? ''] ?? text(item.type) ?? 'unknown' }
      : { name, type: tensor.dtype ?? 'unknown', shape: tensor.shape };
  });
}

/** MLflow's column types in numpy's words. */
const COLUMNS: Record<string, string> = { double: 'float64', float: 'float32', long: 'int64', integer: 'int32', boolean: 'bool' };

function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
