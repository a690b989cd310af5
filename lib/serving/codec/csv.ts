import { ELEMENTS } from './element';
import { type Layout, type Place, width } from './layout';
import { BadRequest, type TensorSpec } from './signature';

/** Rows as they were decoded, and where each stood in the request. */
export interface Rows {
  readonly rows: readonly unknown[];
  readonly place: Place;
}

/**
 * Decodes comma-separated rows in the order of the inputs. An empty field is a missing value. A first row that holds the names of
 * all inputs is a header, and then rules the order; columns that the model does not know are passed over, as names in JSON are.
 */
export function decodeCsv(layout: Layout, text: string): Rows {
  const records = parseCsv(text);
  if (records.length === 0) throw new BadRequest('the request holds no rows');
  const fields = flatten(layout.inputs, records[0]!.length);
  const order = fields.length === layout.inputs.length ? header(records[0]!, layout.inputs) : undefined;
  const named = order === undefined ? undefined : records.shift()!.length;
  const rows = records.map((record, row) => {
    if (named !== undefined && record.length !== named) {
      throw new BadRequest(`row ${row + 1} has ${record.length} fields, the header has ${named}`);
    }
    if (named === undefined && record.length !== fields.length) {
      throw new BadRequest(`row ${row + 1} has ${record.length} fields, the model takes ${fields.length}: ${layout.names}`);
    }
    const values = layout.inputs.map((): unknown[] => []);
    for (let i = 0; i < fields.length; i++) {
      const input = fields[i]!;
      const text = record[order === undefined ? i : order[i]!]!;
      values[input]!.push(ELEMENTS[layout.inputs[input]!.type].fromText(text));
    }
    return values.map((flat, input) => nest(flat, layout.inputs[input]!));
  });
  return { rows: layout.inputs.length === 1 ? rows.map((row) => row[0]) : rows, place: (row) => `row ${row + 1}` };
}

/** The input that each field of a row belongs to. */
function flatten(inputs: readonly TensorSpec[], given: number): number[] {
  const widths = inputs.map(width);
  const free = inputs.find((_, input) => widths[input] === undefined);
  if (free !== undefined && inputs.length > 1) {
    throw new BadRequest(`an input with a free dimension has no text/csv form beside other inputs: send application/json`, 415);
  }
  if (free !== undefined) {
    const { count, product } = fixed(free);
    if (count < free.shape.length - 2) {
      throw new BadRequest(`input "${free.name}" leaves several dimensions free and has no text/csv form: send application/json`, 415);
    }
    if (given % product !== 0) throw new BadRequest(`row 1 has ${given} fields, "${free.name}" takes a multiple of ${product}`);
  }
  return widths.flatMap((one, input) => new Array<number>(one ?? given).fill(input));
}

/** The dimensions of a row that the graph fixes. */
function fixed(spec: TensorSpec): { readonly count: number; readonly product: number } {
  const dimensions = spec.shape.slice(1).filter((one) => typeof one === 'number');
  return { count: dimensions.length, product: dimensions.reduce((a, b) => a * b, 1) };
}

function nest(flat: readonly unknown[], spec: TensorSpec): unknown {
  const item = spec.shape.slice(1).map((dimension) => (typeof dimension === 'number' ? dimension : flat.length / fixed(spec).product));
  let values: unknown[] = [...flat];
  for (let depth = item.length - 1; depth > 0; depth--) {
    const length = item[depth]!;
    values = Array.from({ length: values.length / length }, (_, i) => values.slice(i * length, (i + 1) * length));
  }
  return item.length === 0 ? values[0] : values;
}

/** The field of each input where the record names them all. */
function header(record: readonly string[], inputs: readonly TensorSpec[]): number[] | undefined {
  if (record.length < inputs.length) return undefined;
  const order = inputs.map((input) => record.indexOf(input.name));
  return order.every((field) => field >= 0) ? order : undefined;
}

/**
 * Parses RFC 4180: fields quoted by `"`, a quote in them doubled, line breaks allowed inside quotes; records ended by LF or CRLF.
 * Blank lines are passed over: a missing value in a row of one field is written `""`.
 *
 * @param starts gets where in the text each record starts, one that cannot be read included
 * @throws BadRequest for a quote left open or text after a closing quote
 */
export function parseCsv(text: string, starts?: number[]): string[][] {
  const records: string[][] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    const record: string[] = [];
    const start = at;
    if (starts !== undefined) starts[records.length] = start;
    for (;;) {
      let field: string;
      if (text[at] === '"') [field, at] = quoted(text, at, records.length + 1);
      else {
        const from = at;
        while (at < text.length && text[at] !== ',' && text[at] !== '\n') at++;
        field = text.slice(from, text[at] === '\n' && text[at - 1] === '\r' && at > from ? at - 1 : at);
      }
      record.push(field);
      if (text[at] !== ',') break;
      at++;
    }
    const blank = record.length === 1 && record[0] === '' && text[start] !== '"';
    if (!blank) records.push(record);
    at++;
  }
  return records;
}

function quoted(text: string, open: number, row: number): [string, number] {
  let field = '';
  for (let at = open + 1; ; ) {
    const close = text.indexOf('"', at);
    if (close < 0) throw new BadRequest(`row ${row}: a quote is opened and never closed`);
    field += text.slice(at, close);
    if (text[close + 1] !== '"') {
      const next = text[close + 1] === '\r' ? close + 2 : close + 1;
      if (next < text.length && text[next] !== ',' && text[next] !== '\n') {
        throw new BadRequest(`row ${row}: text after a closing quote: ${text.slice(close, close + 20)}`);
      }
      return [field, next];
    }
    field += '"';
    at = close + 2;
  }
}

/** A field as CSV writes it: quoted where it holds a comma, a quote or a line break. */
export function csvField(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
