/**
 * What the guarantee rests on: while the hypothesis holds, evidence from a bin has an expectation of at most 1. Summed exactly over every outcome of every
 * small case; the code under test is the one that verdicts are made of.
 */
import { trace } from '../../lib/judge';
import { Bets, Stakes } from '../../lib/judge/bets';
import { burstSize } from '../../lib/judge/likelihood';
import { SeriesProcess } from '../../lib/judge/processes';
import { profile } from '../../lib/judge/settings';
import type { JudgeSettings, Objective } from '../../lib/judge/types';
import { betaBinomial, binomial, expectation, hypergeometric, partitions, sum } from './distributions';

/** Rounding of sums of a few thousand terms. */
const ONE = 1 + 1e-12;
const STANDARD = profile('standard');
const PLAIN = profile('plain');
const WORSE = STANDARD.effects.filter((r) => r > 1);
const RATES = [0.01, 0.1, 0.3, 0.5, 0.8, 1];

type Bin = readonly [candidateRequests: number, candidateBad: number, baselineRequests: number, baselineBad: number];

function processOf(settings: JudgeSettings, bins: readonly Bin[], objective?: Objective): SeriesProcess {
  const process = new SeriesProcess(new Stakes(settings, settings.margin), objective, settings);
  for (const [i, bin] of bins.entries()) process.step(60 * i, 60, ...bin);
  return process;
}

/** ln of a bin's factor for one effect, without correlation and bursts. */
function logLikelihoodRatio(candidateBad: number, events: number, theta: number, risk: number): number {
  const bets = new Bets({ effects: [risk], correlation: 0, bursts: 0, tempered: false });
  bets.place(candidateBad, events, theta, theta);
  return bets.log[0]!;
}

/** Sums over every pair of counts of one bin. */
function over(
  candidate: number,
  baseline: number,
  candidateRate: number,
  baselineRate: number,
  value: (c: number, b: number) => number,
): number {
  const p = binomial(candidate, candidateRate);
  const q = binomial(baseline, baselineRate);
  return expectation(p, (c) => expectation(q, (b) => value(c, b)));
}

describe('one bin, given its bad events', () => {
  it.each([
    [30, 270, 8],
    [300, 2700, 40],
    [10, 20, 12],
  ])('E[e] <= 1 with %d and %d requests and %d bad events', (candidate, baseline, events) => {
    const theta = candidate / (candidate + baseline);
    for (const r of WORSE) {
      const e = (c: number) => Math.exp(logLikelihoodRatio(c, events, theta, r));
      const exact = expectation(hypergeometric(candidate, baseline, events), e);
      expect(exact).toBeLessThanOrEqual(ONE);
      // The bound is not slack: a binomial count gives exactly 1.
      expect(expectation(binomial(events, theta), e)).toBeCloseTo(1, 9);
      expect(exact).toBeGreaterThan(0.1 ** r);
    }
  });

  it('E[e] <= 1 for every split of up to 12 requests and every number of bad events, plain and robust', () => {
    let cases = 0;
    for (const settings of [PLAIN, STANDARD]) {
      for (let requests = 2; requests <= 12; requests++) {
        for (let candidate = 1; candidate < requests; candidate++) {
          for (let events = 1; events <= requests; events++) {
            const exact = expectation(hypergeometric(candidate, requests - candidate, events), (c) =>
              Math.exp(processOf(settings, [[candidate, c, requests - candidate, events - c]]).worse.logValue),
            );
            if (exact > ONE) throw new Error(`${settings.form}: E[e] = ${exact} for ${candidate} of ${requests}, ${events} events`);
            cases++;
          }
        }
      }
    }
    expect(cases).toBe(2 * 572);
  });

  it('the capped root is an e-value for beta-binomial counts of the correlation it allows for, and of any smaller one', () => {
    for (const allowed of [0.003, 0.01, 0.03, 0.1]) {
      for (const actual of [allowed, allowed / 3]) {
        for (const events of [1, 2, 3, 5, 8, 15, 40, 120, 500]) {
          for (const theta of [0.002, 0.01, 0.05, 0.1, 0.25, 0.5, 0.9]) {
            const pmf = betaBinomial(events, theta, actual);
            for (const r of STANDARD.effects) {
              const l = (c: number) =>
                Math.min(Math.log(STANDARD.cap), logLikelihoodRatio(c, events, theta, r) / burstSize(events, allowed));
              const exact = expectation(pmf, (c) => Math.exp(l(c)));
              if (exact > 1 + 1e-9)
                throw new Error(`E[e] = ${exact}: allowed ${allowed}, actual ${actual}, ${events} events, theta ${theta}, r ${r}`);
            }
          }
        }
      }
    }
  });

  it('without the root, the same counts would break the guarantee', () => {
    const e = (c: number) => Math.exp(Math.min(Math.log(8), logLikelihoodRatio(c, 120, 0.1, 2)));
    expect(expectation(betaBinomial(120, 0.1, 0.03), e)).toBeGreaterThan(1.2);
  });

  it('the root is an e-value for any bursts of up to its burst size that hit one arm each', () => {
    const correlation = 0.25;
    for (const events of [4, 7, 10]) {
      const most = burstSize(events, correlation);
      for (const bursts of partitions(events, Math.floor(most))) {
        for (const theta of [0.1, 0.5, 0.8]) {
          for (const r of STANDARD.effects) {
            // Each burst goes to the candidate as a whole with probability theta.
            let outcomes: [events: number, p: number][] = [[0, 1]];
            for (const size of bursts) {
              outcomes = outcomes.flatMap(([c, p]): [number, number][] => [
                [c + size, p * theta],
                [c, p * (1 - theta)],
              ]);
            }
            const exact = sum(outcomes.map(([c, p]) => p * Math.exp(logLikelihoodRatio(c, events, theta, r) / most)));
            expect(exact).toBeLessThanOrEqual(ONE);
          }
        }
      }
    }
  });
});

