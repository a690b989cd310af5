import { existsSync, lstatSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { UserError } from './exit-codes';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder; name a file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the disk',
};

/**
 * Writes what the user asked for into a file, which appears whole or not at all; a pipe or a device gets it directly.
 *
 * @returns its name
 * @throws UserError
 */
export function writeOutput(file: string, text: string): string {
  orSaid(file, (partial) => {
    writeFileSync(partial ?? file, text);
    if (partial !== undefined) renameSync(partial, file);
  });
  return file;
}

/** Says no before work is lost. @throws UserError where `writeOutput` could not write the file */
export function checkOutput(file: string): void {
  if (existsSync(file) && statSync(file).isDirectory()) throw refusal(file, 'EISDIR');
  orSaid(file, (partial) => {
    if (partial === undefined) return;
    writeFileSync(partial, '');
    rmSync(partial);
  });
}

/** Does what may fail, and then leaves nothing. @param write is told where the file grows; undefined for what is no plain file */
function orSaid(file: string, write: (partial: string | undefined) => void): void {
  const partial = `${file}.${process.pid}.partial`;
  try {
    const plain = lstatSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
    write(plain ? partial : undefined);
  } catch (error) {
    if (existsSync(partial)) rmSync(partial);
    throw refusal(file, (error as NodeJS.ErrnoException).code!);
  }
}

const refusal = (file: string, code: string) => new UserError(`${file} cannot be written: ${REASONS[code] ?? code}`);
