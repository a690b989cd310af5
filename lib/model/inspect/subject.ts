import { readSafetensors, startsLikeSafetensors } from '../formats/safetensors';
import { readSavedModel } from '../formats/saved-model';
import { readTensorBundle } from '../formats/tensor-bundle';
import { ModelError } from '../model-error';
import type { Description } from './describe';
import { describe, facts } from './describe';
import { counted, few } from './describe/description';
import type { Finding } from './finding';
import type { ModelTree, TreeFile } from './model-tree';
import type { Signature } from './signature';

/** The model of a directory: what it is, and which file or directory it is. */
export interface Subject extends Description {
  /** Below the tree. */
  readonly file: string;
}

/** A directory that is a model as a whole; undefined when it is none. */
export function composite(tree: ModelTree): Subject | undefined {
  return triton(tree) ?? huggingface(tree) ?? savedModel(tree) ?? coremlPackage(tree);
}

function named(tree: ModelTree, path: string): TreeFile | undefined {
  return tree.files.find((file) => file.path === path);
}

/** A small text file as JSON; undefined where there is none. @throws ModelError `unreadable-model` when it is no JSON */
export function json(tree: ModelTree, path: string): Record<string, unknown> | undefined {
  const file = named(tree, path);
  if (file === undefined || file.size > 64 * 1024 * 1024) return undefined;
  try {
    return JSON.parse(file.open((bytes) => bytes.read(0, bytes.size).toString('utf8'))) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(
      'damaged',
      `${tree.given}/${path}`,
      `${tree.given}/${path} is not JSON (${(error as Error).message}): save it again`,
    );
  }
}

/** `<model>/config.pbtxt`, or a version directory with a model that Triton knows by name; also a config.pbtxt at the wrong place. */
function triton(tree: ModelTree): Subject | undefined {
  const configs = tree.files.filter(({ path }) => /^([^/]+\/)?config\.pbtxt$/.test(path));
  if (configs.length === 0) return undefined;
  const models = configs.map(({ path }) => path.split('/').slice(0, -1).join('/')).filter((name) => name !== '');
  const backends = configs.map(
    (file) => /(?:backend|platform)\s*:\s*"([^"]+)"/.exec(file.open((bytes) => bytes.read(0, 65_536).toString('utf8')))?.[1],
  );
  return {
    framework: 'triton',
    format: 'triton-repository',
    role: 'model',
    file: models[0] ?? '.',
    runsCode: backends.includes('python'),
    facts: facts({ models: few(models), backends: few([...new Set(backends.filter((backend) => backend !== undefined))]) }),
    findings: [],
  };
}

function savedModel(tree: ModelTree): Subject | undefined {
  const graphs = tree.files.filter(({ path }) => /(^|\/)saved_model\.pb$/.test(path) && !path.startsWith('code/'));
  if (graphs.length === 0) return undefined;
  const versions = graphs
    .map(({ path }) => path.split('/').slice(0, -1).join('/'))
    .sort((a, b) => Number(a.split('/').at(-1)) - Number(b.split('/').at(-1)));
  const parents = new Set(versions.map((version) => version.split('/').slice(0, -1).join('/')));
  if (versions.length > 1 && (parents.size > 1 || !versions.every((version) => /(^|\/)\d+$/.test(version)))) throw several(tree, versions);
  const directory = versions.at(-1)!;
  const prefix = directory === '' ? '' : `${directory}/`;
  const saved = opened(tree, named(tree, `${prefix}saved_model.pb`)!, readSavedModel);
  const index = named(tree, `${prefix}variables/variables.index`);
  const variables = index === undefined ? [] : opened(tree, index, readTensorBundle);
  const serving =
    saved.signatures.serving_default ?? Object.entries(saved.signatures).find(([name]) => name !== '__saved_model_init_op')?.[1];
  return {
    framework: 'tensorflow',
    format: 'savedmodel',
    role: 'model',
    file: directory === '' ? '.' : directory,
    ...counted(variables.filter(({ name, type }) => type !== 'string' && isWeight(name))),
    signature: serving === undefined ? undefined : { inputs: serving.inputs, outputs: serving.outputs },
    packages: saved.tensorflow === '' ? {} : { tensorflow: saved.tensorflow },
    runsCode: saved.operators.has('PyFunc') || saved.operators.has('EagerPyFunc'),
    facts: facts({
      tensorflow: saved.tensorflow,
      tags: saved.tags.join(', '),
      signatures: Object.keys(saved.signatures)
        .filter((name) => name !== '__saved_model_init_op')
        .join(', '),
      versions: versions.length > 1 ? versions.join(', ') : undefined,
      operators: saved.operators.size,
    }),
    findings: index === undefined && [...saved.operators].some((name) => name.startsWith('Restore')) ? [variablesMissing(prefix)] : [],
  };
}

