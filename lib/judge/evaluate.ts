/** The judge as one function. */
import { Evaluation } from './evaluation';
import type { JudgeInput, TracePoint, Verdict } from './types';

/**
 * Judges a canary from all its bins. The same input gives the same verdict: nothing is remembered between calls.
 *
 * P(ever `rollBack` | not worse) <= alpha and P(`promote` | at least `margin` times as bad on a required metric) <= beta, however often it is asked.
 * @throws Error that says which setting, metric, series or bin is wrong, with its value
 */
export function evaluate(input: JudgeInput): Verdict {
  return new Evaluation(input).verdict();
}

/**
 * The evidence after each moment of the input's bins: what every tick would have seen.
 * @param untilDecided stop at the first moment that is not held
 * @throws Error as `evaluate` does
 */
export function trace(input: JudgeInput, untilDecided = false): TracePoint[] {
  return new Evaluation(input).trace(untilDecided);
}
