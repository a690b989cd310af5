import type { DurableContext } from '@aws/durable-execution-sdk-js';
import { saying } from './aws-errors';
import { artifactProblem, samplesProblem } from './candidate-check';
import { type Base, createCandidateModel, createConfiguration, isLive, namesOf, readBase } from './configurations';
import { baselineQuantiles, type Quantile, type Segment } from './counts';
import { insist } from './durable';
import { guardrails, look, towards, towardsShare } from './endpoint';
import { freeLock, keepLock } from './lock';
import { announce } from './notices';
import type { Ports } from './ports';
import { note, outcomeKey } from './record';
import { checkRequest, type Outcome, type PromotionRequest, type Step } from './request';
import { noteStart } from './start';
import { Store } from './store';
import { type End, type Tick, tick, untold, type Watch } from './tick';
import { mend, waitForTurn } from './turn';
import { change, mustBeDone, type UnderWay, Withdrawal } from './under-way';
import { clean, goBack, settleOn } from './way-back';

/** A promotion: one candidate's way from an approved model package to live, or back. Every line may be run again; see `docs/promotion.md`. */
export function promotion(ports: Ports) {
  return async (request: PromotionRequest, context: DurableContext): Promise<Outcome> => {
    checkRequest(request);
    const store = new Store(ports, request.bucket);
    const startedAt = await insist(context, 'begin', () => begin(ports, store, request));
    const run = context.executionContext.durableExecutionArn;
    const way = new Way({ ports, store, request, context, run, startedAt, names: namesOf(request) });
    let end: Ended;
    try {
      const abandoned = await waitForTurn(way.underWay);
      const earlier = await insist(context, 'look whether it is over', () => outcomeOf(store, request));
      if (earlier) {
        await insist(context, 'free the lock', () => freeLock(store, request, run, abandoned));
        return earlier;
      }
      if (abandoned !== '') await way.mend(abandoned);
      end = await way.take();
    } catch (error) {
      const withdrawal = error instanceof Withdrawal ? error : new Withdrawal('rolled back', saying(error), way.during);
      end = withdrawal.lost ? ended(withdrawal) : await way.back(withdrawal);
    }
    const outcome = await way.conclude(end);
    await announce(way.underWay, outcome.verdict, { sentence: outcome.reason, outcome });
    return outcome;
  };
}

/** Notes that it began. @returns when, milliseconds since 1970 */
async function begin(ports: Ports, store: Store, request: PromotionRequest): Promise<number> {
  const at = ports.now();
  const sentence = `${request.modelPackageArn} wants to go live on ${request.endpointName}`;
  await note(store, request, '000-begin', { at, what: 'begin', sentence, request });
  return at;
}

const outcomeOf = async (store: Store, { endpointName, promotionId }: PromotionRequest): Promise<Outcome | null> =>
  (await store.read<Outcome>(outcomeKey(endpointName, promotionId)))?.value ?? null;

type Ended = Pick<Outcome, 'verdict' | 'reason' | 'during' | 'verdictKey'>;

const ended = ({ verdict, message, during, verdictKey }: Withdrawal): Ended => ({
  verdict,
  reason: message,
  during,
  verdictKey: verdictKey === '' ? null : verdictKey,
});

class Way {
  during = 'check';
  private base: Base | undefined;
  private changed = false;
  /** Where the next promotion must take the endpoint back to, should this one not get it there. */
  private left = '';
  private segments: Segment[] = [];
  private readonly bin: number;

  constructor(readonly underWay: UnderWay) {
    this.bin = underWay.request.plan.binSeconds ?? 60;
  }

  async mend(abandoned: string): Promise<void> {
    this.left = abandoned;
    await mend(this.underWay, abandoned);
    this.left = '';
  }

  /** The way to live, as it reads. @throws Withdrawal from anywhere on it */
  async take(): Promise<Ended> {
    const { ports, request, context, store, run } = this.all();
    const { configName } = await insist(context, 'look at the endpoint', () => look(ports, request.endpointName));
    if (await insist(context, 'look whether it is live already', () => isLive(ports, request, configName)))
      return { verdict: 'promoted', reason: 'already live', during: this.during, verdictKey: null };
    await announce(this.underWay, 'started', { sentence: `${request.modelPackageArn} is on its way to live on ${request.endpointName}` });
    await this.refuseOn('check the artifact', () => artifactProblem(ports, request));
    const base = await insist(context, 'read what is live', () => readBase(ports, configName));
    this.base = base;
    await insist(context, 'note the start', () => noteStart(ports, store, request, base));
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
    await insist(context, 'note the way back', () => keepLock(ports, store, request, run, base.configName));
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
    const left = await this.goLive();
    const reason = [verdict.sentence, ...left].join('; ');
    return { verdict: 'promoted', reason, during: this.during, verdictKey: verdict.verdictKey };
  }

  /** Undoes what was begun. Where even that cannot be, the candidate is held, and the next promotion begins by it. */
  async back(withdrawal: Withdrawal): Promise<Ended> {
    const { base } = this;
    const problem = base && this.changed ? await goBack(this.underWay, base) : '';
    if (problem !== '') {
      this.left = base!.configName;
      return { ...ended(withdrawal), verdict: 'held', reason: `${withdrawal.message}; ${problem}` };
    }
    const left = await clean(this.underWay, base, 'rolled back');
    return { ...ended(withdrawal), reason: [withdrawal.message, ...(left === '' ? [] : [left])].join('; ') };
  }

