/** A verdict that grows with its bins: the same answer as judging all of them again, without doing so. */
import { Stakes } from './bets';
import { checkMetrics, checkNow, checkRouting } from './check-input';
import { BinTable } from './counts';
import { evidenceOf, logNotWorseOf, logWorseOf, type RunningMetric, type RunningSeries } from './evidence';
import { driftEvidence, type JudgedTable, shareEvidence, silentArm } from './guards';
import { logMean } from './likelihood';
import { SeriesProcess } from './processes';
import { answer } from './sentence';
import { checkMargin, profile } from './settings';
import type { Bin, Crossing, JudgeInput, JudgeSettings, MetricInput, Routing, TracePoint, Verdict } from './types';

/**
 * Holds one stage's counts and evidence. Bins may be added in any order, late or again; a bin that comes after those already judged costs the same
 * however many came before it.
 */
export class Evaluation {
  readonly settings: JudgeSettings;
  private readonly metrics: readonly RunningMetric[];
  private readonly running: readonly RunningSeries[];
  private routing: readonly Routing[] | undefined;
  private crossing: Crossing | null = null;
  /** ln(1/alpha). */
  private readonly threshold: number;
  private judgedUntil = -Infinity;
  private stale = false;

  /**
   * @param input may already hold bins
   * @throws Error that says which setting, metric, series or bin is wrong, with its value
   */
  constructor(private readonly input: JudgeInput) {
    this.settings = profile(input.profile, input.settings);
    this.threshold = -Math.log(this.settings.alpha);
    const { metrics } = input;
    checkMetrics(metrics);
    checkNow(input.now);
    const stakes = new Map<number, Stakes>();
    for (const { margin = this.settings.margin } of metrics) {
      checkMargin(this.settings, margin);
      if (!stakes.has(margin)) stakes.set(margin, new Stakes(this.settings, margin));
    }
    const total = metrics.reduce((sum, metric) => sum + budgetOf(metric), 0);
    if (total === Infinity) throw new Error('the weights of the metrics have no finite sum: give smaller ones');
    this.metrics = metrics.map((metric): RunningMetric => {
      const name = metric.name ?? metric.id;
      const margin = metric.margin ?? this.settings.margin;
      const part = total === 0 ? 0 : budgetOf(metric) / total;
      const bets = stakes.get(margin)!;
      const series = metric.series.map((one): RunningSeries => {
        const label = one.label ?? name;
        const table = new BinTable(one.counts, `metric '${metric.id}', series '${label}'`);
        const process = new SeriesProcess(bets, metric.objective, this.settings);
        return { label, table, part: part / metric.series.length, process, judged: 0 };
      });
      return { input: metric, name, margin, stakes: bets, part, series };
    });
    this.running = this.metrics.flatMap((metric) => metric.series);
    this.routing = input.routing;
    checkRouting(this.routing ?? []);
  }

  /**
   * Adds a bin to a metric's series.
   * @throws Error when there is no such series, or the bin is malformed or overlaps another
   */
  add(metricId: string, bin: Bin, series = 0): void {
    const metric = this.metrics.find((candidate) => candidate.input.id === metricId);
    if (metric === undefined) {
      throw new Error(`no metric '${metricId}'; there are ${this.metrics.map((known) => `'${known.input.id}'`).join(', ')}`);
    }
    const running = metric.series[series];
    if (running === undefined) throw new Error(`metric '${metricId}' has ${metric.series.length} series, so no series ${series}`);
    const place = running.table.add(bin);
    if (place < running.judged || bin.start + bin.seconds <= this.judgedUntil) this.stale = true;
  }

  /** From this second on, this share of the traffic is routed to the candidate. */
  route(from: number, share: number): void {
    const routing = [...(this.routing ?? []), { from, share }];
    checkRouting(routing);
    this.routing = routing;
  }

  /**
   * The verdict over all bins that have settled.
   * @param now seconds since 1970; @default - the input's
   */
  verdict(now: number | undefined = this.input.now): Verdict {
    checkNow(now);
    const settled = now === undefined ? Infinity : now - this.settings.settleSeconds;
    if (this.stale || settled < this.judgedUntil) this.restart();
    this.advance(settled);

    const metrics = this.metrics.map((metric) => evidenceOf(metric, this.settings));
    const routing = this.routing ?? [];
    const tables = this.requestTables();
    const share = shareEvidence(routing, tables, this.settings);
    const drift = driftEvidence(this.input.predictions ?? [], this.settings);
    const facts = {
      logWorse: this.logWorse(),
      logWorseThreshold: this.threshold,
      crossing: this.crossing,
      metrics,
      share,
      drift,
      from: this.bound(Math.min, (series) => series.table.start[0]!),
      until: this.bound(Math.max, (series) => series.table.end(series.judged - 1)),
      bins: this.running.reduce((sum, series) => sum + series.judged, 0),
      unsettledBins: this.running.reduce((sum, series) => sum + series.table.length - series.judged, 0),
      settings: this.settings,
    };
    const input = { ...this.currentInput(), ...(now === undefined ? {} : { now }) };
    const silent = silentArm(routing, tables, this.settings);
    return { ...answer({ ...facts, input, silent, settled, lastRequest: this.lastRequest() }), ...facts, input };
  }

  private restart(): void {
    for (const metric of this.metrics) {
      for (const series of metric.series) {
        series.process = new SeriesProcess(metric.stakes, metric.input.objective, this.settings);
        series.judged = 0;
      }
    }
    this.crossing = null;
    this.judgedUntil = -Infinity;
    this.stale = false;
  }

