/** A minute on some time zone's clock. */
export interface Minute {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

type Fits = (minute: Minute) => boolean;

/**
 * Reads `Minutes Hours Day_of_month Month Day_of_week Year`: values, names, lists, ranges, steps, `?`, and for days `L`, `W` and `#`, as EventBridge's reference has them.
 *
 * @returns whether a minute fits
 * @throws Error that names the field
 */
export function parseCron(text: string): Fits {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 6) throw new Error(`a cron expression has six fields, got ${fields.length}`);
  const [minutes, hours, days, months, weekdays, years] = fields;
  if ((days === '?') === (weekdays === '?')) throw new Error('exactly one of day of month and day of week is ?');
  const month = numbers(months, 1, 12, MONTHS);
  const year = numbers(years, 1970, 2199);
  const minute = numbers(minutes, 0, 59);
  const hour = numbers(hours, 0, 23);
  const day = days === '?' ? weekdayOf(weekdays) : dayOf(days);
  return (at) => minute(at.minute) && hour(at.hour) && month(at.month) && year(at.year) && day(at);
}

/** Days in the month of a minute. */
const lastDay = ({ year, month }: Minute): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** 1 for Sunday to 7 for Saturday. */
const weekday = ({ year, month, day }: Minute): number => new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;

function dayOf(text: string): Fits {
  if (text === 'L') return (at) => at.day === lastDay(at);
  const near = /^(\d+)W$/.exec(text);
  if (near) return (at) => at.day === nearestWorkday(at, Number(near[1]));
  const fits = numbers(text, 1, 31);
  return ({ day }) => fits(day);
}

function nearestWorkday(at: Minute, wanted: number): number {
  const on = weekday({ ...at, day: wanted });
  if (on === 7) return wanted === 1 ? 3 : wanted - 1;
  if (on === 1) return wanted === lastDay(at) ? wanted - 2 : wanted + 1;
  return wanted;
}

function weekdayOf(text: string): Fits {
  const last = /^(\w+)L$/.exec(text);
  if (last) {
    const wanted = numberOf(last[1], 1, 7, WEEKDAYS);
    return (at) => weekday(at) === wanted && at.day > lastDay(at) - 7;
  }
  const nth = /^(\w+)#([1-5])$/.exec(text);
  if (nth) {
    const wanted = numberOf(nth[1], 1, 7, WEEKDAYS);
    return (at) => weekday(at) === wanted && Math.ceil(at.day / 7) === Number(nth[2]);
  }
  const fits = numbers(text, 1, 7, WEEKDAYS);
  return (at) => fits(weekday(at));
}

/** Lists of values, ranges and steps. */
function numbers(text: string, least: number, most: number, names: readonly string[] = []): (value: number) => boolean {
  const parts = text.split(',').map((part) => {
    const [, range, step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
    if (range === undefined || step === '0') throw new Error(`'${part}' is no value, range or step`);
    const [from, to] = range === '*' ? [least, most] : range.split('-').map((value) => numberOf(value, least, most, names));
    const end = to ?? (step === undefined ? from : most);
    return (value: number) => value >= from && value <= end && (value - from) % Number(step ?? 1) === 0;
  });
  return (value) => parts.some((part) => part(value));
}

function numberOf(text: string, least: number, most: number, names: readonly string[]): number {
  const named = names.indexOf(text.toUpperCase());
  const value = named >= 0 ? named + 1 : Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`'${text}' is not from ${least} to ${most}`);
  return value;
}
