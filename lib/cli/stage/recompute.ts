import { evaluate, type Verdict } from '../../judge';

/** Relative difference below which two numbers are the same: logarithms may differ in the last digit between two versions of Node. */
const TOLERANCE = 1e-9;

/**
 * Judges a stored verdict's counts again.
 *
 * @returns what came out otherwise, e.g. `metrics.0.logWorse: 1.2, recorded 3.4`; empty where the decision and every number are the same
 */
export function difference(recorded: Verdict): string {
  const { input, sentence: _, ...numbers } = recorded;
  let again: Verdict;
  try {
    again = evaluate(input);
  } catch (error) {
    return `the counts cannot be judged: ${(error as Error).message}`;
  }
  // As it would be stored: infinities become null.
  return differing(numbers, JSON.parse(JSON.stringify(again)), '');
}

function differing(recorded: unknown, again: unknown, path: string): string {
  if (typeof recorded === 'object' && recorded !== null && typeof again === 'object' && again !== null) {
    // What was taken from a list would not be missed below.
    if (Array.isArray(recorded) && Array.isArray(again) && recorded.length !== again.length)
      return `${path}: ${again.length} of them, recorded ${recorded.length}`;
    for (const [key, value] of Object.entries(recorded)) {
      const found = differing(value, (again as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`);
      if (found !== '') return found;
    }
    return '';
  }
  return same(recorded, again) ? '' : `${path}: ${JSON.stringify(again)}, recorded ${JSON.stringify(recorded)}`;
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
  return a === b;
}
