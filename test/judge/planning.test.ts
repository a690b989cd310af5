import {
  type Bin,
  calibrateCorrelation,
  countsOf,
  drift,
  driftAgainstReference,
  plan,
  relativeRiskInterval,
  sampleRatio,
  shadowPairs,
  trace,
} from '../../lib/judge';
import { betaBinomial, binomial, expectation, poisson, seeded } from './distributions';

/** A value drawn from probabilities of 0, 1, 2, ... */
function draw(probabilities: readonly number[], random: () => number): number {
  let u = random();
  let k = 0;
  while (k < probabilities.length - 1 && u > probabilities[k]!) u -= probabilities[k++]!;
  return k;
}

describe('the planner', () => {
  const events = (share: number) =>
    plan({ profile: 'plain', requestsPerSecond: 5, metrics: [{ name: '5xx', badRate: 0.001 }], shares: [share] }).shares[0]!.promotion[0]!
      .events;

  it.each([
    [0.1, 161],
    [0.25, 84],
    [0.5, 71],
  ])('at a share of %d an equal candidate needs about %d bad events', (share, published) => {
    expect(Math.abs(events(share)! / published - 1)).toBeLessThan(0.01);
  });

  it('says what it takes in a sentence', () => {
    expect(plan({ requestsPerSecond: 5, metrics: [{ name: '5xx', badRate: 0.001 }], shares: [0.1, 0.5] }).sentence).toBe(
      'At 5 requests/s, showing 5xx not worse takes about 9.1 h at 10 %, 4.0 h at 50 %.',
    );
  });

  it('takes the objective where that is cheaper', () => {
    const [ten] = plan({ requestsPerSecond: 5, metrics: [{ name: '5xx', badRate: 0.001, objectiveRate: 0.01 }], shares: [0.1] }).shares;
    expect(ten!.promotion[0]).toMatchObject({ metric: '5xx', events: null });
    expect(ten!.promotion[0]!.requests * 0.1).toBeGreaterThan(600);
    expect(ten!.promotion[0]!.requests * 0.1).toBeLessThan(680);
    expect(ten!.promotion[0]!.seconds / 60).toBeCloseTo(21, 0);
  });

  it('foretells what an objective takes: the evidence against "worse, and above it" is the mean of two', () => {
    const random = seeded(8);
    const metric = { name: '5xx', badRate: 0.001, objectiveRate: 0.01 };
    const planned = plan({ requestsPerSecond: 5, metrics: [metric], shares: [0.1] }).shares[0]!.promotion[0]!.seconds;
    const runs = 300;
    let seconds = 0;
    for (let run = 0; run < runs; run++) {
      const bins = Array.from({ length: 120 }, (_, i): Bin => {
        const [candidateBad, baselineBad] = [poisson(0.03, random), poisson(0.27, random)];
        return { start: 60 * i, seconds: 60, candidateRequests: 30, candidateBad, baselineRequests: 270, baselineBad };
      });
      const judged = { id: '5xx', rollsBack: false, objective: { rate: 0.01 }, series: [{ counts: countsOf(bins) }] };
      seconds += trace({ metrics: [judged] }, true).at(-1)!.at / runs;
    }
    expect(seconds / planned).toBeGreaterThan(0.85);
    expect(seconds / planned).toBeLessThan(1.12);
  });

  it('puts the slowest metric first', () => {
    const metrics = [
      { name: '5xx', badRate: 0.01 },
      { name: 'p99', badRate: 0.001 },
    ];
    const { shares, sentence } = plan({ requestsPerSecond: 50, metrics });
    expect(shares.map(({ share }) => share)).toEqual([0.05, 0.1, 0.25, 0.5]);
    expect(shares[1]!.promotion.map(({ metric }) => metric)).toEqual(['p99', '5xx']);
    expect(sentence).toContain('showing p99 not worse');
  });

  it('foretells what simulated canaries take, for promotion and for rollback, plain and robust', () => {
    const random = seeded(42);
    const simulate = (profile: 'plain' | 'standard', perMinute: number, rate: number, times: number) => {
      let seconds = 0;
      const runs = 30;
      for (let run = 0; run < runs; run++) {
        const bins = Array.from(
          { length: 400 },
          (_, i): Bin => ({
            start: 60 * i,
            seconds: 60,
            candidateRequests: perMinute * 0.25,
            candidateBad: poisson(perMinute * 0.25 * rate * times, random),
            baselineRequests: perMinute * 0.75,
            baselineBad: poisson(perMinute * 0.75 * rate, random),
          }),
        );
        seconds += trace({ profile, metrics: [{ id: '5xx', series: [{ counts: countsOf(bins) }] }] }, true).at(-1)!.at / runs;
      }
      return seconds;
    };
    for (const profile of ['plain', 'standard'] as const) {
      for (const perMinute of [400, 4000]) {
        const [share] = plan({
          profile,
          requestsPerSecond: perMinute / 60,
          metrics: [{ name: '5xx', badRate: 0.005 }],
          shares: [0.25],
          effects: [5],
        }).shares;
        // A verdict falls at the end of a bin, so up to a minute later.
        const near = (simulated: number, planned: number) => {
          expect(simulated).toBeGreaterThan(0.65 * planned - 30);
          expect(simulated).toBeLessThan(1.35 * planned + 60);
        };
        near(simulate(profile, perMinute, 0.005, 1), share!.promotion[0]!.seconds);
        near(simulate(profile, perMinute, 0.005, 5), share!.rollback[0]!.seconds);
      }
    }
  });

  it('says a long time in days, without powers of ten', () => {
    const slow = { requestsPerSecond: 0.01, metrics: [{ name: '5xx', badRate: 1e-4 }], shares: [0.05, 0.1] };
    expect(plan(slow).sentence).toBe('At 0.01 requests/s, showing 5xx not worse takes about 3,400 days at 5 %, 1,900 days at 10 %.');
  });

  it.each([
    [{ requestsPerSecond: 0 }, 'plan: requestsPerSecond must be above 0, not 0'],
    [{ metrics: [] }, 'plan: give at least one metric'],
    [{ metrics: [{ name: '5xx', badRate: 0 }] }, 'plan: badRate of 5xx must be above 0 and below 1, not 0'],
    [{ shares: [1] }, 'plan: share must be above 0 and below 1, not 1'],
    [{ shares: [] }, 'plan: give at least one share'],
    [{ effects: [1] }, 'plan: an effect must be above 1, not 1'],
    [{ effects: [Infinity] }, 'plan: an effect must be above 1, not Infinity'],
    [{ metrics: [{ name: '5xx', badRate: 0.001, margin: 1 }] }, 'plan: margin of 5xx must be above 1, not 1'],
    [{ metrics: [{ name: '5xx', badRate: 0.001, margin: Number.NaN }] }, 'plan: margin of 5xx must be above 1, not NaN'],
  ])('refuses %j', (change, message) => {
    expect(() => plan({ requestsPerSecond: 5, metrics: [{ name: '5xx', badRate: 0.001 }], ...change })).toThrow(message);
  });
});

