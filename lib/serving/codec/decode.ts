import { isUtf8 } from 'node:buffer';
import { decodeCsv, type Rows } from './csv';
import { isObject, type Layout, shown, width } from './layout';
import { decodeNpy } from './npy';
import { BadRequest, type Batch } from './signature';
import type { TensorMemory } from './tensor-memory';

/** The media types that `decode` takes. */
export const REQUEST_TYPES = ['application/json', 'application/jsonlines', 'text/csv', 'application/x-npy'] as const;

/**
 * Decodes a request by its Content-Type: into rows where it has rows, which can be joined with those of other requests, else into tensors.
 *
 * @throws BadRequest (400) naming the row and field that do not fit; (415) for a media type that is not taken
 */
export function decode(layout: Layout, body: Buffer, contentType: string): Rows | Batch {
  switch (mediaType(contentType)) {
    case 'application/json':
    case '':
      return decodeJson(layout, parseJson(textOf(body), 'the body'));
    case 'application/jsonlines':
    case 'application/x-jsonlines':
    case 'application/x-ndjson':
      return decodeJsonLines(textOf(body));
    case 'text/csv':
    case 'application/csv':
      return decodeCsv(layout, textOf(body));
    case 'application/x-npy':
      return decodeNpy(layout, body);
    default:
      throw new BadRequest(`Content-Type ${shown(contentType)} is not taken: send ${REQUEST_TYPES.join(', ')}`, 415);
  }
}

/**
 * Tensors of what was decoded.
 *
 * @param memory what the tensors may lie in: they are good until it is used again
 * @throws BadRequest naming the row and field that do not fit
 */
export function tensorsOf(layout: Layout, decoded: Rows | Batch, memory?: TensorMemory): Batch {
  return 'place' in decoded ? layout.ofRows(decoded.rows, decoded.place, memory) : decoded;
}

/** A media type without its parameters, in lower case. */
export function mediaType(header: string): string {
  const end = header.indexOf(';');
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
}

/** Bytes that are no UTF-8 would become other characters, and text that the model does not know. */
function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new BadRequest('the body is not UTF-8: send text as UTF-8');
  return body.toString('utf8');
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`${what} is not JSON: ${(error as Error).message}`);
  }
}

function decodeJson(layout: Layout, body: unknown): Rows | Batch {
  if (Array.isArray(body)) return { rows: rowsOf(layout, body), place: (row) => `row ${row + 1}` };
  if (isObject(body)) {
    const { instances, inputs } = body;
    if (Array.isArray(instances)) return { rows: instances, place: (row) => `instances[${row}]` };
    if (instances !== undefined) throw new BadRequest(`instances must be an array of rows, not ${shown(instances)}`);
    if (isObject(inputs)) return layout.ofColumns(inputs);
    if (Array.isArray(inputs) && layout.inputs.length === 1) return layout.ofColumns({ [layout.inputs[0]!.name]: inputs });
    if (inputs !== undefined) throw new BadRequest(`inputs must be an object of columns by input name, not ${shown(inputs)}`);
  }
  throw new BadRequest(`the body must be {"instances": [row, ...]}, {"inputs": {name: [value, ...]}} or [row, ...], not ${shown(body)}`);
}

/** A bare array of numbers is one row where a row holds several values, as scikit-learn's container takes it. */
function rowsOf(layout: Layout, body: readonly unknown[]): readonly unknown[] {
  const several = layout.inputs.length !== 1 || width(layout.inputs[0]!) !== 1;
  return several && body.length > 0 && body.every((value) => typeof value !== 'object' || value === null) ? [body] : body;
}

function decodeJsonLines(text: string): Rows {
  const rows: unknown[] = [];
  const lines: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    rows.push(parseJson(line, `line ${index + 1}`));
    lines.push(index + 1);
  }
  return { rows, place: (row) => `line ${lines[row]}` };
}
