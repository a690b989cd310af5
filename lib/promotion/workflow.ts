import type { DurableContext } from '@aws/durable-execution-sdk-js';
import { waitForApproval } from './approval';
import { releaseScaling } from './autoscaling';
import { saying } from './aws-errors';
import { artifactProblem, samplesProblem } from './candidate-check';
import { wantedCapacity } from './capacity';
import { checkRequest } from './checked-request';
import {
  type Base,
  changesInstances,
  createCandidateModel,
  createConfiguration,
  isLive,
  namesOf,
  readBase,
  type Shadow,
} from './configurations';
import { abortOf } from './controls';
import { baselineQuantiles, type Quantile, usualErrorRate } from './counts';
import { insist } from './durable';
import { guardrails, look, towards, towardsShare } from './endpoint';
import { aloneAgain, besideLive, type FleetSize } from './fleet-size';
import { limitsOf, putGuardrailAlarms } from './guardrail-alarms';
import { freeLock, keepLock, type Left, NOTHING_LEFT } from './lock';
import { announce } from './notices';
import { begin, conclude, type Ended, ended, outcomeOf } from './outcome';
import type { Ports } from './ports';
import type { Outcome, PromotionRequest, Step } from './request';
import { noteStart } from './start';
import { Store } from './store';
import { Stretches } from './stretches';
import { type Tick, untold } from './tick';
import { mend, waitForTurn } from './turn';
import { change, mustBeDone, type UnderWay, Withdrawal } from './under-way';
import { clear, disarm, goBack, scaleAgain, settleOn } from './way-back';

/** A promotion: one candidate's way from an approved model package to live, or back. Every line may be run again; see `docs/promotion.md`. */
export function promotion(ports: Ports) {
  return async (asked: PromotionRequest, context: DurableContext): Promise<Outcome> => {
    const request = checkRequest(asked);
    const store = new Store(ports, request.bucket);
    const startedAt = await insist(context, 'begin', () => begin(ports, store, request));
    const run = context.executionContext.durableExecutionArn;
    const way = new Way({ ports, store, request, context, run, startedAt, names: namesOf(request) });
    let end: Ended;
    try {
      const left = await waitForTurn(way.underWay);
      const earlier = await insist(context, 'look whether it is over', () => outcomeOf(store, request));
      if (earlier) {
        await insist(context, 'free the lock', () => freeLock(store, request, run, left));
        return earlier;
      }
      if (left.base !== '') await way.mend(left);
      end = await way.take();
    } catch (error) {
      const withdrawal = error instanceof Withdrawal ? error : new Withdrawal('rolled back', saying(error), way.during);
      end = withdrawal.lost ? await way.quit(withdrawal) : await way.back(withdrawal);
    }
    const outcome = await way.conclude(end);
    await announce(way.underWay, outcome.verdict, { sentence: outcome.reason, outcome });
    return outcome;
  };
}

class Way {
  during = 'check';
  private base: Base | undefined;
  /** What the candidate was brought in with last. */
  private size: FleetSize | undefined;
  private changed = false;
  private armed = false;
  private released = false;
  /** What the next promotion must mend, should this one not get it done. */
  private left = NOTHING_LEFT;
  /** What could not be cleared away. */
  private readonly leftovers: string[] = [];

  constructor(readonly underWay: UnderWay) {}

  async mend(left: Left): Promise<void> {
    this.left = left;
    this.leftovers.push(await mend(this.underWay, left));
    this.left = NOTHING_LEFT;
  }

  /** The way to live, as it reads. @throws Withdrawal from anywhere on it */
  async take(): Promise<Ended> {
    const { ports, request, context, store, run } = this.all();
    const { configName } = await insist(context, 'look at the endpoint', () => look(ports, request.endpointName));
    if (await insist(context, 'look whether it is live already', () => isLive(ports, request, configName)))
      return { verdict: 'promoted', reason: 'already live', during: this.during, verdictKey: null };
    await announce(this.underWay, 'started', { sentence: `${request.modelPackageArn} is on its way to live on ${request.endpointName}` });
    await this.refuseOn('check the artifact', () => artifactProblem(ports, request));
    const base = await insist(context, 'read what is live', async () => ({
      ...(await readBase(ports, configName)),
      wanted: await wantedCapacity(ports, request.modelPackageArn),
    }));
    changesInstances(base);
    this.base = base;
    const start = await insist(context, 'note the start', () => noteStart(ports, store, request, base));
    const quantiles = await insist(context, 'measure the live latency', () =>
      baselineQuantiles(ports, request.endpointName, { variant: base.variant.VariantName! }, request.plan),
    );
    if (quantiles.length === 0 && request.plan.metrics.some((metric) => metric.kind === 'latency')) {
      throw new Withdrawal(
        'held',
        `no request reached ${request.endpointName} in the ${request.plan.baselineSeconds} s before: there is no latency to compare with`,
        this.during,
      );
    }
    await insist(context, 'note the way back', () => keepLock(ports, store, request, run, base.configName));
    await insist(context, 'create the model', () => createCandidateModel(ports, request, base));

    const { plan } = request;
    const stretches = new Stretches(this.underWay, base.variant.VariantName!, quantiles, start.earlierTries);
    const [shadows, shares] = ['shadow', 'percent'].map((kind) => plan.steps.filter((step) => step.kind === kind));
    for (const [i, step] of shadows.entries()) await this.mirror(step, i, stretches);
    await this.stage();
    await this.refuseOn('ask the recorded samples', () => samplesProblem(ports, request));
    const verdict = await this.route(shares, stretches);
    await this.goLive(quantiles);
    return { verdict: 'promoted', reason: verdict.sentence, during: this.during, verdictKey: verdict.verdictKey };
  }

