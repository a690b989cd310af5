import {
  AlarmStatusWidget,
  Dashboard,
  type IAlarm,
  type IWidget,
  PeriodOverride,
  TextWidget,
  TextWidgetBackground,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Duration, Lazy, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { EndpointAlarms } from './alarms';
import { VariantGraphs } from './dashboard-graphs';
import { instanceShape } from './instance-type';
import type { ServedVariant } from './served-variant';

/**
 * One page that says in ten seconds whether an endpoint is well: what it runs on and which alarms are red, then requests, errors, latency
 * and capacity, then what may run out and which fleet answers. One such block a variant, units in every title.
 */
export class EndpointDashboard extends Construct {
  /** @internal */
  public static _create(scope: Construct, id: string, variant: ServedVariant, alarms: EndpointAlarms): EndpointDashboard {
    return new EndpointDashboard(scope, id, variant, alarms);
  }

  /** To add widgets of one's own below. It is named `<endpoint>-<region>`. */
  public readonly dashboard: Dashboard;

  /** What the alarms beside those that wake a person do. */
  private title = 'Rolls back an update';
  /** Those alarms, as each variant's widget has them. */
  private readonly movers: IAlarm[][] = [];

  private constructor(scope: Construct, id: string, variant: ServedVariant, alarms: EndpointAlarms) {
    super(scope, id);
    this.dashboard = new Dashboard(this, 'Resource', {
      // Dashboards are of the account, endpoints of a region.
      dashboardName: `${variant.endpointName}-${Stack.of(this).region}`,
      defaultInterval: Duration.hours(3),
      periodOverride: PeriodOverride.INHERIT,
    });
    this._add(variant, alarms);
  }

  /**
   * Shows the alarms of whoever moves the traffic where those of a rollout stood.
   *
   * @param title of the alarms
   * @param rows of widgets to stand below
   * @internal
   */
  public _takeOver(title: string, alarms: IAlarm[], rows: IWidget[][]): void {
    this.title = title;
    for (const movers of this.movers) movers.splice(0, movers.length, ...alarms);
    for (const row of rows) this.dashboard.addWidgets(...row);
  }

  /**
   * Shows another variant too.
   *
   * @internal
   */
  public _add(variant: ServedVariant, alarms: EndpointAlarms): void {
    const graphs = new VariantGraphs(this, variant, alarms);
    const movers = [...alarms.rollbackAlarms];
    this.movers.push(movers);
    this.dashboard.addWidgets(
      new TextWidget({
        markdown: `## ${variant.endpointName} · ${variant.variantName}\n${described(variant)}`,
        width: 6,
        height: 3,
        background: TextWidgetBackground.TRANSPARENT,
      }),
      new AlarmStatusWidget({ title: 'Wakes a person', alarms: alarms.alarms, width: 10, height: 3 }),
      new AlarmStatusWidget({
        title: Lazy.string({ produce: () => this.title }),
        alarms: movers,
        width: 8,
        height: 3,
      }),
    );
    this.dashboard.addWidgets(...firstRow(graphs, variant));
    this.dashboard.addWidgets(...secondRow(graphs, variant));
  }
}

function firstRow(graphs: VariantGraphs, { kind }: ServedVariant): IWidget[] {
  if (kind === 'async') return [graphs.traffic(), graphs.errors(), graphs.queue(), graphs.instances()];
  if (kind === 'serverless') return [graphs.traffic(), graphs.errors(), graphs.latency(), graphs.use()];
  return [graphs.traffic(), graphs.errors(), graphs.latency(), graphs.instances()];
}

function secondRow(graphs: VariantGraphs, { kind }: ServedVariant): IWidget[] {
  if (kind === 'async') return [graphs.latency(), graphs.use(), graphs.fleets()];
  if (kind === 'serverless') return [graphs.coldStarts(), graphs.fleets()];
  return [graphs.use(), graphs.fleets()];
}

function described({ kind, instanceType, minCapacity, maxCapacity }: ServedVariant): string {
  const range = minCapacity === maxCapacity ? `${minCapacity}` : `${minCapacity} to ${maxCapacity}`;
  if (instanceType === undefined) return maxCapacity === 0 ? 'serverless' : `serverless, ${range} kept warm`;
  const shape = instanceShape(instanceType);
  const gpus = shape === undefined || shape.gpus === 0 ? '' : `, ${shape.gpus} GPU${shape.gpus === 1 ? '' : 's'}`;
  const size = shape === undefined ? '' : ` (${shape.vcpus} vCPU${shape.vcpus === 1 ? '' : 's'}${gpus}, ${shape.memoryGib} GiB)`;
  return `${kind === 'async' ? 'async, ' : ''}${range} × ${instanceType}${size}`;
}
