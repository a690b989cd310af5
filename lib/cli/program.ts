import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { UnusableDirectory } from '../local/storage/directory-lock';
import { ModelError } from '../model';
import { packageRoot } from '../model/entry-point';
import { PublishError } from '../model/publish';
import { addModelCommands } from './commands/model';
import { addPlan } from './commands/plan';
import { addStageCommands } from './commands/promotions';
import { addProvenanceCommands } from './commands/provenance';
import { addPublish } from './commands/publish';
import { addRehearse } from './commands/rehearse';
import { addScan } from './commands/safety';
import { addServingCommands } from './commands/serving';
import { EXIT, UserError } from './exit-codes';
import { LostOutput } from './lost-output';
import { problemOf } from './problem';
import type { Session } from './session';

export { LostOutput };

const STOPS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs the command line.
 *
 * @param argv without node and the program's name
 * @param output where its output may be lost
 * @returns the exit code
 */
export async function main(argv: readonly string[], output = new LostOutput()): Promise<number> {
  const interrupted = new AbortController();
  const stop = () => interrupted.abort(new UserError('interrupted'));
  const listen = () => {
    for (const signal of STOPS) process.once(signal, stop);
  };
  const unlisten = () => {
    for (const signal of STOPS) process.off(signal, stop);
  };
  const atOnce: Session['atOnce'] = (work) => {
    unlisten();
    try {
      return work();
    } finally {
      listen();
    }
  };
  const session: Session = { exitCode: EXIT.ok, signal: AbortSignal.any([interrupted.signal, output.signal]), atOnce };
  listen();
  try {
    await program(session).parseAsync([...argv], { from: 'user' });
    return output.exitCode ?? session.exitCode;
  } catch (error) {
    if (output.exitCode !== undefined) return output.exitCode;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (interrupted.signal.aborted) {
      process.stderr.write('interrupted: everything that was started is stopped\n');
      return EXIT.interrupted;
    }
    process.stderr.write(`${messageOf(error)}\n`);
    return error instanceof ModelError && error.code === 'scan-refused' ? EXIT.refused : EXIT.failed;
  } finally {
    unlisten();
  }
}

function program(session: Session): Command {
  const root = new Command('fledge')
    .description('from a trained model to a managed SageMaker endpoint, and every later version through a judged canary')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('(fledge --help shows the commands)');
  addModelCommands(root, session);
  addScan(root, session);
  addPublish(root, session);
  addProvenanceCommands(root, session);
  addServingCommands(root, session);
  addRehearse(root, session);
  addPlan(root);
  addStageCommands(root, session);
  return root;
}

/** This package's. */
function packageVersion(): string {
  return JSON.parse(readFileSync(join(packageRoot(__dirname), 'package.json'), 'utf8')).version;
}

/** An error of the user, of AWS or of the machine in one line; anything else with its stack, since it is ours. */
function messageOf(error: unknown): string {
  const isUsers = [UserError, ModelError, PublishError, UnusableDirectory].some((kind) => error instanceof kind);
  if (error instanceof Error && isUsers) return `error: ${error.message}`;
  const problem = problemOf(error);
  if (problem !== undefined) return `error: ${problem}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
