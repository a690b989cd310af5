import type { JudgeSettings, MetricKind, Objective, ProfileName } from '../judge';
import type { ArtifactDemand } from './artifact-demand';

/** One stretch of a promotion. */
export interface Step {
  /** `shadow` mirrors requests to the candidate and drops its answers; `percent` routes a share of them to it. */
  readonly kind: 'shadow' | 'percent';
  /** Share of the requests, in percent: above 0, at most 100 for a shadow and at most 50 for a routed share. @default 100 for a shadow */
  readonly percent?: number;
  /** The least time that the step lasts, in seconds. @default 300 */
  readonly bakeSeconds?: number;
}

/** A yes/no fact about requests, counted by CloudWatch, per variant. */
export interface CountedMetric {
  readonly id: string;
  /** As a person would say it: `5xx`. @default - the id */
  readonly name?: string;
  readonly kind: MetricKind;
  /** `latency` needs no more: its counts come from ModelLatency. */
  readonly source?: {
    readonly namespace: string;
    /** Metric whose Sum is the number of bad requests. */
    readonly bad: string;
    /** Metric whose Sum is the number of requests looked at. */
    readonly requests: string;
  };
  /** @default true */
  readonly required?: boolean;
  readonly margin?: number;
  readonly objective?: Objective;
  /** Part of the rollback budget, in any scale. @default 1 */
  readonly weight?: number;
}

/** What a stage does with a candidate: the same for every version that comes. */
export interface StagePlan {
  /** In the order in which they are taken; shadow steps first, shares rising. At least one routed share. */
  readonly steps: readonly Step[];
  readonly metrics: readonly CountedMetric[];
  readonly profile?: ProfileName;
  readonly settings?: Partial<JudgeSettings>;
  /** Length of a bin of counts, in seconds: 1, 5, 10, 30 or a multiple of 60. CloudWatch keeps those below 60 for 3 h: nothing may be judged for longer. @default 60 */
  readonly binSeconds?: number;
  /** Time between two verdicts, in seconds, 1 to 300. @default 60 */
  readonly tickSeconds?: number;
  /** How late the metrics may be, in seconds; younger bins are not judged. @default 120 */
  readonly settleSeconds?: number;
  /** The baseline's latency quantiles are taken over this long before the candidate comes, in seconds. @default 3600 */
  readonly baselineSeconds?: number;
  /** From the first routed request to the decision, in seconds, at least `tickSeconds`. @default 86400 */
  readonly deadlineSeconds?: number;
  /** What becomes of a candidate that was shown neither worse nor not worse by the deadline. @default 'rollBack' */
  readonly onDeadline?: 'rollBack' | 'hold' | 'promote' | 'ask';
  /** Whether a person must agree before the candidate goes live. @default 'none' */
  readonly approval?: 'none' | 'manual';
  /** How long a person is waited for, in seconds; then the candidate is held. @default 604800 */
  readonly approvalSeconds?: number;
  /** Instances of the candidate variant. @default - as many as the largest share of the live instances that run as it comes in, at least 1 */
  readonly candidateInstances?: number;
  /** How the live variant moves to the new version. @default - blue/green, all at once, with the alarms */
  readonly guardrail?: {
    /** Percent of the new fleet that takes traffic first, 1 to 50; the live variant must have two instances, the candidate gets two. @default - all at once */
    readonly canaryPercent?: number;
    /** Seconds that the alarms are watched after each shift of requests, 0 to 3600. @default 300 */
    readonly waitSeconds?: number;
    /** CloudWatch alarms that roll the move back besides the promotion's own two, at most 8. @default - none */
    readonly alarms?: readonly string[];
    /** Share of 5xx in a minute of at least 20 requests, 0 to 1, above which the new fleet is given up; never below twice the live variant's. @default 0.05 */
    readonly errorRate?: number;
    /** How many times the live variant's p99 of the model latency the new fleet's may be for two minutes. @default 2 */
    readonly latencyFactor?: number;
  };
  /** Another candidate of the same endpoint while one is under way: it waits its turn, or takes over. @default 'wait' */
  readonly whenBusy?: 'wait' | 'supersede';
  /** What the candidate's artifact must be. @default - what was approved, and safe by its own policy */
  readonly artifact?: ArtifactDemand;
  /** How long an update of the endpoint may take before the candidate is given up, in seconds. @default 3600 */
  readonly updateSeconds?: number;
}

/** One candidate's way, to be run once. */
export interface PromotionRequest {
  /** Unique; runs again under the same id are the same promotion. 1 to 64 characters of `[A-Za-z0-9-]`. */
  readonly promotionId: string;
  readonly endpointName: string;
  /** Bucket of the lock, the controls and the record. */
  readonly bucket: string;
  /** Registered and approved. */
  readonly modelPackageArn: string;
  readonly plan: StagePlan;
  /** SNS topic that is told when it starts, ends, or waits for a person. @default - nobody is told */
  readonly topicArn?: string;
}

/** How a promotion ends. */
export interface Outcome {
  readonly promotionId: string;
  readonly endpointName: string;
  readonly modelPackageArn: string;
  readonly verdict: 'promoted' | 'rolled back' | 'held';
  /** For a person. */
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The step under way when it was decided, e.g. `5 %`. */
  readonly during: string;
  /** Key of the stored verdict with its counts; null where it was decided without one. */
  readonly verdictKey: string | null;
  /** What the endpoint serves at the end. */
  readonly endpointConfigName: string | null;
}

export const NAMESPACE = 'CdkFledge';

/** What SageMaker itself counts, and every stage judges. */
export const STANDARD_METRICS: readonly CountedMetric[] = [
  {
    id: 'server-errors',
    name: '5xx',
    kind: 'serverErrors',
    source: { namespace: 'AWS/SageMaker', bad: 'Invocation5XXErrors', requests: 'Invocations' },
    objective: { rate: 0.01, badWhen: 'both' },
  },
  {
    id: 'model-errors',
    name: 'model errors',
    kind: 'modelErrors',
    source: { namespace: 'AWS/SageMaker', bad: 'InvocationModelErrors', requests: 'Invocations' },
    objective: { rate: 0.01, badWhen: 'both' },
  },
  // Not worse than the margin against each quantile, or at most one request in twenty slower than it.
  { id: 'latency', name: 'latency', kind: 'latency', objective: { rate: 0.05, badWhen: 'both' } },
];

/** Wrong answers against outcomes that became known: whoever knows them publishes both metrics, per endpoint and variant. */
export const ANSWERS_METRIC: CountedMetric = {
  id: 'wrong-answers',
  name: 'wrong answers',
  kind: 'wrongAnswers',
  source: { namespace: NAMESPACE, bad: 'WrongAnswers', requests: 'KnownOutcomes' },
  margin: 1.25,
};
