import type { Answer } from './scenario';

/** Where two answers differ: a member's path without array places, `error` where only one of them refuses or both do otherwise, with both values. */
export interface Difference {
  readonly at: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

/** Messages are for people and promised by nobody: codes and statuses are compared. */
export function compare(ours: Answer, theirs: Answer): Difference[] {
  if ('error' in ours || 'error' in theirs) {
    const refusals = [refusal(ours), refusal(theirs)];
    return refusals[0] === refusals[1] ? [] : [{ at: 'error', ours: refusals[0], theirs: refusals[1] }];
  }
  return walk('', ours.output, theirs.output);
}

const refusal = (answer: Answer): string => ('error' in answer ? `${answer.error} ${answer.status}` : 'none');

function walk(at: string, ours: unknown, theirs: unknown): Difference[] {
  if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length) {
    return ours.flatMap((one, i) => walk(at, one, theirs[i]));
  }
  if (isRecord(ours) && isRecord(theirs)) {
    const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
    return names.flatMap((name) => walk(at === '' ? name : `${at}.${name}`, ours[name], theirs[name]));
  }
  return Object.is(ours, theirs) ? [] : [{ at, ours, theirs }];
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
