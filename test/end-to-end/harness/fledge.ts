import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

/** The command as it is built. */
export const FLEDGE = resolve(__dirname, '../../../dist/bin/fledge.js');

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in a process of its own. */
export function fledge(env: NodeJS.ProcessEnv, ...argv: string[]): Promise<Ran> {
  return new Promise((done) =>
    execFile(process.execPath, [FLEDGE, ...argv], { env }, (error, out, err) =>
      done({ code: (error?.code as number | undefined) ?? 0, out, err }),
    ),
  );
}
