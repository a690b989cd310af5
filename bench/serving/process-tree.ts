import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc's times in a second: 100 wherever Linux runs Node. */
const TICKS = 100;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The second field, the program's name, may hold anything but ends at the last parenthesis.
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
        return [{ pid: Number(name), parent: Number(fields[1]), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS }];
      } catch {
        return [];
      }
    });
}

/** A process and all that it started. */
function tree(root: number): Process[] {
  const all = processes();
  const found = all.filter(({ pid }) => pid === root);
  for (let i = 0; i < found.length; i++) found.push(...all.filter(({ parent }) => parent === found[i]!.pid));
  return found;
}

/** Seconds of processor that a process and all that it started have taken. */
export function cpuSecondsOf(root: number): number {
  return tree(root).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** Signals a process and all that it started. */
export function signalTree(root: number, signal: NodeJS.Signals): void {
  for (const { pid } of tree(root)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended in between.
    }
  }
}
