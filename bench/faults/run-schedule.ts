import { type Outcome, promotion } from '../../lib/promotion';
import { DurableExecutor } from '../../test/promotion/harness/durable-executor';
import { violations } from '../../test/promotion/harness/invariants';
import { World } from '../../test/promotion/harness/world';
import { type Calls, OPERATIONS, type Schedule } from './schedules';

export interface Run {
  readonly schedule: Schedule;
  readonly verdict: string;
  readonly violations: readonly string[];
}

/** Runs one schedule in a world of its own, and looks at what is left of it. */
export async function runSchedule(schedule: Schedule, seed: number): Promise<Run> {
  const world = await World.create({ 1: 0.001, 2: schedule.errorRate, ...(schedule.rival ? { 3: 0.3 } : {}) }, seed);
  try {
    for (const rule of schedule.rules) world.strike(rule);
    const [first, rival] = await Promise.all([promote(world, '2', schedule.crashes), schedule.rival ? promote(world, '3', {}) : undefined]);
    await world.clock.jump(300_000);
    const candidates = [
      { version: '2', bad: schedule.errorRate > 0.1, outcome: first },
      ...(rival ? [{ version: '3', bad: true, outcome: rival }] : []),
    ];
    return { schedule, verdict: first.verdict, violations: await violations(world, candidates) };
  } catch (error) {
    return { schedule, verdict: 'none', violations: [`the workflow ended without an outcome: ${(error as Error).message}`] };
  } finally {
    await world.close();
  }
}

/** What a promotion without faults asks, and how often it checkpoints: of a good and of a bad candidate, whichever is more. */
export async function survey(): Promise<{ calls: Calls; checkpoints: number }> {
  const calls: Record<string, number> = {};
  let checkpoints = 0;
  for (const errorRate of [0.001, 0.3]) {
    const world = await World.create({ 1: 0.001, 2: errorRate });
    const probes = Object.entries(OPERATIONS).flatMap(([service, operations]) =>
      operations.map((operation) => ({
        name: `${service} ${operation}`,
        probe: world.strike({ service, operation, kind: 'late', seconds: 0, probability: 0 }),
      })),
    );
    const executor = new DurableExecutor(world.clock);
    await executor.run<Outcome>(world.request('2'), promotion(world.ports), (alive, work) => world.process(alive, work));
    for (const { name, probe } of probes) calls[name] = Math.max(calls[name] ?? 0, probe.matched);
    checkpoints = Math.max(checkpoints, executor.checkpoints);
    await world.close();
  }
  return { calls, checkpoints };
}

function promote(world: World, version: string, crashes: Schedule['crashes']): Promise<Outcome> {
  const executor = new DurableExecutor(world.clock, (checkpoint) => crashes[checkpoint]);
  return executor.run<Outcome>(world.request(version), promotion(world.ports), (alive, work) => world.process(alive, work));
}
