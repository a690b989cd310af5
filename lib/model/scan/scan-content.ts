import { isUtf8 } from 'node:buffer';
import type { Bytes } from '../formats/bytes';
import { startsLikeCatboost } from '../formats/catboost';
import { compressionOf } from '../formats/compression';
import { startsLikeCoreml } from '../formats/coreml';
import { readGguf } from '../formats/gguf';
import { startsLikeHdf5, superblockAt } from '../formats/hdf5';
import { startsLikeLightgbm } from '../formats/lightgbm';
import { npyParts, readNpy, startsLikeNpy } from '../formats/npy';
import { startsLikeOnnx } from '../formats/onnx';
import { OPCODES } from '../formats/pickle';
import { fields } from '../formats/protobuf';
import { readSafetensors, startsLikeSafetensors } from '../formats/safetensors';
import { startsLikeTar } from '../formats/tar';
import { startsLikeTflite } from '../formats/tflite';
import { startsLikeXgboostJson, startsLikeXgboostUbj } from '../formats/xgboost';
import { startsLikeZip } from '../formats/zip';
import { listsFiles, scanCompressed, scanTar, scanZip, zipEntries } from './scan-archives';
import type { PartHint, ScanContext } from './scan-context';
import { checkOnnxName, scanCoreml, scanOnnx, scanSavedModel, scanTflite } from './scan-graphs';
import { holdsKerasConfig, scanHdf5, scanKerasMetadata, scanKerasObjects, scanKerasZip } from './scan-keras';
import { scanAsPickle, scanPickles } from './scan-pickle';
import { scanTemplate } from './scan-template';
import { mayBeText, scanText } from './scan-text';

/** Extensions under which loaders expect pickles: such a file must be one, whole. */
const PICKLE_NAMES =
  /\.(pkl|pickle|joblib|pt|pth|pt2|ckpt|bin|dat|data|p|npy|dill|cloudpickle|pk|pyt)$|(^|[/!])(data|constants|pickle|xgboost-model)(\.pkl)?$/i;

/** Scans bytes as whatever they may be taken for: told by content, and by every content that they begin or end like. */
export function scanContent(bytes: Bytes, path: string, context: ScanContext, depth: number, hint: PartHint): void {
  const head = bytes.read(0, 1024);
  if (hint.embedded !== true) checkOnnxName(bytes, path, context);
  if (hint.embedded !== true && /\.(tar\.gz|tgz)$/i.test(path) && compressionOf(head) !== 'gzip')
    context.add({ grade: 'unknown', code: 'broken', path, message: 'its name promises a .tar.gz, and it is none' });
  if (head.length === 0) return;
  const known = guarded(path, context, () => scanKnown(bytes, head, path, context, depth, hint));
  guarded(path, context, () => scanPickled(bytes, head, path, context, depth, hint, known));
  // formats that are text, or begin like one, are other texts as well
  if (known && hint.embedded !== true && mayBeText(bytes, head, path)) scanText(bytes, path, context);
  // HDF5 may begin behind bytes of another kind, a tar's header among them
  if (hint.embedded !== true && !startsLikeHdf5(head) && superblockAt(bytes) !== undefined) scanHdf5(bytes, path, context);
  // a zip is read from its end: whatever stands before it, loaders that look there find it
  if (hint.embedded !== true && !startsLikeZip(head) && endsLikeZip(bytes)) {
    // a pickle may hold a zip and end with it, as pickled Keras models do; both readings are looked at
    if (!startsLikePickle(head)) {
      context.add({
        grade: 'unknown',
        code: 'polyglot',
        path,
        message: 'it ends like a zip and does not begin like one: two readers see two things',
      });
    }
    scanZipAndKeras(bytes, path, context, depth);
  }
}

function scanZipAndKeras(bytes: Bytes, path: string, context: ScanContext, depth: number): void {
  scanZip(bytes, path, context, depth);
  const entries = zipEntries(bytes);
  if (holdsKerasConfig(entries)) scanKerasZip(bytes, entries, path, context);
}

