/** A metric over time: values by the start of their period, in seconds. */
export type TimeSeries = ReadonlyMap<number, number>;
type Value = number | TimeSeries | Value[];

/** The expression is not one that is understood here. */
export class BadExpression extends Error {}

/**
 * Evaluates a CloudWatch metric math expression: arithmetic, comparisons, AND, OR, and the functions IF, FILL, ABS, CEIL, FLOOR, SUM, AVG, MIN, MAX
 * (CloudWatch user guide, "Using metric math"). A period that lacks one of the operands has no value.
 *
 * @param times starts of all periods, for FILL and for constants
 * @throws BadExpression with the place
 */
export function evaluateExpression(text: string, series: Readonly<Record<string, TimeSeries>>, times: readonly number[]): TimeSeries {
  const value = new Parser(text, series, times).whole();
  if (Array.isArray(value)) throw new BadExpression(`${text} gives a list of metrics: one is wanted`);
  return typeof value === 'number' ? new Map(times.map((time) => [time, value])) : value;
}

const OPERATORS: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { OR: (a, b) => Number(a !== 0 || b !== 0), '||': (a, b) => Number(a !== 0 || b !== 0) },
  { AND: (a, b) => Number(a !== 0 && b !== 0), '&&': (a, b) => Number(a !== 0 && b !== 0) },
  {
    '==': (a, b) => Number(a === b),
    '!=': (a, b) => Number(a !== b),
    '<=': (a, b) => Number(a <= b),
    '>=': (a, b) => Number(a >= b),
    '<': (a, b) => Number(a < b),
    '>': (a, b) => Number(a > b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => a / b },
  { '^': (a, b) => a ** b },
];

const TOKEN = /\s*(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[A-Za-z_][A-Za-z0-9_]*|==|!=|<=|>=|&&|\|\||[-+*/^<>(),[\]])/y;

class Parser {
  private readonly tokens: string[] = [];
  private next = 0;

  constructor(
    private readonly text: string,
    private readonly series: Readonly<Record<string, TimeSeries>>,
    private readonly times: readonly number[],
  ) {
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const at = TOKEN.lastIndex;
      const token = TOKEN.exec(text);
      if (!token) throw new BadExpression(`${text}: unexpected '${text.slice(at, at + 10)}' at ${at}`);
      this.tokens.push(token[1]);
    }
  }

  whole(): Value {
    const value = this.level(0);
    if (this.next < this.tokens.length) throw new BadExpression(`${this.text}: unexpected '${this.tokens[this.next]}'`);
    return value;
  }

  private level(depth: number): Value {
    const operators = OPERATORS[depth];
    if (operators === undefined) return this.unary();
    let left = this.level(depth + 1);
    for (let operator = operators[this.tokens[this.next]]; operator !== undefined; operator = operators[this.tokens[this.next]]) {
      this.next += 1;
      left = combine([left, this.level(depth + 1)], ([a, b]) => operator(a, b));
    }
    return left;
  }

  private unary(): Value {
    const token = this.tokens[this.next++];
    if (token === undefined) throw new BadExpression(`${this.text}: ends too early`);
    if (token === '-') return combine([this.unary()], ([a]) => -a);
    if (token === '(') return this.until(')', this.level(0));
    if (token === '[') return this.list(']');
    if (/^\d/.test(token)) return Number(token);
    if (this.tokens[this.next] === '(') {
      this.next += 1;
      return this.call(token, this.list(')'));
    }
    const series = this.series[token];
    if (series === undefined) throw new BadExpression(`${this.text}: there is no query '${token}'`);
    return series;
  }

  private list(end: string): Value[] {
    const values: Value[] = [];
    while (this.tokens[this.next] !== end) {
      if (values.length > 0) this.until(',', 0);
      values.push(this.tokens[this.next] === 'REPEAT' ? this.repeat() : this.level(0));
    }
    this.next += 1;
    return values;
  }

  private repeat(): number {
    this.next += 1;
    return Number.NaN;
  }

  private until(end: string, value: Value): Value {
    if (this.tokens[this.next++] !== end) throw new BadExpression(`${this.text}: '${end}' expected`);
    return value;
  }

  private call(name: string, given: Value[]): Value {
    switch (name.toUpperCase()) {
      case 'IF':
        return combine(given, ([condition, yes, no]) => (condition !== 0 ? yes : no));
      case 'FILL':
        return this.fill(given[0], given[1]);
      case 'ABS':
        return combine(given, ([a]) => Math.abs(a));
      case 'CEIL':
        return combine(given, ([a]) => Math.ceil(a));
      case 'FLOOR':
        return combine(given, ([a]) => Math.floor(a));
      case 'SUM':
        return reduce(given[0], (values) => values.reduce((sum, value) => sum + value, 0));
      case 'AVG':
        return reduce(given[0], (values) => values.reduce((sum, value) => sum + value, 0) / values.length);
      case 'MIN':
        return reduce(given[0], (values) => Math.min(...values));
      case 'MAX':
        return reduce(given[0], (values) => Math.max(...values));
      default:
        throw new BadExpression(`${this.text}: the function ${name} is not known here`);
    }
  }

  private fill(value: Value, filler: Value): Value {
    if (!(value instanceof Map)) return value;
    const filled = new Map<number, number>();
    let last: number | undefined;
    for (const time of this.times) {
      const found =
        value.get(time) ??
        (typeof filler === 'number' ? (Number.isNaN(filler) ? last : filler) : filler instanceof Map ? filler.get(time) : undefined);
      if (found !== undefined) filled.set(time, found);
      last = found;
    }
    return filled;
  }
}

/** Value by value, where every operand has one. */
function combine(values: Value[], operation: (values: number[]) => number): Value {
  const maps = values.filter((value): value is TimeSeries => value instanceof Map);
  if (maps.length === 0) return operation(values as number[]);
  const result = new Map<number, number>();
  for (const time of maps[0].keys()) {
    const at = values.map((value) => (typeof value === 'number' ? value : (value as TimeSeries).get(time)));
    if (at.every((value) => value !== undefined)) result.set(time, operation(at as number[]));
  }
  return result;
}

/** Of one metric: over its time. Of a list: across the metrics, time by time, with those that have a value. */
function reduce(value: Value, operation: (values: number[]) => number): Value {
  if (typeof value === 'number') return value;
  if (!Array.isArray(value)) return operation([...value.values()]);
  const times = [...new Set(value.flatMap((one) => (one instanceof Map ? [...one.keys()] : [])))].sort((a, b) => a - b);
  return new Map(
    times.map((time) => [time, operation(value.flatMap((one) => (typeof one === 'number' ? one : ((one as TimeSeries).get(time) ?? []))))]),
  );
}
