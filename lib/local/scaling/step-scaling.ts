import { validation } from './scalable-targets';

/** StepScalingPolicyConfiguration, as the API has it. */
export interface StepScaling {
  readonly AdjustmentType?: 'ChangeInCapacity' | 'PercentChangeInCapacity' | 'ExactCapacity';
  readonly StepAdjustments?: readonly StepAdjustment[];
  readonly MinAdjustmentMagnitude?: number;
  /** Seconds. @default 300 */
  readonly Cooldown?: number;
}

interface StepAdjustment {
  /** Of the metric above the alarm's threshold. */
  readonly MetricIntervalLowerBound?: number;
  readonly MetricIntervalUpperBound?: number;
  readonly ScalingAdjustment: number;
}

/** @throws ServiceError ValidationException for a configuration that could not be carried out */
export function checkSteps({ AdjustmentType, StepAdjustments = [] }: StepScaling): void {
  if (AdjustmentType === undefined) throw validation('AdjustmentType is needed for a new step scaling policy');
  if (StepAdjustments.length === 0) throw validation('At least one step adjustment is needed');
  const sorted = [...StepAdjustments].sort((a, b) => lower(a) - lower(b));
  sorted.forEach((step, i) => {
    if (lower(step) >= upper(step)) throw validation('The lower bound of a step adjustment must be below its upper bound');
    if (i > 0 && upper(sorted[i - 1]) > lower(step)) throw validation('StepAdjustment intervals cannot overlap');
    if (i > 0 && upper(sorted[i - 1]) < lower(step)) throw validation('StepAdjustment intervals cannot have a gap between them');
  });
}

const lower = (step: StepAdjustment): number => step.MetricIntervalLowerBound ?? Number.NEGATIVE_INFINITY;
const upper = (step: StepAdjustment): number => step.MetricIntervalUpperBound ?? Number.POSITIVE_INFINITY;

/**
 * Instances that a breach asks for; undefined where no step covers it.
 *
 * @param breach how far the metric is above the alarm's threshold; negative below it
 */
export function steppedInstances(
  { AdjustmentType, StepAdjustments = [], MinAdjustmentMagnitude = 1 }: StepScaling,
  breach: number,
  instances: number,
): number | undefined {
  // The bound that is nearer to the threshold belongs to the interval.
  const covers = (step: StepAdjustment) =>
    breach >= 0 ? breach >= lower(step) && breach < upper(step) : breach > lower(step) && breach <= upper(step);
  const adjustment = StepAdjustments.find(covers)?.ScalingAdjustment;
  if (adjustment === undefined) return undefined;
  if (AdjustmentType === 'ExactCapacity') return adjustment;
  if (AdjustmentType === 'ChangeInCapacity') return instances + adjustment;
  const exact = (instances * adjustment) / 100;
  // Towards zero, but by one at least.
  const change = exact === 0 ? 0 : Math.sign(exact) * Math.max(1, MinAdjustmentMagnitude, Math.floor(Math.abs(exact)));
  return instances + change;
}
