import { runSchedule } from './run-schedule';
import type { Schedule } from './schedules';

// The clients make an Error at each call, in case that it fails; nobody reads where.
Error.stackTraceLimit = 0;

type Seeded = Schedule & { readonly seed: number };

/** Several worlds at a time: while one waits for its disk, another thinks. */
process.once('message', async ({ schedules, atOnce }: { schedules: readonly Seeded[]; atOnce: number }) => {
  const queue = schedules[Symbol.iterator]();
  const work = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) process.send!(await runSchedule(next.value, next.value.seed));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  process.disconnect();
});
