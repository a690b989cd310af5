/** What a verdict will cost, before any traffic moves. */
import type { Terms } from './beta-means';
import { Stakes } from './bets';
import { burstSize } from './likelihood';
import { checkMargin, profile } from './settings';
import type { JudgeSettings, ProfileName } from './types';

/** What a mixture and the last bin's overshoot cost beyond the bare threshold, in natural logarithms; from simulation, see bench/judge.ts. */
const PROMOTION_OVERHEAD = 1.2;
const OBJECTIVE_OVERHEAD = 0.6;
const ROLLBACK_OVERHEAD = 1.8;

/** A metric that promotion waits for. */
export interface PlannedMetric {
  readonly name: string;
  /** Rate of bad requests today, in (0, 1). */
  readonly badRate: number;
  /** @default - the settings' margin */
  readonly margin?: number;
  /** An absolute objective: with it, the cheaper of the two proofs counts. @default - judged against the baseline only */
  readonly objectiveRate?: number;
}

/** What the traffic is like. */
export interface PlanInput {
  /** Of the endpoint as a whole. */
  readonly requestsPerSecond: number;
  readonly metrics: readonly PlannedMetric[];
  /** Shares of traffic to compare. @default [0.05, 0.1, 0.25, 0.5] */
  readonly shares?: readonly number[];
  /** How many times as bad a candidate is for the rollback figures. @default [2, 5, 20] */
  readonly effects?: readonly number[];
  /** @default 60 */
  readonly binSeconds?: number;
  readonly profile?: ProfileName;
  readonly settings?: Partial<JudgeSettings>;
}

/** What promoting an equal candidate takes, on average. */
export interface PlannedPromotion {
  readonly metric: string;
  /** Bad events in both arms, when the proof is against the baseline; else null. */
  readonly events: number | null;
  /** Requests of the whole endpoint. */
  readonly requests: number;
  readonly seconds: number;
}

/** What rolling back a worse candidate takes, on average. */
export interface PlannedRollback {
  readonly metric: string;
  readonly effect: number;
  /** Bad requests that the candidate serves until then. */
  readonly badRequests: number;
  readonly seconds: number;
}

/** One share of traffic. */
export interface PlannedShare {
  readonly share: number;
  /** Each metric, slowest first: the first is what promotion waits for. */
  readonly promotion: readonly PlannedPromotion[];
  /** Each metric and effect. */
  readonly rollback: readonly PlannedRollback[];
}

/** The evidence that each share of traffic would bring. */
export interface Plan {
  readonly shares: readonly PlannedShare[];
  readonly sentence: string;
  readonly settings: JudgeSettings;
}

/**
 * Expected cost of a verdict. Each bad event adds KL(rho || q(m)) to the promotion evidence of an equal candidate, and KL(q(r) || rho) to the
 * rollback evidence of one r times as bad; q(x) = rho x / (rho x + 1 - rho). The robust form allows for bursts and noise, and caps each bin.
 * @throws Error that names the value that makes no sense
 */
export function plan(input: PlanInput): Plan {
  const settings = profile(input.profile, input.settings);
  const { requestsPerSecond, metrics, shares = [0.05, 0.1, 0.25, 0.5], effects = [2, 5, 20], binSeconds = 60 } = input;
  positive('requestsPerSecond', requestsPerSecond);
  positive('binSeconds', binSeconds);
  if (metrics.length === 0) throw new Error('plan: give at least one metric');
  for (const { name, badRate, margin = settings.margin, objectiveRate } of metrics) {
    between(`badRate of ${name}`, badRate);
    aboveOne(`margin of ${name}`, margin);
    checkMargin(settings, margin);
    if (objectiveRate !== undefined) between(`objectiveRate of ${name}`, objectiveRate);
  }
  if (shares.length === 0) throw new Error('plan: give at least one share');
  for (const share of shares) between('share', share);
  for (const effect of effects) aboveOne('an effect', effect);

  const traffic = { requestsPerSecond, binSeconds };
  const planned = shares.map(
    (share): PlannedShare => ({
      share,
      promotion: metrics.map((metric) => promotionOf(metric, share, traffic, settings)).sort((a, b) => b.seconds - a.seconds),
      rollback: metrics.flatMap((metric) => effects.map((effect) => rollbackOf(metric, effect, share, metrics.length, traffic, settings))),
    }),
  );
  const times = planned.map(
    ({ share, promotion }) => `${expectedTime(promotion[0]!.seconds)} at ${Number((share * 100).toPrecision(3))} %`,
  );
  const slowest = planned[0]!.promotion[0]!.metric;
  const sentence = `At ${requestsPerSecond} requests/s, showing ${slowest} not worse takes about ${times.join(', ')}.`;
  return { shares: planned, sentence, settings };
}

interface Traffic {
  readonly requestsPerSecond: number;
  readonly binSeconds: number;
}

