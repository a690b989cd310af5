import { BufferBytes, type Bytes } from '../../formats/bytes';
import { readCoreml } from '../../formats/coreml';
import { readGguf } from '../../formats/gguf';
import { type NpyHeader, readNpy } from '../../formats/npy';
import { readSafetensors } from '../../formats/safetensors';
import { readTflite } from '../../formats/tflite';
import { centralEntries, expandEntry } from '../../formats/zip';
import type { Finding } from '../finding';
import { counted, type Description, facts, few, tensors } from './description';

export function describeSafetensors(bytes: Bytes, path: string): Description {
  const file = readSafetensors(bytes);
  return {
    framework: 'safetensors',
    format: 'safetensors',
    role: 'model',
    ...counted(file.tensors),
    runsCode: false,
    facts: facts({
      tensors: file.tensors.length,
      'tensor names': few(file.tensors.map(({ name }) => name)),
      'written by': file.metadata.format,
    }),
    findings: file.faults.slice(0, 5).map((fault) => broken(path, fault)),
  };
}

function broken(path: string, fault: string): Finding {
  return {
    severity: 'error',
    code: 'safetensors-broken',
    path,
    message: `${fault}; the safetensors library refuses such a file`,
    remedy: 'copy or download the file again, or save it again',
  };
}

export function describeGguf(bytes: Bytes): Description {
  const { version, metadata, tensors: list } = readGguf(bytes);
  const architecture = String(metadata['general.architecture'] ?? '');
  return {
    framework: 'gguf',
    format: 'gguf',
    role: 'model',
    ...counted(list),
    runsCode: false,
    facts: facts({
      'GGUF version': version,
      name: text(metadata['general.name']),
      architecture,
      'context length': text(metadata[`${architecture}.context_length`]),
      'chat template': metadata['tokenizer.chat_template'] === undefined ? undefined : 'yes',
    }),
    findings: [],
  };
}

function text(value: string | number | boolean | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

export function describeTflite(bytes: Bytes): Description {
  const model = readTflite(bytes);
  return {
    framework: 'tflite',
    format: 'tflite',
    role: 'model',
    ...counted(model.weights),
    signature: { inputs: tensors(model.inputs), outputs: tensors(model.outputs) },
    runsCode: false,
    facts: facts({ 'schema version': model.version, description: model.description, 'custom operators': model.operators.join(', ') }),
    findings: [],
  };
}

export function describeCoreml(bytes: Bytes): Description {
  const model = readCoreml(bytes);
  return {
    framework: 'coreml',
    format: 'coreml',
    role: 'model',
    signature: { inputs: tensors(model.inputs), outputs: tensors(model.outputs) },
    runsCode: false,
    facts: facts({ kind: model.kind, 'specification version': model.specificationVersion }),
    findings: [],
  };
}

export function describeNpy(bytes: Bytes): Description {
  return arrays('npy', [['array', readNpy(bytes)]]);
}

const LONGEST_NPY_HEADER = 65_536 + 12;

/** A zip of .npy files: numpy.savez. */
export function describeNpz(bytes: Bytes): Description {
  const headers = centralEntries(bytes)
    .filter(({ name }) => name.endsWith('.npy'))
    .map((entry): [string, NpyHeader] => [
      entry.name.slice(0, -4),
      readNpy(new BufferBytes(expandEntry(bytes, entry, LONGEST_NPY_HEADER).output)),
    ]);
  return arrays('npz', headers);
}

function arrays(format: 'npy' | 'npz', headers: [string, NpyHeader][]): Description {
  return {
    framework: 'numpy',
    format,
    role: 'data',
    ...counted(headers.map(([, header]) => header)),
    runsCode: headers.some(([, { type }]) => type === 'object'),
    facts: facts({ arrays: few(headers.map(([name, { type, shape }]) => `${name} ${type}[${shape.join(',')}]`)) }),
    findings: [],
  };
}
