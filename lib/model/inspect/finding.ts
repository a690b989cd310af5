/** `error`: the container will not load it; `warning`: it may fail or surprise; `note`: worth knowing. */
export type Severity = 'error' | 'warning' | 'note';

export interface Finding {
  readonly severity: Severity;
  /** A stable word for programs: `xgboost-several-root-files`. */
  readonly code: string;
  /** The file that it is about, below the directory. */
  readonly path?: string;
  /** What is so. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
}