describe('calibration of the correlation', () => {
  const simulate = (correlation: number, bins: number, seed: number) => {
    const random = seeded(seed);
    const pmf = correlation === 0 ? binomial(60, 0.25) : betaBinomial(60, 0.25, correlation);
    return Array.from({ length: bins }, () => {
      const bad = draw(pmf, random);
      return { requests: [1000, 3000], bad: [bad, 60 - bad] };
    });
  };

  it('finds the correlation that is there', () => {
    for (const correlation of [0, 0.01, 0.05]) {
      const found = calibrateCorrelation(simulate(correlation, 2000, 7));
      expect(Math.abs(found.correlation - correlation)).toBeLessThan(0.15 * correlation + 0.002);
      expect(found).toMatchObject({ bins: 2000, events: 120_000 });
    }
  });

  it('gives a value that is seldom too low', () => {
    const tooLow = Array.from({ length: 200 }, (_, seed) => calibrateCorrelation(simulate(0.02, 60, seed)).upper < 0.02).filter(Boolean);
    expect(tooLow.length / 200).toBeLessThan(0.15);
  });

  it('of two instances and equal bins is the moment estimate of the papers', () => {
    const bad = [9, 21, 14, 30, 3];
    const events = 60;
    const theta = 0.25;
    const variance = bad.reduce((sum, c) => sum + (c - events * theta) ** 2, 0) / bad.length;
    const expected = (variance / (events * theta * (1 - theta)) - 1) / (events - 1);
    expect(calibrateCorrelation(bad.map((c) => ({ requests: [1000, 3000], bad: [c, events - c] }))).correlation).toBeCloseTo(expected, 12);
  });

  it('refuses what cannot be calibrated from', () => {
    expect(() => calibrateCorrelation([{ requests: [10, 10], bad: [1, 1] }])).toThrow('1 of 1 bins have two or more bad events');
    expect(() => calibrateCorrelation([{ requests: [10], bad: [1] }])).toThrow('bin 0: 1 requests and 1 bad counts');
    expect(() => calibrateCorrelation([{ requests: [10, 10], bad: [11, 0] }])).toThrow('bin 0, instance 0: 11 bad of 10 requests');
  });
});

