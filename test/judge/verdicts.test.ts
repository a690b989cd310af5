import { type Bin, countsOf, Evaluation, evaluate, type JudgeInput, type MetricInput, profile, type Series, trace } from '../../lib/judge';
import { poisson, seeded } from './distributions';

const START = 1_800_000_000;

/** One-minute bins of a canary at so many requests a second, a tenth of them the candidate's. */
function minutes(count: number, perSecond: number, candidateRate: number, baselineRate: number, from = START, seed = 1): Bin[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, i): Bin => {
    const [candidateRequests, baselineRequests] = [6 * perSecond, 54 * perSecond];
    const candidateBad = Math.min(candidateRequests, poisson(candidateRequests * candidateRate, random));
    const baselineBad = Math.min(baselineRequests, poisson(baselineRequests * baselineRate, random));
    return { start: from + 60 * i, seconds: 60, candidateRequests, candidateBad, baselineRequests, baselineBad };
  });
}

const metricOf = (id: string, bins: Bin[], more: Partial<MetricInput> = {}): MetricInput => ({
  id,
  series: [{ counts: countsOf(bins) }],
  ...more,
});
const routing = [{ from: START, share: 0.1 }];
const judge = (bins: Bin[], more: Partial<JudgeInput> = {}) => evaluate({ metrics: [metricOf('5xx', bins)], routing, ...more });
const bin = (candidateRequests: number, candidateBad: number, baselineRequests: number, baselineBad: number, start = START): Bin => ({
  start,
  seconds: 60,
  candidateRequests,
  candidateBad,
  baselineRequests,
  baselineBad,
});

describe('when the candidate is worse', () => {
  const verdict = judge(minutes(30, 50, 0.02, 0.001));

  it('is rolled back, with a sentence that says why', () => {
    expect(verdict.decision).toBe('rollBack');
    expect(verdict.sentence).toMatch(
      /^rolled back: 5xx [\d.]+ % against 0\.[\d]+ %, evidence [\d ]+ where 20 suffices, after \d+ bad requests$/,
    );
  });

  it('says when the evidence sufficed, and from how many bad requests', () => {
    const { crossing } = verdict;
    expect(crossing).toMatchObject({ metric: '5xx', series: '5xx', logThreshold: Math.log(20) });
    expect(crossing!.at).toBeLessThan(START + 5 * 60);
    expect(crossing!.totals.candidateBad).toBeLessThan(40);
    expect(Math.exp(crossing!.logEvidence)).toBeGreaterThanOrEqual(20);
  });

  it('stays rolled back when the candidate recovers', () => {
    const recovered = judge([...minutes(5, 50, 0.02, 0.001), ...minutes(600, 50, 0.001, 0.001, START + 300)]);
    expect(recovered.decision).toBe('rollBack');
    expect(recovered.logWorse).toBeLessThan(Math.log(20));
  });

  it('is rolled back soon even when it went bad after a long good time', () => {
    const bins = [...minutes(600, 50, 0.001, 0.001), ...minutes(8, 50, 0.02, 0.001, START + 600 * 60)];
    const late = judge(bins);
    expect(late.decision).toBe('rollBack');
    expect(late.crossing!.at).toBeLessThanOrEqual(START + 606 * 60);
    expect(judge(bins, { settings: { lateReserve: 0 } }).decision).not.toBe('rollBack');
  });

  it('is not rolled back by a single minute, however bad', () => {
    const quiet = minutes(20, 50, 0.001, 0.001);
    const burst = quiet.map((one, i) => (i === 10 ? { ...one, candidateBad: one.candidateRequests } : one));
    expect(judge(burst).crossing).toBeNull();
    expect(judge(burst, { profile: 'plain' }).decision).toBe('rollBack');
  });
});

