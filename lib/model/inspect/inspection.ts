import type { Finding } from './finding';
import type { ModelYaml } from './model-yaml';
import type { Signature } from './signature';

/** The library a model was trained with or belongs to. */
export type Framework =
  | 'onnx'
  | 'sklearn'
  | 'xgboost'
  | 'lightgbm'
  | 'catboost'
  | 'pytorch'
  | 'keras'
  | 'tensorflow'
  | 'tflite'
  | 'coreml'
  | 'huggingface'
  | 'safetensors'
  | 'gguf'
  | 'numpy'
  | 'python'
  | 'triton';

/** How the model's main file is written. */
export type ModelFormat =
  | 'onnx'
  | 'pickle'
  | 'joblib'
  | 'torch-zip'
  | 'torchscript'
  | 'torch-legacy'
  | 'torch-tar'
  | 'xgboost-json'
  | 'xgboost-ubj'
  | 'xgboost-binary'
  | 'lightgbm-text'
  | 'catboost-binary'
  | 'hdf5'
  | 'keras-zip'
  | 'savedmodel'
  | 'tflite'
  | 'coreml'
  | 'safetensors'
  | 'gguf'
  | 'npy'
  | 'npz'
  | 'triton-repository';

/** The serving images that SageMaker has for a model; `onnx` is this package's own container. */
export type ImageFamily = 'onnx' | 'sklearn' | 'xgboost' | 'pytorch' | 'tensorflow' | 'huggingface' | 'triton' | 'djl-lmi' | 'custom';

/** A regular file of the model; symbolic links that stay inside are listed as the file they lead to. */
export interface ModelFile {
  /** Path below the directory, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Permission bits, 0-0o777. */
  readonly mode: number;
}

/** What the model asks of whoever serves it. */
export interface Needs {
  readonly image: ImageFamily;
  /** Versions that the bytes name, by package: `{ 'scikit-learn': '1.4.2' }`. */
  readonly packages: Readonly<Record<string, string>>;
  /** The Python that wrote it, where it says so: `3.11`. */
  readonly python?: string;
  /** Files that the container will look for, present or not. */
  readonly files: readonly string[];
  /** The handler that the container runs, where there is one: `code/inference.py`. */
  readonly entryPoint?: string;
  /** Whether loading it runs Python code by design (pickles) or by reference (`auto_map`, custom operators). */
  readonly runsCode: boolean;
}

/** A fact that the bytes hold, in the reader's words: `{ name: 'opset', value: '17' }`. */
export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** What a model's bytes say about it. Nothing of it was executed, and of large files only the headers were read. */
export interface Inspection {
  /** The directory or archive, absolute. */
  readonly directory: string;
  readonly source: 'directory' | 'archive';
  /** `name` of model.yaml, else the directory's own name. */
  readonly name: string;
  readonly version?: string;
  readonly framework: Framework;
  readonly format: ModelFormat;
  /** The file (or SavedModel or repository directory) that is the model, below the directory. */
  readonly modelFile: string;
  /** Every file that belongs to the model, sorted by the bytes of its path. */
  readonly files: readonly ModelFile[];
  readonly totalBytes: number;
  /** Trained numbers in the model, where the format lets them be counted. */
  readonly parameters?: number;
  /** How many of them are of which element type. */
  readonly dtypes?: Readonly<Record<string, number>>;
  /** From the bytes; from model.yaml or MLmodel where the bytes hold none. */
  readonly signature?: Signature;
  readonly needs: Needs;
  readonly facts: readonly Fact[];
  readonly findings: readonly Finding[];
  readonly modelYaml?: ModelYaml;
}