  /** Undoes what was begun. Where even that cannot be, the candidate is held, and the next promotion begins by it. */
  async back(withdrawal: Withdrawal): Promise<Ended> {
    const { base } = this;
    const problem = base && this.changed ? await goBack(this.underWay, base) : '';
    await this.scaleAgain();
    if (problem === '') {
      this.leftovers.push(await clear(this.underWay, 'clean up', this.came()));
      return ended(withdrawal);
    }
    this.left = this.came();
    this.leftovers.push(problem);
    if (this.armed) this.leftovers.push(await disarm(this.underWay, 'leave', this.left.of));
    return { ...ended(withdrawal), verdict: 'held' };
  }

  /** The endpoint is another promotion's now: only the alarms go. Should the lock be this one's after all, it says where to go back to. */
  async quit(withdrawal: Withdrawal): Promise<Ended> {
    if (this.changed) this.left = this.came();
    if (this.armed) this.leftovers.push(await disarm(this.underWay, 'quit', this.underWay.request.promotionId));
    return ended(withdrawal);
  }

  async conclude(end: Ended): Promise<Outcome> {
    const reason = [end.reason, ...this.leftovers.filter((problem) => problem !== '')].join('; ');
    return insist(this.underWay.context, 'conclude', () => conclude(this.underWay, { ...end, reason }, this.left));
  }

  /** Mirrors requests to the candidate: its answers are dropped, its errors and its latency judged. */
  private async mirror(step: Required<Step>, i: number, stretches: Stretches): Promise<void> {
    const { percent } = step;
    this.during = `shadow ${percent} %`;
    const shadow: Shadow = i % 2 === 0 ? 'shadow' : 'shadow2';
    await this.bringIn(this.during, shadow, percent);
    // Mirroring p percent makes the candidate's part of all answers p / (100 + p).
    await stretches.open(this.during, percent / (100 + percent));
    await stretches.watch(
      { ...stretches.of(step, i, this.during), expectedConfig: this.underWay.names[shadow], percent: 0, goal: 'bake' },
      'rollBack',
    );
    stretches.forget();
  }

  /** Brings the candidate variant in without traffic. */
  private stage(): Promise<void> {
    this.during = 'stage';
    return this.bringIn('candidate', 'canary');
  }

  /** Rising shares, judged at every tick; the last one lasts as long as the evidence takes, or until a person agrees. */
  private async route(steps: readonly Required<Step>[], stretches: Stretches): Promise<Tick> {
    const { ports, request, plan, base, names } = this.all();
    const deadline = (await stretches.now('start the deadline')) + plan.deadlineSeconds * 1000;
    let last: Tick = untold;
    for (const [i, step] of steps.entries()) {
      // Who aborts before the candidate answered anybody does not spend one of its tries.
      await this.heedAbort(`routing ${step.percent} %`);
      const before = this.during;
      this.during = `${step.percent} %`;
      await stretches.close(before);
      const moved = await change(this.underWay, `route ${this.during}`, 1800, (move) =>
        towardsShare(ports, request.endpointName, base.variant.VariantName!, step.percent, move),
      );
      mustBeDone(moved, `${this.during} could not be routed`, this.during);
      await stretches.open(this.during, step.percent / 100);
      const goal = i === steps.length - 1 ? 'evidence' : 'bake';
      const watch = {
        ...stretches.of(step, 100 + i, this.during),
        expectedConfig: names.canary,
        percent: step.percent,
        deadline,
        goal,
      } as const;
      last = await stretches.watch(watch, plan.onDeadline);
    }
    const wantsApproval = plan.approval === 'manual' || (last.end === 'deadline' && plan.onDeadline === 'ask');
    return wantsApproval ? this.approve(steps.at(-1)!, last, stretches) : last;
  }

  private async approve(step: Required<Step>, last: Tick, stretches: Stretches): Promise<Tick> {
    const { plan, names } = this.all();
    this.during = 'approval';
    const until = await stretches.now('start to wait for approval');
    const deadline = until + plan.approvalSeconds * 1000;
    const stretch = { ...stretches.of(step, 200, this.during), expectedConfig: names.canary, percent: step.percent, until, deadline };
    const approved = await waitForApproval(this.underWay, stretches, { ...stretch, goal: 'approval' }, last.sentence);
    return { ...last, sentence: `${last.sentence}; ${approved.sentence}` };
  }

