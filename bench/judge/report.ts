/** What the bench prints: a table of judges, a table of cells, and the goals. */
import { CELLS, type Cell, isBad } from './cells';
import type { Tally } from './run-cell';
import type { Speed } from './speed';
import type { WaldRatio } from './wald';
import type { Result } from './worker';

const DEFAULT = 'fledge';
const ALPHA = 0.05;
const BETA = 0.05;

interface Outcome {
  readonly cell: Cell;
  readonly tallies: ReadonlyMap<string, Tally>;
}

export function report(results: readonly Result[], speeds: readonly Speed[]): string {
  const outcomes = results
    .flatMap((result) => (result.kind === 'cell' ? [{ index: result.cell, tallies: result.tallies }] : []))
    .sort((a, b) => a.index - b.index)
    .map(({ index, tallies }): Outcome => ({ cell: CELLS[index]!, tallies: new Map(tallies.map((tally) => [tally.judge, tally])) }));
  const byEvent = results.flatMap((result) => (result.kind === 'wald by event' ? [result.wald] : [])).sort((a, b) => a.times - b.times);
  const wald = results.flatMap((result) => (result.kind === 'wald' ? [result] : [])).sort((a, b) => a.cell - b.cell);
  return [
    ...judgeTable(outcomes),
    '',
    ...cellTable(outcomes),
    '',
    ...waldTable(wald, byEvent),
    '',
    ...speeds.map(
      ({ traffic, verdict, tick }) =>
        `24 h of minutes x 8 metrics at ${traffic}: verdict ${ms(verdict)} of processor time, one more minute and verdict ${ms(tick)}`,
    ),
    '',
    ...goals(outcomes, byEvent, wald, speeds),
  ].join('\n');
}

/** Cells of a candidate as good as the baseline, without disturbance; with one that the default is meant for; and of one twice as bad or worse. */
const clean = ({ cell }: Outcome) => cell.times === 1 && cell.disturbance === undefined;
const disturbed = ({ cell }: Outcome) => cell.times === 1 && cell.disturbance !== undefined && cell.disturbance !== 'heavy noise';
const worse = (times: number) => (outcome: Outcome) => outcome.cell.group === 'errors' && outcome.cell.times === times;
const clearlyWorse = (outcome: Outcome) => outcome.cell.group === 'errors' && outcome.cell.times >= 2;

function judgeTable(outcomes: readonly Outcome[]): string[] {
  const judges = [...new Set(outcomes.flatMap(({ tallies }) => [...tallies.keys()]))].filter((judge) => judge !== 'fledge, calibrated');
  const rows = judges.map((judge) => {
    const at = (cells: (outcome: Outcome) => boolean) => outcomes.filter(cells).flatMap(({ tallies }) => tallies.get(judge) ?? []);
    const false_ = at(clean).map(rolledBack);
    return [
      judge,
      `${percent(mean(false_))} (${percent(Math.max(...false_))})`,
      percent(Math.max(...at(disturbed).map(rolledBack))),
      ...[2, 5, 20].map((times) => percent(mean(at(worse(times)).map((tally) => 1 - rolledBack(tally))))),
      percent(Math.max(...at(({ cell }) => isBad(cell)).map(promoted))),
      exposure(outcomes, judge, DEFAULT).toFixed(2),
      minutes(mean(at(worse(5)).map(medianSeconds))),
      percent(mean(at(clean).map(held))),
    ];
  });
  return table(
    [
      'judge',
      'false rollback: mean (worst)',
      'worst, disturbed',
      'missed 2x',
      '5x',
      '20x',
      'promoted >= 2x: worst',
      'bad served',
      'min to verdict, 5x',
      'held, equal',
    ],
    rows,
  );
}

function cellTable(outcomes: readonly Outcome[]): string[] {
  const others = [
    'static alarm, 1 of 1',
    'static alarm, 3 of 3',
    'Flagger, 5 failed checks',
    'Kayenta, every minute',
    'Kayenta, every 30 min',
  ];
  const rows = outcomes.map(({ cell, tallies }) => {
    const own = tallies.get(DEFAULT)!;
    const calibrated = tallies.get('fledge, calibrated');
    return [
      `${cell.group} ${cell.requestsPerSecond}/s${cell.base > 0 ? ` ${cell.base * 100} %` : ''} x${cell.times} ${cell.disturbance ?? ''}`.trim(),
      String(own.runs),
      `${percent(rolledBack(own))}${calibrated === undefined ? '' : ` (calibrated ${percent(rolledBack(calibrated))})`}`,
      percent(promoted(own)),
      percent(held(own)),
      bad(own),
      own.seconds.length === 0 ? '-' : minutes(medianSeconds(own)),
      ...others.map((judge) => {
        const tally = tallies.get(judge);
        return tally === undefined ? '-' : `${percent(rolledBack(tally))} ${bad(tally)}`;
      }),
    ];
  });
  return table(
    [
      'cell',
      'runs',
      'fledge: rolled back',
      'promoted',
      'held',
      'bad served',
      'min',
      '1 of 1: rolled back, bad',
      '3 of 3',
      'Flagger',
      'Kayenta',
    ],
    rows,
  );
}