describe('when the candidate is as good', () => {
  const bins = minutes(60, 50, 0.01, 0.01);

  it('is promoted, with a sentence that compares', () => {
    const verdict = judge(bins);
    expect(verdict.decision).toBe('promote');
    expect(verdict.sentence).toMatch(
      /^promoted: 5xx [\d.]+ % against [\d.]+ % \([\d.]+ to [\d.]+ times as often\); shown less than 2 times as bad, evidence at least [\w ]+ where 20 suffices$/,
    );
    const { relativeRisk } = verdict.metrics[0]!.series[0]!;
    expect(relativeRisk.low).toBeLessThan(1);
    expect(relativeRisk.high).toBeGreaterThan(1);
    expect(relativeRisk.high).toBeLessThan(2);
  });

  it('waits for every required metric, and not for others', () => {
    const few = minutes(60, 1, 0.001, 0.001);
    const metrics = [metricOf('5xx', bins), metricOf('wrong', few, { name: 'wrong answers' })];
    const held = evaluate({ metrics, routing });
    expect(held.decision).toBe('hold');
    expect(held.sentence).toMatch(/^held: not enough evidence yet: wrong answers .* of the 20 that promotion needs$/);
    const optional = evaluate({ metrics: [metrics[0]!, { ...metrics[1]!, required: false }], routing });
    expect(optional.decision).toBe('promote');
  });

  it('is held before its first request', () => {
    expect(judge([]).sentence).toBe('held: the candidate has not yet answered a request');
    expect(judge([bin(0, 0, 3, 0)]).sentence).toBe('held: the candidate has not yet answered a request');
  });

  it('is held when nothing is required', () => {
    const verdict = evaluate({ metrics: [metricOf('5xx', bins, { required: false })] });
    expect(verdict).toMatchObject({ decision: 'hold', sentence: 'held: no metric is required for promotion, so nothing can be shown' });
  });

  it('takes no evidence for it from a common outage', () => {
    const outage = minutes(3, 50, 0.3, 0.3, START + 180);
    const before = judge(minutes(3, 50, 0.02, 0.01));
    const after = judge([...minutes(3, 50, 0.02, 0.01), ...outage]);
    expect(after.metrics[0]!.logNotWorse).toBe(before.metrics[0]!.logNotWorse);
  });
});

describe('the budget across metrics', () => {
  const good = minutes(30, 50, 0.001, 0.001);
  const bad = minutes(30, 50, 0.02, 0.001);

  it('is shared, so that more metrics need more evidence each', () => {
    const metrics = ['a', 'b', 'c', 'd'].map((id) => metricOf(id, id === 'c' ? bad : good));
    const verdict = evaluate({ metrics, routing });
    expect(verdict.crossing).toMatchObject({ metric: 'c', logThreshold: expect.closeTo(Math.log(80), 12) });
    expect(verdict.metrics.map(({ alpha }) => alpha)).toEqual([0.0125, 0.0125, 0.0125, 0.0125]);
  });

  it('can be weighted, and withheld', () => {
    const metrics = [metricOf('a', good, { weight: 3 }), metricOf('b', good), metricOf('c', bad, { rollsBack: false })];
    const verdict = evaluate({ metrics, routing });
    expect(verdict.metrics.map(({ alpha }) => alpha)).toEqual([0.037500000000000006, 0.0125, 0]);
    expect(verdict.decision).not.toBe('rollBack');
    expect(verdict.metrics[2]).toMatchObject({ rollsBack: false, logWorseThreshold: null });
  });

  it('of a metric that weighs nothing is 0, and such metrics alone never roll back', () => {
    const metrics = [metricOf('a', good), metricOf('b', bad, { weight: 0 })];
    const verdict = evaluate({ metrics, routing });
    expect(verdict.metrics.map(({ alpha }) => alpha)).toEqual([0.05, 0]);
    expect(verdict).toMatchObject({ decision: 'hold', crossing: null });
    expect(evaluate({ metrics: [metrics[1]!], routing })).toMatchObject({ decision: 'hold', logWorse: 0, crossing: null });
  });

  it('adds up the evidence of metrics of which none would suffice, and says so', () => {
    const bins = minutes(12, 50, 0.0042, 0.001, START, 4);
    const points = trace({ metrics: [metricOf('a', bins)], routing });
    const enough = points.findIndex(({ logWorse }) => logWorse >= Math.log(20));
    const until = bins.slice(0, enough + 1);
    expect(evaluate({ metrics: [metricOf('a', until), metricOf('b', [])], routing }).decision).toBe('hold');
    const together = evaluate({ metrics: [metricOf('a', until), metricOf('b', until)], routing });
    expect(together.decision).toBe('rollBack');
    expect(Math.exp(together.crossing!.logEvidence)).toBeLessThan(40);
    expect(together.sentence).toContain('evidence of all metrics together above the 20 that suffices');
  });

  it('names the first of those with the same evidence, as two minutes at the cap give it', () => {
    const failing = (id: string, baselineBad: number) =>
      metricOf(
        id,
        [0, 60].map((after) => bin(300, 300, 2700, baselineBad, START + after)),
      );
    for (let baselineBad = 250; baselineBad < 350; baselineBad++) {
      for (const [a, b] of [
        [3, baselineBad],
        [baselineBad, 3],
      ] as const) {
        const { crossing } = evaluate({ metrics: [failing('a', a), failing('b', b)], routing });
        expect(crossing).toMatchObject({ at: START + 120, metric: 'a', logEvidence: expect.closeTo(Math.log(64), 12) });
      }
    }
  });
});

