import { distributionHalfWidth, driftAgainstReference, quantilePValue, rateInterval } from '../../lib/judge';
import { bestPrecision, rateBound, rateEvidence } from '../../lib/judge/beta-binomial';
import { logBeta, logGamma, logIncompleteBeta } from '../../lib/judge/special';

const closeTo = (actual: number, published: number, tolerance = 1e-5) =>
  expect(Math.abs(actual - published)).toBeLessThanOrEqual(tolerance * Math.max(Math.abs(published), 1e-3));

describe('Howard, Ramdas, McAuliffe and Sekhon (2021)', () => {
  // The published table is in intrinsic time v = n p (1 - p) with p = g = 0.2 and is tuned at v = 100.
  const p = 0.2;
  const n = 100 / (p * (1 - p));
  const tuning = { requests: n };

  it('has the best precision of the normal mixture', () => closeTo(bestPrecision(100, 0.05), 12.60056));
  it('has the two-sided beta-binomial mixture', () => closeTo(rateEvidence(n * p + 10, n, p, tuning), -0.6941012));
  it('has its two-sided bound', () => closeTo(rateBound(100, p, 0.05, tuning, false), 31.4308));
  it('has the one-sided beta-binomial mixture', () => closeTo(rateEvidence(n * p + 10, n, p, tuning, true), -0.07134019));
  it('has its one-sided bound', () => closeTo(rateBound(100, p, 0.05, tuning), 28.41238));
  it('bounds a deviation by what is possible', () => closeTo(rateBound(2 * p * (1 - p), p, 0.05, tuning), 1.6));

  it.each([
    [700, 1000, 100, 0.651629, 0.745949],
    [15, 50, 50, 0.129556, 0.511896],
    [5, 50, 50, 0.013021, 0.269264],
    [1, 50, 50, 0, 0.13489],
    [100, 200, 1, 0.328923, 0.671076],
  ])('has the interval of %d bad among %d, tuned at %d', (bad, requests, tuned, low, high) => {
    const interval = rateInterval(bad, requests, 0.05, { requests: tuned });
    expect(interval.low).toBeCloseTo(low, 5);
    expect(interval.high).toBeCloseTo(high, 5);
  });
});

describe('Howard and Ramdas (2022)', () => {
  const upTo1000 = (shift: number) => Array.from({ length: 1000 }, (_, i) => i + 1 + shift);

  it('has the half width of the empirical process', () => closeTo(distributionHalfWidth(1000, 0.05, 100), 0.08204769));

  it.each([
    [0.5, 70, 0.814704],
    [0.5, 85, 0.0838055],
    [0.5, 100, 0.0054947],
    [0.9, 55, 0.0340463],
  ])('has the p-value of the %d-quantile, shifted by %d', (p, shift, published) => {
    closeTo(quantilePValue(p, upTo1000(shift), upTo1000(0)), published);
    closeTo(quantilePValue(p, upTo1000(0), upTo1000(shift)), published);
  });

  it('knows no difference between equal arms', () => expect(quantilePValue(0.9, upTo1000(0), upTo1000(0))).toBe(1));
});

describe('Lindon and Malek (2022)', () => {
  it('has the log odds against a multinomial', () =>
    closeTo(driftAgainstReference([122, 303, 575], [0.1, 0.4, 0.5]), 12.739503195055113, 1e-12));
});

describe('special functions', () => {
  // Values to twenty digits from the OEIS, from factorials, and from logarithms of whole numbers.
  it('ln Gamma', () => {
    expect(logGamma(0.5)).toBeCloseTo(0.5723649429247001, 14);
    expect(logGamma(1)).toBeCloseTo(0, 14);
    expect(logGamma(21)).toBeCloseTo(Math.log(2432902008176640000), 12);
    expect(logGamma(1e-10)).toBeCloseTo(10 * Math.LN10, 8);
    expect(logGamma(14.999999)).toBeCloseTo(logGamma(15.000001), 4);
  });

  it('ln Beta keeps its digits where ln Gammas would cancel', () => {
    // B(a, 1) = 1 / a and B(a, 2) = 1 / (a (a + 1)).
    for (const a of [1e-3, 0.7, 12, 1e5, 1e9, 1e12]) {
      closeTo(logBeta(a, 1), -Math.log(a), 1e-13);
      closeTo(logBeta(2, a), -Math.log(a) - Math.log1p(a), 1e-13);
    }
    // B(a, b) = B(a, b + 1) (a + b) / b.
    for (const [a, b] of [
      [16, 1e9],
      [1e9, 9e9],
      [300, 2700],
    ] as const) {
      closeTo(logBeta(a, b), logBeta(a, b + 1) + Math.log((a + b) / b), 1e-14);
    }
  });

  it('the incomplete beta function is a binomial tail', () => {
    // I_p(k, n - k + 1) = P(Binomial(n, p) >= k).
    for (const [k, n, p] of [
      [3, 10, 0.2],
      [8, 10, 0.2],
      [40, 100, 0.5],
    ] as const) {
      let tail = 0;
      for (let j = k; j <= n; j++)
        tail += Math.exp(j * Math.log(p) + (n - j) * Math.log1p(-p) - logBeta(j + 1, n - j + 1) - Math.log(n + 1));
      closeTo(logIncompleteBeta(p, k, n - k + 1) - logBeta(k, n - k + 1), Math.log(tail), 1e-12);
    }
    expect(logIncompleteBeta(0, 2, 3)).toBe(-Infinity);
    closeTo(logIncompleteBeta(1, 2, 3), logBeta(2, 3), 1e-15);
  });

  it('the incomplete beta function at a median of 10^9', () => {
    const half = logIncompleteBeta(0.5, 1e9, 1e9) - logBeta(1e9, 1e9);
    expect(half).toBeCloseTo(Math.log(0.5), 6);
  });
});

test('the interval of an arm on which all failed mirrors that of one on which none did, up to 10^10 requests', () => {
  for (const requests of [10, 1e6, 1e8, 1e10]) {
    const { low } = rateInterval(requests, requests);
    expect((1 - low) / rateInterval(0, requests).high).toBeCloseTo(1, 5);
  }
});

describe('what no value can be worked out for is refused', () => {
  it.each<[() => unknown, string]>([
    [() => rateInterval(5, 50, 0), 'rate interval: alpha must be above 0 and below 1, not 0'],
    [() => rateInterval(5, 50, Number.NaN), 'rate interval: alpha must be above 0 and below 1, not NaN'],
    [() => rateInterval(5, 50, 0.05, { requests: 0 }), 'tuning: requests must be above 0, not 0'],
    [() => rateInterval(5, 50, 0.05, { alpha: 2 }), 'tuning: alpha must be above 0 and below 1, not 2'],
    [() => quantilePValue(0.5, [1], [2], { alpha: 2 }), 'tuning: alpha must be above 0 and below 1, not 2'],
    [() => distributionHalfWidth(Number.NaN, 0.05, 100), 'distribution: t must be at least 0, not NaN'],
    [() => distributionHalfWidth(1000, Number.NaN, 100), 'distribution: alpha must be above 0 and below 1, not NaN'],
    [() => distributionHalfWidth(1000, 0.05, 0), 'distribution: from must be above 0, not 0'],
  ])('%s', (value, message) => expect(value).toThrow(message));
});