/** Bytes that make a reader throw are a finding, and those that begin like a format are of it. */
function guarded(path: string, context: ScanContext, scan: () => unknown): boolean {
  try {
    return scan() !== false;
  } catch (error) {
    context.add({
      grade: 'unknown',
      code: 'broken',
      path,
      message: `it begins like a format that is known, and is broken: ${(error as Error).message}`,
    });
    return true;
  }
}

/** Whatever a file is, an unpickler reads it from its first byte on. */
function scanPickled(bytes: Bytes, head: Buffer, path: string, context: ScanContext, depth: number, hint: PartHint, known: boolean): void {
  if (hint.embedded === true) {
    if (startsLikePickle(head)) scanEmbedded(bytes, path, context, depth);
  } else if (!known) {
    scanUnknown(bytes, head, path, context, depth);
  } else if (OPCODES[head[0]!] !== undefined) {
    scanAsPickle(bytes, path, context, depth);
  }
}

/** The formats that say what they are. True when it was one of them. */
function scanKnown(bytes: Bytes, head: Buffer, path: string, context: ScanContext, depth: number, hint: PartHint): boolean {
  if (startsLikeZip(head)) {
    scanZipAndKeras(bytes, path, context, depth);
    return true;
  }
  if (startsLikeNpy(head)) return scanNpy(bytes, path, context, depth);
  if (startsLikeHdf5(head)) return scanHdf5(bytes, path, context);
  if (startsLikeSafetensors(head, bytes.size)) return scanSafetensors(bytes, path, context);
  if (head.toString('latin1', 0, 4) === 'GGUF') return scanGguf(bytes, path, context);
  if (startsLikeTflite(head)) return scanTflite(bytes, path, context);
  if (startsLikeTar(head)) return scanTar(bytes, path, context, depth);
  if (startsLikeCatboost(head) || startsLikeLightgbm(head) || startsLikeXgboostUbj(head) || startsLikeXgboostJson(head)) return true;
  const compression = compressionOf(head);
  if (compression !== undefined) return scanCompressed(bytes, compression, path, context, depth, { ...hint, text: isText(head) });
  if (isSavedModelName(path)) return scanTensorflow(bytes, path, context);
  if (startsLikeOnnx(head) || startsLikeCoreml(head)) return scanProtobuf(bytes, path, context);
  return scanSealed(head, path, context);
}

/** UTF-8 without a zero byte, as far as it was read, which may end within a letter. */
function isText(head: Buffer): boolean {
  return !head.includes(0) && [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, head.length - cut)));
}

/** The end of a zip's directory, and the longest comment that may follow. Used again for each file: dead buffers would pile up. */
const TAIL = Buffer.allocUnsafeSlow(66_000);
const ZIP_END = Buffer.from('PK\x05\x06', 'latin1');

function endsLikeZip(bytes: Bytes): boolean {
  const length = bytes.fill(TAIL, Math.max(0, bytes.size - TAIL.length));
  return TAIL.subarray(0, length).lastIndexOf(ZIP_END) >= 0 && listsFiles(bytes);
}

/** An array of Python objects is a pickle behind a header. What is no plain type is read as one too: numpy knows more ways to name it. */
function scanNpy(bytes: Bytes, path: string, context: ScanContext, depth: number): true {
  const { dataOffset } = npyParts(bytes);
  try {
    const { type, isPlain } = readNpy(bytes);
    if (type === 'object') scanPickles(bytes, path, context, depth, 'sure', dataOffset);
    else if (!isPlain || startsLikePickle(bytes.read(dataOffset, 2))) scanPickles(bytes, path, context, depth, 'guess', dataOffset);
  } catch (error) {
    context.add({ grade: 'unknown', code: 'npy-odd', path, message: `its header cannot be read: ${(error as Error).message}` });
    scanPickles(bytes, path, context, depth, 'sure', dataOffset);
  }
  return true;
}

function scanSafetensors(bytes: Bytes, path: string, context: ScanContext): true {
  const [fault] = readSafetensors(bytes).faults;
  if (fault !== undefined)
    context.add({ grade: 'unknown', code: 'safetensors-odd', path, message: `the safetensors library would refuse it: ${fault}` });
  return true;
}

