/**
 * The default form's guarantee where bad events are not independent: a share of its own for every minute, bursts that hit one arm, and minutes cut into
 * shorter bins. Summed exactly over every outcome.
 */
import { Bets, Stakes } from '../../lib/judge/bets';
import { SeriesProcess } from '../../lib/judge/processes';
import { profile } from '../../lib/judge/settings';
import type { JudgeSettings } from '../../lib/judge/types';
import { betaBinomial, binomial, expectation, hypergeometric, partitions, sum } from './distributions';

const ONE = 1 + 1e-10;
const STANDARD = profile('standard');
const SHARES = [0.002, 0.05, 0.1, 0.3, 0.5, 0.9];

/** Probabilities of c of so many events when the share varies with this correlation. */
const noisy = (events: number, share: number, correlation: number) =>
  correlation === 0 ? binomial(events, share) : betaBinomial(events, share, correlation);

/** The largest expectation of any effect's factor. */
function worst(bets: Bets, events: number, share: number, pmf: readonly number[]): number {
  const totals = bets.log.map(() => 0);
  for (const [hits, p] of pmf.entries()) {
    if (p === 0) continue;
    bets.place(hits, events, share, share);
    for (const [k, log] of bets.log.entries()) totals[k]! += p * Math.exp(log);
  }
  return Math.max(...totals);
}

const betsOf = (correlation: number) => {
  const { worse, notWorse } = new Stakes({ ...STANDARD, correlation, promotionCorrelation: correlation }, STANDARD.margin);
  return [worse, notWorse];
};

describe('one bin whose share of bad events varies', () => {
  it('E[e] <= 1 for every number of events up to 60, whatever correlation up to the one allowed for', () => {
    let cases = 0;
    for (const allowed of [0.003, 0.01, 0.03, 0.1, 0.5, 0.999]) {
      for (const bets of betsOf(allowed)) {
        for (const share of SHARES) {
          for (let events = 1; events <= 60; events++) {
            for (const actual of [0, allowed / 3, allowed]) {
              const exact = worst(bets, events, share, noisy(events, share, actual));
              if (exact > ONE) throw new Error(`E[e] = ${exact}: allowed ${allowed}, actual ${actual}, ${events} events, share ${share}`);
              cases++;
            }
          }
        }
      }
    }
    expect(cases).toBe(6 * 2 * 6 * 60 * 3);
  });

  it('E[e] <= 1 for hundreds and thousands of events', () => {
    for (const allowed of [0.01, 0.03]) {
      for (const bets of betsOf(allowed)) {
        for (const share of SHARES) {
          for (const events of [120, 500, 3000]) {
            for (const actual of [0, allowed]) expect(worst(bets, events, share, noisy(events, share, actual))).toBeLessThanOrEqual(ONE);
          }
        }
      }
    }
  });

  it('E[e] <= 1 for a finite number of requests, and a smaller share', () => {
    for (const bets of betsOf(0.01)) {
      for (const [candidate, baseline, events] of [
        [30, 270, 8],
        [300, 2700, 40],
        [10, 20, 12],
      ] as const) {
        expect(worst(bets, events, candidate / (candidate + baseline), hypergeometric(candidate, baseline, events))).toBeLessThanOrEqual(
          ONE,
        );
        expect(worst(bets, events, 0.3, betaBinomial(events, 0.2, 0.01))).toBeLessThanOrEqual(ONE);
      }
    }
  });

  it('gives nothing away: E[e] is 1 to a hundredth where the correlation is the one allowed for', () => {
    for (const events of [1, 2, 5, 20]) {
      expect(worst(betsOf(0.01)[0]!, events, 0.1, betaBinomial(events, 0.1, 0.01))).toBeGreaterThan(0.99);
    }
  });

  it('would break the guarantee if the share varied more', () => {
    expect(worst(betsOf(0.01)[0]!, 300, 0.1, betaBinomial(300, 0.1, 0.05))).toBeGreaterThan(2);
  });

  it('divides by the mean that it says, to a hundredth', () => {
    const bets = new Bets({ effects: [1.1, 1.5, 3, 5], correlation: 0.01, bursts: 0, tempered: false });
    for (const share of [0.013, 0.1, 0.77]) {
      for (const events of [2, 3, 9, 50, 400]) {
        bets.place(0, events, share, share);
        for (const [k, y] of bets.terms.effects.entries()) {
          const excess = -bets.log[k]! - Math.log(expectation(betaBinomial(events, share, 0.01), (c) => y ** c));
          expect(excess).toBeGreaterThan(-1e-9);
          expect(excess).toBeLessThan(0.01);
        }
      }
    }
  });
});

describe('bursts that hit one arm each', () => {
  it('of up to the size that counts as one, on top of a share that varies: E[e] <= 1', () => {
    for (const correlation of [0, 0.1]) {
      const bets = new Bets({ effects: [1.25, 2, 5, 25], correlation, bursts: 0.25, tempered: true });
      for (const events of [4, 7, 10]) {
        for (const bursts of partitions(events, Math.floor(1 + 0.25 * (events - 1)))) {
          for (const share of [0.1, 0.5, 0.8]) {
            const pmf = new Array<number>(events + 1).fill(0);
            const count = noisy(bursts.length, share, correlation);
            for (let which = 0; which < 2 ** bursts.length; which++) {
              const mine = bursts.filter((_, i) => (which >> i) & 1);
              pmf[sum(mine)]! += count[mine.length]! / choose(bursts.length, mine.length);
            }
            expect(sum(pmf)).toBeCloseTo(1, 9);
            expect(worst(bets, events, share, pmf)).toBeLessThanOrEqual(ONE);
          }
        }
      }
    }
  });
});