describe('one bin, over every outcome', () => {
  const sizes = [
    [1, 1],
    [1, 9],
    [3, 3],
    [4, 12],
    [10, 5],
  ] as const;

  it('evidence for rollback: E[M] <= 1 whenever the candidate is at most as bad', () => {
    for (const settings of [PLAIN, STANDARD]) {
      for (const [candidate, baseline] of sizes) {
        for (const baselineRate of RATES) {
          for (const candidateRate of [baselineRate, baselineRate * 0.7, 0]) {
            const exact = over(candidate, baseline, candidateRate, baselineRate, (c, b) =>
              Math.exp(processOf(settings, [[candidate, c, baseline, b]]).worse.logValue),
            );
            expect(exact).toBeLessThanOrEqual(ONE);
          }
        }
      }
    }
  });

  it('evidence for rollback grows when the candidate is worse', () => {
    expect(over(10, 10, 0.9, 0.1, (c, b) => Math.exp(processOf(PLAIN, [[10, c, 10, b]]).worse.logValue))).toBeGreaterThan(5);
  });

  it('evidence for promotion: E[N] <= 1 whenever the candidate is at least the margin times as bad, at every rate', () => {
    for (const settings of [PLAIN, STANDARD]) {
      for (const [candidate, baseline] of sizes) {
        for (const baselineRate of RATES) {
          for (const risk of [settings.margin, settings.margin * 1.5, 10]) {
            if (baselineRate * risk > 1) continue;
            const exact = over(candidate, baseline, baselineRate * risk, baselineRate, (c, b) =>
              Math.exp(processOf(settings, [[candidate, c, baseline, b]]).logBelowMargin!),
            );
            expect(exact).toBeLessThanOrEqual(ONE);
          }
        }
      }
    }
  });

  it('evidence of keeping an objective: E[N] <= 1 whenever the candidate is at or above it', () => {
    for (const settings of [PLAIN, STANDARD]) {
      for (const rate of [0.02, 0.2, 0.6]) {
        for (const actual of [rate, 1.3 * rate, Math.min(1, 4 * rate)]) {
          for (const requests of [1, 5, 30]) {
            const exact = expectation(binomial(requests, actual), (c) =>
              Math.exp(processOf(settings, [[requests, c, 1, 0]], { rate }).logBelowObjective!),
            );
            expect(exact).toBeLessThanOrEqual(ONE);
          }
        }
      }
    }
  });

  it('evidence against a relative risk: E <= 1 at that risk, whichever side the bet is on', () => {
    for (const [candidate, baseline] of sizes) {
      for (const baselineRate of [0.05, 0.2, 0.45]) {
        for (const truth of [0.3, 1, 2]) {
          const theta = candidate / (candidate + baseline);
          for (const r of STANDARD.effects) {
            const exact = over(candidate, baseline, baselineRate * truth, baselineRate, (c, b) =>
              Math.exp(logLikelihoodRatio(c, c + b, theta, r) - logLikelihoodRatio(c, c + b, theta, truth)),
            );
            expect(exact).toBeLessThanOrEqual(ONE);
          }
        }
      }
    }
  });
});

