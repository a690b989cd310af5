/** What every command is given: where to leave its exit code, and when the user wants to stop. */
export interface Session {
  exitCode: number;
  readonly signal: AbortSignal;
}
