import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from '../../model';

/** How a request of CSV is made of the columns of a file. */
export interface Columns {
  /** Columns to send, in this order. @default - all of the file's that are a model's, in its order */
  readonly names?: readonly string[];
  /** Whether each request says their names in a line before. */
  readonly header: boolean;
}

/**
 * How the model in a directory takes its columns: those that its signature names; else all there are, in the file's order, and where
 * its own code answers, which may look for names, with a header.
 *
 * @throws ModelError
 */
export function columnsOf(directory: string): Columns {
  const inputs = inspect(directory, { scan: false }).signature?.inputs ?? [];
  // An input of several values a row is a table whose columns nobody named.
  const areNamed = inputs.length > 0 && inputs.every(({ shape = [] }) => shape.slice(1).every((size) => size === 1));
  if (areNamed) return { names: inputs.map(({ name }) => name), header: false };
  return { header: existsSync(join(directory, 'code', 'inference.py')) };
}
