import { csvField, parseCsv } from '../../serving/codec/csv';
import { UserError } from '../exit-codes';
import { counted } from '../sizes';
import type { Columns } from './columns';
import { type KnownValue, knownValue } from './known-value';
import { lineAt, readText, shown } from './traffic-file';

/** Requests to replay, in their order, with what really happened where it is known. */
export interface Traffic {
  readonly contentType: 'text/csv' | 'application/json';
  /** The line of names that each request begins with; undefined where none does. */
  readonly header: string | undefined;
  readonly bodies: readonly string[];
  /** What the first value of the answer should have been, a request each, null where that is not known; undefined where it is known of none. */
  readonly outcomes: readonly KnownValue[] | undefined;
}

/** Columns that are no model's. */
const APART = ['time', 'outcome'];
const ONE_A_LINE = 'write one JSON object a line: {"inputs": {...}, "outcome": ...}';

/**
 * Reads a traffic file: CSV with a header, or JSON lines, in UTF-8; gzipped or not.
 *
 * CSV: the model's inputs as columns, in any order; `outcome` is what really happened; a column `time` is for the reader. JSON lines: `{"inputs": {...}, "outcome": ...}`.
 *
 * @param columns how a request of CSV is made of them. @default - all but those apart, in the file's order, each request with a header
 * @throws UserError that names the file and what is wrong with it
 */
export function readTraffic(file: string, columns: Columns = { header: true }): Traffic {
  const text = readText(file);
  const first = text.trimStart();
  if (first === '') throw new UserError(`${file} holds no requests`);
  if (/^\[\s*[[{\]]/.test(first)) throw new UserError(`${file} is a JSON array: ${ONE_A_LINE}`);
  const isJson = first.startsWith('{') || /\.(json|jsonl|ndjson)(\.gz)?$/i.test(file);
  return isJson ? readJsonLines(file, text) : readCsv(file, text, columns);
}

/** How many requests have no known outcome, in a sentence; undefined where all have, or none has. */
export function unknownOutcomes(file: string, { outcomes }: Traffic): string | undefined {
  const unknown = outcomes?.filter((outcome) => outcome === null).length ?? 0;
  if (unknown === 0) return undefined;
  return `${unknown} of ${counted(outcomes!.length, 'request')} in ${file} have no outcome: they do not count among right and wrong answers`;
}

function readJsonLines(file: string, text: string): Traffic {
  const bodies: string[] = [];
  const outcomes: KnownValue[] = [];
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    const refuse = (why: string) => new UserError(`${file}, line ${i + 1}: ${why}`);
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      throw refuse(`not JSON: ${shown(line)}; ${ONE_A_LINE}`);
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row)) throw refuse(`no object: ${shown(line)}; ${ONE_A_LINE}`);
    const { inputs, outcome } = row as { inputs?: unknown; outcome?: unknown };
    if (inputs === undefined || inputs === null) throw refuse('has no "inputs"');
    const value = knownValue(outcome);
    if (value === undefined) throw refuse(`outcome must be a number, a text, true or false, not ${shown(JSON.stringify(outcome))}`);
    bodies.push(JSON.stringify({ instances: [inputs] }));
    outcomes.push(value);
  });
  return { contentType: 'application/json', header: undefined, bodies, outcomes: knownOf(outcomes) };
}

function readCsv(file: string, text: string, columns: Columns): Traffic {
  const { records, lineOf } = recordsOf(file, text);
  const names = records[0].map((name) => name.trim());
  if (records.length === 1) throw new UserError(`${file} holds no requests below its header`);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new UserError(`${file} has more than one column ${shown(twice)}`);
  const wanted = columns.names ?? names.filter((name) => !APART.includes(name));
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new UserError(`${file} has no column ${few(missing)}; it has ${few(names)}`);
  const places = wanted.map((name) => names.indexOf(name));
  const outcome = names.indexOf('outcome');
  const rows = records.slice(1);
  const odd = rows.findIndex((row) => row.length !== names.length);
  if (odd >= 0)
    throw new UserError(`${file}, line ${lineOf(odd + 1)}: has ${counted(rows[odd].length, 'column')}, the header has ${names.length}`);
  return {
    contentType: 'text/csv',
    header: columns.header ? lineOfFields(wanted) : undefined,
    bodies: rows.map((row) => lineOfFields(places.map((place) => row[place]))),
    outcomes: outcome < 0 ? undefined : knownOf(rows.map((row) => knownValue(row[outcome]) ?? null)),
  };
}

function recordsOf(file: string, text: string): { records: string[][]; lineOf: (record: number) => number } {
  const starts: number[] = [];
  const lineOf = (record: number) => lineAt(text, starts[record]);
  try {
    return { records: parseCsv(text, starts), lineOf };
  } catch (error) {
    const why = (error as Error).message.replace(/^row \d+: /, '');
    throw new UserError(`${file}, line ${lineOf(starts.length - 1)}: ${why.replace(/(?<=closing quote: ).*/s, shown)}`);
  }
}

/** A line that a reader of CSV does not take for an empty one. */
const lineOfFields = (fields: readonly string[]): string => fields.map(csvField).join(',') || '""';

const knownOf = (outcomes: readonly KnownValue[]) => (outcomes.every((outcome) => outcome === null) ? undefined : outcomes);

/** Names for a message: a table may have thousands. */
function few(names: readonly string[]): string {
  const first = names.slice(0, 8).map((name) => (/^\w+$/.test(name) && name.length < 60 ? name : shown(name)));
  return names.length > 8 ? `${first.join(', ')} and ${names.length - 8} more` : first.join(', ');
}
