import { type Outcome, promotion } from '../../lib/promotion';
import { autoscale, onOtherInstances, scalingOf } from '../../test/promotion/harness/autoscaled';
import { DurableExecutor } from '../../test/promotion/harness/durable-executor';
import { violations } from '../../test/promotion/harness/invariants';
import { ENDPOINT, PLAN, World } from '../../test/promotion/harness/world';
import { type Calls, OPERATIONS, type Schedule } from './schedules';

/** Half as many looks of the judge: each of them has all that a step needs. */
const SPARSE = { plan: { ...PLAN, tickSeconds: 120 } };

export interface Run {
  readonly schedule: Schedule;
  readonly verdict: string;
  readonly violations: readonly string[];
}

/** Runs one schedule in a world of its own, and looks at what is left of it. */
export async function runSchedule(schedule: Schedule, seed: number): Promise<Run> {
  const follows = schedule.dies !== undefined || schedule.denied !== undefined;
  const other: Record<string, number> = schedule.rival ? { 3: 0.3 } : follows ? { 3: 0.001 } : {};
  const world = await World.create({ 1: 0.001, 2: schedule.errorRate, ...other }, seed, schedule.retries);
  try {
    if (schedule.scaled) {
      await onOtherInstances(world);
      await autoscale(world);
    }
    const before = schedule.scaled ? JSON.stringify(await scalingOf(world)) : undefined;
    const rules = [...schedule.rules, ...(schedule.denied ? [schedule.denied] : [])].map((rule) => world.strike(rule));
    if (schedule.maintained) maintain(world, schedule.maintained);
    const [first, rival] = await Promise.all([promote(world, '2', schedule), schedule.rival ? promote(world, '3') : undefined]);
    // The one that follows finds everything allowed, and no storm: it must mend what was left and go live.
    if (follows) for (const rule of rules) rule.remove();
    const next = follows ? await promote(world, '3') : undefined;
    await world.clock.jump(300_000);
    const candidates = [
      ...(first ? [{ version: '2', bad: schedule.errorRate > 0.1, outcome: first }] : []),
      ...(rival ? [{ version: '3', bad: true, outcome: rival }] : []),
      ...(next ? [{ version: '3', bad: false, outcome: next }] : []),
    ];
    const found = await violations(world, candidates);
    // The judge may be wrong about a good one, as often as it says: then it has a verdict to show.
    if (next && next.verdict !== 'promoted' && next.verdictKey === null) found.push(`the next one was ${next.verdict}: ${next.reason}`);
    const said = candidates.some(({ outcome }) => /could not be put back/.test(outcome.reason));
    if (before && !said && JSON.stringify(await scalingOf(world)) !== before) found.push('the live variant is not scaled as before');
    return { schedule, verdict: first?.verdict ?? 'died', violations: found };
  } catch (error) {
    return { schedule, verdict: 'none', violations: [`the workflow ended without an outcome: ${(error as Error).message}`] };
  } finally {
    await world.close();
  }
}

/** Begins SageMaker's own maintenance right before the nth call of an operation, if that is possible then. */
function maintain(world: World, { operation, nth }: NonNullable<Schedule['maintained']>): void {
  let seen = 0;
  world.local.faults.observe((passed) => {
    if (passed.operation !== operation) return;
    seen += 1;
    if (seen !== nth) return;
    try {
      world.local.maintain(ENDPOINT, 200);
    } catch {
      // It is being updated already.
    }
  });
}

/** What a promotion without faults asks, and how often it checkpoints: of a good and of a bad candidate, whichever is more. */
export async function survey(): Promise<{ calls: Calls; checkpoints: number }> {
  const calls: Record<string, number> = {};
  let checkpoints = 0;
  for (const [errorRate, scaled] of [
    [0.001, false],
    [0.3, false],
    [0.001, true],
  ] as const) {
    const world = await World.create({ 1: 0.001, 2: errorRate });
    if (scaled) {
      await onOtherInstances(world);
      await autoscale(world);
    }
    const probes = Object.entries(OPERATIONS).flatMap(([service, operations]) =>
      operations.map((operation) => ({
        name: `${service} ${operation}`,
        probe: world.strike({ service, operation, kind: 'late', seconds: 0, probability: 0 }),
      })),
    );
    const executor = new DurableExecutor(world.clock);
    await executor.run<Outcome>(world.request('2', SPARSE), promotion(world.ports), (alive, work) => world.process(alive, work));
    for (const { name, probe } of probes) calls[name] = Math.max(calls[name] ?? 0, probe.matched);
    checkpoints = Math.max(checkpoints, executor.checkpoints);
    await world.close();
  }
  return { calls, checkpoints };
}

/** @returns undefined where it died for good */
async function promote(world: World, version: string, { crashes, dies }: Partial<Schedule> = {}): Promise<Outcome | undefined> {
  let dead = false;
  let bury: (value: undefined) => void = () => {};
  const buried = new Promise<undefined>((resolve) => {
    bury = resolve;
  });
  const executor = new DurableExecutor(world.clock, (checkpoint) => {
    if (checkpoint !== dies) return crashes?.[checkpoint];
    dead = true;
    bury(undefined);
    return 'after';
  });
  const running = executor.run<Outcome>(world.request(version, SPARSE), promotion(world.ports), (alive, work) =>
    dead ? new Promise(() => undefined) : world.process(() => !dead && alive(), work),
  );
  return Promise.race([running, buried]);
}
