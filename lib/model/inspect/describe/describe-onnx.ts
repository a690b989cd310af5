import type { Bytes } from '../../formats/bytes';
import { type OnnxModel, type OnnxTensor, readOnnx } from '../../formats/onnx';
import type { Finding } from '../finding';
import { type Description, facts } from './description';

/** Domains that every build of ONNX Runtime carries. */
const KNOWN_DOMAINS = new Set([
  'ai.onnx',
  'ai.onnx.ml',
  'ai.onnx.training',
  'ai.onnx.preview.training',
  'com.microsoft',
  'com.microsoft.nchwc',
  'com.ms.internal.nhwc',
]);

/** The newest IR that onnxruntime 1.30 loads. */
const NEWEST_IR = 13;

/** Element types that answers and requests can carry: lib/serving/codec has them. */
const SERVED = new Set([
  ...['float16', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'],
  ...['bool', 'string'],
]);

export function describeOnnx(bytes: Bytes, path: string): Description {
  const model = readOnnx(bytes);
  const count = Object.values(model.dtypes).reduce((sum, elements) => sum + elements, 0);
  return {
    framework: 'onnx',
    format: 'onnx',
    role: 'model',
    parameters: count,
    dtypes: model.dtypes,
    signature: { inputs: model.inputs, outputs: model.outputs },
    packages: {},
    parts: model.externalData.filter(isInside),
    runsCode: false,
    facts: facts({
      producer: `${model.producer} ${model.producerVersion}`.trim(),
      'ONNX IR': model.irVersion,
      opset: Object.entries(model.opsets)
        .map(([domain, version]) => (domain === 'ai.onnx' ? version : `${domain} ${version}`))
        .join(', '),
      operators: Object.values(model.operators).reduce((sum, uses) => sum + uses, 0),
      'external data': model.externalData.join(', '),
    }),
    findings: findings(model, path),
  };
}

function isInside(location: string): boolean {
  return !location.startsWith('/') && !location.split(/[\\/]/).includes('..') && !/^[a-zA-Z]:/.test(location);
}

function findings(model: OnnxModel, path: string): Finding[] {
  const found: Finding[] = [];
  for (const location of model.externalData.filter((name) => !isInside(name))) {
    found.push({
      severity: 'error',
      code: 'onnx-external-data-outside',
      path,
      message: `its weights are said to be in ${location}, outside the model's directory`,
      remedy: 'save the model again with the weights beside it; if it is not yours, do not load it',
    });
  }
  const custom = [...new Set(Object.keys(model.operators).map((operator) => operator.slice(0, operator.lastIndexOf(':'))))].filter(
    (domain) => !KNOWN_DOMAINS.has(domain),
  );
  if (custom.length > 0) {
    found.push({
      severity: 'warning',
      code: 'onnx-custom-operators',
      path,
      message: `it uses operators of ${custom.join(', ')}, which ONNX Runtime does not have by itself`,
      remedy: 'serve it from an image that registers them, or export it with standard operators',
    });
  }
  const isTensor = ({ type }: OnnxTensor) => !type.includes('(');
  const unread = model.outputs.filter((output) => !isTensor(output));
  const unserved = [
    ...model.inputs,
    ...model.outputs.filter((output) => isTensor(output) || unread.length === model.outputs.length),
  ].filter(({ type }) => !SERVED.has(type));
  const zipMap = Object.hasOwn(model.operators, 'ai.onnx.ml:ZipMap');
  const withoutZipMap = "export it with tensors for outputs: for skl2onnx options={'zipmap': False}";
  if (unserved.length > 0) {
    found.push({
      severity: 'warning',
      code: 'onnx-unserved-types',
      path,
      message: `the onnx image and this machine cannot serve it: no request or answer can carry ${listed(unserved)}`,
      remedy: zipMap ? withoutZipMap : 'export it with float32 inputs and outputs, or serve it by an image of your own',
    });
  } else if (unread.length > 0) {
    found.push({
      severity: 'warning',
      code: 'onnx-unread-outputs',
      path,
      message: `answers leave out ${listed(unread)}: only tensors can be read`,
      remedy: zipMap ? withoutZipMap : 'export it with tensors for outputs',
    });
  }
  if (model.irVersion > NEWEST_IR) {
    found.push({
      severity: 'error',
      code: 'onnx-too-new',
      path,
      message: `it is written in ONNX IR ${model.irVersion}; the newest that is served is ${NEWEST_IR}`,
      remedy: 'export it with an older onnx package, or set its ir_version down where its operators allow it',
    });
  }
  return found;
}

function listed(tensors: readonly OnnxTensor[]): string {
  return tensors.map(({ name, type }) => `"${name}" (${type})`).join(', ');
}
