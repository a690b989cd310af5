/** Application Auto Scaling on loopback: scalable targets, policies and schedules that really resize variants. */
export type { Breaches, Variants } from './scaler';
export { ScalingService } from './scaling-service';