  /** The live variant moves under guardrails; then the candidate variant goes. From the first of the two on, the candidate is live. */
  private async goLive(quantiles: readonly Quantile[]): Promise<void> {
    const { ports, store, request, run, context, base, names, plan } = this.all();
    this.during = 'go live';
    const { instances } = await insist(context, 'count the live instances', () => look(ports, request.endpointName));
    const size = aloneAgain(this.size!, base, instances, plan.steps.at(-1)!.percent);
    await insist(context, 'create the live configuration', () => createConfiguration(ports, request, base, size, 'live'));
    await insist(context, 'create the final configuration', () => createConfiguration(ports, request, base, size, 'final'));
    const deployment = guardrails(plan, [...(await this.arm(quantiles)), ...plan.guardrail.alarms]);
    if (changesInstances(base)) {
      this.released = true;
      await insist(context, 'take the live variant off scaling', async () => {
        // Whoever has taken over would not put it back.
        if (await keepLock(ports, store, request, run)) await releaseScaling(ports, store, request, base.variant.VariantName!);
      });
    }
    const within = plan.updateSeconds + 2 * plan.guardrail.waitSeconds;
    const grows = size.live !== instances[base.variant.VariantName!];
    await this.heedAbort('moving the live variant');
    const moved = await change(this.underWay, 'move the live variant', within, (move) =>
      towards(ports, request.endpointName, names.live, deployment, grows ? ['DesiredInstanceCount'] : [], move),
    );
    mustBeDone(moved, 'the live variant did not move', this.during);
    const { state, reason } = await settleOn(this.underWay, 'take the candidate variant out', names.final);
    await this.scaleAgain();
    if (state !== 'failed') {
      this.leftovers.push(await clear(this.underWay, 'clean up', this.came()));
      return;
    }
    this.left = { base: names.final, of: request.promotionId };
    this.leftovers.push(`the candidate variant could not be taken out, which the next promotion does: ${reason}`);
    this.leftovers.push(await disarm(this.underWay, 'leave', this.left.of));
  }

  private async scaleAgain(): Promise<void> {
    const { promotionId } = this.underWay.request;
    if (this.released) this.leftovers.push(await scaleAgain(this.underWay, 'scale the live variant again', promotionId));
  }

  /** Sets alarms on the fleet that is to come. @returns their names */
  private async arm(quantiles: readonly Quantile[]): Promise<string[]> {
    const { ports, request, base, context, names, plan } = this.all();
    const live = base.variant.VariantName!;
    this.armed = true;
    return insist(context, 'set the alarms', async () => {
      const usual = await usualErrorRate(ports, request.endpointName, live, plan);
      return putGuardrailAlarms(ports, request, names, live, limitsOf(plan, usual, quantiles));
    });
  }

  private came(): Left {
    return { base: this.base?.configName ?? '', of: this.underWay.request.promotionId };
  }

  /** Brings the candidate in as large as what runs by then asks for. */
  private async bringIn(what: string, which: Shadow | 'canary', mirroredPercent?: number): Promise<void> {
    const { ports, request, base, context, names, plan } = this.all();
    const { instances } = await insist(context, `count the instances for the ${what}`, () => look(ports, request.endpointName));
    const size = besideLive(plan, base, instances);
    const grows = this.size !== undefined && this.size.candidate < size.candidate;
    this.size = { ...size, candidate: Math.max(size.candidate, this.size?.candidate ?? 0) };
    await insist(context, `create the ${which} configuration for the ${what}`, () =>
      createConfiguration(ports, request, base, this.size!, which, mirroredPercent),
    );
    await this.heedAbort(`bringing the ${what} in`);
    this.changed = true;
    // A variant of the same name keeps its instances: a candidate that must grow takes them from the configuration.
    const moved = await change(this.underWay, `bring the ${what} in`, plan.updateSeconds, (move) =>
      towards(
        ports,
        request.endpointName,
        names[which],
        undefined,
        grows ? ['DesiredWeight', 'DesiredInstanceCount'] : ['DesiredWeight'],
        move,
      ),
    );
    mustBeDone(moved, 'the candidate did not come up', this.during);
  }

  /** Ticks hear people; what was said since the last one is heard before the endpoint changes. */
  private heedAbort(before: string): Promise<void> {
    const { store, request } = this.underWay;
    return this.refuseOn(`listen before ${before}`, () => abortOf(store, request));
  }

  private async refuseOn(name: string, problem: () => Promise<string>): Promise<void> {
    const found = await insist(this.underWay.context, name, problem);
    if (found !== '') throw new Withdrawal('rolled back', found, this.during);
  }

  private all() {
    return { ...this.underWay, plan: this.underWay.request.plan, base: this.base! };
  }
}
