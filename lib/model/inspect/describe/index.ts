/** What one file is and what it says of itself: told by its bytes, never by its name. */
import { BufferBytes, type Bytes } from '../../formats/bytes';
import { startsLikeCatboost } from '../../formats/catboost';
import { compressionOf, decompress } from '../../formats/compression';
import { startsLikeCoreml } from '../../formats/coreml';
import { startsLikeHdf5 } from '../../formats/hdf5';
import { startsLikeLightgbm } from '../../formats/lightgbm';
import { startsLikeNpy } from '../../formats/npy';
import { startsLikeOnnx } from '../../formats/onnx';
import { OPCODES } from '../../formats/pickle';
import { fields } from '../../formats/protobuf';
import { startsLikeSafetensors } from '../../formats/safetensors';
import { startsLikeTar, tarEntries } from '../../formats/tar';
import { startsLikeTflite } from '../../formats/tflite';
import { startsLikeXgboostBinary, startsLikeXgboostJson, startsLikeXgboostUbj } from '../../formats/xgboost';
import { centralEntries, startsLikeZip } from '../../formats/zip';
import { describeHdf5, describeKerasZip, isKerasZip } from './describe-keras';
import { describeOnnx } from './describe-onnx';
import { describePickle } from './describe-pickle';
import { describeCoreml, describeGguf, describeNpy, describeNpz, describeSafetensors, describeTflite } from './describe-tensors';
import { describeTorchLegacy, describeTorchTar, describeTorchZip, isTorchZip } from './describe-torch';
import { describeCatboost, describeLightgbm, describeXgboost, describeXgboostBinary } from './describe-trees';
import type { Description } from './description';

export { type Description, facts } from './description';

/** torch.save before 1.6: a pickle of this number stands first. */
const TORCH_LEGACY = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex');

/** What a compressed model may expand to before it is left unread. */
const LARGEST_EXPANDED = 1024 * 1024 * 1024;

/** What the file is; undefined when its bytes are no model and no arrays. @throws Error when they are one, and damaged */
export function describe(bytes: Bytes, path: string): Description | undefined {
  const head = bytes.read(0, 1024);
  if (head.length < 2) return undefined;
  if (startsLikeZip(head)) return describeZip(bytes, path);
  if (head.toString('latin1', 0, 4) === 'GGUF') return describeGguf(bytes);
  if (startsLikeNpy(head)) return describeNpy(bytes);
  if (startsLikeHdf5(head)) return describeHdf5(bytes, path);
  if (startsLikeSafetensors(head, bytes.size)) return describeSafetensors(bytes, path);
  if (startsLikeTflite(head)) return describeTflite(bytes);
  if (startsLikeCatboost(head)) return describeCatboost(bytes);
  if (startsLikeLightgbm(head)) return describeLightgbm(bytes);
  if (startsLikeXgboostUbj(head)) return describeXgboost(bytes, 'xgboost-ubj');
  if (startsLikeXgboostJson(head)) return describeXgboost(bytes, 'xgboost-json');
  if (startsLikeXgboostBinary(head)) return describeXgboostBinary(path);
  if (startsLikeOnnx(head) || startsLikeCoreml(head)) return describeProtobuf(bytes, path);
  if (startsLikeTar(head)) return describeTar(bytes);
  return describePickled(bytes, head);
}

function describeZip(bytes: Bytes, path: string): Description | undefined {
  const entries = centralEntries(bytes);
  if (isTorchZip(entries)) return describeTorchZip(bytes);
  if (isKerasZip(entries)) return describeKerasZip(bytes, entries, path);
  if (entries.length > 0 && entries.every(({ name }) => name.endsWith('.npy'))) return describeNpz(bytes);
  return undefined;
}

/** ONNX and Core ML begin alike; Core ML's kinds have field numbers from 200 up, ONNX's graph is field 7. */
function describeProtobuf(bytes: Bytes, path: string): Description | undefined {
  for (const field of fields(bytes)) {
    if (field.number >= 200) return describeCoreml(bytes);
    if (field.number === 7) return describeOnnx(bytes, path);
  }
  return undefined;
}

/** The oldest torch files are tars with a pickle in them. */
function describeTar(bytes: Bytes): Description | undefined {
  const entries = tarEntries(bytes);
  const pickle = entries.find((entry) => /(^|\/)pickle$/.test(entry.path));
  if (pickle === undefined || !entries.some((entry) => /(^|\/)storages$/.test(entry.path))) return undefined;
  return describeTorchTar(bytes.slice(pickle.offset, pickle.size));
}

function describePickled(bytes: Bytes, head: Buffer): Description | undefined {
  if (head.subarray(2, 2 + TORCH_LEGACY.length).equals(TORCH_LEGACY) && head[0] === 0x80) return describeTorchLegacy(bytes);
  const compression = compressionOf(head);
  if (compression !== undefined) {
    const expanded = decompress(bytes, compression, LARGEST_EXPANDED);
    return expanded === undefined || !startsLikePickle(expanded.output)
      ? undefined
      : describePickle(new BufferBytes(expanded.output), compression);
  }
  return startsLikePickle(head) ? describePickle(bytes, undefined) : undefined;
}

/** PROTO, or an opcode with which protocol 0 and 1 begin: a mark, a name, an empty or literal value. */
function startsLikePickle(head: Buffer): boolean {
  if (head[0] === 0x80) return head[1]! >= 1 && head[1]! <= 5;
  return ['MARK', 'GLOBAL', 'EMPTY_LIST', 'EMPTY_DICT', 'EMPTY_TUPLE'].includes(OPCODES[head[0]!] ?? '');
}
