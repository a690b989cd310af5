/** The evidence of one series, bin by bin: that the candidate is worse, and that it is not. */
import type { Stakes } from './bets';
import { burstSize, logMean } from './likelihood';
import type { JudgeSettings, Objective, Totals } from './types';
import { WorseProcess } from './worse';

/** A bin with more bad events than this many times what the bins before it lead to expect, and this many more, is no normal one. */
const OUTAGE_TIMES = 4;
const OUTAGE_EVENTS = 10;
/** Rates that are bet on against an objective, as parts of it. */
const OBJECTIVE_PARTS = [0.01, 0.1, 0.25, 0.5, 0.75];

/** What was counted in a running block. */
interface Block {
  /** The first second after it. */
  readonly until: number;
  readonly all: Counted;
  /** The part that has not been weighed against the candidate yet: bins in which one arm had no request wait for the next. */
  waiting: Counted;
}

interface Counted {
  candidateRequests: number;
  candidateBad: number;
  baselineRequests: number;
  baselineBad: number;
}

const nothing = (): Counted => ({ candidateRequests: 0, candidateBad: 0, baselineRequests: 0, baselineBad: 0 });

function add(to: Counted, bin: Counted): void {
  to.candidateRequests += bin.candidateRequests;
  to.candidateBad += bin.candidateBad;
  to.baselineRequests += bin.baselineRequests;
  to.baselineBad += bin.baselineBad;
}

/** All evidence of one series. Bins are given in the order of time. */
export class SeriesProcess {
  readonly worse: WorseProcess;
  private readonly belowMargin: Float64Array;
  private readonly belowObjective: Float64Array;
  private readonly robust: boolean;
  private block: Block | undefined;
  private eventsBefore = 0;
  private requestsBefore = 0;
  private candidateRequests = 0;
  private candidateBad = 0;
  private baselineRequests = 0;
  private baselineBad = 0;

  constructor(
    private readonly stakes: Stakes,
    private readonly objective: Objective | undefined,
    private readonly settings: JudgeSettings,
  ) {
    this.robust = settings.form === 'robust';
    this.worse = new WorseProcess(settings);
    this.belowMargin = new Float64Array(stakes.notWorse.terms.effects.length);
    this.belowObjective = new Float64Array(objective === undefined ? 0 : OBJECTIVE_PARTS.length);
  }

  /** @param start first second of the bin; @param seconds its length */
  step(
    start: number,
    seconds: number,
    candidateRequests: number,
    candidateBad: number,
    baselineRequests: number,
    baselineBad: number,
  ): void {
    if (candidateRequests + baselineRequests === 0) return;
    this.candidateRequests += candidateRequests;
    this.candidateBad += candidateBad;
    this.baselineRequests += baselineRequests;
    this.baselineBad += baselineBad;
    if (this.robust && seconds < this.settings.blockSeconds) {
      this.stepInBlock(start, start + seconds, { candidateRequests, candidateBad, baselineRequests, baselineBad });
      return;
    }
    this.finishBlock();
    this.stepWorse(candidateRequests, candidateBad, baselineRequests, baselineBad, 0, 0);
    this.stepNotWorse(candidateRequests, candidateBad, baselineRequests, baselineBad);
  }

  private stepInBlock(start: number, end: number, bin: Counted): void {
    const { blockSeconds } = this.settings;
    const until = (Math.floor(start / blockSeconds) + 1) * blockSeconds;
    if (this.block?.until !== until) this.finishBlock();
    const block = this.block ?? { until, all: nothing(), waiting: nothing() };
    this.block = block;
    const { all, waiting } = block;
    add(all, bin);
    add(waiting, bin);
    const { candidateRequests, candidateBad, baselineRequests, baselineBad } = waiting;
    if (candidateRequests > 0 && baselineRequests > 0) {
      const [hits, others] = [all.candidateBad - candidateBad, all.baselineBad - baselineBad];
      this.stepWorse(candidateRequests, candidateBad, baselineRequests, baselineBad, hits, hits + others);
      block.waiting = nothing();
    }
    if (end >= until) this.finishBlock();
  }

  /** Promotion is in no haste: it looks at whole blocks. */
  private finishBlock(): void {
    if (this.block === undefined) return;
    const { candidateRequests, candidateBad, baselineRequests, baselineBad } = this.block.all;
    this.block = undefined;
    this.stepNotWorse(candidateRequests, candidateBad, baselineRequests, baselineBad);
  }

  /** @param hits bad events of the candidate that the bin's block has shown before it; @param shown of both arms */
  private stepWorse(
    candidateRequests: number,
    candidateBad: number,
    baselineRequests: number,
    baselineBad: number,
    hits: number,
    shown: number,
  ): void {
    const events = candidateBad + baselineBad;
    if (events === 0 || candidateRequests === 0 || baselineRequests === 0) return;
    const { worse } = this.stakes;
    const share = candidateRequests / (candidateRequests + baselineRequests);
    this.worse.step(worse, candidateBad, events, worse.shareAfter(hits, shown, share), share);
  }

  private stepNotWorse(candidateRequests: number, candidateBad: number, baselineRequests: number, baselineBad: number): void {
    if (this.objective !== undefined && candidateRequests > 0) this.stepObjective(this.objective.rate, candidateRequests, candidateBad);
    const events = candidateBad + baselineBad;
    if (events === 0 || candidateRequests === 0 || baselineRequests === 0) return;
    const requests = candidateRequests + baselineRequests;
    const most = this.requestsBefore === 0 ? Infinity : OUTAGE_TIMES * (this.eventsBefore / this.requestsBefore) * requests + OUTAGE_EVENTS;
    // An outage raises what is expected by as much as it could without being one: what lasts becomes normal.
    this.eventsBefore += Math.min(events, most);
    this.requestsBefore += requests;
    if (this.robust && events > most) return;
    const { notWorse, margin } = this.stakes;
    const { belowMargin } = this;
    const baselineShare = baselineRequests / (baselineRequests + candidateRequests * margin);
    if (!notWorse.add(baselineBad, events, baselineShare, baselineShare, belowMargin)) return;
    // What is above the cap is taken back.
    notWorse.place(baselineBad, events, baselineShare, baselineShare);
    for (let k = 0; k < belowMargin.length; k++) belowMargin[k]! -= Math.max(0, notWorse.log[k]! - notWorse.logCap);
  }

  private stepObjective(rate: number, requests: number, bad: number): void {
    const rootOf = burstSize(requests * rate, this.robust ? this.settings.correlation : 0);
    for (let k = 0; k < OBJECTIVE_PARTS.length; k++) {
      const part = OBJECTIVE_PARTS[k]!;
      const better = Math.log1p(-rate * part) - Math.log1p(-rate);
      const l = (bad * Math.log(part) + (requests - bad) * better) / rootOf;
      this.belowObjective[k]! += Math.min(l, this.stakes.logCap);
    }
  }

  get totals(): Totals {
    const { candidateRequests, candidateBad, baselineRequests, baselineBad } = this;
    return { candidateRequests, candidateBad, baselineRequests, baselineBad };
  }

  /** ln N against the margin: null where bad means only above the objective. */
  get logBelowMargin(): number | null {
    if (this.objective?.badWhen === 'aboveObjective') return null;
    return logMean(this.belowMargin, this.stakes.notWorseWeights);
  }

  /** ln N against the objective: null without one. */
  get logBelowObjective(): number | null {
    return this.objective === undefined ? null : logMean(this.belowObjective);
  }
}
