/** How far the judge is from the best that any test could do: Wald's bound on the expected number of bad events until rollback. */
import { type Bin, countsOf, evaluate, type ProfileName } from '../../lib/judge';
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
  return ratioOf(cell.times, eventsInBin, profile, runs, (i) => {
    const requests = random.poisson(perBin);
    const candidateRequests = random.binomial(requests, SHARE);
    const baselineRequests = requests - candidateRequests;
    return {
      start: binSeconds * i,
      seconds: binSeconds,
      candidateRequests,
      candidateBad: random.binomial(candidateRequests, candidateRate),
      baselineRequests,
      baselineBad: random.binomial(baselineRequests, cell.base),
    };
  });
}

/** The ratio with a look after every bad event: what the mixture itself costs. */
export function waldRatioByEvent(times: number, runs: number): WaldRatio {
  const random = new Random(`wald ${times}`);
  const q = (SHARE * times) / (SHARE * times + 1 - SHARE);
  return ratioOf(times, 1, 'plain', runs, (i) => {
    const candidateBad = random.uniform() < q ? 1 : 0;
    return { start: i, seconds: 1, candidateRequests: 100, candidateBad, baselineRequests: 900, baselineBad: 1 - candidateBad };
  });
}

function ratioOf(times: number, eventsInBin: number, profile: ProfileName, runs: number, binOf: (i: number) => Bin): WaldRatio {
  const q = (SHARE * times) / (SHARE * times + 1 - SHARE);
  const bound = -Math.log(ALPHA) / (q * Math.log(q / SHARE) + (1 - q) * Math.log((1 - q) / (1 - SHARE)));
  let events = 0;
  for (let run = 0; run < runs; run++) {
    const bins: Bin[] = [];
    let enough = Math.ceil((4 * bound) / eventsInBin) + 8;
    for (;;) {
      while (bins.length < enough) bins.push(binOf(bins.length));
      const { crossing } = evaluate({
        profile,
        settings: { alpha: ALPHA },
        metrics: [{ id: '5xx', series: [{ counts: countsOf(bins) }] }],
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
