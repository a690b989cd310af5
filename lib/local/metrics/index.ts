/** A CloudWatch on loopback: SageMaker's own metrics and anyone's, read by every statistic, and alarms that are evaluated. */
export { Alarms } from './alarms';
export { cloudWatch } from './cloudwatch-service';
export { Distribution } from './distribution';
export { Invocations } from './invocations';
export { MetricStore } from './metric-store';
export type * from './sink';
export { isStatistic, statistic } from './statistics';
