import { statSync } from 'node:fs';
import type { InferenceSession } from 'onnxruntime-common';
import {
  type Batch,
  type ElementType,
  Layout,
  type Outputs,
  type Rows,
  type Signature,
  TensorMemory,
  type TensorSpec,
  type TensorValue,
  tensorsOf,
} from '../codec';
import { ELEMENTS } from '../codec/element';
import { withoutTelemetry } from './telemetry';

/** The packages that run ONNX, the faster one first: a native addon, and WebAssembly that runs wherever Node does. */
export const ONNX_RUNTIMES = ['onnxruntime-node', 'onnxruntime-web'] as const;
export type OnnxRuntime = (typeof ONNX_RUNTIMES)[number];

export interface SessionOptions {
  /** @default - onnxruntime-node, or onnxruntime-web where that does not load */
  readonly runtime?: OnnxRuntime;
  /** Threads that one call may use. @default 1, so that parallel calls do not fight over cores */
  readonly threads?: number;
  /** What the file must still be, so that all threads of an engine hold the same model. @default - anything */
  readonly unchanged?: { readonly size: number; readonly mtimeMs: number };
}

interface Runtime {
  readonly InferenceSession: { create(file: string | Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> };
}

/** A model loaded into an ONNX runtime on this thread. */
export class OnnxSession {
  /**
   * @param file path of the .onnx file; external data is found beside it by onnxruntime-node only
   * @throws Error with the runtime's own message where the model does not load, or where an input or output is none that can be served
   */
  static async open(file: string, options: SessionOptions = {}): Promise<OnnxSession> {
    const { name, runtime } = loadRuntime(options.runtime);
    const { unchanged } = options;
    if (unchanged !== undefined) {
      const { size, mtimeMs } = statSync(file);
      if (size !== unchanged.size || mtimeMs !== unchanged.mtimeMs)
        throw new Error(`${file} has changed since it was opened: open it anew`);
    }
    const threads = options.threads ?? 1;
    const session = await runtime.InferenceSession.create(file, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Errors reach the caller as exceptions; a log line a bad request would flood the container's log.
      logSeverityLevel: 4,
    });
    return new OnnxSession(name, session);
  }

  readonly signature: Signature;
  readonly layout: Layout;
  /** Those that are answered, in the order of the graph. */
  readonly outputNames: string[];
  private readonly halves: boolean;
  /** Those that no call under way uses. */
  private readonly memories: TensorMemory[] = [];

  private constructor(
    readonly runtimeName: OnnxRuntime,
    private readonly session: InferenceSession,
  ) {
    const inputs = session.inputMetadata.map((one) => specOf(one, 'input'));
    // Maps and sequences (scikit-learn's ZipMap) cannot be read by the JavaScript runtimes: the tensors beside them can.
    const outputs = session.outputMetadata.filter((one) => one.isTensor).map((one) => specOf(one, 'output'));
    if (outputs.length === 0) {
      throw new Error('no output of the model is a tensor: export it with tensor outputs (skl2onnx: options={"zipmap": False})');
    }
    this.signature = { inputs, outputs };
    this.layout = new Layout(this.signature);
    this.outputNames = outputs.map((one) => one.name);
    this.halves = outputs.some((one) => one.type === 'float16');
  }

  /**
   * Runs the model on what was decoded; its outputs, for how many rows.
   *
   * @throws BadRequest naming the row and field that do not fit; Error with the runtime's message where the model fails on these values
   */
  async run(content: Rows | Batch): Promise<{ readonly rows: number; readonly outputs: Outputs }> {
    const memory = this.memories.pop() ?? new TensorMemory();
    try {
      const { rows, tensors } = tensorsOf(this.layout, content, memory);
      const outputs = (await this.session.run(tensors as unknown as InferenceSession.FeedsType, this.outputNames)) as unknown as Outputs;
      return { rows, outputs: this.halves ? asBits(outputs) : outputs };
    } finally {
      this.memories.push(memory);
    }
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}

/** Where JavaScript has a Float16Array, the runtimes give float16 in one. */
function asBits(outputs: Outputs): Outputs {
  const bits = ({ type, dims, data }: TensorValue): TensorValue => {
    const { buffer, byteOffset, length } = data as Uint16Array;
    return { type, dims, data: new Uint16Array(buffer, byteOffset, length), location: 'cpu' };
  };
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensor.type === 'float16' ? bits(tensor) : tensor]));
}

function loadRuntime(wanted: OnnxRuntime | undefined): { name: OnnxRuntime; runtime: Runtime } {
  withoutTelemetry();
  const failures: string[] = [];
  for (const name of wanted === undefined ? ONNX_RUNTIMES : [wanted]) {
    try {
      return { name, runtime: require(name) as Runtime };
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  throw new Error(`no ONNX runtime loads here (npm install onnxruntime-node): ${failures.join('; ')}`);
}

function specOf(metadata: InferenceSession.ValueMetadata, role: string): TensorSpec {
  if (!metadata.isTensor) throw new Error(`${role} "${metadata.name}" is not a tensor: only tensors can be served`);
  if (!(metadata.type in ELEMENTS)) throw new Error(`${role} "${metadata.name}" holds ${metadata.type}, which has no JSON form`);
  return { name: metadata.name, type: metadata.type as ElementType, shape: metadata.shape };
}
