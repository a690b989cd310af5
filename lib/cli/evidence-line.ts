import type { Progress } from '../promotion';

/** The metric that is nearest to rolling back, and the one that promotion waits for, each against what suffices. */
export function evidenceLine({ evidence }: Progress): string {
  const number = (log: number) =>
    log > Math.log(1e6) ? '> 1e6' : log < Math.log(0.01) ? '< 0.01' : String(Number(Math.exp(log).toPrecision(2)));
  const worse = evidence
    .filter((metric) => metric.worseAt !== null)
    .reduce((a, b) => (b.worse - b.worseAt! > a.worse - a.worseAt! ? b : a));
  const against = `worse ${number(worse.worse)} of ${number(worse.worseAt!)} (${worse.metric})`;
  const required = evidence.filter((metric) => metric.required !== false);
  if (required.length === 0) return against;
  const waits = required.reduce((a, b) => (b.notWorse - b.notWorseAt < a.notWorse - a.notWorseAt ? b : a));
  return `${against}, not worse ${number(waits.notWorse)} of ${number(waits.notWorseAt)} (${waits.metric})`;
}
