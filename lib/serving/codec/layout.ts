import { ELEMENTS, type Element } from './element';
import { BadRequest, type Batch, type Signature, type TensorSpec, type TensorValue } from './signature';
import { blank, type TensorMemory } from './tensor-memory';

/** Where a row stands in the request, for a message: `instances[3]` and the like. */
export type Place = (row: number) => string;

type Pick = (row: unknown, index: number) => unknown;

/** Values by input name, the one input's value, or values in the order of the inputs. */
export type RowKind = 'named' | 'bare' | 'ordered';

interface Column {
  readonly spec: TensorSpec;
  readonly element: Element;
  /** How many values of one row it takes; undefined where its graph leaves a dimension free. */
  readonly width: number | undefined;
}

/** How rows and columns of JSON become the tensors that a model takes. */
export class Layout {
  readonly inputs: readonly TensorSpec[];
  /** The inputs' names, for messages. */
  readonly names: string;
  private readonly columns: readonly Column[];

  constructor(signature: Signature) {
    this.inputs = signature.inputs;
    this.names = this.inputs.map((input) => `"${input.name}"`).join(', ');
    this.columns = this.inputs.map((spec) => ({ spec, element: ELEMENTS[spec.type], width: width(spec) }));
  }

  /**
   * Makes tensors of rows. A row is an object by input name, an array in the order of the inputs, or, where the model has one input,
   * that input's value. Names that the model does not know are passed over, so that one request can serve two versions of a model.
   *
   * @param memory what the tensors may lie in: they are good until it is used again
   * @throws BadRequest naming the row and the field
   */
  ofRows(rows: readonly unknown[], place: Place, memory?: TensorMemory): Batch {
    if (rows.length === 0) throw new BadRequest('the request holds no rows');
    const kind = this.kindOf(rows[0]);
    const tensors: Record<string, TensorValue> = {};
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i]!;
      const { name } = column.spec;
      const pick = kind === 'named' ? this.byName(name, place) : kind === 'bare' ? this.bare(place) : this.byOrder(i, place);
      tensors[name] = tensor(column, rows, pick, (row) => `${place(row)}, input "${name}"`, memory);
    }
    return { rows: rows.length, tensors };
  }

  /** What all rows of a request must be, by its first. */
  kindOf(first: unknown): RowKind {
    if (isObject(first)) return 'named';
    return this.inputs.length === 1 && !isWrapped(first, this.inputs[0]!) ? 'bare' : 'ordered';
  }

  /** Makes tensors of columns: an object of input names, each with its values, one a row. */
  ofColumns(given: Readonly<Record<string, unknown>>): Batch {
    const tensors: Record<string, TensorValue> = {};
    let rows: number | undefined;
    for (const column of this.columns) {
      const { name } = column.spec;
      const one = given[name];
      if (one === undefined) throw new BadRequest(`inputs lacks "${name}" (the model takes ${this.names})`);
      const values = Array.isArray(one) ? one : [one];
      if (values.length === 0) throw new BadRequest(`inputs."${name}" holds no rows`);
      rows ??= values.length;
      if (values.length !== rows) {
        const first = this.inputs[0]!.name;
        throw new BadRequest(`inputs."${name}" has ${values.length} rows, "${first}" has ${rows}: columns must be equally long`);
      }
      tensors[name] = tensor(column, values, itself, (row) => `inputs."${name}"[${row}]`);
    }
    return { rows: rows ?? 0, tensors };
  }

  private byName(name: string, place: Place): Pick {
    return (row, index) => {
      const value = (row as Record<string, unknown> | null)?.[name];
      if (value !== undefined) return value;
      if (!isObject(row))
        throw new BadRequest(`${place(index)} is not an object of inputs, as the first row is: all rows must be of one kind`);
      throw new BadRequest(`${place(index)} lacks "${name}" (the model takes ${this.names}; null stands for a missing value)`);
    };
  }

  private bare(place: Place): Pick {
    return (row, index) => (isObject(row) ? otherKind(place(index)) : row);
  }

  private byOrder(position: number, place: Place): Pick {
    const { length } = this.inputs;
    return (row, index) => {
      if (isObject(row)) return otherKind(place(index));
      if (!Array.isArray(row)) throw new BadRequest(`${place(index)} must be an object or an array of ${length} values, not ${shown(row)}`);
      if (row.length !== length) {
        throw new BadRequest(`${place(index)} has ${row.length} values, the model takes ${length}: ${this.names}`);
      }
      return row[position];
    };
  }
}