describe('drift of predictions', () => {
  it('between two arms has an expectation of 1 when each prediction is routed by chance, summed over every outcome', () => {
    for (const share of [0.05, 0.3]) {
      const exact = expectation(binomial(9, share), (c1) =>
        expectation(binomial(6, share), (c2) => Math.exp(drift([{ share, candidate: [c1, c2], baseline: [9 - c1, 6 - c2] }]))),
      );
      expect(exact).toBeCloseTo(1, 10);
    }
  });

  it('adds up over steps of different shares', () => {
    const half = (share: number) => ({
      share,
      candidate: [1000 * share, 3000 * share],
      baseline: [3000 * (1 - share), 1000 * (1 - share)],
    });
    expect(drift([half(0.1), half(0.5)])).toBeGreaterThan(drift([half(0.1)]));
    expect(drift([half(0.1), half(0.5)])).toBeGreaterThan(drift([half(0.5)]));
    expect(drift([{ share: 0.1, candidate: [100, 300], baseline: [900, 2700] }])).toBeLessThan(0);
    expect(drift([])).toBe(0);
  });

  it('against a reference has an expectation of 1 when the reference is right', () => {
    const exact = expectation(binomial(12, 0.3), (x) => Math.exp(driftAgainstReference([x, 12 - x], [0.3, 0.7])));
    expect(exact).toBeCloseTo(1, 10);
    expect(driftAgainstReference([600, 400], [0.3, 0.7])).toBeGreaterThan(100);
  });

  it('refuses classes and shares that do not fit', () => {
    expect(() => drift([{ share: 1.2, candidate: [1], baseline: [1] }])).toThrow('drift: share must be from 0 to 1, not 1.2');
    expect(() => drift([{ share: 0.1, candidate: [1, 2], baseline: [1] }])).toThrow('the candidate has 2 classes where the baseline has 1');
    expect(() => drift([{ share: 0.1, candidate: [0.5], baseline: [1] }])).toThrow('a count must be a whole number of at least 0, not 0.5');
    expect(() => driftAgainstReference([1, 2], [0.5, 0.6])).toThrow("the reference's probabilities must sum to 1, not 1.1");
    expect(() => driftAgainstReference([1], [0.5, 0.5])).toThrow('1 counts and 2 prior parameters for a reference of 2 classes');
    expect(() => driftAgainstReference([1, 2], [0, 1])).toThrow('a reference probability must be above 0 and at most 1, not 0');
    expect(() => driftAgainstReference([1, 2], [0.5, 0.5], [1, 0])).toThrow('a prior parameter must be above 0, not 0');
  });
});

