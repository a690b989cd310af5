import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { somebody } from '../../options';

/** Options of every command that speaks to a stage. */
export interface StageOptions {
  readonly bucket?: string;
  readonly json?: boolean;
}

/** Options of a command by which a person changes something. */
export interface PersonOptions extends StageOptions {
  readonly by: string;
  readonly reason?: string;
}

/** A command on one endpoint. */
export function stageCommand(root: Command, name: string, description: string): Command {
  return root
    .command(name)
    .description(description)
    .argument('<endpoint>', 'name of the endpoint')
    .option('--bucket <name>', "the stage's bucket; else the endpoint's tags name it", process.env.FLEDGE_BUCKET)
    .option('--json', 'one JSON document on standard output');
}

/** Adds who says it, and why. */
export function byPerson(command: Command): Command {
  return command.option('--by <name>', 'who says it', somebody, whoami()).option('--reason <text>', 'why; goes into the record');
}

/** What a person said, for an approval's description, which SageMaker takes as one line. */
export const signed = (what: string, { by, reason }: Pick<PersonOptions, 'by' | 'reason'>): string =>
  `${what} by ${by}${reason ? `: ${reason}` : ''}`.replace(/\s+/g, ' ');

function whoami(): string {
  const named = process.env.GITHUB_ACTOR ?? process.env.USER;
  if (named) return named;
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