const itself: Pick = (value) => value;

/** @throws BadRequest */
function otherKind(place: string): never {
  throw new BadRequest(`${place} is an object and the first row is none: all rows must be of one kind`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How many values of one row an input takes; undefined where its graph leaves a dimension free. */
export function width(spec: TensorSpec): number | undefined {
  let product = 1;
  for (const dimension of spec.shape.slice(1)) {
    if (typeof dimension !== 'number') return undefined;
    product *= dimension;
  }
  return product;
}

/** Whether a row of a model with one input is an array around that input's value, as in [[1], [2]] for an input of one number. */
function isWrapped(row: unknown, spec: TensorSpec): boolean {
  let depth = 0;
  for (let value = row; Array.isArray(value); value = value[0]) depth++;
  return depth > Math.max(0, spec.shape.length - 1);
}

function tensor(column: Column, rows: readonly unknown[], pick: Pick, place: Place, memory?: TensorMemory): TensorValue {
  const { spec, element } = column;
  const fixed = spec.shape[0];
  if (typeof fixed === 'number' && fixed !== rows.length) {
    const shape = `[${spec.shape.join(', ')}]`;
    throw new BadRequest(`the request has ${rows.length} rows, input "${spec.name}" takes exactly ${fixed} (its shape is ${shape})`);
  }
  if (spec.shape.length === 0 && rows.length !== 1) {
    throw new BadRequest(`the request has ${rows.length} rows, input "${spec.name}" is one value: send one row a request`);
  }
  if (column.width !== 1) return wideTensor(column, rows, pick, place);
  const filled = memory === undefined ? blank(spec, rows.length) : memory.tensor(spec, rows.length);
  for (let row = 0; row < rows.length; row++) {
    let value = pick(rows[row], row);
    while (Array.isArray(value) && value.length === 1) value = value[0];
    if (!element.put(filled.data, row, value)) throw new BadRequest(`${place(row)}: must be ${element.what}, not ${found(value)}`);
  }
  return filled;
}

/** Rows of several values each. */
function wideTensor({ spec, element }: Column, rows: readonly unknown[], pick: Pick, place: Place): TensorValue {
  const values = rows.map((row, index) => pick(row, index));
  const item = itemShape(spec, values[0], place);
  const size = item.reduce((a, b) => a * b, 1);
  const data = element.allocate(rows.length * size);
  let at = 0;
  const fill = (value: unknown, depth: number, row: number): void => {
    if (depth === item.length) {
      if (!element.put(data, at, value)) {
        throw new BadRequest(`${place(row)}: must hold ${element.what} at ${at - row * size}, not ${found(value)}`);
      }
      at++;
      return;
    }
    if (!Array.isArray(value) || value.length !== item[depth]) {
      const got = Array.isArray(value) ? `${value.length} values` : shown(value);
      throw new BadRequest(`${place(row)}: must be ${item[depth]} values, not ${got} (a row is [${item.join(', ')}])`);
    }
    for (const inner of value) fill(inner, depth + 1, row);
  };
  for (let row = 0; row < rows.length; row++) fill(values[row], 0, row);
  return { type: spec.type, data, dims: [rows.length, ...item], location: 'cpu' };
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

/** A value that does not fit, whatever the request's form. */
function found(value: unknown): string {
  if (value === null) return 'a missing value';
  const inexact = Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < 2 ** 64;
  return `${shown(value)}${inexact ? ' (beyond 2^53 - 1 a number is not exact in JSON: send text/csv)' : ''}`;
}

/** A value as a message can show it: short whatever it is. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' || typeof value === 'number' ? String(value) : jsonOf(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    return 'values nested too deep to show';
  }
}
