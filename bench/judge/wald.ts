/** How far the judge is from the best that any test could do: Wald's bound on the expected number of bad events until rollback. */
import { type Counts, evaluate, type ProfileName } from '../../lib/judge';
import { type Cell, SHARE } from './cells';
import { Random } from './random';

const ALPHA = 0.05;

/** Whose ratio is worked out. */
export const WALD_JUDGES: readonly { readonly profile: ProfileName; readonly binSeconds: number }[] = [
  { profile: 'plain', binSeconds: 60 },
  { profile: 'plain', binSeconds: 10 },
  { profile: 'standard', binSeconds: 60 },
  { profile: 'standard', binSeconds: 10 },
];

/** Mean bad events of both arms until rollback, over the bound ln(1/alpha) / KL for a test that knows the true relative risk. */
export interface WaldRatio {
  readonly times: number;
  /** Bad events that the bound asks for. */
  readonly bound: number;
  /** Bad events in a bin, on average. */
  readonly eventsInBin: number;
  readonly ratio: number;
}

/** The ratio with looks after every bin of so many seconds. */
export function waldRatio(cell: Cell, binSeconds: number, profile: ProfileName, runs: number): WaldRatio {
  const random = new Random(`wald ${cell.name} ${binSeconds}`);
  const perBin = cell.requestsPerSecond * binSeconds;
  const candidateRate = Math.min(1, cell.base * cell.times);
  const eventsInBin = perBin * (SHARE * candidateRate + (1 - SHARE) * cell.base);
  return ratioOf(cell.times, eventsInBin, profile, runs, (counts) => {
    const requests = random.poisson(perBin);
    const candidate = random.binomial(requests, SHARE);
    const baseline = requests - candidate;
    push(counts, binSeconds, candidate, random.binomial(candidate, candidateRate), baseline, random.binomial(baseline, cell.base));
  });
}

/** The ratio with a look after every bad event: what the mixture itself costs. */
export function waldRatioByEvent(times: number, runs: number): WaldRatio {
  const random = new Random(`wald ${times}`);
  const q = (SHARE * times) / (SHARE * times + 1 - SHARE);
  return ratioOf(times, 1, 'plain', runs, (counts) => {
    const candidates = random.uniform() < q ? 1 : 0;
    push(counts, 1, 100, candidates, 900, 1 - candidates);
  });
}

function ratioOf(
  times: number,
  eventsInBin: number,
  profile: ProfileName,
  runs: number,
  addBin: (counts: MutableCounts) => void,
): WaldRatio {
  const q = (SHARE * times) / (SHARE * times + 1 - SHARE);
  const bound = -Math.log(ALPHA) / (q * Math.log(q / SHARE) + (1 - q) * Math.log((1 - q) / (1 - SHARE)));
  let events = 0;
  for (let run = 0; run < runs; run++) {
    const counts: MutableCounts = {
      start: [],
      seconds: [],
      candidateRequests: [],
      candidateBad: [],
      baselineRequests: [],
      baselineBad: [],
    };
    let enough = Math.ceil((4 * bound) / eventsInBin) + 8;
    for (;;) {
      while (counts.start.length < enough) addBin(counts);
      const { crossing } = evaluate({
        profile,
        settings: { alpha: ALPHA },
        metrics: [{ id: '5xx', series: [{ counts: counts as Counts }] }],
      });
      if (crossing !== null) {
        events += crossing.totals.candidateBad + crossing.totals.baselineBad;
        break;
      }
      enough *= 2;
    }
  }
  return { times, bound, eventsInBin, ratio: events / runs / bound };
}

interface MutableCounts {
  start: number[];
  seconds: number[];
  candidateRequests: number[];
  candidateBad: number[];
  baselineRequests: number[];
  baselineBad: number[];
}

function push(
  counts: MutableCounts,
  seconds: number,
  candidateRequests: number,
  candidateBad: number,
  baselineRequests: number,
  baselineBad: number,
): void {
  counts.start.push(seconds * counts.start.length);
  counts.seconds.push(seconds);
  counts.candidateRequests.push(candidateRequests);
  counts.candidateBad.push(candidateBad);
  counts.baselineRequests.push(baselineRequests);
  counts.baselineBad.push(baselineBad);
}
