import type { Bytes } from './bytes';

/** A UBJSON value as far as it is worth keeping: long arrays of numbers are only counted. */
export type UbjValue = null | boolean | number | string | UbjArray | readonly UbjValue[] | UbjObject;

export interface UbjObject {
  readonly [key: string]: UbjValue;
}

/** A typed array of numbers, unread. */
export class UbjArray {
  constructor(
    readonly type: string,
    readonly count: number,
  ) {}
}

const WIDTHS: Record<string, number> = { i: 1, U: 1, I: 2, l: 4, L: 8, d: 4, D: 8, C: 1, B: 1 };
const DEEPEST = 64;
const MOST_VALUES = 5_000_000;

/** Reads draft 12 of UBJSON as XGBoost writes it: big-endian, typed arrays with `$` and `#`. @throws Error when it is damaged */
export function readUbjson(bytes: Bytes): UbjValue {
  return new UbjReader(bytes).value(undefined, 0);
}

export function isUbjArray(value: UbjValue | undefined): value is UbjArray {
  return value instanceof UbjArray;
}

class UbjReader {
  private at = 0;
  private values = 0;
  private window: Buffer = Buffer.alloc(0);
  private windowAt = 0;

  constructor(private readonly bytes: Bytes) {}

  value(given: string | undefined, depth: number): UbjValue {
    if (depth > DEEPEST) throw new Error(`it nests more than ${DEEPEST} deep at byte ${this.at}`);
    if (++this.values > MOST_VALUES) throw new Error(`it holds more than ${MOST_VALUES} values`);
    const type = given ?? this.marker();
    if (type === 'Z') return null;
    if (type === 'T' || type === 'F') return type === 'T';
    if (type === 'S' || type === 'H') return this.text();
    if (type === '{') return this.object(depth);
    if (type === '[') return this.array(depth);
    return this.number(type);
  }

  private object(depth: number): UbjObject {
    const count = this.peek() === '#' ? this.count() : undefined;
    const result: Record<string, UbjValue> = Object.create(null) as Record<string, UbjValue>;
    for (let i = 0; count === undefined || i < count; i++) {
      if (count === undefined && this.peek() === '}') {
        this.at++;
        break;
      }
      result[this.text()] = this.value(undefined, depth + 1);
    }
    return result;
  }

  private array(depth: number): UbjValue {
    let type: string | undefined;
    if (this.peek() === '$') {
      this.at++;
      type = this.marker();
    }
    const count = this.peek() === '#' ? this.count() : undefined;
    if (type !== undefined && count !== undefined && WIDTHS[type] !== undefined) {
      this.take(0, count * WIDTHS[type]!);
      return new UbjArray(type, count);
    }
    const items: UbjValue[] = [];
    for (let i = 0; count === undefined || i < count; i++) {
      if (count === undefined && this.peek() === ']') {
        this.at++;
        break;
      }
      items.push(this.value(type, depth + 1));
    }
    return items;
  }

  private count(): number {
    this.at++;
    return this.length();
  }

  private length(): number {
    const length = this.number(this.marker());
    if (!Number.isSafeInteger(length) || length < 0) throw new Error(`a length of ${length} at byte ${this.at}`);
    return length;
  }

  private text(): string {
    const length = this.length();
    return this.take(length, length).toString('utf8');
  }

  private marker(): string {
    return this.take(1, 1).toString('latin1');
  }

  private peek(): string {
    const marker = this.marker();
    this.at--;
    return marker;
  }

  private number(type: string): number {
    const width = WIDTHS[type];
    if (width === undefined) throw new Error(`unknown type '${type}' at byte ${this.at - 1}`);
    const raw = this.take(width, width);
    if (type === 'd') return raw.readFloatBE();
    if (type === 'D') return raw.readDoubleBE();
    if (type === 'L') return Number(raw.readBigInt64BE());
    return type === 'U' || type === 'C' || type === 'B' ? raw[0]! : raw.readIntBE(0, width);
  }

  /** Moves on by `advance` bytes and gives the first `length` of them. */
  private take(length: number, advance: number): Buffer {
    if (advance > this.bytes.size - this.at) throw new Error(`cut short at byte ${this.at}`);
    if (this.at < this.windowAt || this.at + length > this.windowAt + this.window.length) {
      this.window = this.bytes.read(this.at, Math.max(length, 65_536));
      this.windowAt = this.at;
    }
    const start = this.at - this.windowAt;
    this.at += advance;
    return this.window.subarray(start, start + length);
  }
}
