/** One cell: many runs of the same traffic, each seen by every judge. */
import { type Counts, calibrateCorrelation, type JudgeSettings, type ProfileName, profile, trace } from '../../lib/judge';
import { type Cell, isClearlyWorse } from './cells';
import { flagger, kayenta, type Minute, type Rule, staticAlarm } from './peers';
import { Random } from './random';
import {
  deviate,
  LOG_SPREAD,
  MEDIAN_MILLISECONDS,
  makeTraffic,
  p99,
  QUANTILES,
  STEP_SECONDS,
  STEPS_A_MINUTE,
  type Traffic,
} from './traffic';

/** The static rules' thresholds: 1 % of errors; or a p99 of a quarter above the baseline's. In per cent, Kayenta's absolute tolerance does no harm. */
const MOST_ERRORS = 1;
const MOST_MILLISECONDS = 1.25 * MEDIAN_MILLISECONDS * Math.exp(LOG_SPREAD * deviate(0.99));

/** How often one judge did what. */
export interface Tally {
  readonly judge: string;
  runs: number;
  rolledBack: number;
  promoted: number;
  /** Bad requests that the candidate served before it was rolled back, or else until the end: summed over the runs. */
  badServed: number;
  /** Seconds to the verdict, of each run that had one. */
  readonly seconds: number[];
}

interface Variant {
  readonly judge: string;
  readonly profile: ProfileName;
  readonly stepsInBin: number;
  readonly settings?: Partial<JudgeSettings>;
}

/** What one of three metrics has of the budget: the other two show nothing. */
const ONE_OF_THREE = { alpha: profile('standard').alpha / 3 };

const OURS: readonly Variant[] = [
  { judge: 'fledge', profile: 'standard', stepsInBin: STEPS_A_MINUTE },
  { judge: 'fledge, 10 s bins', profile: 'standard', stepsInBin: 1 },
  { judge: 'fledge, one of 3 metrics', profile: 'standard', stepsInBin: STEPS_A_MINUTE, settings: ONE_OF_THREE },
  { judge: 'fledge, one of 3 metrics, 10 s bins', profile: 'standard', stepsInBin: 1, settings: ONE_OF_THREE },
  { judge: 'fledge plain', profile: 'plain', stepsInBin: STEPS_A_MINUTE },
  { judge: 'fledge plain, 10 s bins', profile: 'plain', stepsInBin: 1 },
];

/** In cells of a clearly worse candidate: one of three metrics, had it known how many times worse the candidate is and bet on nothing else. */
export const KNOWING = 'fledge, one of 3 metrics, knowing';

/** In cells noisier than the default allows for, also with a correlation measured by an hour of A/A. */
export const CALIBRATED = 'fledge, calibrated';

/**
 * Runs a cell until every share is known to the standard error wanted.
 * @param settings overrides of ours, to try others than the profiles
 */
export function runCell(cell: Cell, least: number, most: number, standardError: number, settings: Partial<JudgeSettings> = {}): Tally[] {
  const tallies = new Map<string, Tally>();
  const random = new Random(cell.name + (cell.disturbance ?? ''));
  for (let runs = 0; runs < most; runs += least) {
    runBatch(cell, least, random, tallies, settings);
    const shares = [...tallies.values()].flatMap((tally) => [tally.rolledBack / tally.runs, tally.promoted / tally.runs]);
    if (shares.every((share) => Math.sqrt((share * (1 - share)) / (runs + least)) < standardError)) break;
  }
  return [...tallies.values()];
}

function runBatch(cell: Cell, runs: number, random: Random, tallies: Map<string, Tally>, settings: Partial<JudgeSettings>): void {
  const tallyOf = (judge: string) => {
    const tally = tallies.get(judge) ?? { judge, runs: 0, rolledBack: 0, promoted: 0, badServed: 0, seconds: [] };
    tallies.set(judge, tally);
    return tally;
  };
  const horizon = cell.minutes * 60;
  for (let run = 0; run < runs; run++) {
    const traffic = makeTraffic(cell, random);
    const variants = [...OURS];
    if (cell.disturbance === 'heavy noise') variants.push(...calibrated(cell, random));
    if (isClearlyWorse(cell)) variants.push(knowing(cell));
    for (const { judge, profile, stepsInBin, settings: own } of variants) {
      const overrides = { ...settings, ...own };
      const decided = ours(cell, traffic, profile, stepsInBin, overrides).find(({ decision }) => decision !== 'hold');
      const tally = tallyOf(judge);
      tally.runs++;
      const rolledBack = decided?.decision === 'rollBack';
      if (rolledBack) tally.rolledBack++;
      else if (decided !== undefined) tally.promoted++;
      if (decided !== undefined) tally.seconds.push(decided.at);
      tally.badServed += badServed(traffic, rolledBack ? decided.at : horizon);
    }
    const minutes = minutesOf(cell, traffic, random);
    for (const [judge, rule] of rulesOf(cell)) {
      const at = minutes.findIndex((minute) => rule.sees(minute));
      const tally = tallyOf(judge);
      tally.runs++;
      if (at >= 0) tally.rolledBack++;
      else tally.promoted++;
      tally.seconds.push(at < 0 ? horizon : (at + 1) * 60);
      tally.badServed += badServed(traffic, at < 0 ? horizon : (at + 1) * 60);
    }
  }
}

