import fc from 'fast-check';
import { type Bin, countsOf, Evaluation, evaluate, type JudgeInput, relativeRiskInterval } from '../../lib/judge';
import { seeded } from './distributions';

/** One-minute bins of a canary at any rate, split and share of bad requests; some of them empty. */
const bins = fc
  .array(
    fc.record({
      candidateRequests: fc.oneof(fc.nat(30), fc.nat(5000), fc.constant(0)),
      baselineRequests: fc.oneof(fc.nat(300), fc.nat(50000), fc.constant(0)),
      candidateShare: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.02, noNaN: true })),
      baselineShare: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.02, noNaN: true })),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((rows) =>
    rows.map(
      (row, i): Bin => ({
        start: 1_800_000_000 + 60 * i,
        seconds: 60,
        candidateRequests: row.candidateRequests,
        candidateBad: Math.floor(row.candidateRequests * row.candidateShare),
        baselineRequests: row.baselineRequests,
        baselineBad: Math.floor(row.baselineRequests * row.baselineShare),
      }),
    ),
  );

const inputOf = (...series: Bin[][]): JudgeInput => ({
  metrics: series.map((one, i) => ({ id: `metric ${i}`, series: [{ counts: countsOf(one) }] })),
  routing: [{ from: 1_800_000_000, share: 0.1 }],
});

function shuffled<T>(values: readonly T[], seed: number): T[] {
  const random = seeded(seed);
  return values
    .map((value) => ({ value, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

describe('a verdict', () => {
  it('does not depend on the order in which bins arrive, nor on how often', () => {
    fc.assert(
      fc.property(bins, fc.nat(), (given, seed) => {
        const arrived = [...shuffled(given, seed), ...shuffled(given, seed + 1).slice(0, 5)];
        expect(evaluate(inputOf(arrived))).toEqual(evaluate(inputOf(given)));
      }),
    );
  });

  it('does not depend on whether a bin was first reported in part', () => {
    fc.assert(
      fc.property(bins, fc.nat(), (given, seed) => {
        const random = seeded(seed);
        const partOf = (count: number) => Math.floor(count * random());
        const partial = given.map((bin): Bin => {
          const [candidateBad, baselineBad] = [partOf(bin.candidateBad), partOf(bin.baselineBad)];
          return {
            ...bin,
            candidateBad,
            baselineBad,
            candidateRequests: Math.max(candidateBad, partOf(bin.candidateRequests)),
            baselineRequests: Math.max(baselineBad, partOf(bin.baselineRequests)),
          };
        });
        expect(evaluate(inputOf(shuffled([...partial, ...given], seed)))).toEqual(evaluate(inputOf(given)));
      }),
    );
  });

  it('is not changed by an empty bin, wherever it is', () => {
    fc.assert(
      fc.property(bins, fc.nat(31), (given, at) => {
        const empty = { seconds: 60, candidateRequests: 0, candidateBad: 0, baselineRequests: 0, baselineBad: 0 };
        const later = given.slice(at).map((bin) => ({ ...bin, start: bin.start + 60 }));
        const stretched = [...given.slice(0, at), { ...empty, start: 1_800_000_000 + 60 * Math.min(at, given.length) }, ...later];
        const [without, with_] = [evaluate(inputOf(given)), evaluate(inputOf(stretched))];
        expect(with_.metrics).toEqual(without.metrics);
        expect(with_.decision).toBe(without.decision);
        expect(with_.logWorse).toBe(without.logWorse);
      }),
    );
  });

  it('is the same bin by bin, asked at any moment, with late bins, as all at once', () => {
    fc.assert(
      fc.property(bins, bins, fc.nat(), (first, second, seed) => {
        const random = seeded(seed);
        const nothing = inputOf([], []);
        const evaluation = new Evaluation(nothing);
        const arrivals = shuffled(
          [...first.map((bin) => ['metric 0', bin] as const), ...second.map((bin) => ['metric 1', bin] as const)],
          seed,
        );
        for (const [metric, bin] of arrivals) {
          evaluation.add(metric, bin);
          if (random() < 0.3) evaluation.verdict();
          if (random() < 0.1) evaluation.verdict(1_800_000_000 + 1800 * random());
        }
        expect(evaluation.verdict()).toEqual(evaluate(inputOf(first, second)));
      }),
    );
  });

  it('can be recomputed from what it holds, after being stored as JSON', () => {
    fc.assert(
      fc.property(bins, bins, (first, second) => {
        const verdict = evaluate({
          ...inputOf(first, second),
          now: 1_800_000_600,
          profile: 'plain',
          settings: { alpha: 0.01, settleSeconds: 120 },
        });
        const stored = JSON.parse(JSON.stringify(verdict));
        expect(stored).toEqual(verdict);
        expect(evaluate(stored.input)).toEqual(verdict);
      }),
    );
  });

  it('holds nothing that is not a number', () => {
    fc.assert(
      fc.property(bins, (given) => {
        expect(
          JSON.stringify(evaluate(inputOf(given)), (_, value) => (Number.isNaN(value) || Math.abs(value) === Infinity ? 'broken' : value)),
        ).not.toContain('broken');
      }),
    );
  });
});

describe('the interval of the relative risk', () => {
  const swapped = (given: Bin[]) =>
    given.map(
      (bin): Bin => ({
        ...bin,
        candidateRequests: bin.baselineRequests,
        candidateBad: bin.baselineBad,
        baselineRequests: bin.candidateRequests,
        baselineBad: bin.candidateBad,
      }),
    );

  it('is inverted when the arms are swapped', () => {
    fc.assert(
      fc.property(bins, (given) => {
        const one = relativeRiskInterval(countsOf(given));
        const other = relativeRiskInterval(countsOf(swapped(given)));
        const same = (a: number, b: number) => expect(Math.abs(Math.log(a / b))).toBeLessThan(1e-4);
        if (other.high === null) expect(one.low).toBe(0);
        else same(one.low, 1 / other.high);
        if (one.high === null) expect(other.low).toBe(0);
        else same(one.high, 1 / other.low);
        if (one.estimate !== null && other.estimate !== null && one.estimate > 0) same(one.estimate, 1 / other.estimate);
      }),
    );
  });

  it('holds its estimate', () => {
    fc.assert(
      fc.property(bins, (given) => {
        const { low, estimate, high } = relativeRiskInterval(countsOf(given));
        expect(low).toBeGreaterThanOrEqual(0);
        if (estimate !== null) expect(estimate).toBeGreaterThanOrEqual(low);
        if (estimate !== null && high !== null) expect(estimate).toBeLessThanOrEqual(high);
      }),
    );
  });
});
