import type { ScanContext } from './scan-context';

const BETWEEN_CLOCKS = 1000;

/** Values as long as there is time for them; then `late` is called, and no more come. */
export function* inTime<T>(values: Iterable<T>, context: ScanContext, late: () => void): Generator<T> {
  let count = 0;
  for (const value of values) {
    if (++count % BETWEEN_CLOCKS === 0 && context.isLate) {
      late();
      return;
    }
    yield value;
  }
}
