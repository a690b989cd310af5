import { type Bytes, Cursor } from './bytes';

export interface NamedTensor {
  readonly name: string;
  /** In numpy's words. */
  readonly type: string;
  readonly shape: readonly number[];
}

export interface SafetensorsFile {
  readonly tensors: NamedTensor[];
  readonly metadata: Record<string, string>;
  /** Why a strict reader would refuse it; empty when it would not. */
  readonly faults: string[];
}

/** The header's greatest length, as the reference implementation limits it. */
const LONGEST_HEADER = 100_000_000;

const TYPES: Record<string, readonly [name: string, bits: number]> = {
  BOOL: ['bool', 8],
  U8: ['uint8', 8],
  I8: ['int8', 8],
  F8_E5M2: ['float8e5m2', 8],
  F8_E4M3: ['float8e4m3fn', 8],
  F8_E8M0: ['float8e8m0', 8],
  I16: ['int16', 16],
  U16: ['uint16', 16],
  F16: ['float16', 16],
  BF16: ['bfloat16', 16],
  I32: ['int32', 32],
  U32: ['uint32', 32],
  F32: ['float32', 32],
  F64: ['float64', 64],
  I64: ['int64', 64],
  U64: ['uint64', 64],
  C64: ['complex64', 64],
  F4: ['float4e2m1', 4],
  F6_E2M3: ['float6e2m3', 6],
  F6_E3M2: ['float6e3m2', 6],
};

export function startsLikeSafetensors(head: Buffer, size: number): boolean {
  if (head.length < 10 || head[8] !== 0x7b) return false;
  const length = head.readBigUInt64LE();
  return (
    length >= 2n &&
    length <= BigInt(LONGEST_HEADER) &&
    length + 8n <= BigInt(size) &&
    (head[9] === 0x22 || head[9] === 0x7d || head[9] === 0x20)
  );
}

/**
 * Reads the header of a safetensors file: names, shapes and types, no weights.
 *
 * @throws Error when the header is not the JSON object that it must be
 */
export function readSafetensors(bytes: Bytes): SafetensorsFile {
  const cursor = new Cursor(bytes);
  const length = cursor.u64();
  if (length > LONGEST_HEADER) throw new Error(`its header claims ${length} bytes, more than the format's ${LONGEST_HEADER}`);
  const header = JSON.parse(cursor.take(length).toString('utf8')) as Record<string, unknown>;
  const faults: string[] = [];
  const tensors: NamedTensor[] = [];
  const ranges: [start: number, end: number][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = entry as { dtype?: string; shape?: number[]; data_offsets?: [number, number] };
    if (dtype === undefined || !Array.isArray(shape) || !Array.isArray(offsets))
      throw new Error(`tensor ${name} lacks dtype, shape or data_offsets`);
    const [type, bits] = TYPES[dtype] ?? [dtype, 0];
    if (bits === 0) faults.push(`tensor ${name} has the unknown type ${dtype}`);
    const wanted = (shape.reduce((product, size) => product * size, 1) * bits) / 8;
    if (bits !== 0 && offsets[1] - offsets[0] !== wanted) {
      faults.push(`tensor ${name} takes ${offsets[1] - offsets[0]} bytes where its shape asks for ${wanted}`);
    }
    tensors.push({ name, type, shape });
    ranges.push([offsets[0], offsets[1]]);
  }
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let end = 0;
  for (const range of ranges) {
    if (range[0] !== end)
      faults.push(`tensor data ${range[0] > end ? 'leaves a hole' : 'overlaps'} at byte ${8 + length + Math.min(range[0], end)}`);
    end = range[1];
  }
  const present = bytes.size - 8 - length;
  if (present < end) faults.push(`cut short: ${end} bytes of tensors are promised and ${present} are there`);
  if (present > end) faults.push(`${present - end} bytes follow the last tensor`);
  return { tensors, metadata: (header.__metadata__ ?? {}) as Record<string, string>, faults };
}
