import type { ImageFamily, Needs } from './inspection';
import type { ModelTree } from './model-tree';
import type { Subject } from './subject';

/** SageMaker's image for each framework; those without one of their own are loaded by a handler in another's. */
const FAMILIES: Record<Subject['framework'], ImageFamily> = {
  onnx: 'onnx',
  sklearn: 'sklearn',
  xgboost: 'xgboost',
  lightgbm: 'sklearn',
  catboost: 'sklearn',
  python: 'sklearn',
  numpy: 'sklearn',
  pytorch: 'pytorch',
  safetensors: 'pytorch',
  keras: 'tensorflow',
  tensorflow: 'tensorflow',
  huggingface: 'huggingface',
  triton: 'triton',
  tflite: 'custom',
  coreml: 'custom',
  gguf: 'custom',
};

/** Where the toolkit images look for handlers. */
export const HANDLER = 'code/inference.py';

export function has(tree: ModelTree, path: string): boolean {
  return tree.files.some((file) => file.path === path);
}

export function textOf(tree: ModelTree, path: string): string {
  const file = tree.files.find((candidate) => candidate.path === path);
  return file === undefined ? '' : file.open((bytes) => bytes.read(0, Math.min(bytes.size, 1024 * 1024)).toString('utf8'));
}

/** What whoever serves the model must have. */
export function needsOf(tree: ModelTree, subject: Subject, packages: Readonly<Record<string, string>>, python: string | undefined): Needs {
  const image = familyOf(tree, subject);
  const entryPoint = has(tree, HANDLER) ? HANDLER : undefined;
  return { image, packages, python, files: filesFor(image, subject, entryPoint), entryPoint, runsCode: subject.runsCode };
}

function familyOf(tree: ModelTree, subject: Subject): ImageFamily {
  if (has(tree, 'serving.properties') && subject.framework !== 'triton') return 'djl-lmi';
  // TensorFlow Serving runs no model_fn; a handler that loads Keras itself is for a toolkit image, and Keras 3 computes with torch there
  if (subject.framework === 'keras' && defines(textOf(tree, HANDLER), 'model_fn')) return 'pytorch';
  return FAMILIES[subject.framework];
}

/** Whether a Python source defines or imports a name at its top level. */
export function defines(source: string, name: string): boolean {
  return new RegExp(`^(?:async\\s+)?def\\s+${name}\\s*\\(|^${name}\\s*=|^from\\s.*import\\s(?:.*[\\s,(])?${name}\\b`, 'm').test(source);
}

function filesFor(image: ImageFamily, subject: Subject, entryPoint: string | undefined): string[] {
  const parts = [subject.file, ...(subject.parts ?? [])].filter((file) => file !== '.');
  if (image === 'sklearn') return [...parts, HANDLER];
  if (image === 'huggingface') return [...new Set(['config.json', ...parts])];
  return entryPoint === undefined ? parts : [...parts, entryPoint];
}
