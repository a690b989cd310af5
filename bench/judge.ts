/** The judge's error rates, exposure and speed, beside four other judges on the same traffic. `--quick` runs fewer and prints the same goals. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CELLS } from './judge/cells';
import { report } from './judge/report';
import { measureSpeed } from './judge/speed';
import type { Effort, Result, Task } from './judge/worker';

const quick = process.argv.includes('--quick');
const effort: Effort = quick
  ? { least: 100, most: 100, standardError: 1, waldRuns: 60 }
  : { least: 1000, most: 2600, standardError: 0.00999, waldRuns: 500 };

const started = performance.now();
const tasks: Task[] = [
  ...CELLS.map((_, cell): Task => ({ kind: 'cell', cell, effort })),
  ...[1.5, 2, 5, 20].map((times): Task => ({ kind: 'wald by event', times, effort })),
  ...CELLS.flatMap(({ group, times }, cell): Task[] => (group === 'errors' && times > 1 ? [{ kind: 'wald', cell, effort }] : [])),
];
// The longest first, so that no worker is left with one at the end.
tasks.sort((a, b) => expectedLength(b) - expectedLength(a));

function expectedLength(task: Task): number {
  return task.kind === 'cell' ? CELLS[task.cell]!.minutes : task.kind === 'wald' ? 1 / CELLS[task.cell]!.requestsPerSecond : 0;
}

async function runAll(): Promise<Result[]> {
  const results: Result[] = [];
  const workers = Array.from({ length: Math.min(2, availableParallelism()) }, () => fork(join(__dirname, 'judge/worker.ts')));
  await Promise.all(
    workers.map(async (worker) => {
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
        worker.send(task);
        results.push(
          await new Promise<Result>((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('exit', (code) => reject(new Error(`a worker ended with code ${code}`)));
          }),
        );
        worker.removeAllListeners('exit');
      }
      worker.disconnect();
    }),
  );
  return results;
}

runAll().then((results) => {
  const simulated = (performance.now() - started) / 1000;
  console.log(report(results, measureSpeed(quick ? 101 : 501)));
  console.log(`simulated in ${simulated.toFixed(0)} s on ${Math.min(2, availableParallelism())} cores${quick ? ' (--quick)' : ''}`);
});