describe('latency', () => {
  const series = (rates: number[], candidateRates = rates) =>
    rates.map((rate, j) => ({
      label: ['p50', 'p90', 'p99'][j]!,
      threshold: { percentile: [50, 90, 99][j]!, baselineMilliseconds: 100, candidateMilliseconds: 110 },
      counts: countsOf(minutes(30, 50, candidateRates[j]!, rate)),
    }));
  const latency = (candidateRates: number[]): MetricInput => ({
    id: 'latency',
    kind: 'latency',
    series: series([0.5, 0.1, 0.01], candidateRates),
  });

  it('rolls back on a tail that is slower, and names it', () => {
    const verdict = evaluate({ metrics: [latency([0.4, 0.08, 0.05])], routing });
    expect(verdict.decision).toBe('rollBack');
    expect(verdict.sentence).toMatch(/^rolled back: latency p99 /);
  });

  it('promotes when every quantile is shown not worse', () => {
    expect(evaluate({ metrics: [latency([0.4, 0.08, 0.008])], routing }).decision).toBe('promote');
  });

  it('is not promoted by two good quantiles when the third is at the margin', () => {
    const verdict = evaluate({ metrics: [{ ...latency([0.4, 0.08, 0.02]), rollsBack: false }], routing });
    expect(verdict.decision).toBe('hold');
    expect(verdict.sentence).toContain('latency p99');
  });

  it('keeps the thresholds in the record', () => {
    const verdict = evaluate({ metrics: [latency([0.4, 0.08, 0.02])], routing });
    expect(verdict.input.metrics[0]!.series[2]!.threshold).toEqual({
      percentile: 99,
      baselineMilliseconds: 100,
      candidateMilliseconds: 110,
    });
  });
});

describe('an objective', () => {
  const bins = minutes(40, 5, 0.0002, 0.0002);
  const withObjective = (badWhen?: 'aboveObjective' | 'both' | 'either') =>
    evaluate({ metrics: [metricOf('5xx', bins, { objective: { rate: 0.01, ...(badWhen === undefined ? {} : { badWhen }) } })], routing });

  it('lets a candidate pass that is too rarely bad to be compared', () => {
    expect(judge(bins).decision).toBe('hold');
    expect(withObjective('aboveObjective').decision).toBe('promote');
    expect(withObjective('both').decision).toBe('promote');
  });

  it('can be asked for on top of the comparison', () => {
    expect(withObjective('either').decision).toBe('hold');
  });

  it('means both unless said otherwise: above it and worse than the margin', () => {
    expect(withObjective().metrics[0]!.logNotWorse).toBe(withObjective('both').metrics[0]!.logNotWorse);
    const { logBelowMargin, logBelowObjective, logNotWorse } = withObjective().metrics[0]!.series[0]!;
    expect(Math.exp(logNotWorse)).toBeCloseTo((Math.exp(logBelowMargin!) + Math.exp(logBelowObjective!)) / 2, 8);
  });

  it('does not help a candidate that breaks it', () => {
    const verdict = evaluate({
      metrics: [metricOf('5xx', minutes(120, 5, 0.02, 0.02), { objective: { rate: 0.01, badWhen: 'either' }, rollsBack: false })],
      routing,
    });
    expect(verdict.decision).toBe('hold');
  });
});

