import { EXIT, UserError } from './exit-codes';
import { problemOf } from './problem';

/**
 * What becomes of a command whose output nobody takes any more. Where its reader has gone, as `head` does, it stops and cleans up as after
 * Ctrl-C, says nothing, and exits with 141, as shells say it of SIGPIPE, whatever it had come to. Where its output cannot be written, the
 * disk being full, it says so in one line and exits with 1.
 */
export class LostOutput {
  /** Set once output was lost. */
  exitCode: number | undefined;
  private readonly controller = new AbortController();

  constructor(...streams: readonly NodeJS.WriteStream[]) {
    for (const stream of streams) stream.on('error', (error: NodeJS.ErrnoException) => this.lose(error));
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  private lose(error: NodeJS.ErrnoException): void {
    if (this.exitCode !== undefined) return;
    this.exitCode = error.code === 'EPIPE' ? EXIT.unread : EXIT.failed;
    // The last lines are written after the command has ended.
    process.exitCode = this.exitCode;
    const reason = new UserError(`the output cannot be written: ${problemOf(error) ?? error.message}`);
    if (error.code !== 'EPIPE') process.stderr.write(`error: ${reason.message}\n`);
    this.controller.abort(reason);
  }
}
