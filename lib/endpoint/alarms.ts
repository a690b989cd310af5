import { Alarm, Color, type HorizontalAnnotation, type IAlarm, type IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Annotations, Token } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { type AlarmDefinition, queueAlarms, requestAlarms, saturationAlarms, silenceAlarm } from './alarms-catalogue';
import type { EndpointAlarmOptions } from './alarms-options';
import { Fleet } from './alarms-rates';
import { instanceShape } from './instance-type';
import type { ServedVariant } from './served-variant';

/**
 * The alarms of a variant: those that wake a person, and those that roll back an update.
 *
 * Each is named `<endpoint>-<variant>-<what>-<unit>`; missing data is quiet, but for the silence of the callers.
 */
export class EndpointAlarms extends Construct {
  /**
   * @param topic told of every alarm
   * @internal
   */
  public static _create(
    scope: Construct,
    id: string,
    variant: ServedVariant,
    topic: ITopic,
    options: EndpointAlarmOptions = {},
  ): EndpointAlarms {
    return new EndpointAlarms(scope, id, variant, topic, options);
  }

  /** Told of every alarm, and of its end. */
  public readonly topic: ITopic;
  /** What wakes a person: errors, latency, saturation, and a queue or silence where there can be one. */
  public readonly alarms: IAlarm[];
  /** What rolls back an update: errors and latency of the new fleet alone. They stay quiet once it is the only one and healthy. */
  public readonly rollbackAlarms: IAlarm[];
  private readonly made: Alarm[] = [];
  private readonly thresholds = new Map<string, number>();

  private constructor(scope: Construct, id: string, variant: ServedVariant, topic: ITopic, options: EndpointAlarmOptions) {
    super(scope, id);
    this.topic = topic;
    const { instanceType } = variant;
    if (instanceType !== undefined && !Token.isUnresolved(instanceType) && instanceShape(instanceType) === undefined) {
      Annotations.of(this).addWarningV2(
        'cdk-fledge:unknownInstanceType',
        `the cores and GPUs of ${instanceType} are not known here, and CloudWatch has only their sums: there is no alarm on their use`,
      );
    }

    const standing = new Construct(this, 'Standing');
    this.alarms = [
      ...requestAlarms(standing, variant, options, Fleet.BOTH),
      ...saturationAlarms(standing, variant, options),
      ...(variant.kind === 'async' ? queueAlarms(standing, variant, options) : []),
      ...(options.noTraffic === undefined ? [] : [silenceAlarm(standing, variant, options.noTraffic)]),
    ].map((definition) => this.addAlarm(standing, `${variant.endpointName}-${variant.variantName}`, definition));

    const rollback = new Construct(this, 'Rollback');
    this.rollbackAlarms = requestAlarms(rollback, variant, options, Fleet.NEW).map((definition) =>
      this.addAlarm(rollback, `${variant.endpointName}-${variant.variantName}-new-fleet`, definition),
    );
  }

  /** Does something else when any of them goes off, e.g. an action of aws-cloudwatch-actions. */
  public addAlarmAction(...actions: IAlarmAction[]): void {
    for (const alarm of this.made) alarm.addAlarmAction(...actions);
  }

  /**
   * The line in a graph at which an alarm goes off; none where there is no such alarm.
   *
   * @param name without endpoint and variant, e.g. `p99-latency-ms`
   * @internal
   */
  public _lineAt(name: string): HorizontalAnnotation[] {
    const value = this.thresholds.get(name);
    return value === undefined ? [] : [{ value, label: 'alarm', color: Color.RED }];
  }

  /**
   * Takes away those that roll back an update of the template's.
   *
   * @internal
   */
  public _leaveRollback(): void {
    this.node.tryRemoveChild('Rollback');
    for (const alarm of this.rollbackAlarms.splice(0)) this.made.splice(this.made.indexOf(alarm as Alarm), 1);
  }

  private addAlarm(scope: Construct, prefix: string, { id, name, description, ...definition }: AlarmDefinition): Alarm {
    const alarm = new Alarm(scope, id, { ...definition, alarmName: `${prefix}-${name}`, alarmDescription: description });
    const notify: IAlarmAction = { bind: () => ({ alarmActionArn: this.topic.topicArn }) };
    alarm.addAlarmAction(notify);
    alarm.addOkAction(notify);
    this.made.push(alarm);
    this.thresholds.set(name, definition.threshold);
    return alarm;
  }
}