describe('a broken comparison is invalid, whatever the counts', () => {
  const good = minutes(30, 50, 0.01, 0.01);

  it('when an observed fact is not as expected', () => {
    const facts = [
      { name: 'variants', expected: 'live, candidate', found: 'live, candidate' },
      { name: 'endpoint configuration', expected: 'flight-delay-7', found: 'flight-delay-6' },
    ];
    expect(judge(good, { facts })).toMatchObject({
      decision: 'invalid',
      sentence: "invalid: endpoint configuration is 'flight-delay-6' where 'flight-delay-7' was expected",
    });
  });

  describe('by the requests, where other things are counted too', () => {
    const perMinute = (count: number, ...rest: [number, number, number, number]) =>
      Array.from({ length: count }, (_, i) => bin(...rest, START + 60 * i));
    const errors = (...rest: [number, number, number, number]) => metricOf('5xx', perMinute(10, ...rest), { kind: 'serverErrors' });

    it('and not by outcomes of requests from before the candidate came', () => {
      const late = metricOf('wrong answers', perMinute(10, 0, 0, 4000, 200), { kind: 'wrongAnswers' });
      expect(evaluate({ metrics: [errors(30, 0, 270, 0), late], routing }).decision).toBe('hold');
    });

    it('and not by the many things that one request asks for', () => {
      const loans = metricOf('loans', perMinute(10, 3000, 30, 18_000, 180));
      expect(evaluate({ metrics: [errors(30, 0, 270, 0), loans], routing }).decision).toBe('hold');
    });

    it('whatever the others are like', () => {
      const outcomes = metricOf('wrong answers', perMinute(10, 4000, 40, 36_000, 360), { kind: 'wrongAnswers' });
      expect(evaluate({ metrics: [errors(200, 0, 270, 0), outcomes], routing }).sentence).toMatch(/^invalid: 43 % of 4 700 requests/);
    });
  });

  it('and says by how much, where that is little', () => {
    const verdict = judge([bin(15_400, 0, 84_600, 0)], { routing: [{ from: START, share: 0.146 }] });
    expect(verdict.sentence).toBe('invalid: 15.4 % of 100 000 requests reached the candidate where 14.6 % was routed there');
  });

  it('but not when a tiny share was routed, and answered', () => {
    const random = seeded(5);
    for (let canary = 0; canary < 20; canary++) {
      const bins = Array.from({ length: 60 }, (_, i) => bin(poisson(10, random), 0, 19_990, i % 7, START + 60 * i));
      expect(judge(bins, { routing: [{ from: START, share: 0.0005 }] }).decision).not.toBe('invalid');
    }
  });

  it('but not when a request strays to an arm that none was routed to', () => {
    const routedTo = (share: number) => ({ routing: [{ from: START, share }] });
    expect(judge([bin(1, 0, 1_000_000, 5)], routedTo(0)).decision).toBe('hold');
    expect(judge([bin(1_000_000, 5, 1, 0)], routedTo(1)).decision).toBe('hold');
    expect(judge([bin(0, 0, 1, 0)], routedTo(1)).decision).toBe('hold');
    expect(judge([bin(1000, 0, 100_000, 5)], routedTo(0)).sentence).toBe(
      'invalid: 0.99 % of 101 000 requests reached the candidate where 0 % was routed there',
    );
    expect(judge([bin(0, 0, 1000, 0)], routedTo(1)).sentence).toBe(
      'invalid: the candidate has answered no request while the other variant answered 1 000',
    );
  });

  it('when traffic was not split as routed', () => {
    const verdict = judge(good, { routing: [{ from: START, share: 0.25 }] });
    expect(verdict.decision).toBe('invalid');
    expect(verdict.sentence).toBe('invalid: 10 % of 90 000 requests reached the candidate where 25 % was routed there');
    expect(verdict.share).toMatchObject({ candidateRequests: 9000, baselineRequests: 81000, expectedCandidateRequests: 22500 });
  });

  it('not when the difference is too small to matter, however certain', () => {
    const bins = [bin(102_000_000, 10, 900_000_000, 90)];
    const verdict = judge(bins);
    expect(verdict.share!.logEvidence).toBeGreaterThan(verdict.share!.logThreshold);
    expect(verdict.decision).not.toBe('invalid');
  });

  it('compares each step with its own share and leaves out the bin in which it changed', () => {
    const second = good.map((one) => ({
      ...one,
      start: one.start + 3600,
      candidateRequests: 3000 - 2250,
      baselineRequests: 2250,
      candidateBad: 7,
      baselineBad: 22,
    }));
    const between = { ...bin(150, 2, 2850, 28, START + 1800) };
    const steps = [
      { from: START + 1830, share: 0.25 },
      { from: START, share: 0.1 },
    ];
    expect(judge([...good, between, ...second], { routing: steps }).share!.expectedCandidateRequests).toBe(9000 + 22500);
    expect(judge([...good, between, ...second], { routing: steps }).decision).toBe('promote');
  });

  it('when the candidate answers nothing', () => {
    const verdict = judge(Array.from({ length: 10 }, (_, i) => bin(0, 0, 100, 0, START + 60 * i)));
    expect(verdict).toMatchObject({
      decision: 'invalid',
      sentence: 'invalid: the candidate has answered no request while the other variant answered 1 000',
    });
  });

  it('not when it merely had no luck yet', () => {
    expect(judge([bin(0, 0, 100, 0)]).decision).toBe('hold');
  });

  it('when an arm falls silent', () => {
    const silent = [...good, ...Array.from({ length: 5 }, (_, i) => bin(300, 3, 0, 0, START + 1800 + 60 * i))];
    expect(judge(silent).sentence).toBe(
      'invalid: the baseline has answered no request since 2027-01-15T08:30:00.000Z while the other variant answered 1 500',
    );
  });

  it('when the data is stale', () => {
    expect(judge(good, { now: START + 1800 + 600 }).decision).toBe('promote');
    expect(judge(good, { now: START + 1800 + 1200 })).toMatchObject({
      decision: 'invalid',
      sentence: 'invalid: no request was counted for 20 min, longer than the 15 min after which data is stale',
    });
    expect(judge([], { now: START + 3600 }).decision).toBe('invalid');
    expect(judge([], { now: START + 60 }).decision).toBe('hold');
  });

  it('comes before a rollback', () => {
    const facts = [{ name: 'endpoint configuration', expected: 'a', found: 'b' }];
    expect(judge(minutes(30, 50, 0.05, 0.001), { facts }).decision).toBe('invalid');
  });
});