function scanGguf(bytes: Bytes, path: string, context: ScanContext): true {
  for (const [key, value] of Object.entries(readGguf(bytes).metadata)) {
    if (typeof value === 'string' && /template/.test(key)) scanTemplate(value, `${path}!${key}`, context);
  }
  return true;
}

function isSavedModelName(path: string): boolean {
  return /(^|[/!])(saved_model|keras_metadata|fingerprint)\.pb$/.test(path);
}

function scanTensorflow(bytes: Bytes, path: string, context: ScanContext): true {
  if (path.endsWith('saved_model.pb')) scanGraphsAndObjects(bytes, path, context);
  if (path.endsWith('keras_metadata.pb')) scanKerasMetadata(bytes, path, context);
  return true;
}

function scanGraphsAndObjects(bytes: Bytes, path: string, context: ScanContext): void {
  scanSavedModel(bytes, path, context);
  scanKerasObjects(bytes, path, context);
}

/** ONNX, Core ML and SavedModels under another name are told apart by their fields. */
function scanProtobuf(bytes: Bytes, path: string, context: ScanContext): boolean {
  try {
    for (const { number, wire } of fields(bytes)) {
      if (number >= 200) return scanCoreml(bytes, path, context);
      if (number === 7 && wire === 2) return scanOnnx(bytes, path, context);
    }
    scanGraphsAndObjects(bytes, path, context);
    return true;
  } catch {
    return false;
  }
}

/** Containers that are not opened, and native code. */
const SEALED: readonly [mark: string, what: string][] = [
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive'],
  ['Rar!\x1a\x07', 'a RAR archive'],
  ['\x28\xb5\x2f\xfd', 'zstd-compressed'],
  ['\x7fELF', 'native code (ELF)'],
  ['MZ', 'native code (Windows)'],
  ['\xcf\xfa\xed\xfe', 'native code (macOS)'],
  ['\xca\xfe\xba\xbe', 'native code or Java classes'],
  ['!<arch>', 'a library of native code'],
];

function scanSealed(head: Buffer, path: string, context: ScanContext): boolean {
  const start = head.toString('latin1', 0, 8);
  const found = SEALED.find(([mark]) => start.startsWith(mark));
  if (found === undefined || (found[0] === 'MZ' && !head.includes('PE\0\0') && !head.includes('DOS mode'))) return false;
  context.add({ grade: 'unknown', code: 'sealed', path, name: found[1], message: `${found[1]}: it cannot be looked into` });
  return true;
}

function startsLikePickle(head: Buffer): boolean {
  return head[0] === 0x80 && head[1] !== undefined && head[1] <= 5;
}

/** Any bytes may begin like a pickle: inside of others they are one only once they also run like one. */
function scanEmbedded(bytes: Bytes, path: string, context: ScanContext, depth: number): void {
  if (scanPickles(bytes, path, context, depth, 'guess').clean) scanPickles(bytes, path, context, depth, 'sure');
}

/** Names that nothing but a pickle or a torch file has. */
const PICKLE_ONLY = /\.(pkl|pickle|joblib|pt|pth|ckpt)$/i;

function notAPickle(path: string, context: ScanContext): void {
  context.add({
    grade: 'unknown',
    code: 'not-a-pickle',
    path,
    message: 'its name promises a pickle, and its bytes are nothing that is known',
  });
}

/** Text, or a pickle, which begins with almost any byte. */
function scanUnknown(bytes: Bytes, head: Buffer, path: string, context: ScanContext, depth: number): void {
  const announced = startsLikePickle(head);
  const expected = PICKLE_NAMES.test(path);
  if (!announced && mayBeText(bytes, head, path)) scanText(bytes, path, context);
  if (OPCODES[head[0]!] === undefined) {
    if (PICKLE_ONLY.test(path)) notAPickle(path, context);
    return;
  }
  const before = context.findings.length;
  const { clean } = scanPickles(bytes, path, context, depth, announced ? 'sure' : 'guess');
  // a pickle of protocol 0 announces nothing: once it ran without a fault, or its name says so, what it imports counts
  if (!announced && (clean || (expected && context.findings.length > before))) scanPickles(bytes, path, context, depth, 'sure');
  else if (!announced && PICKLE_ONLY.test(path)) notAPickle(path, context);
}