describe('the sample-ratio guard', () => {
  it('has an expectation of 1 when traffic is split as routed', () => {
    const exact = expectation(binomial(40, 0.1), (c) =>
      Math.exp(sampleRatio([{ share: 0.1, candidateRequests: c, baselineRequests: 40 - c }])),
    );
    expect(exact).toBeCloseTo(1, 10);
  });

  it('finds a split that is off by a tenth among a hundred thousand requests', () => {
    expect(sampleRatio([{ share: 0.1, candidateRequests: 11_000, baselineRequests: 89_000 }])).toBeGreaterThan(Math.log(1000));
    expect(sampleRatio([{ share: 0.1, candidateRequests: 10_050, baselineRequests: 89_950 }])).toBeLessThan(0);
  });

  it('takes the smallest share as it was routed', () => {
    const exact = expectation(binomial(40, 0.0005), (c) =>
      Math.exp(sampleRatio([{ share: 0.0005, candidateRequests: c, baselineRequests: 40 - c }])),
    );
    expect(exact).toBeCloseTo(1, 10);
    expect(sampleRatio([{ share: 0.0005, candidateRequests: 500, baselineRequests: 999_500 }])).toBeLessThan(0);
  });

  it('where one arm gets none, allows for up to one stray request in a thousand', () => {
    const evidence = (candidateRequests: number, baselineRequests: number, share: number) =>
      sampleRatio([{ share, candidateRequests, baselineRequests }]);
    for (const strays of [0, 0.0005, 0.001]) {
      const expected = (share: number) =>
        expectation(binomial(40, strays), (c) => Math.exp(share === 0 ? evidence(c, 40 - c, 0) : evidence(40 - c, c, 1)));
      for (const share of [0, 1]) expect(expected(share)).toBeLessThanOrEqual(1 + 1e-10);
    }
    expect(evidence(0, 1e12, 0)).toBeLessThan(0);
    expect(evidence(100, 1e6, 0)).toBeLessThan(0);
    expect(evidence(1e6, 100, 1)).toBeLessThan(0);
    expect(evidence(2000, 1e6, 0)).toBeGreaterThan(Math.log(1000));
    expect(evidence(1e6, 2000, 1)).toBeGreaterThan(Math.log(1000));
  });

  it('is sound at 10^12 requests', () => {
    expect(sampleRatio([{ share: 0.1, candidateRequests: 1e11, baselineRequests: 9e11 }])).toBeLessThan(-5);
  });
});

describe('shadow pairs', () => {
  it('have an expectation of at most 1 while the candidate is not worse, summed over every outcome', () => {
    for (const n of [1, 5, 20]) {
      const worse = (p: number) => expectation(binomial(n, p), (x) => Math.exp(shadowPairs(x, n - x).logWorse));
      expect(worse(0.5)).toBeCloseTo(1, 10);
      expect(worse(0.4)).toBeLessThan(1);
      expect(expectation(binomial(n, 0.5), (x) => Math.exp(shadowPairs(x, n - x).logDifferent))).toBeCloseTo(1, 10);
    }
  });

  it('have an expectation of at most 1 while the candidate is at least the margin times as bad', () => {
    for (const n of [1, 5, 20]) {
      const notWorse = (p: number) => expectation(binomial(n, p), (x) => Math.exp(shadowPairs(x, n - x, 3).logNotWorse));
      expect(notWorse(0.75)).toBeCloseTo(1, 10);
      expect(notWorse(0.8)).toBeLessThan(1);
    }
  });

  it('tell worse from equal from better', () => {
    expect(shadowPairs(40, 10).logWorse).toBeGreaterThan(Math.log(20));
    expect(shadowPairs(25, 25).logWorse).toBeLessThan(0);
    expect(shadowPairs(25, 25).logNotWorse).toBeGreaterThan(Math.log(3));
    expect(shadowPairs(10, 40).logDifferent).toBeGreaterThan(Math.log(20));
    expect(shadowPairs(10, 40).logWorse).toBeLessThan(0);
    expect(shadowPairs(0, 0)).toEqual({
      logWorse: expect.closeTo(0, 12),
      logNotWorse: expect.closeTo(0, 12),
      logDifferent: expect.closeTo(0, 12),
    });
  });

  it('refuse what are not counts', () => {
    expect(() => shadowPairs(-1, 0)).toThrow('shadow pairs: a count must be a whole number of at least 0, not -1');
    expect(() => shadowPairs(1, 0, 1)).toThrow('shadow pairs: margin must be above 1, not 1');
  });
});