/** An hour before the canary, two instances of the baseline are compared with each other, at the canary's split. */
function calibrated(cell: Cell, random: Random): Variant[] {
  const counts = countsOf(makeTraffic({ ...cell, times: 1 }, random), 0, STEPS_A_MINUTE);
  const { upper } = calibrateCorrelation(
    counts.start.map((_, i) => ({
      requests: [counts.candidateRequests[i]!, counts.baselineRequests[i]!],
      bad: [counts.candidateBad[i]!, counts.baselineBad[i]!],
    })),
  );
  const settings = { correlation: upper, promotionCorrelation: upper };
  return [
    { judge: CALIBRATED, profile: 'standard', stepsInBin: STEPS_A_MINUTE, settings },
    { judge: `${CALIBRATED}, 10 s bins`, profile: 'standard', stepsInBin: 1, settings },
  ];
}

/** The same cap, noise and budget, with all of it on the truth. */
function knowing({ times }: Cell): Variant {
  const settings = { ...ONE_OF_THREE, effects: [1, times], rollbackWeights: [0, 1], promotionWeights: [1, 0], lateReserve: 0 };
  return { judge: KNOWING, profile: 'standard', stepsInBin: STEPS_A_MINUTE, settings };
}

/** The judge of lib/judge, asked after every bin. */
function ours(cell: Cell, traffic: Traffic, profile: ProfileName, stepsInBin: number, settings: Partial<JudgeSettings>) {
  const id = cell.group === 'latency' ? 'latency' : '5xx';
  const labels = cell.group === 'latency' ? QUANTILES.map((p) => `p${Math.round(p * 100)}`) : ['5xx'];
  const series = labels.map((label, j) => ({ label, counts: countsOf(traffic, j, stepsInBin) }));
  return trace({ profile, settings, metrics: [{ id, series }] }, true);
}

function countsOf(traffic: Traffic, kind: number, stepsInBin: number): Counts {
  const bins = traffic.candidateRequests.length / stepsInBin;
  const sums = (column: Int32Array) => {
    const summed = new Array<number>(bins);
    for (let i = 0; i < bins; i++) {
      let sum = 0;
      for (let j = 0; j < stepsInBin; j++) sum += column[i * stepsInBin + j]!;
      summed[i] = sum;
    }
    return summed;
  };
  const seconds = stepsInBin * STEP_SECONDS;
  return {
    start: Array.from({ length: bins }, (_, i) => i * seconds),
    seconds: new Array<number>(bins).fill(seconds),
    candidateRequests: sums(traffic.candidateRequests),
    candidateBad: sums(traffic.candidateBad[kind]!),
    baselineRequests: sums(traffic.baselineRequests),
    baselineBad: sums(traffic.baselineBad[kind]!),
  };
}

function rulesOf(cell: Cell): [string, Rule][] {
  const most = cell.group === 'latency' ? MOST_MILLISECONDS : MOST_ERRORS;
  const rules: [string, Rule][] = [
    ['static alarm, 1 of 1', staticAlarm(most, 1)],
    ['static alarm, 3 of 3', staticAlarm(most, 3)],
    ['Flagger, 5 failed checks', flagger(most)],
    ['Kayenta, every 30 min', kayenta(30)],
  ];
  if (cell.group !== 'low traffic') rules.push(['Kayenta, every minute', kayenta(1)]);
  return rules;
}

function minutesOf(cell: Cell, traffic: Traffic, random: Random): Minute[] {
  const counts = countsOf(traffic, 0, STEPS_A_MINUTE);
  const latency = cell.group === 'latency';
  const value = (requests: number, bad: number, times: number) =>
    latency ? p99(requests, times, random) : requests === 0 ? 0 : (100 * bad) / requests;
  return counts.start.map((_, i) => ({
    candidateRequests: counts.candidateRequests[i]!,
    baselineRequests: counts.baselineRequests[i]!,
    candidateValue: value(counts.candidateRequests[i]!, counts.candidateBad[i]!, cell.times),
    baselineValue: value(counts.baselineRequests[i]!, counts.baselineBad[i]!, 1),
  }));
}

/** Bad requests of the candidate until then; in latency cells those above the threshold of the p99. */
function badServed(traffic: Traffic, seconds: number): number {
  let sum = 0;
  const bad = traffic.candidateBad[traffic.candidateBad.length - 1]!;
  for (let i = 0; i < seconds / STEP_SECONDS; i++) sum += bad[i]!;
  return sum;
}
