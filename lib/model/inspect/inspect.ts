import { basename, dirname } from 'node:path';
import { ModelError } from '../model-error';
import { containerChecks } from './container-checks';
import { refuseContradictions } from './contradictions';
import type { Inspection } from './inspection';
import { type MlflowModel, readMlflow } from './mlflow';
import { type ModelTree, withTree } from './model-tree';
import { MODEL_YAML, type ModelYaml } from './model-yaml';
import { modelYamlOf } from './model-yaml-of';
import { needsOf } from './needs';
import { scanFindings } from './scan-findings';
import type { Signature } from './signature';
import { singleFile } from './single-file';
import { composite, type Subject } from './subject';

export interface InspectOptions {
  /**
   * Bytes that an archive may expand to.
   *
   * @default 64 GiB
   */
  readonly largestArchive?: number;
  /**
   * Whether the files are also scanned for code, and held against the policy in model.yaml.
   *
   * @default true
   */
  readonly scan?: boolean;
  /** Where the scan's grades of unchanged files are remembered. @default - `$XDG_CACHE_HOME/cdk-fledge`, else `~/.cache/cdk-fledge` */
  readonly cacheDirectory?: string;
}

/**
 * Says what a model is from its bytes alone, executing none of it and reading of large files only the headers.
 *
 * @param path the model's directory, or a .tar.gz archive of one
 * @throws ModelError, with one of these codes: `not-found`, `not-a-directory`, `empty-directory`, `link-outside`, `link-broken`, `link-loop`,
 *   `special-file`, `unreadable`, `not-an-archive`, `unsafe-archive`, `archive-in-directory`, `no-model`, `several-models`, `damaged`,
 *   `model-yaml-invalid`, `mlmodel-invalid`, `contradiction`
 */
export function inspect(path: string, options: InspectOptions = {}): Inspection {
  return withTree(path, (tree) => inspectTree(tree, options), options.largestArchive);
}

/**
 * Says what the model in a .tar.gz archive is: `inspect`, for where nothing but an archive will do.
 *
 * @throws ModelError as `inspect` does, and `not-an-archive` for a directory
 */
export function inspectArchive(archive: string, options: InspectOptions = {}): Inspection {
  const inspectOpen = (tree: ModelTree) => {
    if (tree.source === 'archive') return inspectTree(tree, options);
    throw new ModelError(
      'not-an-archive',
      archive,
      `${archive} is a directory, not an archive: pack it first (tar czf, or fledge package)`,
    );
  };
  return withTree(archive, inspectOpen, options.largestArchive);
}

/** `inspect` of a model that is open already. */
export function inspectTree(tree: ModelTree, { scan = true, cacheDirectory }: InspectOptions): Inspection {
  const read = modelYamlOf(tree);
  const mlflow = readMlflow(tree);
  const subject = subjectOf(tree, read?.yaml, mlflow);
  if (read !== undefined) refuseContradictions(tree, read.yaml, subject);
  const packages = { ...read?.yaml.libraries, ...mlflow?.packages, ...subject.packages };
  const needs = needsOf(tree, subject, packages, subject.python ?? mlflow?.python);
  return {
    directory: tree.directory,
    source: tree.source,
    name: read?.yaml.name ?? nameOf(tree.directory),
    version: read?.yaml.version,
    framework: subject.framework,
    format: subject.format,
    modelFile: subject.file,
    files: tree.files.map(({ path, size, mode }) => ({ path, size, mode })),
    totalBytes: tree.files.reduce((sum, { size }) => sum + size, 0),
    parameters: subject.parameters,
    dtypes: subject.dtypes,
    signature: signatureOf(subject, read?.yaml, mlflow),
    needs,
    facts: [...subject.facts, ...(mlflow?.facts ?? [])],
    findings: [
      ...(read?.findings ?? []),
      ...subject.findings,
      ...containerChecks(tree, subject, needs),
      ...(scan ? scanFindings(tree, read?.yaml, { cacheDirectory }) : []),
    ],
    modelYaml: read?.yaml,
  };
}

/** @throws ModelError `no-model` */
function subjectOf(tree: ModelTree, yaml: ModelYaml | undefined, mlflow: MlflowModel | undefined): Subject {
  const named = yaml?.file ?? (mlflow?.data !== undefined && tree.files.some(({ path }) => path === mlflow.data) ? mlflow.data : undefined);
  const inside = mlflow?.data === undefined ? tree : below(tree, mlflow.data);
  const subject =
    named === undefined ? (compositeBelow(tree, inside, mlflow?.data) ?? singleFile(inside, undefined)) : singleFile(tree, named);
  if (subject !== undefined) return subject;
  if (named !== undefined && !tree.files.some(({ path }) => path === named)) {
    throw new ModelError(
      'no-model',
      `${tree.given}/${named}`,
      `${tree.given}/${named} does not exist, and ${MODEL_YAML} names it as the model's file: correct the name`,
    );
  }
  const seen = tree.files.map(({ path }) => path);
  throw new ModelError(
    'no-model',
    tree.given,
    `${tree.given} holds no model that is known: ${seen.slice(0, 5).join(', ')}${seen.length > 5 ? ` and ${seen.length - 5} more files` : ''}. Known are ONNX, scikit-learn and other pickles, joblib, XGBoost, LightGBM, CatBoost, PyTorch, Keras, TensorFlow, safetensors, Hugging Face, GGUF, TFLite, Core ML, numpy, Triton and MLflow`,
  );
}

/** The part of the tree that MLflow keeps the model in; the whole tree where that is a file or is not there. */
function below(tree: ModelTree, prefix: string): ModelTree {
  const files = tree.files.filter(({ path }) => path.startsWith(`${prefix}/`));
  return files.length === 0 ? tree : { ...tree, files };
}

function compositeBelow(tree: ModelTree, inside: ModelTree, prefix: string | undefined): Subject | undefined {
  if (inside === tree || prefix === undefined) return composite(tree);
  const cut = prefix.length + 1;
  const found = composite({ ...tree, files: inside.files.map((file) => ({ ...file, path: file.path.slice(cut) })) });
  return found === undefined ? undefined : { ...found, file: found.file === '.' ? prefix : `${prefix}/${found.file}` };
}

/** The bytes' own signature; where they hold none, or only the count of the columns, what their author says. */
function signatureOf(subject: Subject, yaml: ModelYaml | undefined, mlflow: MlflowModel | undefined): Signature | undefined {
  const said = yaml?.signature ?? mlflow?.signature;
  const columnsOnly = subject.signature?.inputs.length === 1 && subject.signature.inputs[0]!.name === 'features';
  return subject.signature === undefined || columnsOnly ? (said ?? subject.signature) : subject.signature;
}

/** A directory named by a version number is named with the one above it: `flight-delay/2` is flight-delay. */
function nameOf(directory: string): string {
  const own = basename(directory).replace(/\.(tar\.gz|tgz|tar)$/, '');
  return /^\d+$/.test(own) ? basename(dirname(directory)) : own;
}
