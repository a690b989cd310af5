/** One input or output tensor, or one column of a table. */
export interface TensorSpec {
  readonly name: string;
  /** The element type in numpy's words: `float32`, `int64`, `bool`, `string`, `bfloat16`, ... */
  readonly type: string;
  /** Sizes of the dimensions; -1 where any size goes (a batch). Left out where the format does not say. */
  readonly shape?: readonly number[];
}

export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}
