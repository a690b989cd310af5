/** Requests become tensors and tensors become answers: JSON, JSON Lines, CSV and NumPy. */
export type { Rows } from './csv';
export { decode, tensorsOf } from './decode';
export { byRow, type Encoding, encodingFor, type Outputs, rowsFrom } from './encode';
export { Layout } from './layout';
export * from './signature';
export { TensorMemory } from './tensor-memory';
