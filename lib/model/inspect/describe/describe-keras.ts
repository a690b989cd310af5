import { BufferBytes, type Bytes } from '../../formats/bytes';
import { type Hdf5Dataset, readHdf5 } from '../../formats/hdf5';
import { decodePythonJson, readPythonJson } from '../../formats/python-json';
import { expandEntry, storedBytes, type ZipEntry } from '../../formats/zip';
import type { Finding } from '../finding';
import type { Signature, TensorSpec } from '../signature';
import { counted, type Description, facts, few } from './description';

/** A Keras configuration, of which only the shape is sure. */
export interface KerasNode {
  readonly [key: string]: unknown;
}

export function isKerasZip(entries: readonly ZipEntry[]): boolean {
  return entries.some(({ name }) => name === 'config.json') && entries.some(({ name }) => name === 'metadata.json');
}

const LARGEST_JSON = 64 * 1024 * 1024;
const LARGEST_WEIGHTS = 1024 * 1024 * 1024;

export function describeKerasZip(bytes: Bytes, entries: readonly ZipEntry[], path: string): Description {
  const json = (name: string): KerasNode => {
    const entry = entries.find((candidate) => candidate.name === name)!;
    return readPythonJson(decodePythonJson(expandEntry(bytes, entry, LARGEST_JSON).output)) as KerasNode;
  };
  const weights = entries.find(({ name }) => name === 'model.weights.h5');
  const config = json('config.json');
  const version = text(json('metadata.json').keras_version);
  const datasets =
    weights === undefined
      ? []
      : readHdf5(storedBytes(bytes, weights) ?? new BufferBytes(expandEntry(bytes, weights, LARGEST_WEIGHTS).output)).datasets;
  return keras('keras-zip', config, version, datasets, path, { 'saved on': text(json('metadata.json').date_saved) });
}

/** A whole model in HDF5; other HDF5 files are data. */
export function describeHdf5(bytes: Bytes, path: string): Description {
  const { attributes, datasets, external, fault } = readHdf5(bytes);
  if (fault !== undefined) throw fault;
  const described = counted(datasets);
  const findings = external.map((link): Finding => externalLink(path, link));
  if (attributes.model_config === undefined) {
    const isWeights = attributes.layer_names !== undefined || datasets.some((dataset) => /(^|\/)vars\/\d+$|:0$/.test(dataset.path));
    return {
      framework: 'keras',
      format: 'hdf5',
      role: isWeights ? 'model' : 'data',
      ...described,
      runsCode: false,
      facts: facts({ holds: isWeights ? 'weights without their layers' : 'arrays', arrays: few(datasets.map((dataset) => dataset.path)) }),
      findings: isWeights ? [...findings, weightsOnly(path)] : findings,
    };
  }
  const described5 = keras('hdf5', readPythonJson(attributes.model_config) as KerasNode, attributes.keras_version, datasets, path, {
    backend: attributes.backend,
  });
  return { ...described5, findings: [...findings, ...described5.findings] };
}

function externalLink(path: string, link: string): Finding {
  return {
    severity: 'error',
    code: 'hdf5-external-link',
    path,
    message: `it links to another file (${link}), which loading would read`,
    remedy: 'save the model again; if it is not yours, do not load it',
  };
}

function weightsOnly(path: string): Finding {
  return {
    severity: 'error',
    code: 'keras-weights-only',
    path,
    message: 'it holds weights without the layers that they belong to',
    remedy: 'save the whole model: model.save(), or model.export() for TensorFlow Serving',
  };
}

function keras(
  format: 'keras-zip' | 'hdf5',
  config: KerasNode,
  version: string | undefined,
  datasets: readonly Hdf5Dataset[],
  path: string,
  more: Readonly<Record<string, string | undefined>>,
): Description {
  const weights = datasets.filter(
    (dataset) => !/^(optimizer|optimizer_weights|seed_generator)\b/.test(dataset.path) && !dataset.path.includes('/seed_generator/'),
  );
  const layers = [...nodes(config)].filter((node) => typeof node.class_name === 'string' && node !== config);
  const lambdas = layers.filter((node) => node.class_name === 'Lambda');
  return {
    framework: 'keras',
    format,
    role: 'model',
    ...counted(weights),
    signature: signature(config),
    packages: version === undefined ? {} : { keras: version },
    runsCode: lambdas.length > 0,
    facts: facts({ class: text(config.class_name), keras: version, layers: layerNames(config), ...more }),
    findings: lambdas.length === 0 ? [] : [lambdaLayer(path, lambdas.length)],
  };
}

function lambdaLayer(path: string, count: number): Finding {
  return {
    severity: 'warning',
    code: 'keras-lambda',
    path,
    message: `it has ${count === 1 ? 'a Lambda layer' : `${count} Lambda layers`}: Python code inside the model, which loading runs`,
    remedy: 'replace it by a layer class of your own, registered where the model is served',
  };
}

/** Every object of a configuration. @param most of them and of its lists, together */
export function* nodes(root: unknown, most = 100_000): Generator<KerasNode> {
  const waiting: unknown[] = [root];
  for (let count = 0; waiting.length > 0 && count < most; count++) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (!Array.isArray(value)) yield value as KerasNode;
    for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) waiting.push(child);
  }
}

function layerList(config: KerasNode): KerasNode[] {
  const inner = config.config;
  if (Array.isArray(inner)) return inner as KerasNode[];
  const layers = (inner as KerasNode | undefined)?.layers;
  return Array.isArray(layers) ? (layers as KerasNode[]) : [];
}

function layerNames(config: KerasNode): string {
  return few(layerList(config).map((layer) => String(layer.class_name)));
}

/** From the input layers, and the names of the output layers where the model is a functional one. */
function signature(config: KerasNode): Signature | undefined {
  const inputs = layerList(config)
    .filter((layer) => layer.class_name === 'InputLayer')
    .map(({ config: inner }) => input(inner as KerasNode));
  if (inputs.length === 0) return undefined;
  const outputs = (config.config as KerasNode | undefined)?.output_layers;
  const named = Array.isArray(outputs) ? outputs.flat().filter((name): name is string => typeof name === 'string') : [];
  const last = layerList(config).at(-1);
  return { inputs, outputs: (named.length > 0 ? named : [layerName(last)]).map((name) => output(config, name)) };
}

function layerName(layer: KerasNode | undefined): string {
  return text((layer?.config as KerasNode | undefined)?.name) ?? 'output';
}

function input(config: KerasNode): TensorSpec {
  const shape = config.batch_shape ?? config.batch_input_shape;
  return {
    name: text(config.name) ?? 'input',
    type: typeOf(config.dtype),
    shape: Array.isArray(shape) ? shape.map((size) => (typeof size === 'number' ? size : -1)) : undefined,
  };
}

/** A dense layer says how wide its output is; of others only the name is known. */
function output(config: KerasNode, name: string): TensorSpec {
  const inner = layerList(config).find((layer) => layerName(layer) === name)?.config as KerasNode | undefined;
  const type = typeOf(inner?.dtype);
  return typeof inner?.units === 'number' ? { name, type, shape: [-1, inner.units] } : { name, type };
}

/** Keras 3 writes a policy where Keras 2 wrote a name. */
function typeOf(dtype: unknown): string {
  if (typeof dtype === 'string') return dtype;
  return text(((dtype as KerasNode | undefined)?.config as KerasNode | undefined)?.name) ?? 'float32';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