describe('moved predictions', () => {
  const good = minutes(30, 50, 0.01, 0.01);

  it('hold the candidate for a person to look at', () => {
    const predictions = [{ share: 0.1, candidate: [300, 700], baseline: [4500, 4500] }];
    const verdict = judge(good, { predictions });
    expect(verdict.decision).toBe('hold');
    expect(verdict.sentence).toMatch(/^held: the candidate predicts otherwise than the baseline, evidence [\w ]+ where 1 000 suffices/);
  });

  it('do not save one that is worse', () => {
    const predictions = [{ share: 0.1, candidate: [300, 700], baseline: [4500, 4500] }];
    expect(judge(minutes(30, 50, 0.05, 0.001), { predictions }).decision).toBe('rollBack');
  });

  it('do not matter when they did not move', () => {
    expect(judge(good, { predictions: [{ share: 0.1, candidate: [510, 490], baseline: [4500, 4500] }] }).decision).toBe('promote');
  });
});

describe('late data', () => {
  it('is left out until it has settled, and says so', () => {
    const bins = minutes(30, 50, 0.02, 0.001);
    const verdict = judge(bins, { now: START + 300, settings: { settleSeconds: 120 } });
    expect(verdict).toMatchObject({ bins: 3, unsettledBins: 27, from: START, until: START + 180 });
  });

  it('changes the verdict to what it would have been', () => {
    const bins = minutes(30, 50, 0.003, 0.001, START, 5);
    const evaluation = new Evaluation({ metrics: [metricOf('5xx', [])], routing });
    const [late, ...rest] = bins.slice(0, 20);
    for (const one of rest) evaluation.add('5xx', one);
    const before = evaluation.verdict();
    evaluation.add('5xx', late!);
    expect(evaluation.verdict()).toEqual(judge(bins.slice(0, 20)));
    expect(evaluation.verdict().logWorse).not.toBe(before.logWorse);
  });

  it('a verdict once given does not change when bins are added', () => {
    const evaluation = new Evaluation({ metrics: [metricOf('5xx', minutes(3, 5, 0.01, 0.01))], routing });
    const verdict = evaluation.verdict();
    const copy = JSON.stringify(verdict);
    evaluation.add('5xx', bin(30, 3, 270, 2, START + 600));
    evaluation.route(START + 600, 0.5);
    evaluation.verdict();
    expect(JSON.stringify(verdict)).toBe(copy);
    expect(evaluation.verdict().input.routing).toHaveLength(2);
  });
});

