/** `safe`: nothing that runs; `unknown`: a name or a form that no list knows; `dangerous`: would do harm, has no other use, or hides behind a limit. */
export type Grade = 'safe' | 'unknown' | 'dangerous';

/** One thing that a scan found. */
export interface ScanFinding {
  readonly grade: 'unknown' | 'dangerous';
  /** A stable word for programs: `pickle-import`, `zip-slip`, `keras-lambda`, ... */
  readonly code: string;
  /** The file below the scanned directory, and the way into it: `model.pt!archive/data.pkl`. */
  readonly path: string;
  /** Bytes from the start of the innermost part. */
  readonly offset?: number;
  /** The pickle opcode that does it. */
  readonly opcode?: string;
  /** The name that is imported or called: `os.system`. */
  readonly name?: string;
  /** What it would have called, with its arguments shortened: `os.system('id')`. */
  readonly call?: string;
  readonly message: string;
}

const ORDER: readonly Grade[] = ['safe', 'unknown', 'dangerous'];

export function worst(grades: Iterable<Grade>): Grade {
  let found: Grade = 'safe';
  for (const grade of grades) if (ORDER.indexOf(grade) > ORDER.indexOf(found)) found = grade;
  return found;
}