function promotionOf(metric: PlannedMetric, share: number, traffic: Traffic, settings: JudgeSettings): PlannedPromotion {
  const { objectiveRate: objective } = metric;
  // With an objective the evidence is the mean of two: either alone needs twice as much.
  const enough = -Math.log(settings.beta) + (objective === undefined ? 0 : Math.LN2);
  const needed = enough + PROMOTION_OVERHEAD;
  const margin = metric.margin ?? settings.margin;
  const eventsPerSecond = traffic.requestsPerSecond * metric.badRate;
  const perEvent = divergence(share, candidateShare(share, margin));
  const block = Math.max(settings.blockSeconds, traffic.binSeconds);
  const seconds = needed / growth(eventsPerSecond, perEvent, block, block, new Stakes(settings, margin).notWorse.terms, settings);
  const relative = { metric: metric.name, events: seconds * eventsPerSecond, requests: seconds * traffic.requestsPerSecond, seconds };
  if (objective === undefined || objective <= metric.badRate) return relative;

  const requestsPerBin = traffic.requestsPerSecond * share * traffic.binSeconds;
  const rootOf = settings.form === 'robust' ? burstSize(requestsPerBin * objective, settings.correlation) : 1;
  const perBin = capped((requestsPerBin * divergence(metric.badRate, objective)) / rootOf, settings);
  const absolute = ((enough + OBJECTIVE_OVERHEAD) / perBin) * traffic.binSeconds;
  if (absolute >= seconds) return relative;
  return { metric: metric.name, events: null, requests: absolute * traffic.requestsPerSecond, seconds: absolute };
}

function rollbackOf(
  metric: PlannedMetric,
  effect: number,
  share: number,
  metrics: number,
  traffic: Traffic,
  settings: JudgeSettings,
): PlannedRollback {
  const q = candidateShare(share, effect);
  const candidateRate = Math.min(1, metric.badRate * effect);
  const eventsPerSecond = traffic.requestsPerSecond * (share * candidateRate + (1 - share) * metric.badRate);
  const needed = Math.log(metrics / settings.alpha) + ROLLBACK_OVERHEAD;
  const seconds = Math.max(
    traffic.binSeconds,
    needed /
      growth(
        eventsPerSecond,
        divergence(q, share),
        Math.max(settings.blockSeconds, traffic.binSeconds),
        traffic.binSeconds,
        new Stakes(settings, settings.margin).worse.terms,
        settings,
      ),
  );
  return { metric: metric.name, effect, badRequests: seconds * traffic.requestsPerSecond * share * candidateRate, seconds };
}

/**
 * Evidence per second, in natural logarithms. What a block holds beyond what it can tell brings nothing more, however it is cut. A block that holds one
 * event holds on average as many more as any block does.
 * @param capSeconds the cap holds for each stretch of so many seconds
 */
function growth(
  eventsPerSecond: number,
  perEvent: number,
  seconds: number,
  capSeconds: number,
  terms: Terms,
  settings: JudgeSettings,
): number {
  const events = eventsPerSecond * seconds;
  const root = 1 + terms.bursts * events;
  const perBin = (events * perEvent) / root / (1 + terms.correlation * ((events + 1) / root - 1));
  return settings.form === 'robust' ? Math.min(perBin / seconds, Math.log(settings.cap) / capSeconds) : perBin / seconds;
}

function capped(perBin: number, settings: JudgeSettings): number {
  return settings.form === 'robust' ? Math.min(perBin, Math.log(settings.cap)) : perBin;
}

/** The candidate's share of the bad events when it is `risk` times as bad. */
function candidateShare(share: number, risk: number): number {
  return (share * risk) / (share * risk + 1 - share);
}

/** KL(p || q) of two yes/no facts. */
function divergence(p: number, q: number): number {
  const yes = p === 0 ? 0 : p * Math.log(p / q);
  const no = p === 1 ? 0 : (1 - p) * Math.log((1 - p) / (1 - q));
  return yes + no;
}

/** A time that is only expected, as it is said: seconds and minutes rounded up, hours and days to two digits. */
export function expectedTime(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 7200) return `${Math.ceil(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${(seconds / 3600).toPrecision(2)} h`;
  const days = (seconds / 86400).toPrecision(2);
  return `${days.includes('e') ? Number(days).toLocaleString('en') : days} days`;
}

function positive(name: string, value: number): void {
  if (!(value > 0 && value < Infinity)) throw new Error(`plan: ${name} must be above 0, not ${value}`);
}

function aboveOne(name: string, value: number): void {
  if (!(value > 1 && value < Infinity)) throw new Error(`plan: ${name} must be above 1, not ${value}`);
}

function between(name: string, value: number): void {
  if (!(value > 0 && value < 1)) throw new Error(`plan: ${name} must be above 0 and below 1, not ${value}`);
}