describe('at the edges', () => {
  it.each([
    ['no request', bin(0, 0, 0, 0)],
    ['one request of the candidate', bin(1, 0, 0, 0)],
    ['one bad request of the candidate', bin(1, 1, 0, 0)],
    ['one bad request of the baseline', bin(0, 0, 1, 1)],
    ['one request each, both bad', bin(1, 1, 1, 1)],
  ])('%s says nothing', (_, one) => {
    const verdict = evaluate({ metrics: [metricOf('5xx', [one])] });
    expect(verdict.decision).toBe('hold');
    expect(verdict.logWorse).toBeLessThan(Math.log(2));
    expect(verdict.metrics[0]!.logNotWorse).toBeLessThan(Math.log(2));
  });

  it('every request bad in both arms is not worse', () => {
    const all = Array.from({ length: 60 }, (_, i) => bin(300, 300, 2700, 2700, START + 60 * i));
    expect(judge(all)).toMatchObject({ decision: 'promote', crossing: null });
  });

  it('every request of the candidate bad is rolled back in two minutes', () => {
    const verdict = judge(Array.from({ length: 10 }, (_, i) => bin(300, 300, 2700, 3, START + 60 * i)));
    expect(verdict.decision).toBe('rollBack');
    expect(verdict.crossing!.at).toBe(START + 120);
  });

  it('10^9 requests a bin', () => {
    const bins = (candidateBad: number) => Array.from({ length: 30 }, (_, i) => bin(1e8, candidateBad, 9e8, 900_000, START + 60 * i));
    for (const name of ['standard', 'plain'] as const) {
      expect(judge(bins(100_000), { profile: name }).decision).toBe('promote');
      expect(judge(bins(500_000), { profile: name }).decision).toBe('rollBack');
      const { relativeRisk } = judge(bins(100_000), { profile: 'plain' }).metrics[0]!.series[0]!;
      expect(relativeRisk.estimate).toBeCloseTo(1, 6);
      expect(relativeRisk.high! - relativeRisk.low).toBeLessThan(0.01);
    }
  });

  it('a million bins', () => {
    const n = 1_000_000;
    const column = (of: (i: number) => number) => {
      const values: number[] = [];
      for (let i = 0; i < n; i++) values.push(of(i));
      return values;
    };
    const counts = {
      start: column((i) => START + i),
      seconds: column(() => 1),
      candidateRequests: column(() => 10),
      candidateBad: column((i) => (i % 100 === 0 ? 1 : 0)),
      baselineRequests: column(() => 90),
      baselineBad: column((i) => (i % 11 === 0 ? 1 : 0)),
    };
    const verdict = evaluate({ metrics: [{ id: '5xx', series: [{ counts }] }], routing });
    expect(verdict.bins).toBe(n);
    expect(verdict.decision).toBe('promote');
    expect(verdict.metrics[0]!.series[0]!.totals).toEqual({
      candidateRequests: 1e7,
      candidateBad: 10_000,
      baselineRequests: 9e7,
      baselineBad: 90_910,
    });
    expect(Number.isFinite(verdict.logWorse)).toBe(true);
  });

  it('evidence beyond floating point stays finite', () => {
    const bins = Array.from({ length: 2000 }, (_, i) => bin(1e6, 1e6, 9e6, 10, START + 60 * i));
    for (const name of ['standard', 'plain'] as const) {
      const verdict = judge(bins, { profile: name });
      expect(verdict.logWorse).toBeGreaterThan(3000);
      expect(verdict.logWorse).toBeLessThan(1e6);
    }
  });

  it('a share of 0 or 1 brings no evidence; a stray request is forgiven, traffic that should not be there is not', () => {
    const none = Array.from({ length: 10 }, (_, i) => bin(0, 0, 1000, 10, START + 60 * i));
    const whole = { routing: [{ from: START, share: 0 }] };
    expect(judge(none, whole)).toMatchObject({ decision: 'hold', logWorse: 0 });
    expect(judge([...none.slice(0, 9), bin(1, 1, 999, 10, START + 540)], whole).decision).toBe('hold');
    expect(judge([...none.slice(0, 9), bin(300, 3, 700, 7, START + 540)], whole).decision).toBe('invalid');
    const all = Array.from({ length: 10 }, (_, i) => bin(1000, 10, 0, 0, START + 60 * i));
    expect(judge(all, { routing: [{ from: START, share: 1 }] })).toMatchObject({ decision: 'hold', logWorse: 0 });
  });

  it('weights that change between steps add up to one verdict', () => {
    const first = minutes(20, 5, 0.01, 0.01);
    const second = minutes(20, 5, 0.01, 0.01, START + 1200, 2).map((one) => ({ ...one, candidateRequests: 150, baselineRequests: 150 }));
    const steps = [
      { from: START, share: 0.1 },
      { from: START + 1200, share: 0.5 },
    ];
    const both = judge([...first, ...second], { routing: steps });
    const one = judge(first);
    const other = judge(second, { routing: steps });
    expect(both.metrics[0]!.logNotWorse).toBeGreaterThan(Math.max(one.metrics[0]!.logNotWorse, other.metrics[0]!.logNotWorse));
  });
});

