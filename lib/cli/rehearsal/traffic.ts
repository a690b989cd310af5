import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { inspect } from '../../model';
import { UserError } from '../exit-codes';
import { counted } from '../sizes';

/** Requests to replay, in their order, with what really happened where it is known. */
export interface Traffic {
  readonly contentType: 'text/csv' | 'application/json';
  readonly bodies: readonly string[];
  /** What the first value of the answer should have been, a request each; undefined where the file holds no outcomes. */
  readonly outcomes: readonly string[] | undefined;
}

/**
 * Reads a traffic file: CSV with a header, or JSON lines; gzipped or not.
 *
 * CSV: the model's inputs as columns, in any order; `outcome` is what really happened; a column `time` is for the reader. JSON lines: `{"inputs": {...}, "outcome": ...}`.
 *
 * @param inputs names of the model's inputs in order; columns are put in this order. @default - the file's own order
 * @throws UserError that names the file and what is wrong with it
 */
export function readTraffic(file: string, inputs?: readonly string[]): Traffic {
  const text = readText(file);
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  if (lines.length === 0) throw new UserError(`${file} holds no requests`);
  return lines[0].startsWith('{') ? readJsonLines(file, lines) : readCsv(file, lines, inputs);
}

/** The inputs of a model in its own order; undefined where it is not at hand, or its files do not tell. @throws ModelError */
export const inputsOf = (directory: string | undefined): string[] | undefined =>
  directory === undefined ? undefined : inspect(directory, { scan: false }).signature?.inputs.map(({ name }) => name);

function readText(file: string): string {
  try {
    const bytes = readFileSync(file);
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'permission denied',
      Z_BUF_ERROR: 'it is a gzip file that was cut off',
    };
    throw new UserError(`${file} cannot be read: ${why[code ?? ''] ?? (code?.startsWith('Z_') ? 'it is a damaged gzip file' : message)}`);
  }
}

function readJsonLines(file: string, lines: readonly string[]): Traffic {
  const rows = lines.map((line, i) => {
    try {
      return JSON.parse(line) as { inputs?: unknown; outcome?: unknown };
    } catch {
      throw new UserError(`${file}, line ${i + 1}: not JSON: ${line.slice(0, 60)}`);
    }
  });
  const bare = rows.findIndex((row) => row.inputs === undefined);
  if (bare >= 0) throw new UserError(`${file}, line ${bare + 1}: has no "inputs"`);
  return {
    contentType: 'application/json',
    bodies: rows.map(({ inputs }) => JSON.stringify({ instances: [inputs] })),
    outcomes: rows.every((row) => row.outcome !== undefined) ? rows.map((row) => String(row.outcome)) : undefined,
  };
}

function readCsv(file: string, lines: readonly string[], inputs: readonly string[] | undefined): Traffic {
  if (lines.length === 1) throw new UserError(`${file} holds no requests below its header`);
  const header = cells(lines[0]);
  const wanted = inputs ?? header.filter((name) => name !== 'time' && name !== 'outcome');
  const missing = wanted.filter((name) => !header.includes(name));
  if (missing.length > 0) throw new UserError(`${file} has no column ${missing.join(', ')}; it has ${header.join(', ')}`);
  const places = wanted.map((name) => header.indexOf(name));
  const outcome = header.indexOf('outcome');
  const rows = lines.slice(1).map((line, i) => {
    const row = cells(line);
    if (row.length !== header.length)
      throw new UserError(`${file}, line ${i + 2}: has ${counted(row.length, 'column')}, the header has ${header.length}`);
    return row;
  });
  return {
    contentType: 'text/csv',
    bodies: rows.map((row) => places.map((place) => quoted(row[place])).join(',')),
    outcomes: outcome < 0 ? undefined : rows.map((row) => row[outcome]),
  };
}

function cells(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, inside, plain]) => inside?.replaceAll('""', '"') ?? plain);
}

const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
