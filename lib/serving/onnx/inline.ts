import { byRow, type Layout, type Outputs, rowsFrom } from '../codec';
import type { RowKind } from '../codec/layout';
import type { Answer } from '../engine';
import { type Call, type Question, refusal, run, understand, written } from './answer';
import { Independence } from './independence';
import type { Pace } from './pace';
import type { OnnxSession } from './runtime';

/** Rows that one merged call takes at most: more would hold up the thread that serves. */
const ROWS_AT_MOST = 256;

/**
 * Turns of the event loop, some microseconds each, that requests wait for others at most: until as many are there as came together before. Clients that the call before answered
 * would else take turns with those that wait.
 */
const TURNS = 16;

interface Waiting extends Call {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
}

/**
 * A model on the thread that serves. Requests that arrive within a few turns of the event loop share one call of the runtime, whose fixed
 * cost is many times that of a row; but only while their answers are seen to be the same as alone (see Independence).
 */
export class InlineModel {
  private waiting: Waiting[] = [];
  /** Whether the last request came and went with none beside it: then there is nothing that a request could wait for. */
  private single = false;
  /** How many requests may come together: the most of late. */
  private expected = 2;
  private readonly independence: Independence;

  constructor(
    private readonly session: OnnxSession,
    private readonly pace: Pace,
  ) {
    this.independence = new Independence(session.signature);
  }

  invoke(question: Question): Promise<Answer> {
    let call: Call;
    try {
      call = understand(this.session, question);
    } catch (error) {
      return Promise.resolve(refusal(error as Error));
    }
    const { content, encoding } = call;
    return new Promise((resolve) => {
      if (this.waiting.push({ content, encoding, question, resolve }) > 1) return;
      this.flushIn(this.single ? 0 : TURNS);
    });
  }

  async close(): Promise<void> {
    await this.session.close();
  }

  private flushIn(turns: number): void {
    if (turns === 0 || this.waiting.length >= this.expected) void this.flush();
    else setImmediate(() => this.flushIn(turns - 1));
  }

  private async flush(): Promise<void> {
    const calls = this.waiting;
    this.waiting = [];
    this.single = false;
    this.expected = Math.max(2, calls.length, this.expected - 1);
    const from = performance.now();
    if (calls.length === 1) await this.alone(calls[0]!);
    else for (const group of groups(calls, this.session.layout)) await (group.length === 1 ? this.alone(group[0]!) : this.together(group));
    this.single = calls.length === 1 && this.waiting.length === 0;
    this.pace.took((performance.now() - from) / calls.length);
  }

  private async alone(call: Waiting): Promise<void> {
    call.resolve(await run(this.session, call));
  }

  private async together(calls: readonly Waiting[]): Promise<void> {
    const stance = this.independence.stance(calls.map((call) => call.question.body));
    const merged = stance === 'alone' ? undefined : await this.merged(calls);
    if (merged === undefined) {
      // The rows do not fit together, or the model fails on one of them: each gets its own answer or error.
      for (const call of calls) await this.alone(call);
    } else if (stance === 'together') {
      for (let i = 0; i < calls.length; i++) this.answer(calls[i]!, merged[i]!);
    } else {
      await this.compared(calls, merged);
    }
  }

  /** The outputs of each call from one run of them all; undefined where that is not to be had. */
  private async merged(calls: readonly Waiting[]): Promise<Outputs[] | undefined> {
    const lists = calls.map((call) => rowsOf(call)!);
    try {
      const { rows, outputs } = await this.session.run({ rows: lists.flat(), place: String });
      if (!byRow(outputs, rows)) return undefined;
      let from = 0;
      return lists.map((list) => {
        from += list.length;
        return rowsFrom(outputs, rows, from - list.length, from);
      });
    } catch {
      return undefined;
    }
  }

  private answer(call: Waiting, outputs: Outputs): void {
    call.resolve(written(this.session, call, outputs, rowsOf(call)!.length));
  }

  /** Answers each call alone, and notes whether it came out the same as together with the others. */
  private async compared(calls: readonly Waiting[], merged: readonly Outputs[]): Promise<void> {
    const alone: (Outputs | undefined)[] = [];
    for (const call of calls) {
      try {
        const { outputs } = await this.session.run({ rows: rowsOf(call)!, place: String });
        alone.push(outputs);
        this.answer(call, outputs);
      } catch (error) {
        alone.push(undefined);
        call.resolve(refusal(error as Error));
      }
    }
    this.independence.compared(alone, merged);
  }
}

/** Calls whose rows can be joined: of the same kind, ROWS_AT_MOST in all. What has no rows stands alone. */
function groups(calls: readonly Waiting[], layout: Layout): Waiting[][] {
  const all: Waiting[][] = [];
  const open = new Map<RowKind, { group: Waiting[]; rows: number }>();
  for (const call of calls) {
    const rows = rowsOf(call);
    if (rows === undefined || rows.length === 0) {
      all.push([call]);
      continue;
    }
    const kind = layout.kindOf(rows[0]);
    let last = open.get(kind);
    if (last === undefined || last.rows + rows.length > ROWS_AT_MOST) {
      last = { group: [], rows: 0 };
      open.set(kind, last);
      all.push(last.group);
    }
    last.group.push(call);
    last.rows += rows.length;
  }
  return all;
}

function rowsOf({ content }: Call): readonly unknown[] | undefined {
  return 'place' in content ? content.rows : undefined;
}
