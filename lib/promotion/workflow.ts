import type { DurableContext } from '@aws/durable-execution-sdk-js';
import { saying } from './aws-errors';
import { artifactProblem, samplesProblem } from './candidate-check';
import {
  type Base,
  createCandidateModel,
  createConfiguration,
  deleteConfiguration,
  deleteModel,
  isPlain,
  namesOf,
  readBase,
} from './configurations';
import { say } from './controls';
import { baselineQuantiles, type Quantile, type Segment } from './counts';
import { insist, reach } from './durable';
import { guardrails, look, type Move, towards, towardsShare } from './endpoint';
import { freeLock, keepLock, takeLock } from './lock';
import type { Ports } from './ports';
import { note, outcomeKey } from './record';
import { checkRequest, type Outcome, type PromotionRequest, type Step } from './request';
import { Store } from './store';
import { type End, type Tick, tick, untold, type Watch } from './tick';

/** Why a candidate does not go live, and where that was seen. */
class Withdrawal extends Error {
  constructor(
    readonly verdict: 'rolled back' | 'held',
    reason: string,
    readonly during: string,
    readonly verdictKey = '',
    readonly lost = false,
  ) {
    super(reason);
  }
}

/** A promotion: one candidate's way from an approved model package to live, or back. Every line may be run again; see `docs/promotion.md`. */
export function promotion(ports: Ports) {
  return async (request: PromotionRequest, context: DurableContext): Promise<Outcome> => {
    checkRequest(request);
    const store = new Store(ports, request.bucket);
    const startedAt = await insist(context, 'begin', async () => {
      const at = ports.now();
      await note(store, request, '000-begin', {
        at,
        what: 'begin',
        sentence: `${request.modelPackageArn} wants to go live on ${request.endpointName}`,
        request,
      });
      return at;
    });
    const way = new Way(ports, store, request, context, startedAt);
    let end: { verdict: Outcome['verdict']; reason: string; during: string; verdictKey: string };
    try {
      end = await way.take();
    } catch (error) {
      const withdrawal = error instanceof Withdrawal ? error : new Withdrawal('rolled back', saying(error), way.during);
      if (!withdrawal.lost) await way.back();
      end = { verdict: withdrawal.verdict, reason: withdrawal.message, during: withdrawal.during, verdictKey: withdrawal.verdictKey };
    }
    return way.conclude(end);
  };
}

class Way {
  during = 'check';
  private base: Base | undefined;
  private changed = false;
  private segments: Segment[] = [];
  private readonly names: ReturnType<typeof namesOf>;
  private readonly bin: number;

  constructor(
    private readonly ports: Ports,
    private readonly store: Store,
    private readonly request: PromotionRequest,
    private readonly context: DurableContext,
    private readonly startedAt: number,
  ) {
    this.names = namesOf(request);
    this.bin = request.plan.binSeconds ?? 60;
  }

  /** The way to live, as it reads. @throws Withdrawal from anywhere on it */
  async take() {
    const { ports, request, context } = this;
    await this.waitForTurn();
    await this.refuseOn('check the artifact', () => artifactProblem(ports, request));
    const configName = (await insist(context, 'look at the endpoint', () => look(ports, request.endpointName))).configName;
    const base = await insist(context, 'read what is live', () => readBase(ports, configName));
    this.base = base;
    const quantiles = await insist(context, 'measure the live latency', () =>
      baselineQuantiles(ports, request.endpointName, base.variant.VariantName!, request.plan),
    );
    if (quantiles.length === 0 && request.plan.metrics.some((metric) => metric.kind === 'latency')) {
      throw new Withdrawal(
        'held',
        `no request reached ${request.endpointName} in the ${request.plan.baselineSeconds ?? 3600} s before: there is no latency to compare with`,
        this.during,
      );
    }
    await insist(context, 'note the way back', () =>
      keepLock(ports, this.store, request.endpointName, request.promotionId, base.configName),
    );
    await insist(context, 'create the model', () => createCandidateModel(ports, request, base));

    const { plan } = request;
    const shadows = plan.steps.filter((step) => step.kind === 'shadow');
    for (const [i, step] of shadows.entries()) await this.mirror(step, i, quantiles);
    await this.stage();
    await this.refuseOn('ask the recorded samples', () => samplesProblem(ports, request));
    const verdict = await this.route(
      plan.steps.filter((step) => step.kind === 'percent'),
      quantiles,
    );
    await this.goLive();
    return { verdict: 'promoted' as const, reason: verdict.sentence, during: this.during, verdictKey: verdict.verdictKey };
  }

