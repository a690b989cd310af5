/** The refusal of input that cannot be judged. */
import type { MetricInput, Routing } from './types';

/** @throws Error that names the metric, the value given and the range */
export function checkMetrics(metrics: readonly MetricInput[]): void {
  if (!Array.isArray(metrics) || metrics.length === 0) throw new Error('no metric to judge: give at least one');
  const ids = new Set<string>();
  for (const metric of metrics) {
    const where = `metric '${metric.id}'`;
    if (ids.has(metric.id)) throw new Error(`${where} is given twice; ids must be unique`);
    ids.add(metric.id);
    if (!Array.isArray(metric.series) || metric.series.length === 0) throw new Error(`${where} has no series to judge`);
    const { weight, margin, objective } = metric;
    if (weight !== undefined && !(Number.isFinite(weight) && weight >= 0))
      throw new Error(`${where}: weight must be at least 0, not ${weight}`);
    if (margin !== undefined && !(Number.isFinite(margin) && margin > 1))
      throw new Error(`${where}: margin must be above 1, not ${margin}`);
    if (objective === undefined) continue;
    if (!(Number.isFinite(objective?.rate) && objective.rate > 0 && objective.rate < 1)) {
      throw new Error(`${where}: the objective's rate must be above 0 and below 1, not ${objective?.rate}`);
    }
    if (!['aboveObjective', 'both', 'either'].includes(objective.badWhen ?? 'both')) {
      throw new Error(`${where}: the objective's badWhen must be 'aboveObjective', 'both' or 'either', not '${objective.badWhen}'`);
    }
  }
}

/** @throws Error with the value given */
export function checkNow(now: number | undefined): void {
  if (now !== undefined && !Number.isFinite(now)) throw new Error(`now must be in seconds since 1970, not ${now}`);
}

/** @throws Error that names the step, the value given and the range */
export function checkRouting(routing: readonly Routing[]): void {
  for (const { from, share } of routing) {
    if (!Number.isFinite(from)) throw new Error(`routing: from must be in seconds since 1970, not ${from}`);
    if (!(Number.isFinite(share) && share >= 0 && share <= 1))
      throw new Error(`routing from ${from}: share must be from 0 to 1, not ${share}`);
  }
}
