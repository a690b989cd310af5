/** How long a verdict over a day takes, with the judge bundled as it is shipped. */
import { buildSync } from 'esbuild';
import type * as Judge from '../../lib/judge';
import { Random } from './random';

/** Medians, in milliseconds. */
export interface Speed {
  readonly traffic: string;
  readonly verdict: number;
  readonly tick: number;
}

/** 24 hours of one-minute bins, 8 metrics; and one more minute added to an evaluation that has seen them. */
export function measureSpeed(repeats: number): Speed[] {
  const { outputFiles } = buildSync({ entryPoints: ['lib/judge/index.ts'], bundle: true, format: 'cjs', platform: 'node', write: false });
  const module = { exports: {} };
  new Function('module', 'exports', outputFiles[0]!.text)(module, module.exports);
  const judge = module.exports as typeof Judge;
  return [
    [5, 0.001],
    [50, 0.01],
    [500, 0.01],
  ].map(([requestsPerSecond, rate]) => {
    const random = new Random(`speed ${requestsPerSecond}`);
    const minutes = Array.from({ length: 1440 }, () => {
      const requests = random.poisson(requestsPerSecond! * 60);
      const candidate = random.binomial(requests, 0.1);
      return { candidate, baseline: requests - candidate };
    });
    const binOf = (i: number): Judge.Bin => {
      const { candidate, baseline } = minutes[i % minutes.length]!;
      const [candidateBad, baselineBad] = [random.binomial(candidate, rate!), random.binomial(baseline, rate!)];
      return { start: 60 * i, seconds: 60, candidateRequests: candidate, candidateBad, baselineRequests: baseline, baselineBad };
    };
    const metrics = Array.from({ length: 8 }, (_, j) => ({
      id: `metric ${j}`,
      series: [{ counts: judge.countsOf(minutes.map((_minute, i) => binOf(i))) }],
    }));
    const input = { metrics, routing: [{ from: 0, share: 0.1 }] };
    const verdict = medianTime(repeats, () => judge.evaluate(input));
    const evaluation = new judge.Evaluation(input);
    evaluation.verdict();
    let next = 1440;
    const tick = medianTime(repeats, () => {
      for (const { id } of metrics) evaluation.add(id, binOf(next));
      next++;
      evaluation.verdict();
    });
    return { traffic: `${requestsPerSecond}/s, ${rate! * 100} % bad`, verdict, tick };
  });
}

/** Median wall time of a run, in milliseconds. */
function medianTime(repeats: number, run: () => unknown): number {
  for (let i = 0; i < 50; i++) run();
  const times = Array.from({ length: repeats }, () => {
    const from = performance.now();
    run();
    return performance.now() - from;
  });
  return times.sort((a, b) => a - b)[repeats >> 1]!;
}
