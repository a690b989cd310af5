import type { RateInterval } from '../../judge';

/** A share as percent with two digits that mean something. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value < 0.001) return '< 0.001 %';
  return `${value >= 9.95 ? Number(value.toFixed(1)) : Number(value.toPrecision(2))} %`;
}

/** The ends of an interval for a share. */
export const interval = ({ low, high }: RateInterval): string => `${percent(low).replace(/ %$/, '')} to ${percent(high)}`;

/** Evidence, given its natural logarithm. */
export function evidence(log: number): string {
  const value = Math.exp(log);
  if (value >= 1e6) return 'over a million';
  if (value < 0.01) return 'below 0.01';
  return value >= 9.95 ? grouped(value) : String(Number(value.toPrecision(2)));
}

/** How many times as often. */
export function times(value: number): string {
  if (value >= 9.95) return grouped(value);
  return value < 0.01 ? '0' : String(Number(value.toPrecision(2)));
}

/** A count, in groups of three digits. */
export const grouped = (count: number): string =>
  Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, '\u202F');

/** A text in which no line ends between a number and its unit. */
export const unbroken = (text: string): string => text.replace(/(?<=\d) (?=%|ms\b)/g, '\u00A0');

export const milliseconds = (value: number): string => `${value >= 9.95 ? Math.round(value) : Number(value.toPrecision(2))} ms`;
