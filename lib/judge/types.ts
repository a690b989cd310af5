/** What goes into a verdict and what comes out: plain JSON on both sides, so that either can be stored and the verdict recomputed. */

/** Names of the ready-made settings. */
export type ProfileName = 'standard' | 'plain';

/** How the evidence is weighed. Every field is recorded in the verdict. */
export interface JudgeSettings {
  /** Bound on P(ever rolled back | the candidate is at most as bad as the baseline), over all metrics and all looks. In (0, 1). @default 0.05 */
  readonly alpha: number;
  /** Bound on P(ever promoted | the candidate is at least `margin` times as bad on a required metric). In (0, 1). @default 0.05 */
  readonly beta: number;
  /** The relative risk that counts as bad: promotion shows that the candidate is below it. Above 1. @default 2 */
  readonly margin: number;
  /** How much slower a request of the candidate may be before it counts as slow, as a share of the baseline's quantile. At least 0. @default 0.1 */
  readonly latencyTolerance: number;
  /** What no request counts as slow for, in milliseconds, whatever share of the quantile it is: a cold start, a smaller share of the traffic make as much. At least 0. @default 1 */
  readonly leastSlowdownMilliseconds: number;
  /** `robust` allows for bad events that come in bursts; `plain` takes them as independent. @default 'robust' */
  readonly form: 'robust' | 'plain';
  /** Intra-class correlation of the bad events within a bin, or a block of shorter ones, allowed for by the robust form; see `calibrateCorrelation`. In [0, 1]. @default 0.01 */
  readonly correlation: number;
  /** The same for the promotion evidence, where being slower costs little and being wrong much. In [0, 1]. @default 0.03 */
  readonly promotionCorrelation: number;
  /** The most that one bin can multiply any evidence by, in the robust form: no single bin decides. Above 1. @default 8 */
  readonly cap: number;
  /**
   * How long a disturbance lasts that the correlation allows for: in the robust form, bins shorter than this many seconds are parts of one of so many and share
   * its noise. Above 0. @default 60
   */
  readonly blockSeconds: number;
  /** Part of the rollback evidence kept for a regression that begins after the first bin. In [0, 1). @default 0.05 */
  readonly lateReserve: number;
  /** Relative risks that are bet on, increasing; those above 1 speak for rollback, those below the margin for promotion. */
  readonly effects: readonly number[];
  /** Weight of each effect in the rollback mixture; not negative, any scale; only those of effects above 1 are used. */
  readonly rollbackWeights: readonly number[];
  /** Weight of each effect in the promotion mixture; not negative, any scale; only those of effects below the margin are used. */
  readonly promotionWeights: readonly number[];
  /** Bound on P(ever invalid | the traffic was routed as said), and on a false report of drift. In (0, 1). @default 0.001 */
  readonly guardAlpha: number;
  /** A traffic share off by less than this part of the smaller arm's routed share is never called invalid. At least 0. @default 0.05 */
  readonly shareTolerance: number;
  /** Bins that ended less than this many seconds before `now` are not yet judged, since metrics arrive late. @default 0 */
  readonly settleSeconds: number;
  /** With `now` given, the verdict is invalid when no request was counted for this many seconds before the settled time. @default 900 */
  readonly staleAfterSeconds: number;
}

/** Counts of one yes/no fact in one bin of time. */
export interface Bin {
  /** First second of the bin, in seconds since 1970. */
  readonly start: number;
  /** Length of the bin in seconds. */
  readonly seconds: number;
  /** Requests that the candidate answered: a whole number. */
  readonly candidateRequests: number;
  /** Those of them that were bad. */
  readonly candidateBad: number;
  /** Requests that the baseline answered. */
  readonly baselineRequests: number;
  /** Those of them that were bad. */
  readonly baselineBad: number;
}

/**
 * Counts of one yes/no fact, column by column: entry i of each column belongs to bin i. Bins may come in any order. Of several reports of the same bin
 * the fullest counts: a metric store only ever adds to a bin. A missing bin is the same as one without requests.
 */
export interface Counts {
  readonly start: readonly number[];
  readonly seconds: readonly number[];
  readonly candidateRequests: readonly number[];
  readonly candidateBad: readonly number[];
  readonly baselineRequests: readonly number[];
  readonly baselineBad: readonly number[];
}

/**
 * What a metric counts. The guards on the traffic's split take all but `wrongAnswers` and `other` to count every request as it is answered, and look at those two only
 * where there are no others.
 */