describe('wrong input is refused', () => {
  const refused = (change: Partial<Bin>) => () => judge([{ ...bin(30, 3, 270, 2), ...change }]);

  it.each<[Partial<Bin>, string]>([
    [{ candidateBad: 31 }, "metric '5xx', series '5xx', bin at 1800000000: candidateBad is 31, more than candidateRequests, 30"],
    [{ baselineBad: 271 }, "metric '5xx', series '5xx', bin at 1800000000: baselineBad is 271, more than baselineRequests, 270"],
    [
      { candidateRequests: 30.5 },
      "metric '5xx', series '5xx', bin at 1800000000: candidateRequests must be a whole number of at least 0, not 30.5; round interpolated counts",
    ],
    [
      { baselineBad: -1 },
      "metric '5xx', series '5xx', bin at 1800000000: baselineBad must be a whole number of at least 0, not -1; round interpolated counts",
    ],
    [
      { candidateBad: '3' as unknown as number },
      "metric '5xx', series '5xx', bin at 1800000000: candidateBad must be a whole number of at least 0, not \"3\"; round interpolated counts",
    ],
    [
      { baselineRequests: null as unknown as number },
      "metric '5xx', series '5xx', bin at 1800000000: baselineRequests must be a whole number of at least 0, not null; round interpolated counts",
    ],
    [{ seconds: 0 }, "metric '5xx', series '5xx', bin at 1800000000: seconds must be above 0, not 0"],
    [{ start: Number.NaN }, "metric '5xx', series '5xx': a bin's start must be in seconds since 1970, not NaN"],
  ])('%o', (change, message) => expect(refused(change)).toThrow(message));

  it('bins that overlap', () => {
    expect(() => judge([bin(1, 0, 9, 0), { ...bin(1, 0, 9, 0, START + 30), seconds: 10 }])).toThrow(
      "metric '5xx', series '5xx': the bins at 1800000000 (60 s) and 1800000030 (10 s) overlap; give each second once, in one resolution",
    );
  });

  it('a bad bin is refused and loses nothing of what was there', () => {
    const evaluation = new Evaluation({ metrics: [metricOf('5xx', minutes(30, 5, 0.01, 0.01))], routing });
    const before = evaluation.verdict();
    expect(() => evaluation.add('5xx', bin(1, 2, 3, 4, START + 36000))).toThrow('candidateBad is 2, more than candidateRequests, 1');
    expect(() => evaluation.add('5xx', bin(1, 2, 300, 4, START))).toThrow('candidateBad is 2');
    expect(() => evaluation.add('5xx', bin(1, 0, 3, 0, START + 30))).toThrow('overlap');
    expect(() => evaluation.add('4xx', bin(1, 0, 3, 0))).toThrow("no metric '4xx'; there are '5xx'");
    expect(() => evaluation.add('5xx', bin(1, 0, 3, 0), 1)).toThrow("metric '5xx' has 1 series, so no series 1");
    expect(() => evaluation.route(START, 1.5)).toThrow('share must be from 0 to 1, not 1.5');
    expect(evaluation.verdict()).toEqual(before);
  });

  it.each<[Partial<JudgeInput>, string]>([
    [{ metrics: [] }, 'no metric to judge: give at least one'],
    [{ metrics: [metricOf('a', []), metricOf('a', [])] }, "metric 'a' is given twice; ids must be unique"],
    [{ metrics: [{ id: 'a', series: [] }] }, "metric 'a' has no series to judge"],
    [{ metrics: [metricOf('a', [], { weight: -1 })] }, "metric 'a': weight must be at least 0, not -1"],
    [{ metrics: [metricOf('a', [], { margin: 1 })] }, "metric 'a': margin must be above 1, not 1"],
    [{ metrics: [metricOf('a', [], { objective: { rate: 0 } })] }, "metric 'a': the objective's rate must be above 0 and below 1, not 0"],
    [{ metrics: undefined as unknown as [] }, 'no metric to judge: give at least one'],
    [{ metrics: [{ id: 'a' } as MetricInput] }, "metric 'a' has no series to judge"],
    [{ metrics: [{ id: 'a', series: [{} as Series] }] }, "metric 'a', series 'a': column start of the counts must be an array of numbers"],
    [{ metrics: [metricOf('a', [], { weight: '2' as unknown as number })] }, "metric 'a': weight must be at least 0, not 2"],
    [
      { metrics: [metricOf('a', [], { weight: 1e308 }), metricOf('b', [], { weight: 1e308 })] },
      'the weights of the metrics have no finite sum',
    ],
    [{ now: Number.NaN }, 'now must be in seconds since 1970, not NaN'],
    [{ now: null as unknown as number }, 'now must be in seconds since 1970, not null'],
    [{ settings: { effects: null as unknown as [] } }, "setting 'effects' must be positive and increasing, not null"],
    [
      { settings: { rollbackWeights: null as unknown as [] } },
      "setting 'rollbackWeights' must have one weight for each of the 14 effects, not none",
    ],
    [{ routing: [{ from: START, share: -0.1 }] }, 'routing from 1800000000: share must be from 0 to 1, not -0.1'],
    [{ profile: 'bold' as 'plain' }, "unknown profile 'bold'; known are standard, plain"],
    [{ settings: null as unknown as object }, 'settings must be an object, not null'],
    [{ settings: { alpha: 0 } }, "setting 'alpha' must be above 0 and below 1, not 0"],
    [{ settings: { margin: 1 } }, "setting 'margin' must be above 1, not 1"],
    [{ settings: { cap: Number.NaN } }, "setting 'cap' must be above 1, not NaN"],
    [{ settings: { blockSeconds: 0 } }, "setting 'blockSeconds' must be above 0, not 0"],
    [{ settings: { form: 'bayes' as 'plain' } }, "setting 'form' must be 'robust' or 'plain', not 'bayes'"],
    [{ settings: { alfa: 0.1 } as object }, "unknown setting 'alfa'"],
    [{ settings: { rollbackWeights: [1] } }, "setting 'rollbackWeights' must have one weight for each of the 14 effects, not 1"],
    [
      { settings: { effects: [2, 1], rollbackWeights: [1, 1], promotionWeights: [1, 1] } },
      "setting 'effects' must be positive and increasing, not 2, 1",
    ],
    [
      { settings: { effects: [0.5, 1], rollbackWeights: [1, 1], promotionWeights: [1, 1] } },
      "setting 'rollbackWeights' gives no weight to an effect above 1",
    ],
  ])('%j', (change, message) => expect(() => judge(minutes(3, 5, 0.1, 0.1), change)).toThrow(message));

  it('columns of different lengths', () => {
    const counts = { ...countsOf(minutes(3, 5, 0.1, 0.1)), baselineBad: [1] };
    expect(() => evaluate({ metrics: [{ id: '5xx', series: [{ counts }] }] })).toThrow(
      "metric '5xx', series '5xx': column baselineBad has 1 entries where column start has 3",
    );
  });

  it('a margin of its own below which nothing is bet on', () => {
    const settings = { effects: [1.5, 3], rollbackWeights: [1, 1], promotionWeights: [1, 0] };
    expect(() => evaluate({ settings, metrics: [metricOf('5xx', [], { margin: 1.2 })] })).toThrow(
      'no weight to an effect below the margin 1.2',
    );
  });
});