  /** The way back, insisted on: off the traffic first, then what was live before, then what is left over. */
  async back(): Promise<void> {
    const { ports, request, base } = this;
    if (!base || !this.changed) return this.clean('rolled back');
    await this.move('take the candidate off the traffic', 600, (move) =>
      towardsShare(ports, request.endpointName, base.variant.VariantName!, 0, move),
    );
    for (let attempt = 1; ; attempt++) {
      const moved = await this.move(`go back to ${base.configName}, attempt ${attempt}`, 7200, (move) =>
        towards(ports, request.endpointName, base.configName, undefined, 'of the target', move),
      );
      if (moved.state === 'done') return this.clean('rolled back');
      if (moved.state === 'lost') return;
      if (attempt === 100) throw new Error(`${request.endpointName} could not be taken back to ${base.configName}: ${moved.reason}`);
      await this.context.wait(`before attempt ${attempt + 1}`, { seconds: Math.min(300, 5 * attempt) });
    }
  }

  async conclude(end: { verdict: Outcome['verdict']; reason: string; during: string; verdictKey: string }): Promise<Outcome> {
    const { ports, store, request } = this;
    return insist(this.context, 'conclude', async () => {
      const outcome: Outcome = {
        promotionId: request.promotionId,
        endpointName: request.endpointName,
        modelPackageArn: request.modelPackageArn,
        verdict: end.verdict,
        reason: end.reason,
        startedAt: this.startedAt,
        endedAt: ports.now(),
        during: end.during,
        verdictKey: end.verdictKey === '' ? null : end.verdictKey,
        endpointConfigName: (await look(ports, request.endpointName)).configName,
      };
      await note(store, request, '999-outcome', {
        at: outcome.endedAt,
        what: 'outcome',
        sentence: `${end.verdict}: ${end.reason}`,
        outcome,
      });
      await store.create(outcomeKey(request.endpointName, request.promotionId), outcome);
      await freeLock(store, request.endpointName, request.promotionId);
      return outcome;
    });
  }

  /** One promotion an endpoint: waits for the one under way, or has it give way; mends what a dead one left. */
  private async waitForTurn(): Promise<void> {
    const { ports, store, request, plan } = this.all();
    const patience = (plan.deadlineSeconds ?? 86_400) * 1000;
    const turn = await this.context.waitForCondition(
      'wait for the turn',
      async (state: { held: boolean; owner: string; abandoned: string; given: boolean }) => {
        try {
          const found = await takeLock(ports, store, request.endpointName, request.promotionId);
          if (!found.held && found.owner !== '' && found.owner !== state.owner && plan.whenBusy === 'supersede') {
            const reason = `${request.promotionId} is newer`;
            await say(ports, store, request.endpointName, found.owner, { command: 'abort', by: 'the stage', reason });
          }
          return { ...found, given: !found.held && ports.now() - this.startedAt > patience };
        } catch {
          return { ...state, given: ports.now() - this.startedAt > patience };
        }
      },
      {
        initialState: { held: false, owner: '', abandoned: '', given: false },
        waitStrategy: (state) =>
          state.held || state.given ? { shouldContinue: false } : { shouldContinue: true, delay: { seconds: plan.tickSeconds ?? 60 } },
      },
    );
    if (!turn.held) throw new Withdrawal('held', `${turn.owner} had the endpoint for ${patience / 1000} s`, this.during, '', true);
    if (turn.abandoned !== '') await this.mend(turn.abandoned);
  }

  /** Takes the endpoint back from a promotion that died with more than one variant serving. */
  private async mend(abandoned: string): Promise<void> {
    const { ports, request } = this;
    const plain = await insist(this.context, 'look at what was abandoned', async () =>
      isPlain(ports, (await look(ports, request.endpointName)).configName),
    );
    if (plain) return;
    const moved = await this.move(`go back to the abandoned ${abandoned}`, 7200, (move) =>
      towards(ports, request.endpointName, abandoned, undefined, 'of the target', move),
    );
    this.mustBeDone(moved, 'the endpoint was left half way by another promotion and could not be mended');
  }

  /** Mirrors requests to the candidate: its answers are dropped, its errors and its latency judged. */
  private async mirror(step: Step, i: number, quantiles: readonly Quantile[]): Promise<void> {
    const { ports, request, base } = this.all();
    const percent = step.percent ?? 100;
    this.during = `shadow ${percent} %`;
    await insist(this.context, `create the ${this.during} configuration`, () =>
      createConfiguration(ports, request, base, 'shadow', percent),
    );
    await this.mustReach(`bring the ${this.during} in`, this.names.shadow);
    // Mirroring p percent makes the candidate's part of all answers p / (100 + p).
    await this.open(percent / (100 + percent));
    await this.watch({ ...this.stretch(step, i, quantiles), expectedConfig: this.names.shadow, percent: 0, goal: 'bake' }, 'rolled back');
    this.segments = [];
  }