describe('the interval of the relative risk', () => {
  it('holds the truth at every one of thirty looks, in at least 95 of 100 canaries', () => {
    const random = seeded(3);
    let missed = 0;
    const runs = 150;
    for (let run = 0; run < runs; run++) {
      const truth = [0.5, 1, 3][run % 3]!;
      const bins: Bin[] = [];
      for (let i = 0; i < 30; i++) {
        const [candidateBad, baselineBad] = [poisson(2 * truth, random), poisson(6, random)];
        bins.push({ start: i, seconds: 1, candidateRequests: 250, candidateBad, baselineRequests: 750, baselineBad });
        const { low, high } = relativeRiskInterval(countsOf(bins), {}, 'plain');
        if (low > truth || (high !== null && high < truth)) {
          missed++;
          break;
        }
      }
    }
    expect(missed / runs).toBeLessThanOrEqual(0.05);
  });

  it('ends where the evidence against a relative risk reaches 1/alpha', () => {
    const random = seeded(9);
    const bins = Array.from({ length: 20 }, (_, i): Bin => {
      const candidateRequests = 200 + Math.floor(100 * random());
      return {
        start: i,
        seconds: 1,
        candidateRequests,
        candidateBad: poisson(4, random),
        baselineRequests: 900,
        baselineBad: poisson(9, random),
      };
    });
    const l = (u: number) =>
      bins.reduce((sum, bin) => {
        const theta = bin.candidateRequests / (bin.candidateRequests + bin.baselineRequests);
        return sum + bin.candidateBad * u - (bin.candidateBad + bin.baselineBad) * Math.log1p(theta * Math.expm1(u));
      }, 0);
    // The mixture over a Cauchy distribution of ln r with quartiles at ln 2, by the trapezoidal rule.
    const cauchy = (u: number) => 1 / (Math.PI * Math.LN2 * (1 + (u / Math.LN2) ** 2));
    const evidence = (risk: number) => {
      let integral = 0;
      for (let u = -8; u <= 8; u += 0.01) integral += 0.01 * cauchy(u) * Math.exp(l(u) - l(Math.log(risk)));
      return integral;
    };
    const { low, estimate, high } = relativeRiskInterval(countsOf(bins), {}, 'plain');
    for (const end of [low, high!]) {
      expect(evidence(end)).toBeGreaterThanOrEqual(20);
      expect(evidence(end)).toBeLessThan(22);
    }
    expect(l(Math.log(estimate!))).toBeGreaterThan(Math.max(l(Math.log(estimate! * 1.001)), l(Math.log(estimate! / 1.001))));
  });

  it('narrows to the truth, wherever that is', () => {
    const one = { start: 0, seconds: 60, candidateRequests: 1e8, candidateBad: 110_000, baselineRequests: 9e8, baselineBad: 900_000 };
    const { low, high } = relativeRiskInterval(countsOf([one]), {}, 'plain');
    expect(low).toBeGreaterThan(1.08);
    expect(low).toBeLessThan(1.1);
    expect(high).toBeGreaterThan(1.1);
    expect(high).toBeLessThan(1.12);
  });

  it('is open where the counts say nothing', () => {
    const one = (candidateBad: number, baselineBad: number) =>
      relativeRiskInterval(countsOf([{ start: 0, seconds: 60, candidateRequests: 100, candidateBad, baselineRequests: 100, baselineBad }]));
    expect(one(0, 0)).toEqual({ estimate: null, low: 0, high: null, confidence: 0.95 });
    expect(one(50, 0)).toMatchObject({ estimate: null, high: null });
    expect(one(50, 0).low).toBeGreaterThan(1);
    expect(one(0, 50)).toMatchObject({ estimate: 0, low: 0 });
    expect(one(0, 50).high).toBeLessThan(1);
  });

  it('is closed on the near side of a risk that is beyond measure', () => {
    const one = (candidateRequests: number, candidateBad: number, baselineRequests: number, baselineBad: number) =>
      relativeRiskInterval(countsOf([{ start: 0, seconds: 60, candidateRequests, candidateBad, baselineRequests, baselineBad }]));
    const worse = one(1000, 900, 1e10, 1);
    expect(worse.low).toBeGreaterThan(1e5);
    expect(worse.high).toBeNull();
    const better = one(1e10, 1, 1000, 900);
    expect(better.low).toBe(0);
    expect(better.high).toBeLessThan(1e-5);
  });
});
