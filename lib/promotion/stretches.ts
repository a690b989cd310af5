import type { DurableContext } from '@aws/durable-execution-sdk-js';
import { saying } from './aws-errors';
import type { WholePlan } from './checked-request';
import type { Quantile, Segment } from './counts';
import { insist } from './durable';
import type { Step } from './request';
import { type End, type Tick, tick, untold, type Watch } from './tick';
import { type UnderWay, Withdrawal } from './under-way';

/** What becomes of a candidate about which too little is known when the time is over. */
export type AtDeadline = WholePlan['onDeadline'];

/**
 * Mirrored requests and routed ones are judged each by themselves: mirrored ones for this part of alpha, all shadow steps together, so that a good version is taken back
 * no more often with them than without.
 */
const SHADOW_PART = 0.2;

/** One stretch after another in which live and candidate are compared: which share was routed when, and how each ended. */
export class Stretches {
  private segments: Segment[] = [];
  private readonly bin: number;

  constructor(
    private readonly way: UnderWay,
    private readonly liveVariant: string,
    private readonly quantiles: readonly Quantile[],
    private readonly earlierTries: number,
  ) {
    this.bin = way.request.plan.binSeconds;
  }

  /** Only whole bins with one share are compared: a segment opens at the next edge and closes at the last one. */
  async open(during: string, share: number): Promise<void> {
    const now = await this.now(`begin ${during}`);
    this.segments.push({ from: Math.ceil(now / 1000 / this.bin) * this.bin, until: 0, share });
  }

  async close(during: string): Promise<void> {
    const last = this.segments.at(-1);
    if (!last) return;
    const now = await this.now(`end ${during} at ${this.segments.length}`);
    this.segments[this.segments.length - 1] = { ...last, until: Math.floor(now / 1000 / this.bin) * this.bin };
  }

  /** What was counted so far says nothing of what follows. */
  forget(): void {
    this.segments = [];
  }

  /** The stretch that lasts from the last opening for as long as the step wants. */
  of(step: Required<Step>, place: number, during: string): Omit<Watch, 'expectedConfig' | 'percent' | 'goal'> {
    const until = this.segments.at(-1)!.from * 1000 + step.bakeSeconds * 1000;
    return {
      place: `${String(100 + place).padStart(3, '0')}-${during.replace(/[^a-z0-9]+/gi, '-')}-verdict`,
      name: during,
      liveVariant: this.liveVariant,
      quantiles: this.quantiles,
      earlierTries: this.earlierTries,
      alphaPart: this.alphaPartOf(step),
      segments: [...this.segments],
      until,
      deadline: until + 3_600_000,
    };
  }

  private alphaPartOf({ kind }: Step): number {
    const shadows = this.way.request.plan.steps.filter((step) => step.kind === 'shadow').length;
    if (kind === 'shadow') return SHADOW_PART / shadows;
    return shadows === 0 ? 1 : 1 - SHADOW_PART;
  }

  /** Watches one stretch to its end. @throws Withdrawal unless it ended well */
  async watch(watch: Watch, atDeadline: AtDeadline): Promise<Tick> {
    return wellEnded(watch, await this.follow(watch), atDeadline);
  }

  /** Watches one stretch to whatever end. */
  follow(watch: Watch, context: DurableContext = this.way.context): Promise<Tick> {
    const seconds = this.way.request.plan.tickSeconds;
    return context.waitForCondition<Tick>(
      `judge ${watch.name}${watch.goal === 'approval' ? ', waiting for approval' : ''}`,
      async (before) => {
        try {
          return await tick(this.way, watch, before);
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
  }

  now(name: string): Promise<number> {
    return insist(this.way.context, name, async () => this.way.ports.now());
  }
}

/** How a stretch ended, where it ended well. @throws Withdrawal otherwise */
export function wellEnded(watch: Watch, end: Tick, atDeadline: AtDeadline): Tick {
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
