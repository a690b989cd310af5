import { type Entry, type Outcome, outcomeKey, type Progress, type PromotionRequest, progressKey, recordPrefix } from '../../promotion';
import { evidenceLine } from '../evidence-line';
import { UserError } from '../exit-codes';
import { pause } from '../pause';
import { type Pulses, pulsesLine } from '../pulse';
import { reasonOf } from '../report';
import type { Terminal } from '../terminal';
import { type Promotion, promotionsOf, when } from './promotions';
import type { Stage } from './stage';
import { stagePulses } from './stage-pulses';

/** As wide as a time before a line. */
const MARGIN = ' '.repeat(21);

/** Seconds between two lines of progress where nothing can be written over. */
const PLAIN_EVERY = 60;

export interface FollowOptions {
  readonly terminal: Terminal;
  /** Seconds between two looks. */
  readonly every: number;
  readonly signal: AbortSignal;
}

/** Tells a promotion until it ends: what happens, where it stands, and how both variants do. @throws the signal's reason when nobody watches any more */
export async function follow(stage: Stage, id: string, { terminal, every, signal }: FollowOptions): Promise<Outcome> {
  const { store, endpoint } = stage;
  const told = new Set<string>();
  let lastLine = Number.NEGATIVE_INFINITY;
  let lastDuring = '';
  let request: PromotionRequest | undefined;
  for (;;) {
    const outcome = (await store.read<Outcome>(outcomeKey(endpoint, id)))?.value;
    const progress = (await store.read<Progress>(progressKey(endpoint, id)))?.value;
    for (const key of await store.list(recordPrefix(endpoint, id))) {
      if (told.has(key)) continue;
      told.add(key);
      const entry = (await store.read<Entry>(key))?.value;
      request ??= entry?.request;
      if (entry && entry.what !== 'outcome') terminal.say(`${when(entry.at)}  ${reasonOf(entry.sentence)}`);
    }
    if (outcome) {
      terminal.now();
      return outcome;
    }
    if (progress && request) {
      const lines = [`${when(progress.at)}  ${progressLine(progress)}`, MARGIN + lately(await stagePulses(stage, request))];
      const isDue = progress.during !== lastDuring || (!terminal.overwrites && progress.at - lastLine >= PLAIN_EVERY * 1000);
      if (isDue) {
        for (const line of lines) terminal.say(line);
        lastLine = progress.at;
      }
      lastDuring = progress.during;
      terminal.now(...lines);
    }
    await pause(every * 1000, signal);
  }
}

/** Where a promotion stands, in one line. */
export function progressLine(progress: Progress): string {
  const { during, percent, paused, sentence, evidence } = progress;
  const share = percent === 0 ? 'mirrored' : `${percent} % of the requests`;
  const stands = evidence.some(({ worseAt }) => worseAt !== null) ? evidenceLine(progress) : sentence;
  return `${during === `${percent} %` ? '' : `${during}, `}${share}${paused ? ', paused' : ''}: ${stands}`;
}

/** How both variants do, in one line. @param pulses or why they are not known */
export const lately = (pulses: Pulses | string): string => (typeof pulses === 'string' ? pulses : pulsesLine(pulses));

/** Seconds within which an approval becomes a promotion: EventBridge takes one or two. */
const BEGIN_WITHIN = 120;

/**
 * Waits for the promotion that an approval starts. Gives its id.
 *
 * @param before those that were there before
 * @throws UserError where none comes
 */
export async function begun(stage: Stage, modelPackageArn: string, before: readonly Promotion[], options: FollowOptions): Promise<string> {
  const known = new Set(before.map(({ id }) => id));
  for (const since = Date.now(); Date.now() - since < BEGIN_WITHIN * 1000; ) {
    options.terminal.now('waiting for the promotion to begin');
    const found = (await promotionsOf(stage)).find(({ id, request }) => !known.has(id) && request.modelPackageArn === modelPackageArn);
    if (found) {
      options.terminal.now();
      return found.id;
    }
    await pause(1000, options.signal);
  }
  throw new UserError(
    `${stage.endpoint}: the version is approved, but no promotion began within ${BEGIN_WITHIN} s: look at the stage's rule and at its dead-letter queue`,
  );
}
