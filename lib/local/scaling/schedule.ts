import { type Minute, parseCron } from './cron';
import { type TargetId, validation } from './scalable-targets';

/** A scheduled action as it is kept; times in milliseconds since 1970. */
export interface ScheduledAction extends TargetId {
  readonly ScheduledActionName: string;
  /** `at(...)`, `cron(...)` or `rate(...)`. */
  readonly Schedule?: string;
  /** @default UTC */
  readonly Timezone?: string;
  readonly StartTime?: Date | number | string;
  readonly EndTime?: Date | number | string;
  readonly ScalableTargetAction?: { readonly MinCapacity?: number; readonly MaxCapacity?: number };
  readonly created: number;
}

const MINUTE = 60_000;
const UNITS: Readonly<Record<string, number>> = { minute: MINUTE, hour: 60 * MINUTE, day: 24 * 60 * MINUTE };

/** @throws ServiceError ValidationException for a schedule that cannot be read */
export function checkSchedule(action: Omit<ScheduledAction, 'created'>): void {
  if (action.Schedule === undefined) throw validation('Schedule is needed for a new scheduled action');
  try {
    isDue({ ...action, created: 0 }, 0, MINUTE);
  } catch (error) {
    throw validation(`Invalid schedule ${action.Schedule}: ${(error as Error).message}`);
  }
}

/**
 * Whether a scheduled action falls due after `from` and up to `until`, milliseconds since 1970. The start time is a time of its own, as on AWS.
 *
 * @throws Error for a schedule or a time zone that cannot be read
 */
export function isDue({ Schedule, Timezone, StartTime, EndTime, created }: ScheduledAction, from: number, until: number): boolean {
  const [, kind, text] = /^(at|cron|rate)\((.*)\)$/.exec(Schedule ?? '') ?? [];
  if (kind === undefined) throw new Error('it is none of at(...), cron(...) and rate(...)');
  const zone = clockOf(Timezone ?? 'UTC');
  if (kind === 'at') return isAt(text, zone, from, until);
  const start = timeOf(StartTime);
  const [after, end] = [Math.max(from, start ?? from), Math.min(until, timeOf(EndTime) ?? until)];
  const starts = start !== undefined && start > from && start <= until;
  if (kind === 'rate') return isRate(text, start ?? created, after, end) || starts;
  const fits = parseCron(text);
  for (let at = Math.floor(after / MINUTE + 1) * MINUTE; at <= end; at += MINUTE) if (fits(zone(at))) return true;
  return starts;
}

function isAt(text: string, zone: Zone, from: number, until: number): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) throw new Error(`'${text}' is not of the form yyyy-mm-ddThh:mm:ss`);
  const wanted = Date.parse(`${text}Z`);
  if (Number.isNaN(wanted)) throw new Error(`'${text}' is no time`);
  const local = (at: number) => {
    const { year, month, day, hour, minute } = zone(at);
    return Date.UTC(year, month - 1, day, hour, minute) + (at % MINUTE);
  };
  return local(from) < wanted && wanted <= local(until);
}

function isRate(text: string, base: number, from: number, until: number): boolean {
  const [, value, unit] = /^(\d+) (minute|hour|day)s?$/.exec(text) ?? [];
  if (!(Number(value) > 0)) throw new Error(`'${text}' is not a number of minutes, hours or days`);
  const period = Number(value) * UNITS[unit];
  const passed = (at: number) => Math.max(0, Math.floor((at - base) / period));
  return passed(until) > passed(from);
}

const timeOf = (time: Date | number | string | undefined): number | undefined =>
  time === undefined ? undefined : new Date(time).getTime();

type Zone = (at: number) => Minute;

const formats = new Map<string, Intl.DateTimeFormat>();

/** The clock on the wall of a time zone. @throws RangeError for one that is not known */
function clockOf(timeZone: string): Zone {
  const format = formats.get(timeZone) ?? formatOf(timeZone);
  formats.set(timeZone, format);
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const of = (name: Intl.DateTimeFormatPartTypes) => parts.get(name)!;
    return { year: of('year'), month: of('month'), day: of('day'), hour: of('hour'), minute: of('minute') };
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
}
