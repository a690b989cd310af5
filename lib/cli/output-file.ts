import { writeFileSync } from 'node:fs';
import { UserError } from './exit-codes';

/** Writes what the user asked for into a file. @returns its name @throws UserError */
export function writeOutput(file: string, text: string): string {
  try {
    writeFileSync(file, text);
    return file;
  } catch (error) {
    throw new UserError(`${file} cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}
