/** Requests become tensors and tensors become answers: JSON, JSON Lines, CSV and NumPy. */
export { decode, REQUEST_TYPES } from './decode';
export { encodingFor, type Outputs } from './encode';
export * from './signature';