describe('a minute cut into shorter bins', () => {
  const requests = [100, 900] as const;

  /** Counts of the candidate in bins of so many events each. */
  const processOf = (settings: JudgeSettings, events: readonly number[], hits: readonly number[], seconds = 10) => {
    const process = new SeriesProcess(new Stakes(settings, settings.margin), undefined, settings);
    for (const [i, c] of hits.entries()) process.step(seconds * i, seconds, requests[0], c, requests[1], events[i]! - c);
    return process;
  };
  const evidence = (settings: JudgeSettings, events: readonly number[], hits: readonly number[], seconds?: number) =>
    Math.exp(processOf(settings, events, hits, seconds).worse.logValue);

  /** P(these counts), given the events of each bin, when all bins have the same share and it varies from minute to minute. */
  const probability = (events: readonly number[], hits: readonly number[], correlation: number) =>
    (noisy(sum(events), 0.1, correlation)[sum(hits)]! * hits.reduce((product, c, i) => product * choose(events[i]!, c), 1)) /
    choose(sum(events), sum(hits));

  it('evidence never grows on average, whatever the bins before have shown', () => {
    let courses = 0;
    for (const correlation of [0.03, 0.2]) {
      const settings = { ...STANDARD, correlation };
      for (const actual of [correlation, correlation / 4]) {
        for (const events of [
          [1, 1, 1],
          [4, 3, 3],
          [1, 6, 8],
          [9, 2, 5],
        ]) {
          const descend = (hits: number[]) => {
            courses++;
            if (hits.length === events.length) return;
            const here = events.slice(0, hits.length);
            const with_ = events.slice(0, hits.length + 1);
            let next = 0;
            for (let c = 0; c <= with_.at(-1)!; c++) {
              next += probability(with_, [...hits, c], actual) * evidence(settings, with_, [...hits, c]);
              descend([...hits, c]);
            }
            expect(next).toBeLessThanOrEqual(ONE * probability(here, hits, actual) * evidence(settings, here, hits));
          };
          descend([]);
        }
      }
    }
    expect(courses).toBeGreaterThan(1000);
  });

  it('counted as minutes of their own, they would break the guarantee', () => {
    const settings = { ...STANDARD, correlation: 0.2 };
    const events = [8, 8, 8];
    let [asOne, apart] = [0, 0];
    for (let c = 0; c < 9 ** 3; c++) {
      const hits = [c % 9, Math.floor(c / 9) % 9, Math.floor(c / 81)];
      const p = probability(events, hits, 0.2);
      asOne += p * evidence(settings, events, hits);
      apart += p * evidence(settings, events, hits, 60);
    }
    expect(asOne).toBeLessThanOrEqual(ONE);
    expect(apart).toBeGreaterThan(1.1);
  });

  it('promote as the minute does, and not before it is over', () => {
    const hits = [0, 1, 0, 2, 0, 1];
    const events = [5, 9, 3, 11, 2, 7];
    const minute = new SeriesProcess(new Stakes(STANDARD, 2), undefined, STANDARD);
    minute.step(0, 60, 6 * requests[0], sum(hits), 6 * requests[1], sum(events) - sum(hits));
    expect(processOf(STANDARD, events, hits).logBelowMargin).toBeCloseTo(minute.logBelowMargin!, 12);
    expect(processOf(STANDARD, events, hits.slice(0, 5)).logBelowMargin).toBe(0);
  });

  it('in which one arm had no request count with the next', () => {
    const apart = new SeriesProcess(new Stakes(STANDARD, 2), undefined, STANDARD);
    apart.step(0, 10, 2, 2, 0, 0);
    apart.step(10, 10, 0, 0, 9, 1);
    const together = new SeriesProcess(new Stakes(STANDARD, 2), undefined, STANDARD);
    together.step(0, 20, 2, 2, 9, 1);
    expect(apart.worse.logValue).toBe(together.worse.logValue);
    expect(apart.worse.logValue).not.toBe(0);
  });
});

describe('the cap', () => {
  it('lets no bin multiply the evidence by more, and every bin up to it', () => {
    const process = new SeriesProcess(new Stakes(STANDARD, 2), undefined, STANDARD);
    let before = 0;
    for (let i = 0; i < 20; i++) {
      process.step(60 * i, 60, 100, 30 + i, 900, 20);
      const { logValue } = process.worse;
      expect(Math.exp(logValue - before)).toBeCloseTo(STANDARD.cap, 9);
      before = logValue;
    }
  });

  it('E[M] <= 1 still, summed over every course of three bins that reach it', () => {
    const settings = { ...STANDARD, cap: 3, correlation: 0.05 };
    const pmf = betaBinomial(6, 0.25, 0.05);
    let total = 0;
    for (let course = 0; course < 7 ** 3; course++) {
      const process = new SeriesProcess(new Stakes(settings, 2), undefined, settings);
      let p = 1;
      for (let i = 0; i < 3; i++) {
        const c = Math.floor(course / 7 ** i) % 7;
        p *= pmf[c]!;
        process.step(60 * i, 60, 100, c, 300, 6 - c);
      }
      total += p * Math.exp(process.worse.logValue);
    }
    expect(total).toBeLessThanOrEqual(ONE);
    expect(total).toBeGreaterThan(0.5);
  });
});

function choose(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= k; i++) product *= (n - k + i) / i;
  return product;
}
