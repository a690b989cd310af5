import { csvField } from './csv';
import { mediaType } from './decode';
import { valueAt } from './element';
import { shown } from './layout';
import { encodeNpy } from './npy';
import { BadRequest, type TensorValue } from './signature';

/** A model's outputs by name. */
export type Outputs = Readonly<Record<string, TensorValue>>;

/** How answers are written. */
export interface Encoding {
  readonly contentType: string;
  /** @param order the outputs' names in the order of the graph, which an object does not keep: it puts names like "2" first */
  encode(outputs: Outputs, rows: number, order: readonly string[]): Buffer;
}

const JSON_ENCODING: Encoding = {
  contentType: 'application/json',
  encode: (outputs, rows, order) =>
    Buffer.from(byRow(outputs, rows) ? `{"predictions":[${rowTexts(outputs, rows, order).join(',')}]}` : columnar(outputs, order)),
};

const ENCODINGS: Readonly<Record<string, Encoding>> = {
  'application/json': JSON_ENCODING,
  '*/*': JSON_ENCODING,
  'application/*': JSON_ENCODING,
  'application/jsonlines': {
    contentType: 'application/jsonlines',
    encode: (outputs, rows, order) =>
      Buffer.from(byRow(outputs, rows) ? rowTexts(outputs, rows, order).join('\n') : columnar(outputs, order)),
  },
  'text/csv': { contentType: 'text/csv', encode: (outputs, rows, order) => Buffer.from(csv(outputs, rows, order)) },
  'application/x-npy': {
    contentType: 'application/x-npy',
    encode: (outputs) => {
      const all = Object.values(outputs);
      if (all.length !== 1)
        throw new BadRequest(`the model has ${all.length} outputs, application/x-npy holds one: accept application/json`, 406);
      return encodeNpy(all[0]!);
    },
  },
};

/**
 * How an answer will be written: the first of the Accept header's media types that is known here, JSON where it names none.
 *
 * @throws BadRequest (406) where none of them is known
 */
export function encodingFor(accept: string | undefined): Encoding {
  if (accept === undefined || accept === '' || accept === 'application/json') return JSON_ENCODING;
  for (const one of accept.split(',')) {
    const encoding = ENCODINGS[mediaType(one)];
    if (encoding !== undefined) return encoding;
  }
  throw new BadRequest(
    `Accept ${shown(accept)} cannot be answered: accept application/json, application/jsonlines, text/csv or application/x-npy`,
    406,
  );
}

/** The outputs of some of the rows. Every output must have one entry a row. */
export function rowsFrom(outputs: Outputs, rows: number, from: number, to: number): Outputs {
  const some: Record<string, TensorValue> = {};
  for (const name in outputs) {
    const { type, data, dims } = outputs[name]!;
    const size = data.length / rows;
    const part = Array.isArray(data) ? data.slice(from * size, to * size) : data.subarray(from * size, to * size);
    some[name] = { type, data: part, dims: [to - from, ...dims.slice(1)], location: 'cpu' };
  }
  return some;
}

/** Whether every output has one entry a row. */
export function byRow(outputs: Outputs, rows: number): boolean {
  for (const name in outputs) if (outputs[name]!.dims[0] !== rows) return false;
  return true;
}

/** Each row as a JSON object of outputs. */
function rowTexts(outputs: Outputs, rows: number, order: readonly string[]): string[] {
  const columns = order.map((name) => ({ key: `${JSON.stringify(name)}:`, tensor: outputs[name]! }));
  const texts = new Array<string>(rows);
  for (let row = 0; row < rows; row++) {
    let text = '{';
    for (let i = 0; i < columns.length; i++) {
      const { key, tensor } = columns[i]!;
      text += (i === 0 ? '' : ',') + key + rowText(tensor, row);
    }
    texts[row] = `${text}}`;
  }
  return texts;
}

/** One row of a tensor: its value where a row holds one, else nested arrays. */
function rowText(tensor: TensorValue, row: number): string {
  const size = tensor.data.length / tensor.dims[0]!;
  return size === 1 ? jsonValue(tensor, row) : nestedText(tensor, tensor.dims.slice(1), row * size);
}

function nestedText(tensor: TensorValue, dims: readonly number[], from: number): string {
  if (dims.length === 0) return jsonValue(tensor, from);
  const inner = dims.slice(1);
  const size = inner.reduce((a, b) => a * b, 1);
  return `[${Array.from({ length: dims[0]! }, (_, i) => nestedText(tensor, inner, from + i * size)).join(',')}]`;
}

/** JSON has no NaN and no infinity: they are null. Integers of 64 bits are written exactly. */
function jsonValue(tensor: TensorValue, at: number): string {
  const value = valueAt(tensor, at);
  if (typeof value === 'number')
    return tensor.type === 'bool' ? (value === 0 ? 'false' : 'true') : Number.isFinite(value) ? `${value}` : 'null';
  return typeof value === 'string' ? JSON.stringify(value) : value.toString();
}

function columnar(outputs: Outputs, order: readonly string[]): string {
  const columns = order.map((name) => `${JSON.stringify(name)}:${nestedText(outputs[name]!, outputs[name]!.dims, 0)}`);
  return `{"outputs":{${columns.join(',')}}}`;
}

/** One line a row, without a header: the outputs' values in the order of the graph. */
function csv(outputs: Outputs, rows: number, order: readonly string[]): string {
  if (!byRow(outputs, rows)) throw new BadRequest('the model does not answer row by row: accept application/json', 406);
  const tensors = order.map((name) => outputs[name]!);
  let text = '';
  for (let row = 0; row < rows; row++) {
    const fields = tensors.flatMap((tensor) => {
      const size = tensor.data.length / rows;
      return Array.from({ length: size }, (_, i) => csvField(String(valueAt(tensor, row * size + i))));
    });
    // A blank line would be passed over by its readers, and the rows below it taken for others.
    text += `${fields.join(',') || '""'}\n`;
  }
  return text;
}
