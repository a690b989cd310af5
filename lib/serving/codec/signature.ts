/** Element types of tensors that have a JSON form, named as onnxruntime names them. */
export type ElementType =
  | 'float16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'
  | 'string';

/** The values of a tensor, row after row. Strings have no typed array; booleans are bytes, float16 its bits. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

/** An input or output of a model, as its graph declares it. */
export interface TensorSpec {
  readonly name: string;
  readonly type: ElementType;
  /** A number where the dimension is fixed, a name where it is free. The first dimension is the rows. */
  readonly shape: readonly (number | string)[];
}

/** What a model takes and gives, in the order of its graph. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** A tensor on its way to or from the runtime. */
export interface TensorValue {
  readonly type: ElementType;
  readonly data: TensorData;
  readonly dims: readonly number[];
  /** Always here; with it the runtimes take the value as it is, without a tensor object made around it. */
  readonly location: 'cpu';
}

/** One request decoded: the tensors by input name, and how many rows they hold. */
export interface Batch {
  readonly rows: number;
  readonly tensors: Readonly<Record<string, TensorValue>>;
}

/** A request that the model cannot take, with the HTTP status that says so. */
export class BadRequest extends Error {
  constructor(
    message: string,
    readonly status: 400 | 406 | 415 = 400,
  ) {
    super(message);
    this.name = 'BadRequest';
  }
}
