/** Runs promotions under thousands of schedules of faults and counts what was promised and not held: `npm run bench:faults [-- --quick | --schedules N]`. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { type Run, survey } from './faults/run-schedule';
import { pair, type Schedule, singles, storm } from './faults/schedules';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
const WORKERS = 2;
const AT_ONCE = 8;
const WANTED = 10_000;

async function main(): Promise<void> {
  const quick = process.argv.includes('--quick');
  const asked = process.argv.indexOf('--schedules');
  const count = asked > 0 ? Number(process.argv[asked + 1]) : quick ? 60 : WANTED;
  const { calls, checkpoints } = await survey();
  const all = singles(calls, checkpoints);
  const total = Object.values(calls).reduce((sum, one) => sum + one, 0);
  console.log(
    `a promotion makes up to ${total} calls of ${Object.keys(calls).length} operations and ${checkpoints} checkpoints: ${all.length} single faults`,
  );
  const alone = count >= all.length ? all : all.filter((_, i) => i % Math.ceil((3 * all.length) / count) === 0);
  const schedules = alone.map((one, i) => ({ ...one, seed: i }));
  const rest = count - schedules.length;
  for (let i = 0; i < Math.floor(rest / 2); i++) schedules.push({ ...pair(all, 1_000_000 + i), seed: i });
  while (schedules.length < count) schedules.push({ ...storm(2_000_000 + schedules.length, checkpoints), seed: schedules.length });

  const runs = await run(schedules);
  const kinds = { 'single faults': alone.length, pairs: Math.floor(rest / 2), storms: count - alone.length - Math.floor(rest / 2) };
  for (const [name, number] of Object.entries(kinds)) console.log(`${String(number).padStart(6)} ${name}`);
  for (const verdict of ['promoted', 'rolled back', 'held', 'died'])
    console.log(`${String(runs.filter((one) => one.verdict === verdict).length).padStart(6)} ${verdict}`);
  const broken = runs.filter((one) => one.violations.length > 0);
  for (const { schedule, violations } of broken.slice(0, 40))
    console.log(`${schedule.name} (candidate with ${100 * schedule.errorRate} % errors): ${violations.join('; ')}`);
  const enough = runs.length >= WANTED;
  console.log(
    `goal faults-schedules: ${runs.length} (wanted at least ${WANTED}) ${enough ? 'met' : `missed${quick ? ': this is the smaller run' : ''}`}`,
  );
  console.log(`goal faults-violations: ${broken.length} (wanted 0) ${broken.length === 0 ? 'met' : 'missed'}`);
}

function run(schedules: readonly (Schedule & { seed: number })[]): Promise<Run[]> {
  const runs: Run[] = [];
  const began = Date.now();
  return new Promise((resolve, reject) => {
    let left = WORKERS;
    for (let i = 0; i < WORKERS; i++) {
      const mine = schedules.filter((_, at) => at % WORKERS === i);
      const worker = fork(join(__dirname, 'faults', 'worker.ts'), { execArgv: ['--import', 'tsx'] });
      worker.send({ schedules: mine, atOnce: AT_ONCE });
      worker.on('message', (one: Run) => {
        runs.push(one);
        if (one.violations.length > 0) process.stderr.write(`${one.schedule.name}: ${one.violations.join('; ')}\n`);
        if (runs.length % 100 === 0)
          process.stderr.write(`${runs.length} of ${schedules.length} after ${Math.round((Date.now() - began) / 1000)} s\n`);
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        left -= 1;
        if (left === 0) resolve(runs);
      });
    }
  });
}

void main();
