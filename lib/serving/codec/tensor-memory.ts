import { ELEMENTS } from './element';
import type { TensorSpec, TensorValue } from './signature';

/** More rows are not kept: making their tensors costs little beside running them. */
const ROWS_KEPT = 256;

/** A tensor of one value a row, to be filled. */
export function blank(spec: TensorSpec, rows: number): TensorValue {
  const dims: number[] = spec.shape.length === 0 ? [] : [rows];
  while (dims.length < spec.shape.length) dims.push(1);
  return { type: spec.type, data: ELEMENTS[spec.type].allocate(rows), dims, location: 'cpu' };
}

/**
 * Tensors that are filled again, call after call, for one call at a time: what a small typed array costs in the runtime's binding and in
 * garbage is as much as a fast model.
 */
export class TensorMemory {
  private readonly kept = new Map<TensorSpec, (TensorValue | undefined)[]>();

  /** A tensor of one value a row, to be filled whole. */
  tensor(spec: TensorSpec, rows: number): TensorValue {
    if (rows > ROWS_KEPT) return blank(spec, rows);
    let byRows = this.kept.get(spec);
    if (byRows === undefined) {
      byRows = [];
      this.kept.set(spec, byRows);
    }
    byRows[rows] ??= blank(spec, rows);
    return byRows[rows];
  }
}
