import { BufferBytes, type Bytes } from '../../formats/bytes';
import { asNumber, items, PickleCall, PickleGlobal, PicklePersistent, runPickle, type Value } from '../../formats/pickle';
import { centralEntries, expandEntry, storedBytes, type ZipEntry } from '../../formats/zip';
import type { Signature } from '../signature';
import { counted, type Description, facts, few } from './description';

/** Whether a zip is what torch.save writes: `<name>/data.pkl` beside `<name>/version`. */
export function isTorchZip(entries: readonly ZipEntry[]): boolean {
  return entries.some(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
}

const LARGEST_PICKLE = 256 * 1024 * 1024;

export function describeTorchZip(bytes: Bytes): Description {
  const entries = centralEntries(bytes);
  const root = entries.find(({ name }) => /^[^/]+\/data\.pkl$/.test(name))!.name.replace(/data\.pkl$/, '');
  const content = (name: string) => {
    const entry = entries.find((candidate) => candidate.name === root + name);
    return entry === undefined
      ? undefined
      : (storedBytes(bytes, entry) ?? new BufferBytes(expandEntry(bytes, entry, LARGEST_PICKLE).output));
  };
  const scripted =
    entries.some(({ name }) => name.startsWith(`${root}code/`)) && entries.some(({ name }) => name === `${root}constants.pkl`);
  const { described, value, globals } = readTensors(content('data.pkl')!);
  const forward = scripted ? forwardOf(value, content) : undefined;
  return {
    framework: 'pytorch',
    format: scripted ? 'torchscript' : 'torch-zip',
    role: 'model',
    ...described,
    signature: forward?.signature,
    packages: {},
    runsCode: !scripted,
    facts: facts({
      holds: scripted ? 'a TorchScript program' : kindOf(value),
      class: className(value),
      forward: forward?.text,
      'torch zip version': content('version')?.read(0, 16).toString('latin1').trim(),
      packages: scripted ? undefined : few([...new Set(globals.map(({ module }) => module.split('.')[0]!))].sort()),
    }),
    findings: [],
  };
}

/** The five pickles of torch.save before 1.6: a magic number, a protocol, the system, the object, the storage keys. */
export function describeTorchLegacy(bytes: Bytes): Description | undefined {
  let at = 0;
  for (let i = 0; i < 3; i++) {
    const run = runPickle(bytes, at);
    if (run.stopped !== 'stop') return undefined;
    at = run.end;
  }
  return torchPickle('torch-legacy', bytes.slice(at));
}

/** The oldest form: a tar with the pickle beside its storages. */
export function describeTorchTar(pickle: Bytes): Description {
  return torchPickle('torch-tar', pickle);
}

function torchPickle(format: 'torch-legacy' | 'torch-tar', bytes: Bytes): Description {
  const { described, value, globals } = readTensors(bytes);
  return {
    framework: 'pytorch',
    format,
    role: 'model',
    ...described,
    packages: {},
    runsCode: true,
    facts: facts({
      holds: kindOf(value),
      class: className(value),
      packages: few([...new Set(globals.map(({ module }) => module.split('.')[0]!))].sort()),
    }),
    findings: [],
  };
}

/** Storage classes of torch by the element type that they hold. */
const STORAGES: Record<string, string> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
  ComplexFloatStorage: 'complex64',
  QInt8Storage: 'int8',
  QUInt8Storage: 'uint8',
  QInt32Storage: 'int32',
  ComplexDoubleStorage: 'complex128',
  UntypedStorage: 'uint8',
};

/** Tensors by where their numbers stand, so that tied weights count once. */
function readTensors(bytes: Bytes) {
  const tensors = new Map<string, { type: string; shape: number[] }>();
  const globals: PickleGlobal[] = [];
  const run = runPickle(bytes, 0, {
    listener: {
      imported: (global) => globals.push(global),
      called: (call) => {
        const tensor = tensorOf(call);
        if (tensor !== undefined) tensors.set(tensor.place, tensor);
      },
    },
  });
  return { described: counted(tensors.values()), value: run.value, globals };
}

function tensorOf({ callee, args }: PickleCall): { place: string; type: string; shape: number[] } | undefined {
  if (!(callee instanceof PickleGlobal) || !callee.path.startsWith('torch._utils._rebuild_') || !callee.name.includes('tensor'))
    return undefined;
  const [storage, offset, size] = items(args);
  if (!(storage instanceof PicklePersistent)) return undefined;
  const [, kind, key] = items(storage.id);
  const shape = items(size).map((dim) => asNumber(dim) ?? 0);
  const type = kind instanceof PickleGlobal ? (STORAGES[kind.name] ?? kind.name) : 'unknown';
  return { place: `${String(key)} ${String(offset)} ${shape.join('x')}`, type, shape };
}

function className(value: Value): string | undefined {
  return value instanceof PickleCall && value.callee instanceof PickleGlobal ? value.callee.path : undefined;
}

function kindOf(value: Value): string {
  const path = className(value);
  if (path === 'collections.OrderedDict' || path === undefined) return 'tensors by name (a state dict)';
  return path.startsWith('torch._utils.') ? 'a tensor' : 'a whole object';
}

/** The forward method of a TorchScript program's top class, from its generated source. */
function forwardOf(value: Value, content: (name: string) => Bytes | undefined): { text: string; signature: Signature } | undefined {
  const path = className(value);
  if (path === undefined) return undefined;
  const parts = path.split('.');
  const source = content(`code/${parts.slice(0, -1).join('/')}.py`);
  const text = source?.read(0, Math.min(source.size, 4 * 1024 * 1024)).toString('utf8');
  const body = text?.slice(text.indexOf(`class ${parts.at(-1)}(`));
  const match = /def forward\(self:[^,)]*(?:,\s*([^)]*))?\)\s*->\s*([^:]+(?:\[[^\]]*\])?):/.exec(body ?? '');
  if (match === null) return undefined;
  const inputs = (match[1] ?? '')
    .split(/,(?![^[]*\])/)
    .map((argument) => argument.trim())
    .filter((argument) => argument !== '');
  return {
    text: `(${inputs.join(', ').replace(/\s+/g, ' ')}) -> ${match[2]!.trim()}`,
    signature: { inputs: inputs.map(argument), outputs: [{ name: 'output', type: match[2]!.trim().toLowerCase() }] },
  };
}

function argument(text: string) {
  const [name = '', type = 'Tensor'] = text.split(':').map((part) => part.trim());
  return { name, type: type.replace(/\s*=.*$/s, '').toLowerCase() };
}