export type MetricKind = 'serverErrors' | 'modelErrors' | 'clientErrors' | 'latency' | 'wrongAnswers' | 'other';

/** One yes/no fact: most metrics have one, latency has one for each quantile. */
export interface Series {
  /** For example `p99`. @default - the metric's name */
  readonly label?: string;
  /** The thresholds behind the counts, in milliseconds: kept for the record. */
  readonly threshold?: { readonly percentile: number; readonly baselineMilliseconds: number; readonly candidateMilliseconds: number };
  readonly counts: Counts;
}

/** An absolute bound on a metric's rate of bad requests. */
export interface Objective {
  /** The rate that must not be exceeded, in (0, 1). */
  readonly rate: number;
  /**
   * What makes a candidate bad, and so must be disproved before promotion: a rate above the objective; that *and* worse than the margin (`both`);
   * or one *or* the other (`either`). @default 'both'
   */
  readonly badWhen?: 'aboveObjective' | 'both' | 'either';
}

/** One metric of both arms. */
export interface MetricInput {
  /** Unique within the input. */
  readonly id: string;
  /** As a person would say it: `5xx`. @default - the id */
  readonly name?: string;
  /** @default 'other' */
  readonly kind?: MetricKind;
  /** Whether promotion waits for this metric to be shown not worse. @default true */
  readonly required?: boolean;
  /** Whether this metric can roll the candidate back. @default true */
  readonly rollsBack?: boolean;
  /** Its part of the rollback budget, in any scale. @default 1 */
  readonly weight?: number;
  /** Overrides the settings' margin for this metric. */
  readonly margin?: number;
  /** @default - the candidate is judged against the baseline only */
  readonly objective?: Objective;
  /** The facts that make up the metric. Their rollback evidence is averaged; promotion needs each of them. */
  readonly series: readonly Series[];
}

/** From this second on, this share of the traffic was routed to the candidate. */
export interface Routing {
  /** Seconds since 1970. */
  readonly from: number;
  /** In [0, 1]. */
  readonly share: number;
}

/** Something that must be as expected for the comparison to mean anything: the endpoint configuration, the variants that serve. */
export interface ObservedFact {
  /** For example `endpoint configuration`. */
  readonly name: string;
  readonly expected: string;
  readonly found: string;
}

/** How often each class was predicted, per arm, while one share of traffic was routed. */
export interface PredictionSegment {
  /** Share of the traffic that was routed to the candidate, in (0, 1). */
  readonly share: number;
  /** Predictions of each class by the candidate. */
  readonly candidate: readonly number[];
  /** Predictions of each class by the baseline; same order. */
  readonly baseline: readonly number[];
}

/** All that a verdict depends on. */
export interface JudgeInput {
  /** @default 'standard' */
  readonly profile?: ProfileName;
  /** Overrides of the profile. */
  readonly settings?: Partial<JudgeSettings>;
  /** At least one. */
  readonly metrics: readonly MetricInput[];
  /** The shares that were asked for, in any order. @default - the routed share is not known and not checked */
  readonly routing?: readonly Routing[];
  /** Seconds since 1970 at which the question is asked. @default - every bin is judged and staleness is not checked */
  readonly now?: number;
  /** Facts checked before the counts are looked at. @default - none */
  readonly facts?: readonly ObservedFact[];
  /** Predictions of both arms: a shift holds the candidate for a person to look at. @default - not compared */
  readonly predictions?: readonly PredictionSegment[];
}

/**
 * `promote`: shown not worse on every required metric. `rollBack`: shown worse. `hold`: not enough evidence for either, or the predictions moved.
 * `invalid`: the comparison is broken and the counts say nothing.
 */
export type Decision = 'promote' | 'rollBack' | 'hold' | 'invalid';

/** Counts summed over the judged bins. */
export interface Totals {
  readonly candidateRequests: number;
  readonly candidateBad: number;
  readonly baselineRequests: number;
  readonly baselineBad: number;
}

/** How many times as often as the baseline the candidate is bad. */
export interface RiskInterval {
  /** The most likely relative risk; null without a bad event. */
  readonly estimate: number | null;
  /** Lower end; 0 when the counts exclude nothing. */
  readonly low: number;
  /** Upper end; null when the counts exclude nothing. */
  readonly high: number | null;
  /** Probability that the interval holds the truth at every moment, for example 0.95. */
  readonly confidence: number;
}