  /** Brings the candidate variant in without traffic. */
  private async stage(): Promise<void> {
    const { ports, request, base } = this.all();
    this.during = 'stage';
    await insist(this.context, 'create the canary configuration', () => createConfiguration(ports, request, base, 'canary'));
    await this.mustReach('bring the candidate in', this.names.canary);
  }

  /** Rising shares, judged at every tick; the last one lasts as long as the evidence takes. */
  private async route(steps: readonly Step[], quantiles: readonly Quantile[]): Promise<Tick> {
    const { ports, request, plan, base } = this.all();
    const live = base.variant.VariantName!;
    const deadline = (await this.now('start the deadline')) + (plan.deadlineSeconds ?? 86_400) * 1000;
    let last: Tick = untold;
    for (const [i, step] of steps.entries()) {
      this.during = `${step.percent} %`;
      await this.close();
      const moved = await this.move(`route ${this.during}`, 1800, (move) =>
        towardsShare(ports, request.endpointName, live, step.percent!, move),
      );
      this.mustBeDone(moved, `${this.during} could not be routed`);
      await this.open(step.percent! / 100);
      const isLast = i === steps.length - 1;
      const watch = { ...this.stretch(step, 100 + i, quantiles), expectedConfig: this.names.canary, percent: step.percent!, deadline };
      last = await this.watch({ ...watch, goal: isLast ? 'evidence' : 'bake' }, plan.onDeadline ?? 'rollBack');
    }
    const wantsApproval = plan.approval === 'manual' || (last.end === 'deadline' && plan.onDeadline === 'ask');
    if (!wantsApproval) return last;
    this.during = 'approval';
    const patience = (plan.approvalSeconds ?? 604_800) * 1000;
    const from = await this.now('start to wait for approval');
    const share = steps.at(-1)!.percent!;
    const approved = await this.watch(
      {
        ...this.stretch(steps.at(-1)!, 200, quantiles),
        expectedConfig: this.names.canary,
        percent: share,
        goal: 'approval',
        until: from,
        deadline: from + patience,
      },
      'hold',
    );
    return { ...last, sentence: `${last.sentence}; ${approved.sentence}` };
  }

  /** The live variant moves under guardrails; then the candidate variant goes. From the first of the two on, the candidate is live. */
  private async goLive(): Promise<void> {
    const { ports, request, base } = this.all();
    this.during = 'go live';
    await this.close();
    await insist(this.context, 'create the live configuration', () => createConfiguration(ports, request, base, 'live'));
    const moved = await this.move(
      'move the live variant',
      (request.plan.updateSeconds ?? 3600) + (request.plan.guardrail?.waitSeconds ?? 300),
      (move) => towards(ports, request.endpointName, this.names.live, guardrails(request.plan), 'keep', move),
    );
    this.mustBeDone(moved, 'the live variant did not move');
    await insist(this.context, 'create the final configuration', () => createConfiguration(ports, request, base, 'final'));
    for (let attempt = 1; attempt <= 100; attempt++) {
      const done = await this.move(`take the candidate variant out, attempt ${attempt}`, 7200, (move) =>
        towards(ports, request.endpointName, this.names.final, undefined, 'of the target', move),
      );
      if (done.state !== 'failed') break;
      await this.context.wait(`before attempt ${attempt + 1}`, { seconds: Math.min(300, 5 * attempt) });
    }
    await this.clean('promoted');
  }

  /** Deletes what the promotion made and no longer serves; the old configuration last, and only if a promotion made it. */
  private async clean(verdict: 'promoted' | 'rolled back'): Promise<void> {
    const { ports, request, names, base } = this;
    await insist(this.context, 'clean up', async () => {
      const { configName } = await look(ports, request.endpointName);
      const made = [names.shadow, names.canary, names.live, names.final];
      const old = base && /-[0-9a-f]{12}-final$/.test(base.configName) && verdict === 'promoted' ? [base.configName] : [];
      for (const name of [...made, ...old]) if (name !== configName) await deleteConfiguration(ports, name);
      if (verdict === 'rolled back' && !made.includes(configName)) await deleteModel(ports, names.model);
    });
  }