  /**
   * The evidence moment by moment, as a tick at each would have seen it: for plots and simulations.
   * @param untilDecided stop at the first moment that is not held
   */
  trace(untilDecided = false): TracePoint[] {
    const { now } = this.input;
    this.restart();
    const points: TracePoint[] = [];
    const required = this.metrics.map((metric) => metric.input.required ?? true);
    const enough = -Math.log(this.settings.beta);
    this.advance(now === undefined ? Infinity : now - this.settings.settleSeconds, (at) => {
      const metrics = this.metrics.map((metric) => ({
        logWorse: logWorseOf(metric),
        logNotWorse: logNotWorseOf(metric),
      }));
      const needed = metrics.filter((_, j) => required[j]).map(({ logNotWorse }) => logNotWorse);
      const logNotWorse = needed.length === 0 ? null : Math.min(...needed);
      const promoted = logNotWorse !== null && logNotWorse >= enough;
      const decision = this.crossing !== null ? 'rollBack' : promoted ? 'promote' : 'hold';
      points.push({ at, logWorse: this.logWorse(), logNotWorse, metrics, decision });
      return untilDecided && decision !== 'hold';
    });
    return points;
  }

  /** Judges every bin that ended by `until`, moment by moment over all series. */
  private advance(until: number, isEnough: (moment: number) => boolean = () => false): void {
    const { running } = this;
    const nextEnd = ({ table, judged }: RunningSeries) => (judged < table.length ? table.end(judged) : Infinity);
    const ends = Float64Array.from(running, nextEnd);
    for (;;) {
      let moment = Infinity;
      for (let j = 0; j < ends.length; j++) if (ends[j]! < moment) moment = ends[j]!;
      if (moment > until || moment === Infinity) return;
      for (let j = 0; j < ends.length; j++) {
        if (ends[j] !== moment) continue;
        const series = running[j]!;
        const { start, seconds, candidateRequests, candidateBad, baselineRequests, baselineBad } = series.table;
        const i = series.judged++;
        series.process.step(start[i]!, seconds[i]!, candidateRequests[i]!, candidateBad[i]!, baselineRequests[i]!, baselineBad[i]!);
        ends[j] = nextEnd(series);
      }
      this.judgedUntil = moment;
      if (this.crossing === null) this.lookForCrossing(moment);
      if (isEnough(moment)) return;
    }
  }

  /** ln of the mean evidence of all series, by their parts of the budget; 0 where nothing can roll back. */
  private logWorse(): number {
    const able = this.running.filter(({ part }) => part > 0);
    if (able.length === 0) return 0;
    return logMean(
      able.map(({ process }) => process.worse.logValue),
      able.map(({ part }) => part),
    );
  }

  private lookForCrossing(moment: number): void {
    const { threshold } = this;
    // A mean is at most its largest part.
    const mayHave = this.running.some(({ part, process }) => part > 0 && process.worse.hasReached(threshold));
    if (!mayHave || this.logWorse() < threshold) return;
    let best: { metric: RunningMetric; logEvidence: number; excess: number } | undefined;
    for (const metric of this.metrics) {
      if (metric.part === 0) continue;
      const logEvidence = logWorseOf(metric);
      const excess = logEvidence + Math.log(metric.part);
      if (best === undefined || excess > best.excess) best = { metric, logEvidence, excess };
    }
    const { metric, logEvidence } = best!;
    const leading = metric.series.reduce((a, b) => (b.process.worse.logValue > a.process.worse.logValue ? b : a));
    this.crossing = {
      at: moment,
      metric: metric.input.id,
      logEvidence,
      logThreshold: -Math.log(this.settings.alpha * metric.part),
      series: leading.label,
      totals: leading.process.totals,
    };
  }

  /** What the guards look at. Outcomes come late, those of earlier requests too, and others may count several things of a request. */
  private requestTables(): JudgedTable[] {
    const counted = this.metrics.filter(({ input }) => !['wrongAnswers', 'other'].includes(input.kind ?? 'other'));
    return (counted.length > 0 ? counted : this.metrics).flatMap(({ series }) =>
      series.map(({ table, judged, process }) => {
        const { candidateRequests, baselineRequests } = process.totals;
        return { table, judged, requests: candidateRequests + baselineRequests };
      }),
    );
  }

  private bound(which: (...values: number[]) => number, of: (series: RunningSeries) => number): number | null {
    const values = this.running.filter((series) => series.judged > 0).map(of);
    return values.length === 0 ? null : which(...values);
  }

  /** End of the last judged bin that saw a request. */
  private lastRequest(): number | null {
    let last: number | null = null;
    for (const { table, judged } of this.running) {
      let i = judged - 1;
      while (i >= 0 && table.candidateRequests[i]! + table.baselineRequests[i]! === 0) i--;
      if (i >= 0 && (last === null || table.end(i) > last)) last = table.end(i);
    }
    return last;
  }

  private currentInput(): JudgeInput {
    return {
      ...this.input,
      ...(this.routing === undefined ? {} : { routing: this.routing }),
      metrics: this.metrics.map(({ input, series }) => ({
        ...input,
        series: input.series.map((one, i) => ({ ...one, counts: series[i]!.table.counts() })),
      })),
    };
  }
}

function budgetOf(metric: MetricInput): number {
  return metric.rollsBack === false ? 0 : (metric.weight ?? 1);
}
