/** Probabilities worked out apart from the code under test, by recurrence from the mode. */

/** Weights proportional to a probability function with the given ratio f(k+1)/f(k), normalised. */
function fromRatios(low: number, high: number, ratio: (k: number) => number): number[] {
  const logs = [0];
  for (let k = low; k < high; k++) logs.push(logs.at(-1)! + Math.log(ratio(k)));
  const top = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - top));
  const total = weights.reduce((sum, w) => sum + w, 0);
  return [...new Array<number>(low).fill(0), ...weights.map((w) => w / total)];
}

/** P(c of E events fall on the candidate's N_c of N_c + N_b requests), c = 0, 1, ... */
export function hypergeometric(candidate: number, baseline: number, events: number): number[] {
  const low = Math.max(0, events - baseline);
  const high = Math.min(events, candidate);
  return fromRatios(low, high, (c) => ((candidate - c) * (events - c)) / ((c + 1) * (baseline - events + c + 1)));
}

export function binomial(n: number, p: number): number[] {
  if (p === 0) return [1, ...new Array<number>(n).fill(0)];
  if (p === 1) return [...new Array<number>(n).fill(0), 1];
  return fromRatios(0, n, (k) => ((n - k) / (k + 1)) * (p / (1 - p)));
}

/** Binomial whose probability is itself beta with mean p and intra-class correlation iota. */
export function betaBinomial(n: number, p: number, iota: number): number[] {
  const whole = 1 / iota - 1;
  const [a, b] = [p * whole, (1 - p) * whole];
  return fromRatios(0, n, (k) => ((n - k) * (a + k)) / ((k + 1) * (b + n - k - 1)));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function expectation(probabilities: readonly number[], value: (k: number) => number): number {
  return sum(probabilities.map((p, k) => (p === 0 ? 0 : p * value(k))));
}

/** Every way to write n as a sum of parts of at most `most`. */
export function partitions(n: number, most: number): number[][] {
  if (n === 0) return [[]];
  const found: number[][] = [];
  for (let part = Math.min(n, most); part >= 1; part--) for (const rest of partitions(n - part, part)) found.push([part, ...rest]);
  return found;
}

/** A seeded generator, so that a test that samples gives the same answer every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Poisson by inversion, for means up to some hundreds. */
export function poisson(mean: number, random: () => number): number {
  let k = 0;
  let p = Math.exp(-mean);
  for (let u = random(); u > p && k < 5000; p *= mean / ++k) u -= p;
  return k;
}
