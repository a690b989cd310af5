/** The report: a rehearsal as one page that opens offline. */
import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from '../exit-codes';
import type { RehearsalResult } from '../rehearsal/rehearsal';
import { reportPage } from './page';

export { reasonOf, verdictSentence, whenOf } from './verdict';
export { titleOf } from './versions';
export { reportPage };

/** Says no before minutes of work are lost. @throws UserError when a report could not be written to the file */
export function checkReportFile(file: string): void {
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new UserError(`the report cannot be written to ${file}: there is no folder ${folder}`);
  if (existsSync(file) && statSync(file).isDirectory())
    throw new UserError(`the report cannot be written to ${file}: it is a folder; name a file`);
  try {
    accessSync(existsSync(file) ? file : folder, constants.W_OK);
  } catch {
    throw new UserError(`the report cannot be written to ${file}: permission denied; name another file with --report`);
  }
}

/** @returns the file's whole path */
export function writeReport(file: string, result: RehearsalResult): string {
  writeFileSync(file, reportPage(result));
  return resolve(file);
}
