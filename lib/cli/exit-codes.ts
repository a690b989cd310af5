import type { Outcome } from '../promotion';

/** What the command's end says to a script. */
export const EXIT = {
  /** Done; a candidate was promoted, or everything went as expected. */
  ok: 0,
  /** Something went wrong: the message says what. */
  failed: 1,
  /** The command was not understood. */
  usage: 2,
  rolledBack: 3,
  held: 4,
  /** A scan found what the model's policy refuses. */
  refused: 5,
  /** Ended by Ctrl-C, as shells say it. */
  interrupted: 130,
  /** Whoever read its output has gone, as shells say it of SIGPIPE. */
  unread: 141,
} as const;

/** How a promotion ended. */
export const verdictCode = ({ verdict }: Pick<Outcome, 'verdict'>): number =>
  ({ promoted: EXIT.ok, 'rolled back': EXIT.rolledBack, held: EXIT.held })[verdict];

/** An error that is the user's to mend: shown without a stack. */
export class UserError extends Error {}
