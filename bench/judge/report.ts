/** What the bench prints: a table of judges, a table of cells, and the goals. */
import { CELLS, type Cell, isClearlyWorse } from './cells';
import { CALIBRATED, KNOWING, type Tally } from './run-cell';
import type { Speed } from './speed';
import { isBad } from './traffic';
import { WALD_JUDGES, type WaldRatio } from './wald';
import type { Result } from './worker';

const DEFAULT = 'fledge';
const TEN_SECONDS = 'fledge, 10 s bins';
const ONE_OF_THREE = 'fledge, one of 3 metrics';
const PLAIN = 'fledge plain';
const ALPHA = 0.05;
const BETA = 0.05;

type CellRatios = Extract<Result, { kind: 'wald' }>;

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
        `24 h of minutes x 8 metrics at ${traffic}: verdict ${ms(verdict)}, one more minute and verdict ${ms(tick)}`,
    ),
    '',
    ...goals(outcomes, byEvent, wald, speeds),
  ].join('\n');
}

/** Cells of a candidate as good as the baseline, without disturbance; with one that the default is meant for; and of one twice as bad or worse. */
const clean = ({ cell }: Outcome) => cell.times === 1 && cell.disturbance === undefined;
const disturbed = ({ cell }: Outcome) => cell.times === 1 && cell.disturbance !== undefined && cell.disturbance !== 'heavy noise';
const heavy = ({ cell }: Outcome) => cell.times === 1 && cell.disturbance === 'heavy noise';
const worse = (times: number) => (outcome: Outcome) => outcome.cell.group === 'errors' && outcome.cell.times === times;

function judgeTable(outcomes: readonly Outcome[]): string[] {
  const judges = [...new Set(outcomes.flatMap(({ tallies }) => [...tallies.keys()]))].filter(
    (judge) => !judge.startsWith(CALIBRATED) && judge !== KNOWING,
  );
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
    const ten = tallies.get(TEN_SECONDS)!;
    const calibrated = tallies.get(CALIBRATED);
    return [
      `${cell.group} ${cell.requestsPerSecond}/s${cell.base > 0 ? ` ${cell.base * 100} %` : ''} x${cell.times} ${cell.disturbance ?? ''}`.trim(),
      String(own.runs),
      `${percent(rolledBack(own))}${calibrated === undefined ? '' : ` (calibrated ${percent(rolledBack(calibrated))})`}`,
      percent(promoted(own)),
      percent(held(own)),
      bad(own),
      own.seconds.length === 0 ? '-' : minutes(medianSeconds(own)),
      `${percent(rolledBack(ten))} ${percent(promoted(ten))} ${bad(ten)}`,
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
      '10 s bins: rolled back, promoted, bad',
      '1 of 1: rolled back, bad',
      '3 of 3',
      'Flagger',
      'Kayenta',
    ],
    rows,
  );
}

function waldTable(wald: readonly CellRatios[], byEvent: readonly WaldRatio[]): string[] {
  const rows = wald.map(({ cell, ratios }) => {
    const { requestsPerSecond, base, times } = CELLS[cell]!;
    const { bound, eventsInBin } = ratios[0]!;
    return [
      `${requestsPerSecond}/s ${base * 100} % x${times}`,
      bound.toFixed(1),
      eventsInBin.toPrecision(2),
      ...ratios.map(({ ratio }) => ratio.toFixed(2)),
    ];
  });
  return [
    'Bad events of both arms until rollback, over the least that any test with this error can need on average (Wald), alpha 0.05',
    ...table(['cell', 'bound', 'events a minute', 'plain, 60 s', 'plain, 10 s', 'default, 60 s', 'default, 10 s'], rows),
    `looking after every event: ${byEvent.map(({ times, ratio }) => `x${times} ${ratio.toFixed(2)}`).join(', ')}`,
  ];
}

const ratio = (x: number) => x.toFixed(2);
const waldName = ({ profile, binSeconds }: (typeof WALD_JUDGES)[number]) =>
  `Wald ratio, ${profile}, ${binSeconds} s bins, worst cell where a bin holds a quarter of the bound or less`;