describe('many bins', () => {
  it('cutting a bin into finer ones keeps E[M] <= 1, and E[N] <= 1', () => {
    for (const settings of [PLAIN, STANDARD]) {
      for (let candidate = 0; candidate <= 3; candidate++) {
        for (let baseline = 0; baseline <= 4; baseline++) {
          const [n1, m1, n2, m2] = [candidate, baseline, 3 - candidate, 4 - baseline];
          for (const rate of [0.2, 0.5]) {
            const expected = (candidateRate: number, value: (process: SeriesProcess) => number) =>
              over(n1, m1, candidateRate, rate, (c1, b1) =>
                over(n2, m2, candidateRate, rate, (c2, b2) =>
                  value(
                    processOf(settings, [
                      [n1, c1, m1, b1],
                      [n2, c2, m2, b2],
                    ]),
                  ),
                ),
              );
            expect(expected(rate, (process) => Math.exp(process.worse.logValue))).toBeLessThanOrEqual(ONE);
            expect(expected(2 * rate, (process) => Math.exp(process.logBelowMargin!))).toBeLessThanOrEqual(ONE);
          }
        }
      }
    }
  });

  it('E[M] is exactly 1 after twelve bins with one bad request each, whatever part of the reserve has been put to use', () => {
    const n = 12;
    let total = 0;
    for (let course = 0; course < 2 ** n; course++) {
      const process = processOf(
        STANDARD,
        Array.from({ length: n }, (_, i): Bin => [1, (course >> i) & 1, 1, 1 - ((course >> i) & 1)]),
      );
      total += Math.exp(process.worse.logValue);
    }
    expect(total / 2 ** n).toBeCloseTo(1, 10);
  });

  it('P(ever rolled back) <= alpha, summed over every course of seven bins with a look after each', () => {
    const alpha = 0.25;
    for (const form of ['plain', 'robust'] as const) {
      let rolledBack = 0;
      let whole = 0;
      for (const [course, p] of courses(7, 0.25)) {
        const counts = {
          start: course.map((_, i) => i),
          seconds: course.map(() => 1),
          candidateRequests: course.map(() => 1),
          candidateBad: course.map(([c]) => c),
          baselineRequests: course.map(() => 1),
          baselineBad: course.map(([, b]) => b),
        };
        const points = trace({ settings: { alpha, form }, metrics: [{ id: '5xx', series: [{ counts }] }] });
        if (points.some(({ decision }) => decision === 'rollBack')) rolledBack += p;
        whole += p;
      }
      expect(whole).toBeCloseTo(1, 9);
      expect(rolledBack).toBeLessThanOrEqual(alpha);
      expect(rolledBack).toBeGreaterThan(0.01);
    }
  });
});

/**
 * Every course of so many bins with one request of each arm, given that each bin has a bad one: one without changes nothing. While the arms are equally
 * bad, the lone bad request is as often the one's as the other's.
 */
function courses(bins: number, bothBad: number): [(readonly [number, number])[], number][] {
  if (bins === 0) return [[[], 1]];
  const outcomes: [readonly [number, number], number][] = [
    [[1, 0], (1 - bothBad) / 2],
    [[0, 1], (1 - bothBad) / 2],
    [[1, 1], bothBad],
  ];
  return courses(bins - 1, bothBad).flatMap(([course, q]) =>
    outcomes.map(([outcome, w]): [(readonly [number, number])[], number] => [[...course, outcome], q * w]),
  );
}