/** Evidence from one series. Natural logarithms. */
export interface SeriesEvidence {
  readonly label: string;
  readonly totals: Totals;
  /** Bad requests per request of the candidate; null without requests. */
  readonly candidateRate: number | null;
  readonly baselineRate: number | null;
  readonly relativeRisk: RiskInterval;
  /** Evidence that the candidate is worse than the baseline. */
  readonly logWorse: number;
  /** Evidence that the candidate is less than `margin` times as bad; null where bad means only above the objective. */
  readonly logBelowMargin: number | null;
  /** Evidence that the candidate keeps the objective; null without one. */
  readonly logBelowObjective: number | null;
  /** Evidence for promotion: the above, joined as the objective says. */
  readonly logNotWorse: number;
}

/** Evidence from one metric. Natural logarithms. */
export interface MetricEvidence {
  readonly id: string;
  readonly name: string;
  readonly kind: MetricKind;
  readonly required: boolean;
  readonly rollsBack: boolean;
  readonly margin: number;
  readonly objective: Objective | null;
  /** Part of alpha that is this metric's; the parts sum to alpha. 0 where the metric cannot roll back. */
  readonly alpha: number;
  /** Evidence that the candidate is worse: the mean over the series. */
  readonly logWorse: number;
  /** Where this metric alone rolls back: log(1/alpha) of its part; null where it cannot. */
  readonly logWorseThreshold: number | null;
  /** Evidence that the candidate is not worse: the least over the series. */
  readonly logNotWorse: number;
  /** Where it is enough: log(1/beta). */
  readonly logNotWorseThreshold: number;
  readonly series: readonly SeriesEvidence[];
}

/** The moment at which the rollback evidence reached its threshold. */
export interface Crossing {
  /** End of the bin that did it, in seconds since 1970. */
  readonly at: number;
  /** The metric with the most evidence against its threshold. */
  readonly metric: string;
  /** Its evidence then, and what would have sufficed alone. */
  readonly logEvidence: number;
  readonly logThreshold: number;
  /** Its counts then, of the series with the most evidence. */
  readonly series: string;
  readonly totals: Totals;
}

/** The guard on the traffic share. */
export interface ShareEvidence {
  /** Requests of both arms in the bins that were compared. */
  readonly candidateRequests: number;
  readonly baselineRequests: number;
  /** Requests of the candidate that the routing would give. */
  readonly expectedCandidateRequests: number;
  /** Evidence that traffic was not split as routed, and where it is enough. */
  readonly logEvidence: number;
  readonly logThreshold: number;
}

/** Comparison of predictions. */
export interface DriftEvidence {
  readonly logEvidence: number;
  readonly logThreshold: number;
}

/** The answer, and everything needed to recompute it. */
export interface Verdict {
  readonly decision: Decision;
  /** What was decided and why, for a person. */
  readonly sentence: string;
  /** Evidence of all metrics together that the candidate is worse: the mean weighted by the budget; and log(1/alpha). */
  readonly logWorse: number;
  readonly logWorseThreshold: number;
  /** The first time `logWorse` reached its threshold; null if it never did. */
  readonly crossing: Crossing | null;
  readonly metrics: readonly MetricEvidence[];
  readonly share: ShareEvidence | null;
  readonly drift: DriftEvidence | null;
  /** First second and end of the judged bins; null when none was judged. */
  readonly from: number | null;
  readonly until: number | null;
  /** Bins judged, and bins left out as not yet settled; a bin of one series counts once. */
  readonly bins: number;
  readonly unsettledBins: number;
  /** Every setting, as used. */
  readonly settings: JudgeSettings;
  /** What was judged: `evaluate(verdict.input)` gives this verdict again. */
  readonly input: JudgeInput;
}

/** The evidence at one moment, before the guards. Natural logarithms. */
export interface TracePoint {
  /** End of the last bin that is in it, in seconds since 1970. */
  readonly at: number;
  /** As in the verdict. It may fall again after the decision, which stands. */
  readonly logWorse: number;
  /** Evidence for promotion of the required metric that has the least; null when none is required. */
  readonly logNotWorse: number | null;
  /** Each metric's, in the input's order. */
  readonly metrics: readonly { readonly logWorse: number; readonly logNotWorse: number }[];
  readonly decision: 'promote' | 'rollBack' | 'hold';
}
