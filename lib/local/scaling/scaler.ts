import type { LocalContext } from '../context';
import type { MetricSource } from '../metrics';
import { ServiceError } from '../server';
import type { Table } from '../storage/state';
import { type ScalingPolicy, wantedInstances } from './policies';
import { INSTANCES, keyOf, type ScalableTarget, type ScaledVariant, variantOf } from './scalable-targets';
import { isDue, type ScheduledAction } from './schedule';
import { steppedInstances } from './step-scaling';

/** How scaling reaches the endpoints. */
export interface Variants {
  find(endpoint: string, variant: string): ScaledVariant | undefined;
  /** @throws ServiceError while the endpoint is being updated */
  resize(endpoint: string, variant: string, instances: number): void;
}

/** Alarms in state ALARM that have this action, by how far their last datapoint is above their threshold. */
export type Breaches = (action: string) => readonly number[];

interface Activity {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/** What one policy asks for. */
interface Wish {
  readonly instances: number;
  /** Seconds. */
  readonly cooldown: number;
}

const LOOK_EVERY = 60_000;
const COOLDOWN = 300;

/** Carries scaling out, at every whole minute: scheduled actions that fell due, then each target within its bounds and where its policies want it. */
export class Scaler {
  private readonly activities = new Map<string, Activity>();
  private looked: number;

  constructor(
    private readonly context: Pick<LocalContext, 'clock'>,
    private readonly variants: Variants,
    private readonly sources: readonly MetricSource[],
    private readonly breaches: Breaches,
    private readonly kept: {
      readonly targets: Table<ScalableTarget>;
      readonly policies: Table<ScalingPolicy>;
      readonly actions: Table<ScheduledAction>;
      readonly policyArn: (policy: ScalingPolicy) => string;
    },
  ) {
    this.looked = context.clock.now();
    this.look();
  }

  private look(): void {
    const { clock } = this.context;
    clock.schedule(LOOK_EVERY - (clock.now() % LOOK_EVERY), () => {
      const now = clock.now();
      for (const action of this.kept.actions.values()) if (isDue(action, this.looked, now)) this.act(action);
      this.looked = now;
      for (const target of this.kept.targets.values()) this.scale(target, now);
      this.look();
    });
  }

  private act(action: ScheduledAction): void {
    const target = this.kept.targets.get(keyOf(action));
    if (!target) return;
    const { MinCapacity = target.MinCapacity, MaxCapacity = target.MaxCapacity } = action.ScalableTargetAction ?? {};
    this.kept.targets.set(keyOf(action), { ...target, MinCapacity, MaxCapacity });
  }

  private scale(target: ScalableTarget, now: number): void {
    const place = variantOf(target);
    const variant = place && this.variants.find(place.endpoint, place.variant);
    if (!place || !variant || target.ScalableDimension !== INSTANCES) return;
    const { instances } = variant;
    const bounded = (wish: number) => Math.min(target.MaxCapacity, Math.max(target.MinCapacity, wish));
    const last = this.activities.get(keyOf(target));
    // The largest wish counts.
    const wish = this.wishes(target, instances, last, now).sort((a, b) => b.instances - a.instances)[0];
    const inBounds = bounded(instances);
    const isCooling = wish !== undefined && last !== undefined && now - last.at < wish.cooldown * 1000;
    const wanted = wish === undefined || inBounds !== instances ? inBounds : bounded(wish.instances);
    // A fleet out of its bounds waits for nothing; neither does one that must grow.
    if (wanted === instances || (isCooling && inBounds === instances && wanted < instances)) return;
    try {
      this.variants.resize(place.endpoint, place.variant, wanted);
      this.activities.set(keyOf(target), { at: now, before: instances, after: wanted });
    } catch (error) {
      // Scaling is blocked during an update; the next look tries again.
      if (!(error instanceof ServiceError)) throw error;
    }
  }

  private wishes(target: ScalableTarget, instances: number, last: Activity | undefined, now: number): Wish[] {
    const policies = this.kept.policies.values().filter((policy) => keyOf(policy) === keyOf(target));
    return policies.flatMap((policy): Wish[] => {
      const steps = policy.StepScalingPolicyConfiguration;
      if (steps) {
        const cooldown = steps.Cooldown ?? COOLDOWN;
        const breaches = this.breaches(this.kept.policyArn(policy));
        return breaches
          .flatMap((breach) => this.stepped(policy, breach, instances, last, now) ?? [])
          .map((wish) => ({ instances: wish, cooldown }));
      }
      const wish = wantedInstances(policy, this.sources, instances, now);
      if (wish === undefined) return [];
      const { ScaleOutCooldown, ScaleInCooldown } = policy.TargetTrackingScalingPolicyConfiguration!;
      const cooldown = (wish > instances ? ScaleOutCooldown : ScaleInCooldown) ?? COOLDOWN;
      return [{ instances: wish > instances && hasJustGrown(last, cooldown, now) ? instances : wish, cooldown }];
    });
  }

  /** While a scale-out cools down, what it added is part of what is asked for now. */
  private stepped(policy: ScalingPolicy, breach: number, instances: number, last: Activity | undefined, now: number): number | undefined {
    const steps = policy.StepScalingPolicyConfiguration!;
    const isCooling = hasJustGrown(last, steps.Cooldown ?? COOLDOWN, now);
    const wish = steppedInstances(steps, breach, isCooling ? last.before : instances);
    return wish !== undefined && isCooling ? Math.max(instances, wish) : wish;
  }
}

/** Whether a scale-out still cools down. */
const hasJustGrown = (last: Activity | undefined, cooldown: number, now: number): last is Activity =>
  last !== undefined && last.after > last.before && now - last.at < cooldown * 1000;
