/** A CloudWatch on loopback: SageMaker's own metrics and anyone's, read by every statistic, and alarms that are evaluated. */
export { Alarms } from './alarms';
export { cloudWatch } from './cloudwatch-service';
export { Distribution } from './distribution';
export { Invocations } from './invocations';
export { type MetricSource, MetricStore } from './metric-store';
export { runQueries } from './query';
export type * from './sink';
export { isStatistic, statistic } from './statistics';
