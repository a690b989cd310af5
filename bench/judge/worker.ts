/** Does the cells it is given, one at a time. */
import { CELLS } from './cells';
import { runCell, type Tally } from './run-cell';
import { WALD_JUDGES, type WaldRatio, waldRatio, waldRatioByEvent } from './wald';

/** How much to run. */
export interface Effort {
  readonly least: number;
  readonly most: number;
  readonly standardError: number;
  readonly waldRuns: number;
}

export type Task =
  | { readonly kind: 'cell'; readonly cell: number; readonly effort: Effort }
  | { readonly kind: 'wald'; readonly cell: number; readonly effort: Effort }
  | { readonly kind: 'wald by event'; readonly times: number; readonly effort: Effort };

export type Result =
  | { readonly kind: 'cell'; readonly cell: number; readonly tallies: Tally[] }
  | { readonly kind: 'wald'; readonly cell: number; readonly ratios: readonly WaldRatio[] }
  | { readonly kind: 'wald by event'; readonly wald: WaldRatio };

function run(task: Task): Result {
  const { effort } = task;
  if (task.kind === 'wald by event') return { kind: task.kind, wald: waldRatioByEvent(task.times, 4 * effort.waldRuns) };
  const cell = CELLS[task.cell]!;
  if (task.kind === 'cell')
    return { kind: task.kind, cell: task.cell, tallies: runCell(cell, effort.least, effort.most, effort.standardError) };
  return {
    kind: task.kind,
    cell: task.cell,
    ratios: WALD_JUDGES.map(({ profile, binSeconds }) => waldRatio(cell, binSeconds, profile, effort.waldRuns)),
  };
}

process.on('message', (task: Task) => process.send!(run(task)));
