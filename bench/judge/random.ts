/** Seeded random numbers and exact samplers of the distributions that traffic is made of. */

/** sfc32 of PractRand, seeded by a name, so that a cell's traffic does not depend on which other cells run. */
export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private d = 1;

  constructor(seed: string) {
    let hash = 2166136261;
    for (const char of seed) hash = Math.imul(hash ^ char.codePointAt(0)!, 16777619);
    this.a = hash;
    this.b = hash ^ 0x9e3779b9;
    this.c = Math.imul(hash, 0x85ebca6b);
    for (let i = 0; i < 16; i++) this.uniform();
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    const t = (this.a + this.b + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    return (t >>> 0) / 4294967296;
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Gamma with mean 1 and the given squared coefficient of variation, by Marsaglia and Tsang. */
  gammaOfMeanOne(squaredVariation: number): number {
    const shape = 1 / squaredVariation;
    const boost = shape < 1 ? (1 - this.uniform()) ** (1 / shape) : 1;
    const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return (boost * d * v) / shape;
    }
  }

  /** Beta with whole parameters of 1 or more: an order statistic of uniforms. */
  beta(a: number, b: number): number {
    const x = a * this.gammaOfMeanOne(1 / a);
    return x / (x + b * this.gammaOfMeanOne(1 / b));
  }

  /** Poisson, by inversion or, for means of 10 and more, Hoermann's transformed rejection (PTRS, 1993). */
  poisson(mean: number): number {
    if (mean <= 0) return 0;
    if (mean < 10) {
      let k = 0;
      let p = Math.exp(-mean);
      for (let u = this.uniform(); u > p && k < 200; p *= mean / ++k) u -= p;
      return k;
    }
    const root = Math.sqrt(mean);
    const b = 0.931 + 2.53 * root;
    const a = -0.059 + 0.02483 * b;
    const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
    const vr = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
      const u = this.uniform() - 0.5;
      const v = this.uniform();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= vr) return k;
      if (k < 0 || (us < 0.013 && v > us)) continue;
      if (Math.log((v * inverseAlpha) / (a / (us * us) + b)) <= k * Math.log(mean) - mean - logFactorial(k)) return k;
    }
  }

  /** Binomial, by inversion or, for means of 10 and more, Hoermann's transformed rejection (BTRS, 1993). */
  binomial(n: number, p: number): number {
    if (n === 0 || p <= 0) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - this.binomial(n, 1 - p);
    if (n * p < 10) {
      const ratio = p / (1 - p);
      let k = 0;
      let f = Math.exp(n * Math.log1p(-p));
      for (let u = this.uniform(); u > f && k < n; k++) {
        u -= f;
        f *= (ratio * (n - k)) / (k + 1);
      }
      return k;
    }
    const spread = Math.sqrt(n * p * (1 - p));
    const b = 1.15 + 2.53 * spread;
    const a = -0.0873 + 0.0248 * b + 0.01 * p;
    const c = n * p + 0.5;
    const vr = 0.92 - 4.2 / b;
    const alpha = (2.83 + 5.1 / b) * spread;
    const odds = Math.log(p / (1 - p));
    const mode = Math.floor((n + 1) * p);
    const atMode = logFactorial(mode) + logFactorial(n - mode);
    for (;;) {
      const u = this.uniform() - 0.5;
      const v = this.uniform();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + c);
      if (k < 0 || k > n) continue;
      if (us >= 0.07 && v <= vr) return k;
      if (Math.log((v * alpha) / (a / (us * us) + b)) <= atMode - logFactorial(k) - logFactorial(n - k) + (k - mode) * odds) return k;
    }
  }
}

const SMALL = Array.from({ length: 32 }, () => 0);
for (let k = 2; k < SMALL.length; k++) SMALL[k] = SMALL[k - 1]! + Math.log(k);

function logFactorial(k: number): number {
  if (k < SMALL.length) return SMALL[k]!;
  const x = k + 1;
  const inverse = 1 / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + inverse * (1 / 12 - (inverse * inverse) / 360);
}
