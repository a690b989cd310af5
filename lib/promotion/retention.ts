import type { StagePlan } from './request';

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Seconds for which CloudWatch keeps bins of that length (CloudWatch API reference, GetMetricData). */
export function keptSeconds(binSeconds: number): number {
  if (binSeconds < 60) return 3 * HOUR;
  if (binSeconds % HOUR === 0) return 455 * DAY;
  return binSeconds % 300 === 0 ? 63 * DAY : 15 * DAY;
}

/** e.g. `CloudWatch keeps bins of 10 s for 3 h`. */
export function sayKept(binSeconds: number): string {
  const kept = keptSeconds(binSeconds);
  return `CloudWatch keeps bins of ${binSeconds} s for ${kept < DAY ? `${kept / HOUR} h` : `${kept / DAY} days`}`;
}

/** What of a plan says for how long it may judge, every default written out. */
type Lasting = Pick<StagePlan, 'steps' | 'approval' | 'onDeadline'> &
  Required<Pick<StagePlan, 'binSeconds' | 'settleSeconds' | 'tickSeconds' | 'deadlineSeconds' | 'approvalSeconds'>>;

/**
 * A verdict is taken from all counts since the comparison began: all of them must be there to the end.
 *
 * @throws Error for a plan that may judge for longer than CloudWatch keeps its bins
 */
export function checkRetention(plan: Lasting): void {
  const { binSeconds, settleSeconds, tickSeconds, deadlineSeconds, approvalSeconds } = plan;
  const most = keptSeconds(binSeconds) - settleSeconds - tickSeconds;
  const refuseAbove = (seconds: number, what: string): void => {
    if (seconds <= most) return;
    throw new Error(
      `${what}: ${sayKept(binSeconds)}, so that at most ${most} s can be judged by them (less settleSeconds and tickSeconds), and later verdicts would ` +
        `lose the beginning. Shorten it, or take ${binSeconds < 60 ? 'bins of at least 60 s' : 'longer bins'}`,
    );
  };
  plan.steps.forEach(({ kind, bakeSeconds = 0 }, i) => {
    if (kind === 'shadow') refuseAbove(bakeSeconds, `plan.steps[${i}].bakeSeconds is ${bakeSeconds}`);
  });
  refuseAbove(deadlineSeconds, `plan.deadlineSeconds is ${deadlineSeconds}`);
  if (plan.approval === 'none' && plan.onDeadline !== 'ask') return;
  const both = deadlineSeconds + approvalSeconds;
  refuseAbove(both, `plan.deadlineSeconds and plan.approvalSeconds are ${both} together`);
}
