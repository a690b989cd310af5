import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A directory that cannot be used as it is: its user's to mend. */
export class UnusableDirectory extends Error {}

/** Who holds a directory. Its start tells a process from a later one with the same number, where the system says it. */
interface Holder {
  readonly pid: number;
  readonly started?: string;
}

/**
 * Keeps other processes' servers off a directory: two that write the same files would undo each other's work. What a process left that is gone does not count.
 *
 * @returns gives the directory free
 * @throws UnusableDirectory that names the process that has it
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'lock');
  for (;;) {
    try {
      writeFileSync(path, JSON.stringify(holderOf(process.pid)), { flag: 'wx', mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(path);
    if (holder !== undefined && holder.pid !== process.pid && isAlive(holder)) {
      throw new UnusableDirectory(`${directory} is in use by process ${holder.pid}: end that, or give another directory`);
    }
    rmSync(path, { force: true });
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

const holderOf = (pid: number): Holder => ({ pid, started: startOf(pid) });

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startOf(pid) === started;
}

/** Ticks after the machine's start; undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before it may hold spaces and brackets: field 22 is counted from behind it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
