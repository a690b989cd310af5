import type { Duration } from 'aws-cdk-lib/core';
import { requireWritten, writtenSeconds } from '../../endpoint/range';
import { ANSWERS_METRIC, type CountedMetric, STANDARD_METRICS, type StagePlan } from '../request';
import { judgeSettings } from './judge-settings';

export interface CanaryJudgeOptions {
  /**
   * How many times as bad as the live version a candidate may not be: promotion shows that it is below. Above 1.
   *
   * @default 2
   */
  readonly margin?: number;

  /**
   * How much slower a request of the candidate may be before it counts as slow, as a share of the live version's quantile. 0 or more.
   *
   * @default 0.1
   */
  readonly latencyTolerance?: number;

  /**
   * What no request counts as slow for, whatever share of the quantile it is: a cold start or a smaller share of the traffic makes as much.
   *
   * @default Duration.millis(1)
   */
  readonly leastSlowdown?: Duration;

  /**
   * The most promotions of a candidate no worse than the live version that are rolled back. Above 0, below 1.
   *
   * @default 0.05
   */
  readonly falseRollback?: number;

  /**
   * The most first promotions of a candidate at least `margin` times as bad that go live. Above 0, below 1. A version that answered requests in k promotions and did
   * not go live has this / (k (k + 1)) at the next: all promotions after the first together err no more often than the first.
   *
   * @default 0.05
   */
  readonly falsePromotion?: number;

  /**
   * What is counted beside server errors, model errors and latency.
   *
   * @default - nothing
   */
  readonly metrics?: JudgedMetric[];

  /**
   * Time in which requests are counted together: 10 s, 30 s or whole minutes. Below a minute the endpoint needs its `enhancedMetricsPeriod` as short, and the stage a
   * deadline, with the wait for an approval, of less than three hours: CloudWatch keeps such counts no longer, minutes for 15 days.
   *
   * @default Duration.minutes(1)
   */
  readonly bin?: Duration;

  /**
   * How long a disturbance lasts, at least a second: bins shorter than this share its noise, so that six bins of 10 s are one witness and not six. It counts only where
   * `bin` is shorter. Shorter than the disturbances that the endpoint really meets, the judge errs more often than it says.
   *
   * @default Duration.minutes(1)
   */
  readonly block?: Duration;

  /**
   * How late CloudWatch's counts may be; younger ones are not judged.
   *
   * @default Duration.minutes(2)
   */
  readonly settle?: Duration;
}

export interface CountedRequestsOptions {
  /** CloudWatch's namespace of both. */
  readonly metricNamespace: string;
  /** Metric whose sum is the number of bad requests, by EndpointName and VariantName. */
  readonly bad: string;
  /** Metric whose sum is the number of requests looked at, with the same dimensions. */
  readonly requests: string;
  /**
   * How many times as bad a candidate may not be by this metric. Above 1.
   *
   * @default - the judge's margin
   */
  readonly margin?: number;
  /**
   * Whether promotion waits until the candidate was shown not worse by this metric.
   *
   * @default true
   */
  readonly required?: boolean;
}

/** A yes/no fact about requests that somebody counts. */
export abstract class JudgedMetric {
  /**
   * Wrong answers against outcomes that became known: whoever learns them publishes `WrongAnswers` and `KnownOutcomes` in the namespace
   * `CdkFledge`, with the dimensions EndpointName and VariantName. Margin 1.25.
   */
  public static wrongAnswers(): JudgedMetric {
    return new Counted(ANSWERS_METRIC);
  }

  /**
   * Any other two counts in CloudWatch, by EndpointName and VariantName.
   *
   * @param name as a person would say it: `refused loans`
   */
  public static counted(name: string, options: CountedRequestsOptions): JudgedMetric {
    const { metricNamespace: namespace, bad, requests, margin, required } = options;
    requireWritten(`margin of ${name}`, margin);
    return new Counted({
      id: name.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
      name,
      kind: 'other',
      source: { namespace, bad, requests },
      margin,
      required,
    });
  }

  /** @internal */
  public abstract readonly _metric: CountedMetric;
}

class Counted extends JudgedMetric {
  /** @internal */
  public readonly _metric: CountedMetric;

  constructor(metric: CountedMetric) {
    super();
    this._metric = metric;
  }
}

/** What decides on a candidate. */
export abstract class CanaryJudge {
  /**
   * The anytime-valid judge that allows for bursts of errors: it may look as often as it likes. docs/judging.md says what it promises.
   *
   * @throws Error for a value out of its range, or not known at synth
   */
  public static standard(options: CanaryJudgeOptions = {}): CanaryJudge {
    return new Standard(options);
  }

  /** @internal */
  public abstract readonly _plan: Required<Pick<StagePlan, 'metrics' | 'profile' | 'settings' | 'binSeconds' | 'settleSeconds'>>;
}

class Standard extends CanaryJudge {
  /** @internal */
  public readonly _plan: CanaryJudge['_plan'];

  constructor({ metrics = [], bin, settle, ...settings }: CanaryJudgeOptions) {
    super();
    const judged = metrics.map(({ _metric }) => _metric);
    const twice = judged.find(
      ({ id }, i) => judged.findIndex((other) => other.id === id) !== i || STANDARD_METRICS.some((one) => one.id === id),
    );
    if (twice !== undefined) throw new Error(`the judge has the metric '${twice.name}' twice: give each its own name`);
    this._plan = {
      metrics: [...STANDARD_METRICS, ...judged],
      profile: 'standard',
      settings: judgeSettings(settings),
      binSeconds: bin === undefined ? 60 : writtenSeconds('bin', bin),
      settleSeconds: settle === undefined ? 120 : writtenSeconds('settle', settle),
    };
  }
}
