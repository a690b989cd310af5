/** The report: a rehearsal as one page that opens offline. */
import { resolve } from 'node:path';
import { writeOutput } from '../output-file';
import type { RehearsalResult } from '../rehearsal/rehearsal';
import { reportPage } from './page';

export { reasonOf, verdictSentence, whenOf } from './verdict';
export { titleOf } from './versions';
export { reportPage };

/** @returns the file's whole path */
export function writeReport(file: string, result: RehearsalResult): string {
  return resolve(writeOutput(file, reportPage(result)));
}
