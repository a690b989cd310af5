import type { Bytes } from '../formats/bytes';
import { readCoreml } from '../formats/coreml';
import { readOnnx } from '../formats/onnx';
import { readSavedModel } from '../formats/saved-model';
import { readTflite } from '../formats/tflite';
import type { ScanContext } from './scan-context';

/** Operators of TensorFlow that reach the file system or the Python that runs them. */
const TENSORFLOW_HARM: Readonly<Record<string, string>> = {
  ReadFile: 'reads any file when it is run',
  WriteFile: 'writes any file when it is run',
  MatchingFiles: 'lists files when it is run',
  PyFunc: 'calls Python when it is run',
  PyFuncStateless: 'calls Python when it is run',
  EagerPyFunc: 'calls Python when it is run',
  DebugIdentityV2: 'writes files when it is run',
  DebugNanCount: 'sends what it sees to a URL when it is run',
  PrintV2: 'can write to any file when it is run',
  RpcCall: 'calls another machine when it is run',
};

/** Operators that write files, and are in every model only for saving itself: alone, outside of a saver, they are not. */
const TENSORFLOW_ODD: Readonly<Record<string, string>> = {
  SaveSlices: 'writes files when it is run',
  WholeFileReaderV2: 'reads files when it is run',
  WholeFileReader: 'reads files when it is run',
  WriteGraphSummary: 'writes files when it is run',
  CreateSummaryFileWriter: 'writes files when it is run',
};

export function scanSavedModel(bytes: Bytes, path: string, context: ScanContext): void {
  for (const name of readSavedModel(bytes).operators) scanTensorflowOperator(name, path, context);
}

/** @param name as a graph's nodes name it: `ReadFile` */
export function scanTensorflowOperator(name: string, path: string, context: ScanContext): void {
  const harm = Object.hasOwn(TENSORFLOW_HARM, name) ? TENSORFLOW_HARM[name] : undefined;
  const odd = Object.hasOwn(TENSORFLOW_ODD, name) ? TENSORFLOW_ODD[name] : undefined;
  if (harm !== undefined)
    context.add({
      grade: name === 'PrintV2' ? 'unknown' : 'dangerous',
      code: 'tensorflow-operator',
      path,
      name,
      message: `the operator ${name} ${harm}`,
    });
  else if (odd !== undefined)
    context.add({ grade: 'unknown', code: 'tensorflow-operator', path, name, message: `the operator ${name} ${odd}` });
}

const ONNX_DOMAINS =
  /^(ai\.onnx(\..+)?|com\.microsoft(\..+)?|com\.ms\.internal\.nhwc|pkg\.(onnxscript|torch|transformers)\..+|local|this|onnx_quantization\..*)$/;

export function scanOnnx(bytes: Bytes, path: string, context: ScanContext): true {
  const { externalData, operators } = readOnnx(bytes);
  for (const name of externalData) {
    if (!/^([/\\]|[A-Za-z]:)|(^|[/\\])\.\.([/\\]|$)/.test(name)) continue;
    context.add({
      grade: 'dangerous',
      code: 'onnx-external-data',
      path,
      name,
      message: `it reads ${name} as its weights, outside of the model's directory`,
    });
  }
  const domains = new Set(Object.keys(operators).map((operator) => operator.slice(0, operator.lastIndexOf(':'))));
  for (const domain of domains) {
    if (ONNX_DOMAINS.test(domain)) continue;
    context.add({
      grade: 'unknown',
      code: 'onnx-custom-operators',
      path,
      name: domain,
      message: `it uses operators of ${domain}, which need a library of native code`,
    });
  }
  if (Object.keys(operators).some((operator) => /:(PyOp|PythonOp|PythonOpGrad)$/.test(operator))) {
    context.add({ grade: 'dangerous', code: 'onnx-python', path, name: 'PyOp', message: 'an operator that calls Python' });
  }
  return true;
}

/** A name that promises ONNX, over bytes that cannot be read as that: cut off, say. */
export function checkOnnxName(bytes: Bytes, path: string, context: ScanContext): void {
  if (!/\.onnx$/i.test(path)) return;
  try {
    readOnnx(bytes);
  } catch (error) {
    context.add({
      grade: 'unknown',
      code: 'broken',
      path,
      message: `its name promises an ONNX model, and it is none: ${(error as Error).message}`,
    });
  }
}

export function scanTflite(bytes: Bytes, path: string, context: ScanContext): true {
  for (const name of readTflite(bytes).operators) {
    if (/^(Flex|TFLite_)/.test(name)) continue;
    context.add({
      grade: 'unknown',
      code: 'tflite-custom-operator',
      path,
      name,
      message: `the operator ${name} needs native code of its own`,
    });
  }
  return true;
}

export function scanCoreml(bytes: Bytes, path: string, context: ScanContext): true {
  const { kind } = readCoreml(bytes);
  if (kind === 'custom model')
    context.add({ grade: 'unknown', code: 'coreml-custom', path, name: kind, message: 'its kind is code of the app that loads it' });
  return true;
}

/** TorchScript's generated Python: interpreted by torch, and yet able to write and map files. */
export function scanTorchScript(source: string, path: string, context: ScanContext): void {
  const harm = /\b(?:torch\.(?:save|from_file|load)|ops\.aten\.(?:save|from_file|_load_from_bytes))\s*\(/.exec(source);
  if (harm !== null) {
    context.add({
      grade: 'dangerous',
      code: 'torchscript-files',
      path,
      offset: harm.index,
      name: harm[0].replace(/\s*\($/, ''),
      message: `its code reaches files when it is run: ${harm[0]}...)`,
    });
  }
  for (const [, namespace] of source.matchAll(/\b(?:torch\.)?ops\.(\w+)\.\w+\s*\(/g)) {
    if (/^(aten|prim|primitive|quantized|torchvision|prepacked|mkldnn|profiler|inductor|_caffe2|sparse)$/.test(namespace!)) continue;
    context.add({
      grade: 'unknown',
      code: 'torchscript-custom-operators',
      path,
      name: namespace!,
      message: `it uses operators of ${namespace}, which need a library of native code`,
    });
  }
}
