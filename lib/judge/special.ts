/** Special functions, for arguments from 1e-300 to 1e15; absolute error below 1e-13 where the value is of order one, relative below 1e-14 elsewhere. */

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
/** From here on Stirling's series is exact to the last digit. */
const STIRLING_FROM = 15;
/** B_2n / (2n (2n - 1)): DLMF 5.11.1. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

/** What Stirling's formula leaves of ln Gamma(x), x >= 15. */
function stirlingRemainder(x: number): number {
  const inverseSquare = 1 / (x * x);
  let sum = 0;
  for (let n = STIRLING.length - 1; n >= 0; n--) sum = sum * inverseSquare + STIRLING[n]!;
  return sum / x;
}

/** ln Gamma(x), x > 0. */
export function logGamma(x: number): number {
  if (x >= STIRLING_FROM) return (x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI + stirlingRemainder(x);
  let product = 1;
  let shifted = x;
  while (shifted < STIRLING_FROM) product *= shifted++;
  return logGamma(shifted) - Math.log(product);
}

/** ln B(a, b), a, b > 0: without the cancellation of three large ln Gammas. */
export function logBeta(a: number, b: number): number {
  const small = Math.min(a, b);
  const large = Math.max(a, b);
  const sum = a + b;
  if (large < STIRLING_FROM) return logGamma(a) + logGamma(b) - logGamma(sum);
  const remainder = stirlingRemainder(large) - stirlingRemainder(sum);
  const logLargePart = Math.log1p(-small / sum);
  if (small < STIRLING_FROM) return logGamma(small) + (large - 0.5) * logLargePart - small * Math.log(sum) + small + remainder;
  return (
    (small - 0.5) * Math.log(small / sum) +
    large * logLargePart -
    0.5 * Math.log(large) +
    HALF_LOG_TWO_PI +
    stirlingRemainder(small) +
    remainder
  );
}

/**
 * ln of the incomplete beta function B(x; a, b), the integral of t^(a-1) (1-t)^(b-1) from 0 to x; a, b > 0, 0 <= x <= 1.
 * By the continued fraction DLMF 8.17.22, on the side where it converges fast.
 */
export function logIncompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return -Infinity;
  if (x >= 1) return logBeta(a, b);
  if (x <= (a + 1) / (a + b + 2)) return logLowerTail(x, a, b);
  const whole = logBeta(a, b);
  return whole + Math.log(-Math.expm1(Math.min(0, logLowerTail(1 - x, b, a) - whole)));
}

function logLowerTail(x: number, a: number, b: number): number {
  return a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - Math.log(betaFraction(x, a, b));
}

/** 1 + d_1 / (1 + d_2 / (1 + ...)) by the modified Lentz method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let value = 1;
  let c = 1;
  let d = 0;
  for (let j = 1; j < 10_000_000; j++) {
    const m = j >> 1;
    const term =
      j % 2 === 0 ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)) : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + term * d, tiny);
    c = nonzero(1 + term / c, tiny);
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return value;
}

function nonzero(x: number, tiny: number): number {
  return Math.abs(x) < tiny ? tiny : x;
}