describe('the settings', () => {
  it('are recorded as they were used', () => {
    const verdict = judge(minutes(3, 5, 0.01, 0.01), { settings: { alpha: 0.01, margin: 1.5 } });
    expect(verdict.settings).toEqual(profile('standard', { alpha: 0.01, margin: 1.5 }));
    expect(verdict.settings).toMatchObject({
      alpha: 0.01,
      beta: 0.05,
      margin: 1.5,
      form: 'robust',
      correlation: 0.01,
      cap: 8,
      latencyTolerance: 0.1,
    });
  });
});

describe('the trace', () => {
  it('is what each tick would have decided', () => {
    const bins = minutes(25, 50, 0.003, 0.001, START, 4);
    const points = trace({ metrics: [metricOf('5xx', bins)], routing });
    points.forEach((point, i) => {
      const verdict = judge(bins.slice(0, i + 1));
      expect(point).toMatchObject({
        at: verdict.until,
        logWorse: verdict.logWorse,
        logNotWorse: verdict.metrics[0]!.logNotWorse,
        decision: verdict.decision,
      });
    });
    expect(trace({ metrics: [metricOf('5xx', bins)], routing }, true)).toEqual(
      points.slice(0, points.findIndex(({ decision }) => decision !== 'hold') + 1),
    );
  });
});