/** One line for each goal: a worst case over its cells, or a mean over them. */
function goals(
  outcomes: readonly Outcome[],
  byEvent: readonly WaldRatio[],
  wald: readonly CellRatios[],
  speeds: readonly Speed[],
): string[] {
  const atMost = (name: string, figure: number, bound: number, as: (x: number) => string) =>
    `goal ${name}: ${as(figure)} (wanted at most ${as(bound)}) ${figure <= bound ? 'met' : 'missed'}`;
  const below = (name: string, figure: number, bound: number, as: (x: number) => string) =>
    `goal ${name}: ${as(figure)} (wanted below ${as(bound)}) ${figure < bound ? 'met' : 'missed'}`;
  const worst = (judge: string, cells: (outcome: Outcome) => boolean, share: (tally: Tally) => number) =>
    Math.max(...outcomes.filter(cells).map(({ tallies }) => share(tallies.get(judge)!)));
  const bins = [
    ['60 s', DEFAULT],
    ['10 s', TEN_SECONDS],
  ] as const;
  const against = (judge: string) => [
    ...(
      [
        ['Kayenta asked every minute', 'Kayenta, every minute'],
        ['Kayenta asked every 30 minutes', 'Kayenta, every 30 min'],
        ['Flagger', 'Flagger, 5 failed checks'],
      ] as const
    ).map(([name, peer]) => {
      const goal = atMost(`bad requests served, ${judge}, of ${name}`, exposure(outcomes, judge, peer), 0.5, ratio);
      return judge === ONE_OF_THREE ? `${goal}; ${ratio(exposure(outcomes, KNOWING, peer))} had it known how many times worse` : goal;
    }),
    below(`bad requests served, ${judge}, of the 3-of-3 alarm`, exposure(outcomes, judge, 'static alarm, 3 of 3'), 1, ratio),
  ];
  const fine = (judge: number) => {
    const ratios = wald.map(({ ratios }) => ratios[judge]!).filter(({ eventsInBin, bound }) => eventsInBin <= bound / 4);
    return Math.max(...ratios.map((one) => one.ratio));
  };
  return [
    ...bins.map(([bin, judge]) => atMost(`false rollback, ${bin} bins, worst clean cell`, worst(judge, clean, rolledBack), ALPHA, percent)),
    ...bins.map(([bin, judge]) =>
      atMost(
        `false rollback, ${bin} bins, worst common-mode, burst or moderate-noise cell`,
        worst(judge, disturbed, rolledBack),
        0.06,
        percent,
      ),
    ),
    ...bins.map(([bin, judge]) =>
      atMost(
        `promoted although twice as bad or worse, ${bin} bins, worst of all cells`,
        worst(judge, ({ cell }) => isBad(cell), promoted),
        BETA,
        percent,
      ),
    ),
    ...[DEFAULT, TEN_SECONDS, ONE_OF_THREE, `${ONE_OF_THREE}, 10 s bins`].flatMap(against),
    ...[DEFAULT, ONE_OF_THREE, PLAIN].map((judge) =>
      atMost(`bad requests served, ${judge}, 10 s bins of 60 s bins`, exposure(outcomes, `${judge}, 10 s bins`, judge), 0.6, ratio),
    ),
    below('Wald ratio, looking after every event, worst', Math.max(...byEvent.map((one) => one.ratio)), 2, ratio),
    ...WALD_JUDGES.flatMap((judge, i) => (judge.profile === 'plain' ? [below(waldName(judge), fine(i), 2, ratio)] : [])),
    below('median time of a verdict over 24 h x 8 metrics, slowest traffic', Math.max(...speeds.map(({ verdict }) => verdict)), 5, ms),
    '',
    ...WALD_JUDGES.flatMap((judge, i) =>
      judge.profile === 'standard' ? [`outside the goals: ${waldName(judge)}: ${ratio(fine(i))}, of it the noise that is allowed for`] : [],
    ),
    ...bins.map(([bin, judge]) => {
      const calibrated = judge.replace(DEFAULT, CALIBRATED);
      const shares = [judge, calibrated].map((one) => percent(worst(one, heavy, rolledBack)));
      return `outside the goals: false rollback, ${bin} bins, worst heavy-noise cell: ${shares[0]}, calibrated ${shares[1]}`;
    }),
  ];
}

/** Geometric mean over the error cells of 2, 5 and 20 times, of the bad requests that one judge lets through against another. */
function exposure(outcomes: readonly Outcome[], judge: string, against: string): number {
  const logs = outcomes
    .filter(({ cell }) => isClearlyWorse(cell))
    .map(({ tallies }) => {
      const [one, other] = [tallies.get(judge)!, tallies.get(against)!];
      return Math.log(one.badServed / one.runs / (other.badServed / other.runs));
    });
  return Math.exp(mean(logs));
}

const rolledBack = (tally: Tally) => tally.rolledBack / tally.runs;
const promoted = (tally: Tally) => tally.promoted / tally.runs;
const held = (tally: Tally) => (tally.runs - tally.rolledBack - tally.promoted) / tally.runs;
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