/** Optimizers' slots, and the second list in which Keras names every variable once more, are no weights. */
function isWeight(name: string): boolean {
  return (
    !name.includes('.OPTIMIZER_SLOT') && !/(^|\/)optimizer\//.test(name) && !/^(_all_|trainable_|non_trainable_)variables\//.test(name)
  );
}

function variablesMissing(prefix: string): Finding {
  return {
    severity: 'error',
    code: 'savedmodel-variables-missing',
    path: `${prefix}variables`,
    message: 'the graph restores variables and variables/variables.index is not there',
    remedy: 'copy the whole directory that TensorFlow saved, variables included',
  };
}

function coremlPackage(tree: ModelTree): Subject | undefined {
  const model = tree.files.find(({ path }) => /(^|\/)Data\/com\.apple\.CoreML\/[^/]+\.mlmodel$/.test(path));
  if (model === undefined) return undefined;
  const described = opened(tree, model, (bytes) => describe(bytes, model.path));
  return described === undefined ? undefined : { ...described, file: model.path };
}

/** A directory that save_pretrained wrote: config.json, or model_index.json for diffusers. */
function huggingface(tree: ModelTree): Subject | undefined {
  const pipeline = json(tree, 'model_index.json');
  const config = json(tree, 'config.json');
  const isModel =
    config !== undefined && (config.model_type !== undefined || config.architectures !== undefined || config._name_or_path !== undefined);
  if (!isModel && pipeline?._class_name === undefined) return undefined;
  const safetensors = tree.files.filter(({ path }) => path.endsWith('.safetensors'));
  const root = safetensors.filter(({ path }) => !path.includes('/'));
  const weights = root.length > 0 ? root : safetensors;
  const tensors = weights.flatMap((file) =>
    opened(tree, file, (bytes) => (startsLikeSafetensors(bytes.read(0, 16), bytes.size) ? readSafetensors(bytes).tensors : [])),
  );
  const other = tree.files.filter(({ path }) => /(^|\/)(pytorch_model.*\.bin|tf_model\.h5|flax_model\.msgpack|model\.onnx)$/.test(path));
  const remote = config?.auto_map !== undefined;
  const version = [config?.transformers_version, pipeline?._diffusers_version].find((value) => typeof value === 'string');
  return {
    framework: 'huggingface',
    format: safetensors.length > 0 || other.length === 0 ? 'safetensors' : formatOf(other[0]!.path),
    role: 'model',
    file: (weights[0] ?? other[0])?.path ?? 'config.json',
    ...(tensors.length > 0 ? counted(tensors) : {}),
    signature: undefined as Signature | undefined,
    packages: version === undefined ? {} : { [config?.transformers_version === undefined ? 'diffusers' : 'transformers']: version },
    runsCode: remote || (safetensors.length === 0 && other.some(({ path }) => path.endsWith('.bin'))),
    facts: facts({
      architecture: Array.isArray(config?.architectures) ? config.architectures.join(', ') : String(pipeline?._class_name ?? ''),
      'model type': typeof config?.model_type === 'string' ? config.model_type : undefined,
      weights: few((weights.length > 0 ? weights : other).map(({ path }) => path)),
      'trained as':
        typeof config?.torch_dtype === 'string' ? config.torch_dtype : typeof config?.dtype === 'string' ? config.dtype : undefined,
    }),
    findings: [],
  };
}

function formatOf(path: string) {
  if (path.endsWith('.onnx')) return 'onnx';
  if (path.endsWith('.h5')) return 'hdf5';
  return 'torch-zip';
}

/** Reads a part of the model. @throws ModelError `damaged` where its bytes are not what they begin as */
export function opened<T>(tree: ModelTree, file: TreeFile, read: (bytes: Parameters<Parameters<TreeFile['open']>[0]>[0]) => T): T {
  try {
    return file.open(read);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    const where = `${tree.given}/${file.path}`;
    throw new ModelError('damaged', where, `${where} is damaged: ${(error as Error).message}; copy it again, or save the model again`, {
      cause: error,
    });
  }
}

export function several(tree: ModelTree, files: readonly string[]): ModelError {
  return new ModelError(
    'several-models',
    tree.given,
    `${tree.given} holds ${files.length} models, and an endpoint serves one: ${files.map((file) => (file === '' ? '.' : file)).join(', ')}. Give each a directory of its own, or name the one to serve in model.yaml (file: ${files[0]})`,
  );
}
