import { ModelError } from '../model-error';
import type { ModelTree } from './model-tree';
import { MODEL_YAML, type ModelYaml } from './model-yaml';
import type { Signature, TensorSpec } from './signature';
import type { Subject } from './subject';

/** Other names that people write for a framework. */
const ALIASES: Record<string, string> = {
  'scikit-learn': 'sklearn',
  scikitlearn: 'sklearn',
  torch: 'pytorch',
  'tensor-flow': 'tensorflow',
  tf: 'tensorflow',
  transformers: 'huggingface',
  'hugging-face': 'huggingface',
  onnxruntime: 'onnx',
};

/** Words for a format, with the formats that they may mean. */
const FORMATS: Record<string, readonly string[]> = {
  pickle: ['pickle', 'joblib'],
  joblib: ['joblib', 'pickle'],
  json: ['xgboost-json'],
  ubj: ['xgboost-ubj'],
  ubjson: ['xgboost-ubj'],
  torch: ['torch-zip', 'torch-legacy', 'torch-tar'],
  pt: ['torch-zip', 'torchscript', 'torch-legacy'],
  h5: ['hdf5'],
  keras: ['keras-zip', 'hdf5'],
  'saved-model': ['savedmodel'],
  saved_model: ['savedmodel'],
  text: ['lightgbm-text'],
  txt: ['lightgbm-text'],
  cbm: ['catboost-binary'],
  triton: ['triton-repository'],
};

/** Frameworks that hold one another's models: a Keras model is a TensorFlow one, weights alone belong to any. */
const KIN: readonly (readonly string[])[] = [
  ['keras', 'tensorflow'],
  ['safetensors', 'pytorch', 'huggingface'],
  ['python', 'sklearn'],
  ['python', 'numpy'],
];

/** @throws ModelError `contradiction` where model.yaml says what the bytes deny */
export function refuseContradictions(tree: ModelTree, yaml: ModelYaml, subject: Subject): void {
  const deny = (key: string, said: string, is: string): ModelError =>
    new ModelError(
      'contradiction',
      `${tree.given}/${MODEL_YAML}`,
      `${tree.given}/${MODEL_YAML} says ${key}: ${said}, and ${subject.file} is ${is}: correct the one that is wrong`,
    );
  const framework = yaml.framework?.toLowerCase();
  if (framework !== undefined && !isKin(ALIASES[framework] ?? framework, subject.framework))
    throw deny('framework', yaml.framework!, subject.framework);
  const format = yaml.format?.toLowerCase();
  if (format !== undefined && format !== subject.format && !(FORMATS[format] ?? []).includes(subject.format))
    throw deny('format', yaml.format!, subject.format);
  if (yaml.signature === undefined || subject.signature === undefined || subject.framework === 'safetensors') return;
  const difference = signatureDifference(yaml.signature, subject.signature);
  if (difference !== undefined) throw deny(...difference);
}

function isKin(said: string, is: string): boolean {
  return said === is || KIN.some((family) => family.includes(said) && family.includes(is));
}

/** The first tensor that both name and describe differently, or that the bytes do not have. Trees know columns only by number. */
function signatureDifference(said: Signature, is: Signature): [key: string, said: string, is: string] | undefined {
  for (const side of ['inputs', 'outputs'] as const) {
    const byName = new Map(is[side].map((tensor) => [tensor.name, tensor]));
    const namesAreReal = said[side].some(({ name }) => byName.has(name));
    if (!namesAreReal) continue;
    for (const tensor of said[side]) {
      const real = byName.get(tensor.name);
      if (real === undefined) return [side, tensor.name, `without it: its ${side} are ${[...byName.keys()].join(', ')}`];
      if (tensor.type !== real.type) return [`${side} ${tensor.name}`, tensor.type, `made for ${real.type} there`];
      if (!sameShape(tensor, real)) return [`${side} ${tensor.name}`, shown(tensor.shape), `made for ${shown(real.shape)} there`];
    }
  }
  return undefined;
}

function sameShape(said: TensorSpec, is: TensorSpec): boolean {
  if (said.shape === undefined || is.shape === undefined) return true;
  return (
    said.shape.length === is.shape.length && said.shape.every((size, i) => size === -1 || is.shape![i] === -1 || size === is.shape![i])
  );
}

function shown(shape: readonly number[] | undefined): string {
  return `[${(shape ?? []).map((size) => (size === -1 ? 'any' : size)).join(', ')}]`;
}
