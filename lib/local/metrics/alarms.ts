import { arn, type LocalContext } from '../context';
import { State, type Table } from '../storage/state';
import type { MetricSource } from './metric-store';
import { type MetricDataQuery, runQueries } from './query';
import type { AlarmStates } from './sink';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** PutMetricAlarm's input, as the API has it. */
export interface MetricAlarm {
  readonly AlarmName: string;
  readonly AlarmDescription?: string;
  readonly ActionsEnabled?: boolean;
  readonly OKActions?: readonly string[];
  readonly AlarmActions?: readonly string[];
  readonly InsufficientDataActions?: readonly string[];
  readonly MetricName?: string;
  readonly Namespace?: string;
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
  readonly Period?: number;
  readonly EvaluationPeriods?: number;
  readonly DatapointsToAlarm?: number;
  readonly Threshold?: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData?: string;
  readonly Metrics?: readonly MetricDataQuery[];
}

/** An alarm with its state; times in milliseconds since 1970. */
export interface KeptAlarm {
  readonly alarm: MetricAlarm;
  /** When it was put. */
  readonly configured: number;
  state: AlarmState;
  reason: string;
  since: number;
  /** The last datapoint there was. */
  value?: number;
}

const COMPARE: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  GreaterThanThreshold: (value, threshold) => value > threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

/** Alarms, evaluated anew whenever they are asked for and once a period, by the clock. A state that was set by hand holds until the next period. */
export class Alarms implements AlarmStates {
  private readonly kept: Table<KeptAlarm>;
  private ticking = false;

  /** @param state keeps them, so that an update that goes on after another start is still watched; @default - nothing outlives the process */
  constructor(
    private readonly context: Pick<LocalContext, 'clock' | 'events' | 'account' | 'region'>,
    private readonly sources: readonly MetricSource[],
    private readonly state = new State(),
  ) {
    this.kept = state.table('alarms');
    this.tick();
  }

  put(alarm: MetricAlarm): void {
    const before = this.kept.get(alarm.AlarmName);
    this.kept.set(alarm.AlarmName, {
      alarm,
      configured: this.context.clock.now(),
      state: before?.state ?? 'INSUFFICIENT_DATA',
      reason: before?.reason ?? 'Unchecked: Initial alarm creation',
      since: before?.since ?? this.context.clock.now(),
    });
    this.tick();
    this.state.flush();
  }

  delete(names: readonly string[]): void {
    for (const name of names) this.kept.delete(name);
    this.state.flush();
  }

  set(name: string, state: AlarmState, reason: string): boolean {
    const kept = this.kept.get(name);
    if (kept) this.change(kept, state, reason);
    this.state.flush();
    return kept !== undefined;
  }

  list(): KeptAlarm[] {
    return this.kept.values().sort((a, b) => (a.alarm.AlarmName < b.alarm.AlarmName ? -1 : 1));
  }

  stateOf(name: string): AlarmState | undefined {
    return this.kept.get(name)?.state;
  }

  /** Alarms in state ALARM that have this action, by how far their last datapoint is above their threshold. */
  breachesOf(action: string): number[] {
    return this.list()
      .filter(({ alarm, state }) => state === 'ALARM' && (alarm.ActionsEnabled ?? true) && alarm.AlarmActions?.includes(action))
      .map(({ alarm: { Threshold = 0 }, value = Threshold }) => value - Threshold);
  }

  arnOf(name: string): string {
    return arn(this.context as LocalContext, 'cloudwatch', `alarm:${name}`);
  }

  /** Looks at every alarm now, and again at the shortest period there is. */
  private tick(): void {
    for (const kept of this.kept.values()) this.evaluate(kept);
    if (this.ticking || this.kept.size === 0) return;
    this.ticking = true;
    const period = Math.min(...this.kept.values().map(({ alarm }) => periodOf(alarm)));
    this.context.clock.schedule(period * 1000, () => {
      this.ticking = false;
      this.tick();
    });
  }

  private evaluate(kept: KeptAlarm): void {
    const { alarm } = kept;
    const period = periodOf(alarm);
    const periods = alarm.EvaluationPeriods ?? 1;
    const wanted = alarm.DatapointsToAlarm ?? periods;
    const until = Math.floor(this.context.clock.now() / 1000 / period) * period;
    const queries = queriesOf(alarm);
    const id = queries.find((query) => query.ReturnData !== false)?.Id ?? queries[0].Id;
    const series = runQueries(this.sources, queries, until - periods * period, until)[id];
    const values = Array.from({ length: periods }, (_, i) => series.get(until - (i + 1) * period));
    kept.value = values.find((value) => value !== undefined);
    const breaches = (value: number | undefined): boolean | undefined =>
      value === undefined
        ? { breaching: true, notBreaching: false }[alarm.TreatMissingData ?? 'missing']
        : COMPARE[alarm.ComparisonOperator](value, alarm.Threshold ?? 0);
    const judged = values.map(breaches);
    const known = judged.filter((breach) => breach !== undefined);
    if (known.length === 0) {
      if (alarm.TreatMissingData !== 'ignore')
        this.change(kept, 'INSUFFICIENT_DATA', `Insufficient Data: ${periods} datapoints were unknown`);
      return;
    }
    const breaching = known.filter(Boolean).length;
    const shown = values.map((value) => value ?? 'missing').join(', ');
    // With too few datapoints: all that there are breach, and the oldest is as old as the alarm needs (CloudWatch user guide, "Avoiding premature transitions to alarm state").
    const isOldEnough = breaching === known.length && judged.lastIndexOf(true) + 1 >= wanted;
    if (isOldEnough && breaching < wanted && alarm.TreatMissingData === 'ignore') return;
    if (breaching >= wanted || isOldEnough)
      this.change(
        kept,
        'ALARM',
        `Threshold Crossed: ${breaching} of ${periods} datapoints [${shown}] were ${alarm.ComparisonOperator} (${alarm.Threshold})`,
      );
    else
      this.change(
        kept,
        'OK',
        `Threshold Crossed: ${breaching} of ${periods} datapoints [${shown}] were ${alarm.ComparisonOperator} (${alarm.Threshold})`,
      );
  }

  private change(kept: KeptAlarm, state: AlarmState, reason: string): void {
    if (kept.state === state) return;
    const previous = kept.state;
    kept.state = state;
    kept.reason = reason;
    kept.since = this.context.clock.now();
    this.kept.set(kept.alarm.AlarmName, kept);
    this.state.flushIfPossible();
    const detail = { alarmName: kept.alarm.AlarmName, state: { value: state, reason }, previousState: { value: previous } };
    this.context.events.put({
      source: 'aws.cloudwatch',
      detailType: 'CloudWatch Alarm State Change',
      resources: [this.arnOf(kept.alarm.AlarmName)],
      detail,
    });
  }
}

const periodOf = (alarm: MetricAlarm): number =>
  alarm.Period ?? Math.max(1, ...(alarm.Metrics ?? []).flatMap((query) => query.MetricStat?.Period ?? query.Period ?? []));

function queriesOf(alarm: MetricAlarm): readonly MetricDataQuery[] {
  if (alarm.Metrics?.length) return alarm.Metrics;
  const Metric = { Namespace: alarm.Namespace!, MetricName: alarm.MetricName!, Dimensions: alarm.Dimensions };
  return [{ Id: 'm1', MetricStat: { Metric, Period: alarm.Period!, Stat: alarm.Statistic ?? alarm.ExtendedStatistic! } }];
}
