/** A value that Python's literal_eval reads; tuples, lists and sets are told apart, and of a dictionary's equal keys the last counts. */
export type Literal = null | boolean | number | string | LiteralSequence | ReadonlyMap<unknown, Literal>;

export interface LiteralSequence {
  readonly kind: 'tuple' | 'list' | 'set';
  readonly items: readonly Literal[];
}

export function isSequence(literal: Literal | undefined): literal is LiteralSequence {
  return typeof literal === 'object' && literal !== null && 'kind' in literal;
}

/** Reads a Python literal. @throws Error for what is none, or of more than 64 brackets in one another */
export function parseLiteral(text: string): Literal {
  return new Parser(text).whole();
}

const SPACE = /(?:[ \t\f\r\n]|\\\r?\n|#[^\n]*)*/y;
const NUMBER = /[+-]?(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)[lLjJ]?/y;
const WORD = /[A-Za-z_]\w*/y;
const QUOTE = /([rRbBuU]{0,2})("""|'''|"|')/y;
const ESCAPE = /\\(?:\r?\n|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g;
const SINGLE: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', a: '\x07' };
const WORDS: Readonly<Record<string, Literal>> = { None: null, True: true, False: false };
const DEEPEST = 64;

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): Literal {
    const value = this.value(0);
    this.take(SPACE);
    if (this.at < this.text.length) this.fail();
    return value;
  }

  private value(depth: number): Literal {
    this.take(SPACE);
    if (depth > DEEPEST) this.fail();
    const bracket = this.text[this.at];
    if (bracket === '(') return this.parenthesised(depth);
    if (bracket === '[') return { kind: 'list', items: this.items(']', depth).items };
    if (bracket === '{') return this.braced(depth);
    const text = this.string();
    if (text !== undefined) return text;
    const number = this.take(NUMBER)?.[0];
    if (number !== undefined) return Number(number.replace(/_|[lLjJ]$/g, ''));
    const word = this.take(WORD)?.[0] ?? '';
    if (!Object.hasOwn(WORDS, word)) this.fail();
    return WORDS[word]!;
  }

  /** Texts beside one another are one. */
  private string(): string | undefined {
    let whole: string | undefined;
    for (let opened = this.take(QUOTE); opened !== null; opened = this.take(QUOTE)) {
      const [, prefix = '', quote = ''] = opened;
      const end = this.closing(quote);
      const body = this.text.slice(this.at, end);
      this.at = end + quote.length;
      whole = (whole ?? '') + (/r/i.test(prefix) ? body : unescaped(body));
      this.take(SPACE);
    }
    return whole;
  }

  private closing(quote: string): number {
    for (let at = this.at; at < this.text.length; at++) {
      if (this.text[at] === '\\') at++;
      else if (this.text.startsWith(quote, at)) return at;
      else if (this.text[at] === '\n' && quote.length === 1) break;
    }
    return this.fail();
  }

  private parenthesised(depth: number): Literal {
    const { items, comma } = this.items(')', depth);
    return items.length === 1 && !comma ? items[0]! : { kind: 'tuple', items };
  }

  private items(close: string, depth: number): { items: Literal[]; comma: boolean } {
    const items: Literal[] = [];
    let comma = false;
    this.at++;
    while (!this.closes(close)) {
      if (items.length > 0 && !comma) this.fail();
      items.push(this.value(depth + 1));
      comma = this.closes(',');
    }
    return { items, comma };
  }

  /** A dictionary or a set. */
  private braced(depth: number): Literal {
    const entries = new Map<unknown, Literal>();
    const items: Literal[] = [];
    this.at++;
    for (let comma = true; !this.closes('}'); comma = this.closes(',')) {
      if (!comma) this.fail();
      const key = this.value(depth + 1);
      if (this.closes(':')) entries.set(key, this.value(depth + 1));
      else items.push(key);
    }
    if (items.length > 0 && entries.size > 0) this.fail();
    return items.length > 0 ? { kind: 'set', items } : entries;
  }

  private closes(character: string): boolean {
    this.take(SPACE);
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match !== null) this.at = pattern.lastIndex;
    return match;
  }

  private fail(): never {
    throw new Error(`no Python literal at character ${this.at}: ${this.text.slice(this.at, this.at + 40)}`);
  }
}

function unescaped(body: string): string {
  return body.replace(ESCAPE, (_, x?: string, u?: string, wide?: string, octal?: string, other?: string) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (other !== undefined) return SINGLE[other] ?? `\\${other}`.replace(/^\\(["'\\])/, '$1');
    const point = Number.parseInt(x ?? u ?? wide ?? '', 16);
    return Number.isNaN(point) || point > 0x10ffff ? '' : String.fromCodePoint(point);
  });
}
