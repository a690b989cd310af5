import type { Outputs, Signature, TensorData } from '../codec';

/** Comparisons that must agree before calls are merged without one. */
const AGREEMENTS = 8;
/** From then on, one merged call in so many is compared. */
const AUDIT_EVERY = 256;
/** Kernels add in another order when there are more rows: floats may differ by this, relative to 1 or to their size. */
const TOLERANCE = 1e-5;

/** What to do with calls that arrived together. */
export type Stance = 'alone' | 'compare' | 'together';

/**
 * Whether a row's answer is the same whatever rows stand beside it, which the graph alone cannot tell (a model may centre its batch).
 * Seen by running real requests both ways; one difference ends merging for good.
 */
export class Independence {
  private agreements = 0;
  private merged = 0;
  private possible: boolean;

  /** A dimension of rows that the graph fixes leaves nothing to merge. */
  constructor(signature: Signature) {
    this.possible = [...signature.inputs, ...signature.outputs].every(({ shape }) => typeof shape[0] === 'string');
  }

  /** @param bodies the requests as they came: equal ones say nothing about independence */
  stance(bodies: readonly Buffer[]): Stance {
    if (!this.possible) return 'alone';
    if (this.agreements < AGREEMENTS) return bodies.every((body) => body.equals(bodies[0]!)) ? 'alone' : 'compare';
    return ++this.merged % AUDIT_EVERY === 0 ? 'compare' : 'together';
  }

  /** @param alone undefined where the call failed alone */
  compared(alone: readonly (Outputs | undefined)[], together: readonly Outputs[]): void {
    if (alone.every((outputs, i) => outputs !== undefined && same(outputs, together[i]!))) this.agreements++;
    else this.possible = false;
  }
}

function same(a: Outputs, b: Outputs): boolean {
  return Object.keys(a).every((name) => {
    const [one, other] = [a[name]!, b[name]!];
    return one.dims.length === other.dims.length && one.dims.every((n, i) => n === other.dims[i]) && close(one.data, other.data);
  });
}

function close(a: TensorData, b: TensorData): boolean {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (Object.is(x, y)) continue;
    if (typeof x !== 'number' || typeof y !== 'number') return false;
    if (!(Math.abs(x - y) <= TOLERANCE * Math.max(1, Math.abs(x)))) return false;
  }
  return true;
}