  /** Watches one stretch to its end. @throws Withdrawal unless it ended well */
  private async watch(watch: Watch, atDeadline: 'rollBack' | 'hold' | 'promote' | 'ask' | 'rolled back'): Promise<Tick> {
    const { ports, store, request, plan } = this.all();
    const seconds = plan.tickSeconds ?? 60;
    const end = await this.context.waitForCondition<Tick>(
      `judge ${watch.name}${watch.goal === 'approval' ? ', waiting for approval' : ''}`,
      async (before) => {
        try {
          return await tick(ports, store, request, watch, before);
        } catch (error) {
          // Without a look there is no verdict; a long blindness ends like an invalid comparison.
          const invalidTicks = before.invalidTicks + 1;
          return { ...before, invalidTicks, sentence: saying(error), end: invalidTicks >= 10 ? 'invalid' : '' };
        }
      },
      {
        initialState: untold,
        waitStrategy: (state) => (state.end === '' ? { shouldContinue: true, delay: { seconds } } : { shouldContinue: false }),
      },
    );
    const withdraw = (verdict: 'rolled back' | 'held', reason = end.sentence, lost = false): never => {
      throw new Withdrawal(verdict, reason, watch.name, end.verdictKey, lost);
    };
    const ends: Record<End, () => Tick> = {
      '': () => end,
      passed: () => end,
      rollBack: () => withdraw('rolled back'),
      invalid: () => withdraw('rolled back', `the comparison is invalid: ${end.sentence}`),
      aborted: () => withdraw('rolled back'),
      lost: () => withdraw('rolled back', end.sentence, true),
      deadline: () => {
        if (atDeadline === 'promote' || atDeadline === 'ask')
          return { ...end, sentence: `at the deadline, without enough evidence: ${end.sentence}` };
        return withdraw(atDeadline === 'hold' ? 'held' : 'rolled back', `not enough evidence by the deadline: ${end.sentence}`);
      },
    };
    return ends[end.end]();
  }

  private stretch(step: Step, place: number, quantiles: readonly Quantile[]): Omit<Watch, 'expectedConfig' | 'percent' | 'goal'> {
    const from = this.segments.at(-1)!.from * 1000;
    const until = from + (step.bakeSeconds ?? 300) * 1000;
    return {
      place: `${String(100 + place).padStart(3, '0')}-${this.during.replace(/[^a-z0-9]+/gi, '-')}-verdict`,
      name: this.during,
      liveVariant: this.base!.variant.VariantName!,
      quantiles,
      segments: [...this.segments],
      until,
      deadline: until + 3_600_000,
    };
  }

  private async mustReach(name: string, target: string): Promise<void> {
    const { ports, request } = this;
    this.changed = true;
    const moved = await this.move(name, request.plan.updateSeconds ?? 3600, (move) =>
      towards(ports, request.endpointName, target, undefined, 'of the target', move),
    );
    this.mustBeDone(moved, 'the candidate did not come up');
  }

  private mustBeDone(moved: Move, otherwise: string): void {
    if (moved.state !== 'done')
      throw new Withdrawal('rolled back', `${otherwise}: ${moved.reason}`, this.during, '', moved.state === 'lost');
  }

  /** A change of the endpoint, made only while the lock is held. */
  private move(name: string, withinSeconds: number, push: (move: Move) => Promise<Move>): Promise<Move> {
    const { ports, store, request } = this;
    const everySeconds = Math.min(15, request.plan.tickSeconds ?? 60);
    return reach(this.context, ports, name, { everySeconds, withinSeconds }, async (move) => {
      if (!(await keepLock(ports, store, request.endpointName, request.promotionId)))
        return { ...move, state: 'lost', reason: 'another promotion has taken the endpoint over' };
      return push(move);
    });
  }

  private async refuseOn(name: string, problem: () => Promise<string>): Promise<void> {
    const found = await insist(this.context, name, problem);
    if (found !== '') throw new Withdrawal('rolled back', found, this.during);
  }

  /** Only whole bins with one share are compared: a segment opens at the next edge and closes at the last one. */
  private async open(share: number): Promise<void> {
    const now = await this.now(`begin ${this.during}`);
    this.segments.push({ from: Math.ceil(now / 1000 / this.bin) * this.bin, until: 0, share });
  }

  private async close(): Promise<void> {
    const last = this.segments.at(-1);
    if (!last) return;
    const now = await this.now(`end ${this.during} at ${this.segments.length}`);
    this.segments[this.segments.length - 1] = { ...last, until: Math.floor(now / 1000 / this.bin) * this.bin };
  }

  private now(name: string): Promise<number> {
    return insist(this.context, name, async () => this.ports.now());
  }

  private all() {
    return { ports: this.ports, store: this.store, request: this.request, plan: this.request.plan, base: this.base! };
  }
}
