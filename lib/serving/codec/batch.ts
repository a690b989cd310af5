import { ELEMENTS } from './element';
import { BadRequest, type Batch, type Signature, type TensorSpec, type TensorValue } from './signature';

/** Where a value stands in the request, for a message: `instances[3]` and the like. */
export type Place = (row: number) => string;

/**
 * Makes tensors of rows. A row is an object by input name, an array in the order of the inputs, or, where the model has one input,
 * that input's value. Names that the model does not know are passed over, so that one request can serve two versions of a model.
 *
 * @throws BadRequest naming the row and the field
 */
export function batchOfRows(signature: Signature, rows: readonly unknown[], place: Place): Batch {
  if (rows.length === 0) throw new BadRequest('the request holds no rows');
  const { inputs } = signature;
  const byName = isObject(rows[0]);
  const single = inputs.length === 1 ? inputs[0] : undefined;
  const bare = single !== undefined && !byName && !isWrapped(rows[0], single);
  const tensors: Record<string, TensorValue> = {};
  for (let i = 0; i < inputs.length; i++) {
    const spec = inputs[i]!;
    const at: Place = (row) => `${place(row)}, input "${spec.name}"`;
    const pick = byName ? pickByName(spec.name, inputs, place) : bare ? same : pickByOrder(i, inputs, place);
    tensors[spec.name] = column(spec, rows, pick, at);
  }
  return { rows: rows.length, tensors };
}

/** Makes tensors of columns: an object of input names, each with its values, one a row. */
export function batchOfColumns(signature: Signature, columns: Readonly<Record<string, unknown>>): Batch {
  const tensors: Record<string, TensorValue> = {};
  let rows: number | undefined;
  for (const spec of signature.inputs) {
    const given = columns[spec.name];
    if (given === undefined) throw new BadRequest(`inputs lacks "${spec.name}" (the model takes ${names(signature.inputs)})`);
    const values = Array.isArray(given) ? given : [given];
    if (values.length === 0) throw new BadRequest(`inputs."${spec.name}" holds no rows`);
    rows ??= values.length;
    if (values.length !== rows) {
      throw new BadRequest(
        `inputs."${spec.name}" has ${values.length} rows, "${signature.inputs[0]!.name}" has ${rows}: columns must be equally long`,
      );
    }
    tensors[spec.name] = column(spec, values, same, (row) => `inputs."${spec.name}"[${row}]`);
  }
  return { rows: rows ?? 0, tensors };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How many values of one row an input takes; undefined where its graph leaves a dimension free. */
export function width(spec: TensorSpec): number | undefined {
  let product = 1;
  for (let i = 1; i < spec.shape.length; i++) {
    const dimension = spec.shape[i];
    if (typeof dimension !== 'number') return undefined;
    product *= dimension;
  }
  return product;
}

export function names(inputs: readonly TensorSpec[]): string {
  return inputs.map((input) => `"${input.name}"`).join(', ');
}

type Pick = (row: unknown, index: number) => unknown;

const same: Pick = (value) => value;

function pickByName(name: string, inputs: readonly TensorSpec[], place: Place): Pick {
  return (row, index) => {
    const value = isObject(row) ? row[name] : undefined;
    if (value !== undefined) return value;
    if (!isObject(row)) throw new BadRequest(`${place(index)} is not an object of inputs, as ${place(0)} is`);
    throw new BadRequest(`${place(index)} lacks "${name}" (the model takes ${names(inputs)}; null stands for a missing value)`);
  };
}

function pickByOrder(position: number, inputs: readonly TensorSpec[], place: Place): Pick {
  return (row, index) => {
    if (!Array.isArray(row))
      throw new BadRequest(`${place(index)} must be an object or an array of ${inputs.length} values, not ${shown(row)}`);
    if (row.length !== inputs.length) {
      throw new BadRequest(`${place(index)} has ${row.length} values, the model takes ${inputs.length}: ${names(inputs)}`);
    }
    return row[position];
  };
}

/** Whether a row of a model with one input is an array around that input's value, as in [[1], [2]] for an input of one number. */
function isWrapped(row: unknown, spec: TensorSpec): boolean {
  let depth = 0;
  for (let value = row; Array.isArray(value); value = value[0]) depth++;
  return depth > Math.max(0, spec.shape.length - 1);
}

function column(spec: TensorSpec, rows: readonly unknown[], pick: Pick, place: Place): TensorValue {
  const fixed = spec.shape[0];
  if (typeof fixed === 'number' && fixed !== rows.length) {
    throw new BadRequest(
      `the request has ${rows.length} rows, input "${spec.name}" takes exactly ${fixed} (its shape is [${spec.shape.join(', ')}])`,
    );
  }
  if (spec.shape.length === 0 && rows.length !== 1) {
    throw new BadRequest(`the request has ${rows.length} rows, input "${spec.name}" is one value: send one row a request`);
  }
  const element = ELEMENTS[spec.type];
  const perRow = width(spec);
  if (perRow === 1) {
    const data = element.allocate(rows.length);
    for (let row = 0; row < rows.length; row++) {
      let value = pick(rows[row], row);
      while (Array.isArray(value) && value.length === 1) value = value[0];
      if (!element.put(data, row, value)) throw new BadRequest(`${place(row)}: must be ${element.what}, not ${shown(value)}`);
    }
    const dims = spec.shape.length === 0 ? [] : [rows.length, ...new Array<number>(spec.shape.length - 1).fill(1)];
    return { type: spec.type, data, dims };
  }
  const values = rows.map((row, index) => pick(row, index));
  const item = itemShape(spec, values[0], place);
  const size = item.reduce((a, b) => a * b, 1);
  const data = element.allocate(rows.length * size);
  for (let row = 0; row < rows.length; row++) {
    let at = row * size;
    const fill = (value: unknown, depth: number): void => {
      if (depth === item.length) {
        if (!element.put(data, at, value))
          throw new BadRequest(`${place(row)}: must hold ${element.what} at ${at - row * size}, not ${shown(value)}`);
        at++;
        return;
      }
      if (!Array.isArray(value) || value.length !== item[depth]) {
        const length = Array.isArray(value) ? `${value.length} values` : shown(value);
        throw new BadRequest(`${place(row)}: must be ${item[depth]} values, not ${length} (a row is [${item.join(', ')}])`);
      }
      for (const inner of value) fill(inner, depth + 1);
    };
    fill(values[row], 0);
  }
  return { type: spec.type, data, dims: [rows.length, ...item] };
}

/** The shape of one row: as the graph fixes it, and where it leaves a dimension free as the first row has it. */
function itemShape(spec: TensorSpec, first: unknown, place: Place): number[] {
  let value = first;
  return spec.shape.slice(1).map((dimension, depth) => {
    const inner = value;
    value = Array.isArray(inner) ? inner[0] : undefined;
    if (typeof dimension === 'number') return dimension;
    if (!Array.isArray(inner)) throw new BadRequest(`${place(0)}: must be an array ${depth + 1} deep, not ${shown(first)}`);
    return inner.length;
  });
}

/** A value as a message can show it: short whatever it is. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
