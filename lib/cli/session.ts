/** What every command is given: where to leave its exit code, and when the user wants to stop. */
export interface Session {
  exitCode: number;
  readonly signal: AbortSignal;
  /** Does work that lets nothing else happen, and leaves nothing behind: Ctrl-C ends the process at once, since nobody could hear of it. */
  atOnce<T>(work: () => T): T;
}
