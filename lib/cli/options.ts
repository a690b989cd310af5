import { InvalidArgumentError } from 'commander';
import { isSageMakerName } from '../endpoint/sagemaker-name';

/** A number of at least `least`. */
export const atLeast = (least: number) => (text: string) => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value < Infinity))
    throw new InvalidArgumentError(`must be a number of at least ${least}, got '${text}'`);
  return value;
};

/** A whole number in a range. */
export const wholeBetween = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}, got '${text}'`);
  return value;
};

/** Percent of the requests that go wrong: some, and not all. */
export const badPercent = (text: string) => {
  const value = Number(text);
  if (!(value > 0 && value < 100)) throw new InvalidArgumentError(`must be above 0 and below 100, got '${text}'`);
  return value;
};

/** An endpoint's name, by SageMaker's own rule. */
export const endpointName = (text: string) => {
  if (!isSageMakerName(text)) throw new InvalidArgumentError(`must be letters, digits and hyphens within, at most 63, got '${text}'`);
  return text;
};

/** Percents of the requests, rising, at most half of them. */
export const shares = (text: string) => {
  const percents = text.split(',').map(Number);
  if (percents.some((percent) => !(percent > 0 && percent <= 50)))
    throw new InvalidArgumentError(`must be percents above 0 and at most 50, e.g. 5,25,50, got '${text}'`);
  if (percents.some((percent, i) => percent < (percents[i - 1] ?? 0))) throw new InvalidArgumentError(`must rise, got '${text}'`);
  return percents;
};

/** One of some words, each standing for what the program calls it. */
export const wordsOf =
  (known: readonly string[]) =>
  (text: string): string[] => {
    const words = text.split(',');
    const unknown = words.find((word) => !known.includes(word));
    if (unknown !== undefined) throw new InvalidArgumentError(`'${unknown}' is none of ${known.join(', ')}`);
    return words;
  };

/** Resolves when the user ends the command. */
export function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Who says something, as the record keeps it. */
export function somebody(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('must name somebody: the record keeps who said it');
  return text;
}