function waldTable(wald: readonly Extract<Result, { kind: 'wald' }>[], byEvent: readonly WaldRatio[]): string[] {
  const rows = wald.map(({ cell, minute, tenSeconds, robust }) => {
    const { requestsPerSecond, base, times } = CELLS[cell]!;
    return [
      `${requestsPerSecond}/s ${base * 100} % x${times}`,
      minute.bound.toFixed(1),
      minute.eventsInBin.toPrecision(2),
      ...[minute, tenSeconds, robust].map(({ ratio }) => ratio.toFixed(2)),
    ];
  });
  return [
    'Bad events of both arms until rollback, over the least that any test with this error can need on average (Wald), alpha 0.05',
    ...table(['cell', 'bound', 'events a minute', 'plain, 60 s', 'plain, 10 s', 'default, 60 s'], rows),
    `looking after every event: ${byEvent.map(({ times, ratio }) => `x${times} ${ratio.toFixed(2)}`).join(', ')}`,
  ];
}

function goals(
  outcomes: readonly Outcome[],
  byEvent: readonly WaldRatio[],
  wald: readonly Extract<Result, { kind: 'wald' }>[],
  speeds: readonly Speed[],
): string[] {
  const ours = (cells: (outcome: Outcome) => boolean) => outcomes.filter(cells).map(({ tallies }) => tallies.get(DEFAULT)!);
  const fine = wald.filter(({ minute }) => minute.eventsInBin <= minute.bound / 4).map(({ minute }) => minute.ratio);
  const lines: [string, number, string, boolean][] = [];
  const atMost = (name: string, figure: number, bound: number, as: (x: number) => string) =>
    lines.push([name, figure, `at most ${as(bound)}`, figure <= bound]);
  const below = (name: string, figure: number, bound: number, as: (x: number) => string) =>
    lines.push([name, figure, `below ${as(bound)}`, figure < bound]);
  const ratio = (x: number) => x.toFixed(2);

  atMost('false rollback, worst clean cell', Math.max(...ours(clean).map(rolledBack)), ALPHA, percent);
  atMost('false rollback, worst common-mode, burst or moderate-noise cell', Math.max(...ours(disturbed).map(rolledBack)), 0.06, percent);
  atMost('promoted although twice as bad or worse, worst cell', Math.max(...ours(({ cell }) => isBad(cell)).map(promoted)), BETA, percent);
  atMost('bad requests served, of Kayenta asked every minute', exposure(outcomes, DEFAULT, 'Kayenta, every minute'), 0.5, ratio);
  atMost('bad requests served, of Flagger', exposure(outcomes, DEFAULT, 'Flagger, 5 failed checks'), 0.5, ratio);
  below('bad requests served, of the 3-of-3 alarm', exposure(outcomes, DEFAULT, 'static alarm, 3 of 3'), 1, ratio);
  atMost('bad requests served, 10 s bins of 60 s bins', exposure(outcomes, 'fledge, 10 s bins', DEFAULT), 0.6, ratio);
  atMost('bad requests served, 10 s bins of 60 s bins, plain', exposure(outcomes, 'fledge plain, 10 s bins', 'fledge plain'), 0.6, ratio);
  below('Wald ratio by event, worst', Math.max(...byEvent.map((one) => one.ratio)), 2, ratio);
  below('Wald ratio by minute, worst cell where a minute holds a quarter of the bound or less', Math.max(...fine), 2, ratio);
  below('processor time of a verdict over 24 h x 8 metrics, slowest traffic', Math.max(...speeds.map(({ verdict }) => verdict)), 5, ms);
  return lines.map(([name, figure, bound, met], i) => {
    const as = i < 3 ? percent : i === lines.length - 1 ? ms : ratio;
    return `goal ${name}: ${as(figure)} (wanted ${bound}) ${met ? 'met' : 'missed'}`;
  });
}

/** Geometric mean over the error cells of 2, 5 and 20 times, of the bad requests that one judge lets through against another. */
function exposure(outcomes: readonly Outcome[], judge: string, against: string): number {
  const logs = outcomes.filter(clearlyWorse).map(({ tallies }) => {
    const [one, other] = [tallies.get(judge)!, tallies.get(against)!];
    return Math.log(one.badServed / one.runs / (other.badServed / other.runs));
  });
  return Math.exp(mean(logs));
}

const rolledBack = (tally: Tally) => tally.rolledBack / tally.runs;
const promoted = (tally: Tally) => tally.promoted / tally.runs;
const held = (tally: Tally) => 1 - rolledBack(tally) - promoted(tally);
const bad = (tally: Tally) => String(Number((tally.badServed / tally.runs).toPrecision(3)));

function medianSeconds({ seconds }: Tally): number {
  return [...seconds].sort((a, b) => a - b)[seconds.length >> 1] ?? Number.NaN;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function minutes(seconds: number): string {
  return (seconds / 60).toFixed(1);
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, j) => Math.max(title.length, ...rows.map((row) => row[j]!.length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, j) => (j === 0 ? cell.padEnd(widths[j]!) : cell.padStart(widths[j]!))).join('  ');
  return [line(head), ...rows.map(line)];
}
