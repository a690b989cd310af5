/** Application Auto Scaling on loopback: scalable targets, and target tracking that really resizes variants. */
export { ScalingService, type Variants } from './scaling-service';