  async conclude(end: Ended): Promise<Outcome> {
    const { ports, store, request, run, startedAt } = this.all();
    return insist(this.underWay.context, 'conclude', async () => {
      const { promotionId, endpointName, modelPackageArn } = request;
      const endpointConfigName = (await look(ports, endpointName)).configName;
      const outcome: Outcome = { promotionId, endpointName, modelPackageArn, ...end, startedAt, endedAt: ports.now(), endpointConfigName };
      const sentence = `${end.verdict}: ${end.reason}`;
      await note(store, request, '999-outcome', { at: outcome.endedAt, what: 'outcome', sentence, outcome });
      await store.create(outcomeKey(endpointName, promotionId), outcome);
      await freeLock(store, request, run, this.left);
      return outcome;
    });
  }

  /** Mirrors requests to the candidate: its answers are dropped, its errors and its latency judged. */
  private async mirror(step: Step, i: number, quantiles: readonly Quantile[]): Promise<void> {
    const { ports, request, base } = this.all();
    const percent = step.percent ?? 100;
    this.during = `shadow ${percent} %`;
    await insist(this.underWay.context, `create the ${this.during} configuration`, () =>
      createConfiguration(ports, request, base, 'shadow', percent),
    );
    await this.mustReach(`bring the ${this.during} in`, this.underWay.names.shadow);
    // Mirroring p percent makes the candidate's part of all answers p / (100 + p).
    await this.open(percent / (100 + percent));
    await this.watch(
      { ...this.stretch(step, i, quantiles), expectedConfig: this.underWay.names.shadow, percent: 0, goal: 'bake' },
      'rolled back',
    );
    this.segments = [];
  }

  /** Brings the candidate variant in without traffic. */
  private async stage(): Promise<void> {
    const { ports, request, base } = this.all();
    this.during = 'stage';
    await insist(this.underWay.context, 'create the canary configuration', () => createConfiguration(ports, request, base, 'canary'));
    await this.mustReach('bring the candidate in', this.underWay.names.canary);
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
      const moved = await change(this.underWay, `route ${this.during}`, 1800, (move) =>
        towardsShare(ports, request.endpointName, live, step.percent!, move),
      );
      mustBeDone(moved, `${this.during} could not be routed`, this.during);
      await this.open(step.percent! / 100);
      const isLast = i === steps.length - 1;
      const watch = {
        ...this.stretch(step, 100 + i, quantiles),
        expectedConfig: this.underWay.names.canary,
        percent: step.percent!,
        deadline,
      };
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
        expectedConfig: this.underWay.names.canary,
        percent: share,
        goal: 'approval',
        until: from,
        deadline: from + patience,
      },
      'hold',
    );
    return { ...last, sentence: `${last.sentence}; ${approved.sentence}` };
  }

  /**
   * The live variant moves under guardrails; then the candidate variant goes. From the first of the two on, the candidate is live.
   *
   * @returns what could not be cleared away
   */
  private async goLive(): Promise<string[]> {
    const { ports, request, base, context, names } = this.all();
    this.during = 'go live';
    await this.close();
    await insist(context, 'create the live configuration', () => createConfiguration(ports, request, base, 'live'));
    await insist(context, 'create the final configuration', () => createConfiguration(ports, request, base, 'final'));
    const within = (request.plan.updateSeconds ?? 3600) + (request.plan.guardrail?.waitSeconds ?? 300);
    const moved = await change(this.underWay, 'move the live variant', within, (move) =>
      towards(ports, request.endpointName, names.live, guardrails(request.plan), 'keep', move),
    );
    mustBeDone(moved, 'the live variant did not move', this.during);
    const stays = await settleOn(this.underWay, 'take the candidate variant out', names.final);
    const left = await clean(this.underWay, base, 'promoted');
    return [stays === '' ? '' : `the candidate variant could not be taken out: ${stays}`, left].filter((problem) => problem !== '');
  }

  /** Watches one stretch to its end. @throws Withdrawal unless it ended well */
  private async watch(watch: Watch, atDeadline: 'rollBack' | 'hold' | 'promote' | 'ask' | 'rolled back'): Promise<Tick> {
    const seconds = this.underWay.request.plan.tickSeconds ?? 60;
    const end = await this.underWay.context.waitForCondition<Tick>(
      `judge ${watch.name}${watch.goal === 'approval' ? ', waiting for approval' : ''}`,
      async (before) => {
        try {
          return await tick(this.underWay, watch, before);
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
    const { ports, request } = this.all();
    this.changed = true;
    const moved = await change(this.underWay, name, request.plan.updateSeconds ?? 3600, (move) =>
      towards(ports, request.endpointName, target, undefined, 'of the target', move),
    );
    mustBeDone(moved, 'the candidate did not come up', this.during);
  }

  private async refuseOn(name: string, problem: () => Promise<string>): Promise<void> {
    const found = await insist(this.underWay.context, name, problem);
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
    return insist(this.underWay.context, name, async () => this.underWay.ports.now());
  }

  private all() {
    return { ...this.underWay, plan: this.underWay.request.plan, base: this.base! };
  }
}
