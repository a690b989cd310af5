import { type Outcome, type PromotionRequest, promotion, type StagePlan } from '../../../lib/promotion';
import { DurableExecutor } from './durable-executor';
import { PLAN, World } from './world';

const open: World[] = [];

/** A world that {@link closeWorlds} closes. */
export async function world(errorRates: Record<string, number> = { 1: 0.001, 2: 0.001 }, retries = false): Promise<World> {
  const made = await World.create(errorRates, 1, retries);
  open.push(made);
  return made;
}

export async function closeWorlds(): Promise<void> {
  await Promise.all(open.splice(0).map((one) => one.close()));
}

/** Runs a version's promotion to its end, or to the end of its process. */
export function run(
  on: World,
  version = '2',
  plan: Partial<StagePlan> = {},
  over: Partial<PromotionRequest> = {},
  executor = new DurableExecutor(on.clock),
): Promise<Outcome> {
  const request = on.request(version, { plan: { ...PLAN, ...plan }, ...over });
  return executor.run<Outcome>(request, promotion(on.ports), (alive, work) => on.process(alive, work));
}

/** Runs version 2's promotion in a process that dies for good once something holds. */
export async function dying(on: World, isTime: () => Promise<boolean> | boolean, plan: Partial<StagePlan> = {}): Promise<void> {
  let dead = false;
  const watch = (): void =>
    on.later(10, async () => {
      dead = await isTime();
      if (!dead) watch();
    });
  watch();
  void new DurableExecutor(on.clock).run(on.request('2', { plan: { ...PLAN, ...plan } }), promotion(on.ports), (alive, work) =>
    dead ? new Promise(() => undefined) : on.process(() => !dead && alive(), work),
  );
  while (!dead) await on.clock.jump(10_000);
}
