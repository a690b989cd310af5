/** Roots and minima of well-behaved functions. */

/** Where `f` changes sign between a and b, to the last digits. `f(a)` and `f(b)` must not have the same sign. */
export function bisect(f: (x: number) => number, a: number, b: number): number {
  const rising = f(b) > 0;
  let [low, high] = [a, b];
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (f(middle) > 0 === rising) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** Where a function with one valley is least between a and b; golden section, to about eight digits. */
export function minimise(f: (x: number) => number, a: number, b: number): { at: number; value: number } {
  const part = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [a, b];
  let left = high - part * (high - low);
  let right = low + part * (high - low);
  let [atLeft, atRight] = [f(left), f(right)];
  for (let step = 0; step < 80; step++) {
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - part * (high - low);
      atLeft = f(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + part * (high - low);
      atRight = f(right);
    }
  }
  const at = (low + high) / 2;
  return { at, value: f(at) };
}
