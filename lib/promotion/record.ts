import type { Verdict } from '../judge';
import type { Outcome, PromotionRequest } from './request';
import type { Store } from './store';

/** One thing that happened in a promotion. */
export interface Entry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `begin`, `start`, `verdict`, `approval wanted`, `notice` or `outcome`. */
  readonly what: string;
  /** For a person. */
  readonly sentence: string;
  /** The verdict with all its counts, where one was taken. */
  readonly verdict?: Verdict;
  readonly outcome?: Outcome;
  readonly request?: PromotionRequest;
  readonly start?: Start;
}

/** What a promotion found when it came. */
export interface Start {
  /** Configuration and model that were live. */
  readonly configName: string;
  readonly modelName: string;
  /** Package of that model; null where it was not made from one. */
  readonly modelPackageArn: string | null;
  /** What the approval of the candidate said: who, and why. */
  readonly approval: string;
  /** How often the candidate was judged by requests that it answered, and did not go live. */
  readonly earlierTries: number;
}

/** Where a promotion stands; overwritten at every tick, for whoever watches. */
export interface Progress {
  readonly at: number;
  readonly during: string;
  /** Percent of the requests that the candidate answers. */
  readonly percent: number;
  readonly sentence: string;
  /** Evidence against what suffices, per metric, in natural logarithms. */
  readonly evidence: readonly {
    readonly metric: string;
    /** Whether promotion waits for it; absent in older records. */
    readonly required?: boolean;
    readonly worse: number;
    readonly worseAt: number | null;
    readonly notWorse: number;
    readonly notWorseAt: number;
  }[];
  readonly paused: boolean;
  /** Why the metrics of this tick are not in CloudWatch; empty when they are. */
  readonly unpublished: string;
}

export const endpointPrefix = (endpointName: string): string => `promotions/${endpointName}/`;
export const promotionPrefix = (endpointName: string, promotionId: string): string => `${endpointPrefix(endpointName)}${promotionId}/`;
export const progressKey = (endpointName: string, promotionId: string): string =>
  `${promotionPrefix(endpointName, promotionId)}progress.json`;
export const outcomeKey = (endpointName: string, promotionId: string): string =>
  `${promotionPrefix(endpointName, promotionId)}outcome.json`;

/** Where a promotion's entries stand. */
export const recordPrefix = (endpointName: string, promotionId: string): string => `${promotionPrefix(endpointName, promotionId)}record/`;

/** Where an entry stands. @param place the entry's name, which is its place in the story, such as `000-begin` */
export const recordKey = (endpointName: string, promotionId: string, place: string): string =>
  `${recordPrefix(endpointName, promotionId)}${place}.json`;

/**
 * Adds to the record. The name of an entry is its place in the story, so that a step that runs twice writes once and the first writing stands.
 *
 * @returns the entry's key
 */
export async function note(store: Store, request: PromotionRequest, place: string, entry: Entry): Promise<string> {
  const key = recordKey(request.endpointName, request.promotionId, place);
  await store.create(key, entry);
  return key;
}

/** The story so far, in order. */
export async function story(store: Store, endpointName: string, promotionId: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const key of await store.list(recordPrefix(endpointName, promotionId))) {
    const entry = (await store.read<Entry>(key))?.value;
    if (entry) entries.push(entry);
  }
  return entries.sort((a, b) => a.at - b.at);
}

/** The outcomes of an endpoint's promotions, oldest first. */
export async function history(store: Store, endpointName: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const key of await store.list(endpointPrefix(endpointName))) {
    if (!key.endsWith('/outcome.json')) continue;
    const outcome = (await store.read<Outcome>(key))?.value;
    if (outcome) outcomes.push(outcome);
  }
  return outcomes.sort((a, b) => a.startedAt - b.startedAt);
}
